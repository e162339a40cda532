"""
Secrets that a run knows, and the placeholders written in their place.

A placeholder is stable within a run and tells kind, number and the last four characters:
``<thing_token:17:…9vQz>``; a secret of less than twelve characters shows none of them.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

T = TypeVar("T")

_PERCENT = re.compile(r"%[0-9A-F]{2}")
_SHOWN_FROM = 12
_PREFIX = 8  # secrets are found by their first characters, however many there are
_REMEMBERED = 10_000


class SecretRegistry:
    """Everything that must never be written, in the order in which it became known."""

    def __init__(self, *, part: int = 0, of: int = 1) -> None:
        """``part`` of so many registries whose placeholders stand in one file: no number twice."""
        self._part, self._of = part, of
        self._placeholders: dict[str, str] = {}
        self._by_prefix: dict[str, list[tuple[str, str]]] = {}
        self._short: dict[str, str] = {}
        self._short_pattern: re.Pattern[str] | None = None
        self._redacted: dict[str, str] = {}

    def add(self, kind: str, value: str) -> str:
        """Remember a secret and give its placeholder; the same value keeps its first one."""
        if not value or value in self._placeholders:
            return self._placeholders.get(value, "")
        number = len(self._placeholders) * self._of + self._part + 1
        tail = f":…{value[-4:]}" if len(value) >= _SHOWN_FROM else ""
        placeholder = f"<{kind}:{number}{tail}>"
        self._placeholders[value] = placeholder
        for form in _forms(value):
            self._index(form, placeholder)
        self._redacted.clear()
        return placeholder

    def adopt(self, value: str, placeholder: str) -> None:
        """Take over what another registry calls a secret, so that both write the same."""
        if value not in self._placeholders:
            self._placeholders[value] = placeholder
            for form in _forms(value):
                self._index(form, placeholder)
            self._redacted.clear()

    def redact(self, value: T) -> T:
        """The same text, bytes or document with every secret replaced, in keys as well."""
        return self._redact(value)  # type: ignore[no-any-return]

    def _redact(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self._redact(key): self._redact(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._redact(item) for item in value]
        if isinstance(value, bytes):
            return self._text(value.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
        return value

    def _index(self, form: str, placeholder: str) -> None:
        if len(form) < _PREFIX:
            self._short[form] = placeholder
            longest_first = sorted(self._short, key=len, reverse=True)
            self._short_pattern = re.compile("|".join(map(re.escape, longest_first)))
        else:
            entries = self._by_prefix.setdefault(form[:_PREFIX], [])
            entries.append((form, placeholder))
            entries.sort(key=lambda entry: -len(entry[0]))

    def _text(self, text: str) -> str:
        known = self._redacted.get(text)
        if known is None:
            known = self._replace(text)
            if len(self._redacted) >= _REMEMBERED:
                self._redacted.clear()
            self._redacted[text] = known
        return known

    def _replace(self, text: str) -> str:
        by_prefix = self._by_prefix
        parts: list[str] = []
        done, at, last = 0, 0, len(text) - _PREFIX
        while at <= last:
            for secret, placeholder in by_prefix.get(text[at : at + _PREFIX], ()):
                if text.startswith(secret, at):
                    parts += [self._replace_short(text[done:at]), placeholder]
                    done = at + len(secret)
                    at = done - 1
                    break
            at += 1
        return "".join([*parts, self._replace_short(text[done:])])

    def _replace_short(self, text: str) -> str:
        if self._short_pattern is None:
            return text
        return self._short_pattern.sub(lambda found: self._short[found[0]], text)


def _forms(value: str) -> set[str]:
    """The ways in which a text may appear inside URLs, forms and JSON."""
    encoded = {quote(value), quote(value, safe=""), quote_plus(value)}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    lower = {_PERCENT.sub(lambda found: found[0].lower(), form) for form in encoded}
    return {value, *encoded, *escaped, *lower}
