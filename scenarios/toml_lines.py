"""
Where each key of a TOML text stands, since ``tomllib`` keeps the values and forgets the lines.

The text is known to be valid TOML: this scanner only finds its way and judges nothing.
"""

from __future__ import annotations

import re
import tomllib

Where = tuple[str | int, ...]
"""A path into a document: keys of tables and positions in lists."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\r\n#]*")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"((?:\\.|[^"\\])*)"'),
    re.compile(r"'([^']*)'"),
)


def line_numbers(text: str) -> dict[Where, int]:
    """The line (from 1) of every key, table and list item of a valid TOML text."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Where, int] = {(): 1}
        self._lists: dict[Where, int] = {}  # [[headers]] seen, with the position of the latest

    def scan(self) -> dict[Where, int]:
        table: Where = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Where:
        line = self._line()
        is_list = self._text.startswith("[[", self._at)
        self._at += 2 if is_list else 1
        *outer, last = self._keys()
        self._at += 2 if is_list else 1
        table: Where = ()
        for key in outer:
            table = self._latest((*table, key), line)
        table = (*table, last)
        if is_list:
            self._lists[table] = self._lists.get(table, -1) + 1
        return self._latest(table, line)

    def _latest(self, table: Where, line: int) -> Where:
        """The table meant by a header: of a list of tables, the one that was opened last."""
        self._lines.setdefault(table, line)
        if table in self._lists:
            table = (*table, self._lists[table])
        self._lines.setdefault(table, line)
        return table

    def _pair(self, table: Where) -> None:
        line = self._line()
        for key in self._keys():
            table = (*table, key)
            self._lines.setdefault(table, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(table)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _key(self) -> str:
        for pattern in (_BARE_KEY, *_STRINGS[2:]):
            if found := pattern.match(self._text, self._at):
                self._at = found.end()
                return _unescaped(found)
        raise AssertionError("valid TOML has a key here")

    def _value(self, where: Where) -> None:
        opening = self._text[self._at]
        if opening == "{":
            self._inline_table(where)
        elif opening == "[":
            self._list(where)
        elif opening in "\"'":
            self._string()
        else:
            self._skip(_SCALAR)

    def _string(self) -> None:
        found = next(f for pattern in _STRINGS if (f := pattern.match(self._text, self._at)))
        self._at = found.end()

    def _inline_table(self, where: Where) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._text[self._at] != "}":
            self._pair(where)
            self._next_item()
        self._at += 1

    def _list(self, where: Where) -> None:
        self._at += 1
        self._skip(_BLANK)
        position = 0
        while self._text[self._at] != "]":
            self._lines[(*where, position)] = self._line()
            self._value((*where, position))
            self._next_item()
            position += 1
        self._at += 1

    def _next_item(self) -> None:
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1


def _unescaped(key: re.Match[str]) -> str:
    if key[0].startswith('"') and "\\" in key[0]:
        text: str = tomllib.loads(f"text = {key[0]}")["text"]
        return text
    return key[key.lastindex or 0]
