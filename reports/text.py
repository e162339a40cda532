"""
Text from outside, made fit to be shown: nothing invisible, nothing endless.

What a target sends is untrusted. Escaping for HTML and XML is done where text is put into a page;
here control characters, lone surrogates and direction marks become visible, and long texts are cut.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

LONGEST = 4_000
# Control, format (bidi marks, zero width), surrogate, private, unassigned; odd spaces, line ends.
_UNSHOWN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"))


def shown(value: Any, *, longest: int = LONGEST) -> str:
    """``value`` (any JSON value) as text: a string as itself, anything else as JSON."""
    return visible(cut(value if isinstance(value, str) else _json(value), longest=longest))


def literal(value: Any, *, longest: int = LONGEST) -> str:
    """``value`` as a JSON literal, so that ``"9000"`` and ``9000`` look different."""
    return visible(cut(_json(value), longest=longest))


def visible(text: str) -> str:
    """Every character that a reader could not see, as an escape; new lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def cut(text: str, *, longest: int = LONGEST) -> str:
    """The first ``longest`` characters, with a note of how many there were."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n… cut: {longest:,} of {len(text):,} characters shown"


def _visible(character: str) -> str:
    if character in " \n\t" or unicodedata.category(character) not in _UNSHOWN:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␀ ␁ …
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json(value: Any) -> str:
    compact = json.dumps(value, ensure_ascii=False)
    return compact if len(compact) <= 72 else json.dumps(value, ensure_ascii=False, indent=2)
