"""What an expectation comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class Judgement:
    """
    ``observed`` counts what was looked at, ``broken`` tells each case that did not hold.

    Nothing observed is nothing proven: that is inconclusive, never a pass. ``unclear`` tells the
    cases that could not be looked at; one of them is enough for inconclusive.
    """

    observed: int
    broken: Sequence[str]
    unclear: Sequence[str] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """fail > inconclusive > pass."""
        if self.broken:
            return "fail"
        return "inconclusive" if self.unclear or not self.observed else "pass"

    @property
    def reason(self) -> str | None:
        """Why it is not a pass, in one phrase."""
        if self.broken:
            return _first(self.broken)
        if self.unclear:
            return _first(self.unclear)
        return None if self.observed else "nothing was observed"


def _first(cases: Sequence[str]) -> str:
    return cases[0] if len(cases) == 1 else f"{cases[0]} (and {len(cases) - 1} more)"
