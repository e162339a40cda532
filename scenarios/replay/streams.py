"""What a subscriber received, compared with what it received in the recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from scenarios.replay.alignment import Gap, gaps
from scenarios.replay.comparison import NOTHING, Difference, Sides, differences
from scenarios.replay.moments import form, unix_us
from scenarios.replay.script import Exchange, Script, Stream, secrets_of

LATE_US = 1_000_000


@dataclass
class Reception:
    """A stream as it was replayed; ``end`` is the platform's reason, None while it lasted."""

    documents: list[Any] = field(default_factory=list)
    silences_us: list[int] = field(default_factory=list)  # each ended by a keep-alive
    last_silence_us: int = 0
    end: str | None = None
    refused: int | None = None


Placed = tuple[int, Difference]  # with its place in the trace


def stream_differences(
    script: Script, stream: Stream, reception: Reception, sides: Sides
) -> Iterator[Placed]:
    """By refusal, content and order; the time between keep-alives does not scale."""
    if stream.refused != reception.refused:
        statuses = (stream.refused or 200, reception.refused or 200)
        yield stream.order, Difference("status", "", *statuses)
        return
    yield from _Documents(script, stream, reception, sides).differences()
    if reception.end is not None and stream.end is None:
        yield stream.order, Difference("stream end", "", "open", reception.end)
    for each in _silences(stream, reception):
        yield stream.order, each


def _silences(stream: Stream, reception: Reception) -> Iterator[Difference]:
    if not stream.silences_us:
        return
    shortest, longest = min(stream.silences_us), max(stream.silences_us)
    heard = [*reception.silences_us, max(reception.last_silence_us, shortest)]
    for silence_us in heard:
        if not shortest - LATE_US <= silence_us <= longest + LATE_US:
            what = "seconds before a keep-alive"
            yield Difference("timing", what, longest / 1e6, silence_us / 1e6)
            return


class _Documents:
    """One stream's documents on both sides."""

    def __init__(self, script: Script, stream: Stream, reception: Reception, sides: Sides) -> None:
        self._stream = stream
        self._sides = sides
        self._recorded = stream.heard
        self._replayed = reception.documents
        self._before = [self._key(sides.names.expected(each.document)) for each in stream.heard]
        self._after = [self._key(document) for document in reception.documents]
        things = secrets_of(stream.keys)
        self._writes = [
            exchange
            for key in sorted(things)
            for exchange in script.about.get(key, ())
            if exchange.is_write
        ]

    def differences(self) -> Iterator[Placed]:
        left = gaps(self._before, self._after)
        if left:
            yield from self._moved(left)
        for gap in left:
            yield from self._changed(gap)
            for at in gap.before:
                if not self._is_by_chance(self._recorded[at].document):
                    found = Difference("missing", "", self._recorded[at].document, NOTHING)
                    yield self._recorded[at].order, found
            for at in gap.after:
                if not self._is_by_chance(self._replayed[at]):
                    yield self._order(at), Difference("extra", "", NOTHING, self._replayed[at])

    def _moved(self, left: list[Gap]) -> Iterator[Placed]:
        """What both sides have, in another place; taken out of the gaps. Chance moves some."""
        gone = [{at for each in side for at in each} for side in zip(*left, strict=True)]
        places = dict(
            zip(
                (at for at in range(len(self._before)) if at not in gone[0]),
                (at for at in range(len(self._after)) if at not in gone[1]),
                strict=True,
            )
        )
        moved = dict(self._pairs(left))
        places |= moved
        for at, place in moved.items():
            passed = [other for other, there in places.items() if (other < at) != (there < place)]
            if not all(self._are_concurrent(at, other) for other in passed if other != at):
                words = f"document {at + 1}", f"document {place + 1}"
                yield self._order(at), Difference("order", "", *words)

    def _pairs(self, left: list[Gap]) -> Iterator[tuple[int, int]]:
        """Equal documents that stand in gaps."""
        extra: dict[str, list[tuple[int, Gap]]] = {}
        for gap in left:
            for at in gap.after:
                extra.setdefault(self._after[at], []).append((at, gap))
        for gap in left:
            for at in list(gap.before):
                if candidates := extra.get(self._before[at]):
                    place, there = candidates.pop(0)
                    gap.before.remove(at)
                    there.after.remove(place)
                    yield at, place

    def _changed(self, gap: Gap) -> Iterator[Placed]:
        """What stands in the place of another; taken out of the gap."""
        is_full = len(gap.before) == len(gap.after)
        for before, after in list(zip(*gap, strict=False)):
            recorded, replayed = self._recorded[before].document, self._replayed[after]
            found = list(differences(recorded, replayed, self._sides))
            if is_full or all(each.kind == "value" for each in found):
                gap.before.remove(before)
                gap.after.remove(after)
                for each in found:
                    yield self._order(before), each

    def _order(self, at: int) -> int:
        """Where in the trace the document of that number stands, or would stand."""
        return self._recorded[at].order if at < len(self._recorded) else self._stream.order

    def _are_concurrent(self, at: int, other: int) -> bool:
        """Whether both were written at one time: either may be told first."""
        return any(
            write.overlaps(beside)
            for write in self._writes_of(at)
            for beside in self._writes_of(other)
            if write is not beside
        )

    @cache  # noqa: B019 - lives as long as the comparison of one stream
    def _writes_of(self, at: int) -> list[Exchange]:
        """The writes that a document may be told of."""
        here = self._recorded[at]
        told = _told(here.document)
        return [
            write
            for write in self._writes
            if told and write.order < here.order and _told(_items(write)) == told
        ]

    def _is_by_chance(self, document: Any) -> bool:
        """Written while the stream began or ended: whether it is heard is chance."""
        borders = [self._stream.order]
        borders += [each.order for each in self._recorded[:1]]
        borders += [self._stream.end.order] if self._stream.end else []
        borders += [] if self._stream.closed is None else [self._stream.closed]
        return any(
            self._sides.names.expected(_items(write)) == document
            and (write.answer is None or any(map(write.covers, borders)))
            for write in self._writes
        )

    def _key(self, document: Any) -> str:
        return json.dumps(self._masked(document), sort_keys=True)

    def _masked(self, value: Any) -> Any:
        """Moments that a platform may have stamped all look alike."""
        if isinstance(value, dict):
            return {name: self._masked(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        moment = unix_us(value)
        if moment is None or moment in self._sides.named:
            return value
        is_stamp = self._sides.recorded.holds(moment) or self._sides.replayed.holds(moment)
        return f"<moment {form(value)}>" if is_stamp else value


def _told(items: Any) -> list[tuple[Any, Any]]:
    """Keys and values alone: a platform may add when it was told of them."""
    if not isinstance(items, list):
        return []
    return [(each.get("key"), each.get("value")) for each in items if isinstance(each, dict)]


def _items(write: Exchange) -> Any:
    return write.document.get("values") if isinstance(write.document, dict) else None
