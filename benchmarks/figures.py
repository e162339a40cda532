"""What a benchmark found, and how it is shown: figures, and ratios beside their aims."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LOUD_CORES = 0.2  # of foreign load; above it a latency says more about the neighbours


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: the median of its rounds, with the least and the greatest."""

    name: str
    rounds: Sequence[float]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def row(self) -> tuple[str, ...]:
        spread = f"{_short(min(self.rounds))} to {_short(max(self.rounds))}"
        return (self.name, f"{_short(self.median)} {self.unit}", spread)


def over(these: Figure, those: Figure) -> Figure:
    """
    The one over the other, round by round.

    What the machine did in a round hit both alike; its ratio hardly knows of it, while the ratio of
    two medians compares two moments.
    """
    rounds = [this / that for this, that in zip(these.rounds, those.rounds, strict=True)]
    return Figure(f"{these.name} over {those.name}", rounds, "x")


@dataclass(frozen=True, slots=True)
class Aim:
    """What was hoped for of a figure: ``at least`` or ``at most`` a bound."""

    name: str
    figure: Figure
    bound: float
    at_least: bool

    @property
    def value(self) -> float:
        return self.figure.median

    @property
    def is_reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def row(self) -> tuple[str, ...]:
        sign = "≥" if self.at_least else "≤"
        verdict = "reached" if self.is_reached else "missed"
        _, median, spread = self.figure.row()
        return (
            self.name,
            median,
            spread,
            f"{sign} {_short(self.bound)} {self.figure.unit}",
            verdict,
        )


@dataclass(slots=True)
class Report:
    """Everything one benchmark found."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    note: str = ""
    foreign_cores: float = 0.0

    def text(self) -> str:
        """As Markdown."""
        parts = [f"## {self.title}", ""]
        if self.note:
            parts += [self.note, ""]
        parts += [_foreign(self.foreign_cores), ""]
        parts += _table(("measured", "median", "rounds"), [figure.row() for figure in self.figures])
        if self.aims:
            parts += [
                "",
                *_table(("aim", "found", "rounds", "hoped for", ""), [a.row() for a in self.aims]),
            ]
        return "\n".join(parts) + "\n"


def interleaved(rounds: int, *measures: Callable[[], object]) -> None:
    """
    Call every measure once per round: what slows the machine down hits all of them alike.

    Every other round goes backwards, so that nobody always follows the same neighbour.
    """
    for number in range(rounds):
        for measure in measures if number % 2 == 0 else reversed(measures):
            measure()


def machine() -> str:
    """One line about where this ran."""
    return f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}"


def _foreign(cores: float) -> str:
    text = f"Other programs used {cores:.1f} cores meanwhile"
    quiet = "." if cores < LOUD_CORES else ": CPU per request still counts, elapsed times do not."
    return text + quiet


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 20 else f"{value:.2f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
