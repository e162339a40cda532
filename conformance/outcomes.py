"""
How a test ends other than by passing, as exceptions.

NotApplicable and NotRun are skips to pytest; RequirementBroken is a failed assertion to it.
"""

from __future__ import annotations

from typing import Any

from _pytest.outcomes import Skipped  # pytest.skip.Exception, which has no type


class RequirementBroken(AssertionError):  # noqa: N818 - a verdict, not a mistake of ours
    """The target did not keep the requirement's promise."""

    def __init__(self, expected: Any, actual: Any) -> None:
        self.expected = expected
        self.actual = actual
        super().__init__(f"expected {short(expected)}; got {short(actual)}")


class Inconclusive(Exception):  # noqa: N818 - a verdict, not a mistake of ours
    """The situation to be judged could not be arranged."""


class TargetBlocked(Inconclusive):
    """The target limits our requests: the run stops."""


class NotApplicable(Skipped):
    """The target file declares that the target lacks what this test needs."""


class NotRun(Skipped):
    """The target file neither holds nor declares lacking what this test needs."""


def short(value: Any, limit: int = 300) -> str:
    """A value on one line, cut to a length that a person still reads."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
