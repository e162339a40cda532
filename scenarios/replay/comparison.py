"""
Two documents, the recorded and the replayed one, and how they differ.

What a platform makes up anew each time is recognised by what it is: a moment written in the same
way that lies within the run on both sides and that no request named; a name that the platform
issued and that keeps standing for the same. Nothing is listed by its member's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from scenarios.replay.moments import form, unix_us
from scenarios.replay.names import Names, is_opaque

SKEW_US = 300_000_000  # how far a platform's clock may be from ours


class Difference(NamedTuple):
    """One difference; ``where`` is the member, with ``[]`` for every item of a list."""

    kind: str
    where: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True)
class Span:
    """The time in which a run's platform can have stamped something, by our clock."""

    start_us: int
    end_us: int

    def holds(self, moment_us: int) -> bool:
        """Whether a clock like ours was at that moment."""
        return self.start_us - SKEW_US <= moment_us <= self.end_us + SKEW_US


@dataclass(frozen=True)
class Sides:
    """What is known when an answer is compared."""

    names: Names
    recorded: Span
    replayed: Span
    named: Iterable[int]  # moments that requests about the same named themselves


def differences(
    recorded: Any, replayed: Any, sides: Sides, where: str = ""
) -> Iterator[Difference]:
    """Every difference, in the order of the recorded document."""
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        yield from _members(recorded, replayed, sides, where)
    elif isinstance(recorded, list) and isinstance(replayed, list):
        yield from _items(recorded, replayed, sides, where)
    elif _type(recorded) != _type(replayed):
        yield Difference("shape", where, recorded, replayed)
    elif not _is_same(recorded, replayed, sides):
        yield Difference(_kind(recorded, replayed), where, recorded, replayed)


def _members(
    recorded: dict[str, Any], replayed: dict[str, Any], sides: Sides, where: str
) -> Iterator[Difference]:
    left = dict(replayed)
    unknown: dict[str, Any] = {}  # perhaps names that are learned from other members
    for name, value in recorded.items():
        there = sides.names.expected(name)
        if there in left:
            yield from differences(value, left.pop(there), sides, _inside(where, there))
        else:
            unknown[name] = value
    for name, value in unknown.items():
        there = _counterpart(name, left, sides)
        if there is not None:
            yield from differences(value, left.pop(there), sides, _inside(where, there))
        else:
            yield Difference("shape", _inside(where, name), value, NOTHING)
    for name, value in left.items():
        yield Difference("shape", _inside(where, name), NOTHING, value)


def _counterpart(name: str, left: dict[str, Any], sides: Sides) -> str | None:
    there: str = sides.names.expected(name)
    if there in left:
        return there
    drawn = (each for each in left if is_opaque(each))
    return next((each for each in drawn if sides.names.is_counterpart(name, each)), None)


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _items(
    recorded: list[Any], replayed: list[Any], sides: Sides, where: str
) -> Iterator[Difference]:
    if len(recorded) != len(replayed):
        yield Difference("value", f"{where}[]", recorded, replayed)
        return
    for before, after in zip(recorded, replayed, strict=True):
        yield from differences(before, after, sides, f"{where}[]")


def _is_same(recorded: Any, replayed: Any, sides: Sides) -> bool:
    if not isinstance(recorded, str):
        return bool(recorded == replayed) or _are_stamps(recorded, replayed, sides)
    return (
        sides.names.expected(recorded) == replayed
        or _are_stamps(recorded, replayed, sides)
        or sides.names.is_counterpart(recorded, replayed)
    )


def _are_stamps(recorded: Any, replayed: Any, sides: Sides) -> bool:
    before, after = unix_us(recorded), unix_us(replayed)
    if before is None or after is None or form(recorded) != form(replayed):
        return False
    is_named = before in set(sides.named)
    return not is_named and sides.recorded.holds(before) and sides.replayed.holds(after)


def _kind(recorded: Any, replayed: Any) -> str:
    """Another way of writing a moment is another shape, as another type is."""
    is_moment = unix_us(recorded) is not None and isinstance(recorded, str)
    return "shape" if is_moment and form(recorded) != form(replayed) else "value"


def _type(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


class _Nothing:
    """Stands where one side has no such member."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()
