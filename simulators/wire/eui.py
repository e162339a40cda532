"""
The ways in which EUIs are written between stations and their servers.

Everywhere else an EUI is 16 hexadecimal digits in lower case, in reading order.

Source: LoRa Basics Station, documentation, glossary "ID6".
"""

from __future__ import annotations

import re

from simulators.wire.errors import WireError
from simulators.wire.fields import shown

_PAIRS = re.compile(r"[0-9a-f]{2}(?:([-:])[0-9a-f]{2})(?:\1[0-9a-f]{2}){6}", re.ASCII)
_PLAIN = re.compile(r"[0-9a-f]{16}", re.ASCII)
_GROUP = re.compile(r"[0-9a-f]{1,4}", re.ASCII)


def read_eui(value: object) -> str:
    """
    An EUI in any of its forms.

    Args:
        value: ``01-23-45-67-89-ab-cd-ef``, the same with colons or without anything, ID6
            (``123:4567:89ab:cdef``, ``f::1``), or a number.
    Raises:
        WireError: none of them.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64:
        return f"{value:016x}"
    if isinstance(value, str):
        lower = value.lower()
        if _PLAIN.fullmatch(lower):
            return lower
        if _PAIRS.fullmatch(lower):
            return lower.replace("-", "").replace(":", "")
        if (groups := _id6_groups(lower)) is not None:
            return "".join(group.rjust(4, "0") for group in groups)
    raise WireError(f"expected an EUI; got {shown(value)}")


def dashed(eui: str) -> str:
    """``01-23-45-67-89-AB-CD-EF``, as in the messages of a station."""
    return "-".join(eui[at : at + 2] for at in range(0, 16, 2)).upper()


def id6(eui: str) -> str:
    """``b827:ebff:fe00:1``: no leading zeros, the longest run of zero groups as ``::``."""
    groups = [f"{int(eui[at : at + 4], 16):x}" for at in range(0, 16, 4)]
    if groups == ["0"] * 4:
        return "::0"
    text = ":".join(groups)
    for zeros in ("0:0:0", "0:0"):
        if text.startswith(zeros + ":"):
            return f":{text[len(zeros) :]}"
        if text.endswith(":" + zeros):
            return f"{text[: -len(zeros)]}:"
        if f":{zeros}:" in text:
            return text.replace(f":{zeros}:", "::", 1)
    return text


def _id6_groups(text: str) -> list[str] | None:
    head, shortened, tail = text.partition("::")
    left = head.split(":") if head else []
    right = tail.split(":") if tail else []
    if not all(_GROUP.fullmatch(group) for group in (*left, *right)):
        return None
    missing = 4 - len(left) - len(right)
    if missing < 0 or (missing > 0) != bool(shortened):  # "::" stands for one group or more
        return None
    return [*left, *["0"] * missing, *right]
