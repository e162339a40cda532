"""What a phone did and saw, written down by the phone itself, to be judged afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

NEVER_US = 2**63


class Seen(NamedTuple):
    """One value that a phone was shown; ``thing_id`` is None when the platform did not say."""

    at_us: int
    key: str
    value: Any
    thing_id: str | None
    is_told: bool  # by a stream; otherwise it was asked for


class Span(NamedTuple):
    """A stream that worked: from its first document until it was lost."""

    from_us: int
    to_us: int


@dataclass
class Hold:
    """
    A right of somebody to resources of one thing, as far as those who gave it can know.

    ``may_*`` bounds the time in which it may have held, ``must_*`` the one in which it did: between
    a request and its answer nobody knows.
    """

    thing_id: str
    keys: tuple[str, ...] | None  # None: every resource, as for what is one's own
    rights: tuple[str, ...]
    may_from_us: int
    must_from_us: int = NEVER_US
    must_to_us: int = NEVER_US
    may_to_us: int = NEVER_US
    is_under_way: bool = False  # its confirmation was asked for and has not been answered

    def covers(self, thing_id: str, key: str) -> bool:
        """It is about that resource of that thing."""
        return self.thing_id == thing_id and (self.keys is None or key in self.keys)


@dataclass
class Watched:
    """The streams of one resource: those that are over, and since when one is open."""

    key: str
    spans: list[Span] = field(default_factory=list)
    open_us: int | None = None
    refused: int = 0  # attempts that never became a stream

    def spans_until(self, end_us: int) -> list[Span]:
        """All spans; one that is still open lasts until the end."""
        still = [] if self.open_us is None else [Span(self.open_us, end_us)]
        return [*self.spans, *still]


@dataclass
class Diary:
    """Everything that one phone's user did and saw."""

    seen: list[Seen] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    watched: dict[str, Watched] = field(default_factory=dict)
    known_before: frozenset[str] = frozenset()  # things that the account had at the first login
    confirmed: int = 0
    asked: dict[str, int] = field(
        default_factory=dict
    )  # how many requests of each kind were answered


Outcome = Literal["done", "refused", "unknown"]
