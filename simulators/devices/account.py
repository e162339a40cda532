"""
What one device sent and received, written down by the device itself.

Every sent value is one entry with its times in microseconds since the scenario's start. Loss,
duplication, reordering and latency are computed afterwards: from the entries alone, or by
comparing them with what was read back or heard elsewhere (``comparison.py``).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

State = Literal["pending", "acknowledged", "refused", "failed"]


class Sent:
    """One value on its way; ``failed`` means no answer, so it may or may not have arrived."""

    __slots__ = (
        "attempts", "datetime", "due_us", "key", "reason", "sent_us", "sequence", "settled_us",
        "state", "value",
    )  # fmt: skip

    def __init__(
        self, sequence: int, key: str, value: Any, due_us: int, sent_us: int, datetime: str | None
    ) -> None:
        self.sequence = sequence
        self.key = key
        self.value = value
        self.due_us = due_us
        self.sent_us = sent_us
        self.datetime = datetime
        self.attempts = 1
        self.state: State = "pending"
        self.settled_us = -1
        self.reason: str | None = None

    def settle(self, now_us: int, state: State, reason: str | None = None) -> None:
        """Note how the last attempt ended."""
        self.settled_us = now_us
        self.state = state
        self.reason = reason

    @property
    def latency_us(self) -> int | None:
        """Microseconds from the last attempt to the acknowledgement; None without one."""
        return self.settled_us - self.sent_us if self.state == "acknowledged" else None


class Received(NamedTuple):
    """One value that a platform sent to the device."""

    at_us: int
    key: str
    value: Any


class Reaction(NamedTuple):
    """A command that a device carried out: when it came, and when the device was in the state."""

    received_us: int
    done_us: int
    value: Any


class Problem(NamedTuple):
    """Something that went wrong outside a write: activation, subscription, description."""

    at_us: int
    what: str
    reason: str


class Totals(NamedTuple):
    """How a device's values ended."""

    sent: int
    acknowledged: int
    refused: int
    failed: int
    pending: int


class Account:
    """The book of one device."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.received: list[Received] = []
        self.reactions: list[Reaction] = []
        self.problems: list[Problem] = []
        self.subscribed_us: list[int] = []
        self.missed = 0  # samples skipped because an earlier write was still under way

    def sending(
        self, key: str, value: Any, due_us: int, now_us: int, datetime: str | None = None
    ) -> Sent:
        """Note a value that is about to be sent."""
        entry = Sent(len(self.sent), key, value, due_us, now_us, datetime)
        self.sent.append(entry)
        return entry

    def problem(self, now_us: int, what: str, reason: str) -> None:
        """Note what went wrong besides writes."""
        self.problems.append(Problem(now_us, what, reason))

    def totals(self) -> Totals:
        """Counts by state."""
        states = [entry.state for entry in self.sent]
        return Totals(
            len(states),
            states.count("acknowledged"),
            states.count("refused"),
            states.count("failed"),
            states.count("pending"),
        )

    def loss(self) -> float:
        """Share of settled values that were not acknowledged; 0.0 when nothing settled."""
        totals = self.totals()
        settled = totals.sent - totals.pending
        return (totals.refused + totals.failed) / settled if settled else 0.0

    def latencies_us(self) -> list[int]:
        """Latency of every acknowledged value, in the order of sending."""
        return [e.settled_us - e.sent_us for e in self.sent if e.state == "acknowledged"]
