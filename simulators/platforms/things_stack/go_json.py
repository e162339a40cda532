"""
What is wrong with a text that is no JSON, in the words of the decoder that the stack uses.

Only asked when a fast parser has refused the text. Like that decoder it reads one value and does
not look at what follows. Source: Go's encoding/json, file scanner.go (names of the states).
"""

from __future__ import annotations

import json

from simulators.platforms.things_stack.errors import INVALID_ARGUMENT, GatewayError

_SPACE = " \t\r\n"
_DEEPEST = 100  # 10 000 there; no message of the API needs a tenth of this
_DIGITS = "0123456789"
_ESCAPES = '"\\/bfnrt'
_UNEXPECTED_END = "unexpected EOF"


def first_value(text: str) -> str:
    """
    The first JSON value of a text.

    Raises:
        GatewayError: there is none, or it is nested too deeply; the message is the decoder's.
    """
    scanner = _Scanner(text)
    start = scanner.skip_space(0)
    end = scanner.value(start, 0)
    return text[start:end]


def is_suspiciously_deep(body: bytes) -> bool:
    """Whether a text may be nested too deeply; ``first_value`` tells for sure."""
    return body.count(b"[") + body.count(b"{") > _DEEPEST


class _Scanner:
    """Each method takes where something begins and returns where it ends."""

    def __init__(self, text: str) -> None:
        self._text = text

    def skip_space(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in _SPACE:
            at += 1
        return at

    def value(self, at: int, depth: int) -> int:
        character = self._at(at)
        if depth > _DEEPEST:
            raise GatewayError(INVALID_ARGUMENT, "exceeded max depth")
        if character == "{":
            return self._members(at + 1, depth, is_object=True)
        if character == "[":
            return self._members(at + 1, depth, is_object=False)
        if character == '"':
            return self._string(at + 1)
        if character in "-" + _DIGITS:
            return self._number(at)
        for word in ("true", "false", "null"):
            if character == word[0]:
                return self._word(at, word)
        raise self._bad(at, "looking for beginning of value")

    def _members(self, at: int, depth: int, *, is_object: bool) -> int:
        closing = "}" if is_object else "]"
        at = self.skip_space(at)
        if self._at(at) == closing:
            return at + 1
        while True:
            at = self._key(at) if is_object else at
            at = self.skip_space(self.value(self.skip_space(at), depth + 1))
            character = self._at(at)
            if character == closing:
                return at + 1
            if character != ",":
                what = "object key:value pair" if is_object else "array element"
                raise self._bad(at, f"after {what}")
            at = self.skip_space(at + 1)

    def _key(self, at: int) -> int:
        if self._at(at) != '"':
            raise self._bad(at, "looking for beginning of object key string")
        at = self.skip_space(self._string(at + 1))
        if self._at(at) != ":":
            raise self._bad(at, "after object key")
        return at + 1

    def _string(self, at: int) -> int:
        while (character := self._at(at)) != '"':
            if character < " ":
                raise self._bad(at, "in string literal")
            at = self._escape(at + 1) if character == "\\" else at + 1
        return at + 1

    def _escape(self, at: int) -> int:
        character = self._at(at)
        if character in _ESCAPES:
            return at + 1
        if character != "u":
            raise self._bad(at, "in string escape code")
        for digit in range(at + 1, at + 5):
            if self._at(digit) not in "0123456789abcdefABCDEF":
                raise self._bad(digit, "in \\u hexadecimal character escape")
        return at + 5

    def _number(self, at: int) -> int:
        if self._at(at) == "-":
            at += 1
        at = at + 1 if self._at(at) == "0" else self._digits(at, "in numeric literal")
        if self._peek(at) == ".":
            at = self._digits(at + 1, "after decimal point in numeric literal")
        if self._peek(at) in ("e", "E"):
            at += 2 if self._peek(at + 1) in ("+", "-") else 1
            at = self._digits(at, "in exponent of numeric literal")
        return at

    def _digits(self, at: int, where: str) -> int:
        if self._at(at) not in _DIGITS:
            raise self._bad(at, where)
        while self._peek(at) and self._peek(at) in _DIGITS:
            at += 1
        return at

    def _word(self, at: int, word: str) -> int:
        for offset, expected in enumerate(word):
            if self._at(at + offset) != expected:
                raise self._bad(at + offset, f"in literal {word} (expecting {expected!r})")
        return at + len(word)

    def _peek(self, at: int) -> str:
        return self._text[at : at + 1]

    def _at(self, at: int) -> str:
        if at >= len(self._text):
            raise GatewayError(INVALID_ARGUMENT, _UNEXPECTED_END)
        return self._text[at]

    def _bad(self, at: int, where: str) -> GatewayError:
        return GatewayError(
            INVALID_ARGUMENT, f"invalid character {_quoted(self._text[at])} {where}"
        )


def _quoted(character: str) -> str:
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    return f"'{json.dumps(character, ensure_ascii=False)[1:-1]}'"
