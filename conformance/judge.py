"""
What a test judges through: the fixture ``requirement``.

Comparison is JSON's, not Python's: ``True`` is not ``1``, and ``1`` is ``1.0``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.outcomes import Inconclusive, RequirementBroken
from conformance.requirement import Requirement


class Judge:
    """
    Compares what a target did with what its documents promise.

    The first broken promise ends the test, unless every requirement of the test is ``info``:
    then it is only noted.

    Args:
        requirements: those that the test stands for; none when its ids are unknown.
        is_target_gone: asked when a promise looks broken; the reason why there is nothing to
            judge, or None.
        plain: makes any value fit to be shown: JSON, without secrets.
    """

    def __init__(
        self,
        requirements: Sequence[Requirement],
        is_target_gone: Callable[[], str | None] = lambda: None,
        plain: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self.requirements = list(requirements)
        self.checks = 0
        self.observed: list[dict[str, Any]] = []
        self._is_target_gone = is_target_gone
        self._plain = plain

    @property
    def is_info(self) -> bool:
        """Whether nothing here may fail."""
        return all(requirement.level == "info" for requirement in self.requirements)

    def check(self, actual: Any, *, expected: Any) -> None:
        """Judge equality, as JSON knows it."""
        self._judge(is_same(actual, expected), expected, actual)

    def check_in(self, actual: Any, *, accepted: Sequence[Any]) -> None:
        """Judge that the answer is one of the accepted ones, and note which."""
        is_accepted = any(is_same(actual, choice) for choice in accepted)
        self._judge(is_accepted, f"one of {list(accepted)!r}", actual)
        self.observe("choice", actual)

    def check_that(self, ok: bool, *, expected: str, actual: Any) -> None:
        """Judge a claim that equality does not express; ``expected`` says it in words."""
        self._judge(ok, expected, actual)

    def observe(self, what: str, value: Any) -> None:
        """Note what the target does where its documents leave it free."""
        self.observed.append({"what": what, "value": self._plain(value)})

    def _judge(self, ok: bool, expected: Any, actual: Any) -> None:
        self.checks += 1
        if ok:
            return
        if gone := self._is_target_gone():
            raise Inconclusive(gone)
        if not self.is_info:
            raise RequirementBroken(self._plain(expected), self._plain(actual))
        self.observe("expected", expected)
        self.observe("differs", actual)


def is_same(left: Any, right: Any) -> bool:
    """Equality of two JSON values; a boolean is never a number, a list may be a tuple."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(is_same, left, right))
    return bool(left == right)
