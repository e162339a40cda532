"""
What the other side calls things: tokens, codes and ids of the recording and what stands for them.

Activation codes, and thing tokens that no answer gave, are the target file's: each recorded one
takes the next unused. Everything else is learned from the answers, one name for one name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from scenarios.replay.script import PLACEHOLDER, WORD, Script

SHORTEST_SECRET = 12


class UnlearnedError(Exception):
    """A request holds a secret that the target has not given; the argument is its placeholder."""


class Names:
    """Recorded names and what the target has in their place."""

    def __init__(
        self,
        script: Script,
        *,
        activation_codes: Iterable[str],
        thing_tokens: Iterable[str],
        passwords: Iterable[str] = (),
    ) -> None:
        """Passwords are those of users, who come in the same order on both sides."""
        self._issued = script.issued
        self._given = {
            "activation_code": iter(activation_codes),
            "thing_token": iter(thing_tokens),
        }
        self._learned = script.learned
        recorded = sorted(script.given("password"), key=_number)
        self._there = dict(zip(recorded, passwords, strict=False))
        self._here: dict[str, str] = {}

    def there(self, value: Any) -> Any:
        """
        A recorded document as the target has to get it.

        Raises:
            UnlearnedError: it holds a secret whose counterpart is not known.
        """
        return self._mapped(value, self._placeholder)

    def expected(self, value: Any) -> Any:
        """The same for documents to compare with: what is not known stays as it was recorded."""
        return self._mapped(value, lambda found: self._there.get(found[0], found[0]))

    def next_code(self, placeholder: str) -> str | None:
        """Another activation code, since the target has used up the one before."""
        code = next(self._given["activation_code"], None)
        if code is not None:
            self._there[placeholder] = code
        return code

    def is_counterpart(self, recorded: str, replayed: str) -> bool:
        """Whether ``replayed`` is, or may from now on be, the target's name for ``recorded``."""
        found = list(PLACEHOLDER.finditer(recorded))
        if found:
            return self._are_secrets(recorded, found, replayed)
        if recorded not in self._issued or not is_opaque(recorded):
            return False
        # Whatever the target's name looks like, later requests have to use it.
        is_learned = self._learn(recorded, replayed)
        return is_learned and is_opaque(replayed) and len(recorded) == len(replayed)

    def _are_secrets(self, recorded: str, found: list[re.Match[str]], replayed: str) -> bool:
        """Texts are alike around the secrets, and each secret has one counterpart."""
        pattern, done = "", 0
        for each in found:
            pattern += re.escape(recorded[done : each.start()]) + r"([^\s<>]+)"
            done = each.end()
        values = re.fullmatch(pattern + re.escape(recorded[done:]), replayed)
        if values is None:
            return False
        pairs = list(zip(found, values.groups(), strict=True))
        learned = [self._learn(each[0], value) for each, value in pairs]
        return all(learned) and all(len(value) >= SHORTEST_SECRET for _, value in pairs)

    def _learn(self, recorded: str, replayed: str) -> bool:
        known, meant = self._there.get(recorded), self._here.get(replayed)
        if known is not None or meant is not None:
            return known == replayed
        self._there[recorded] = replayed
        self._here[replayed] = recorded
        return True

    def _placeholder(self, found: re.Match[str]) -> str:
        placeholder = found[0]
        if placeholder not in self._there:
            given = None
            if placeholder not in self._learned:
                given = next(self._given.get(found[1], iter(())), None)
            if given is None:
                raise UnlearnedError(placeholder)
            self._there[placeholder] = given
            self._here[given] = placeholder
        return self._there[placeholder]

    def _mapped(self, value: Any, secret: Callable[[re.Match[str]], str]) -> Any:
        if isinstance(value, str):
            text = PLACEHOLDER.sub(secret, value)
            return WORD.sub(lambda found: self._there.get(found[0], found[0]), text)
        if isinstance(value, dict):
            return {
                self._mapped(key, secret): self._mapped(item, secret) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._mapped(item, secret) for item in value]
        return value


def _number(placeholder: str) -> int:
    found = PLACEHOLDER.fullmatch(placeholder)
    return int(found[2]) if found else 0


def is_opaque(text: str) -> bool:
    """Whether a text looks drawn by lot: long, and of letters in both cases or with digits."""
    if not WORD.fullmatch(text):
        return False
    has_digit = any(mark.isdigit() for mark in text)
    return (has_digit and not text.isdigit()) or (text != text.lower() and text != text.upper())
