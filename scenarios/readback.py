"""
Reading everything back from the platform when a scenario is over, as any client could.

Pages of a resource overlap by the millisecond of their border, because the bound ``endDate`` is
exclusive: rows that share it would be lost otherwise.

Source: thethings.iO developer center, "Read a resource".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import simpy

from simulators.clock import EPOCH, Clock
from simulators.devices.device import Device
from simulators.transports.http import HttpAnswer, HttpChannel, TransportError

PAGE = 1000
SMALLEST_CAP = 100  # no document tells of smaller pages
ATTEMPTS = 3
TRY_AGAIN = (429, 502, 503, 504)


class Row(NamedTuple):
    """One stored value; ``time_ms`` since 1970, None for a state without time line."""

    value: str  # canonical JSON, so that values can be counted
    time_ms: int | None


@dataclass
class Stored:
    """Rows of one resource of one thing, newest first; ``problem`` when they could not be read."""

    rows: list[Row] = field(default_factory=list)
    status: int | None = None
    problem: str | None = None


def canonical(value: Any) -> str:
    """A JSON value as text that is equal for equal values; 21 and 21.0 are one number."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def time_ms(text: str) -> int:
    """
    Milliseconds since 1970 of a date as the platform writes or takes it.

    Raises:
        ValueError: no such date.
    """
    if len(text) == 14 and text.isdecimal():
        return (_utc(datetime.strptime(text, "%Y%m%d%H%M%S")) - EPOCH) // _MS  # noqa: DTZ007
    return (_utc(datetime.fromisoformat(text)) - EPOCH) // _MS


class Resource(NamedTuple):
    """One key of one thing; values older than ``since_ms`` are not looked at."""

    device: Device
    key: str
    since_ms: int | None = None


class Reader:
    """Reads resources through one channel on either clock."""

    def __init__(self, clock: Clock, channel: HttpChannel) -> None:
        self._clock = clock
        self._channel = channel

    def read_all(
        self, wanted: Iterable[Resource], into: dict[tuple[str, str], Stored]
    ) -> Generator[simpy.Event, Any, None]:
        """Read each of ``wanted``; the result stands under (name of the device, key)."""
        for device, key, since_ms in wanted:
            stored = Stored()
            since = "" if since_ms is None else f"&startDate={_iso(since_ms)}"
            yield from self._read(f"{device.path}/resources/{key}?limit={PAGE}{since}", stored)
            into[device.name, key] = stored

    def platform_time_ms(self, thing_token: str) -> Generator[simpy.Event, Any, int]:
        """
        The earlier of the platform's clock and ours, since 1970.

        Source: thethings.iO developer center, "Server date".
        """
        ours_ms = self._clock.unix_ms()
        target = f"/v2/utils/date?thingToken={thing_token}"
        answer = yield from self._ask(target, Stored())
        try:
            return min(ours_ms, time_ms(answer.document["date"])) if answer else ours_ms
        except (KeyError, TypeError, ValueError, AttributeError):
            return ours_ms

    def _read(self, target: str, stored: Stored) -> Generator[simpy.Event, Any, None]:
        query = ""
        while True:
            answer = yield from self._ask(f"{target}{query}", stored)
            if answer is None:
                return
            page = _rows(answer, stored)
            fresh = _fresh(page, stored.rows)
            if len(page) >= SMALLEST_CAP and not fresh:
                stored.problem = "more rows of one millisecond than a page shows"
            stored.rows += fresh
            if not fresh or stored.rows[-1].time_ms is None:
                return
            query = f"&endDate={_iso(stored.rows[-1].time_ms + 1)}"

    def _ask(self, target: str, stored: Stored) -> Generator[simpy.Event, Any, HttpAnswer | None]:
        reason = ""
        for attempt in range(ATTEMPTS):
            try:
                answer: HttpAnswer = yield self._channel.request("GET", target)
            except TransportError as problem:
                reason = str(problem)
            else:
                stored.status = answer.status
                if answer.status not in TRY_AGAIN:
                    return answer
                reason = f"status {answer.status}"
            yield self._clock.sleep(0.5 * 2**attempt)
        stored.problem = reason
        return None


def _rows(answer: HttpAnswer, stored: Stored) -> list[Row]:
    if answer.status != 200 or not isinstance(answer.document, list):
        return []
    try:
        return [_row(item) for item in answer.document]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        stored.status = None  # an answer, but not one that shows values
        return []


def _row(item: dict[str, Any]) -> Row:
    written = item.get("datetime")
    return Row(canonical(item["value"]), None if written is None else time_ms(written))


def _fresh(page: list[Row], known: list[Row]) -> list[Row]:
    """The rows of a page that are not the overlap with the page before."""
    if not known:
        return page
    border = known[-1].time_ms
    overlap = Counter(row for row in known if row.time_ms == border)
    fresh = []
    for row in page:
        if overlap[row]:
            overlap[row] -= 1
        else:
            fresh.append(row)
    return fresh


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _iso(unix_ms: int) -> str:
    unix_ms = min(unix_ms, LATEST_MS)
    moment = EPOCH + unix_ms * _MS
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_ms % 1000:03d}Z"


_MS = timedelta(milliseconds=1)
LATEST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MS
