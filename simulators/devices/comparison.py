"""
What was sent against what arrived: lost, duplicated and reordered values of one key.

Values need not be distinct: an arrival is matched with the earliest sending of an equal value
that is still open, so that a constant quantity is neither reordered nor duplicated by itself.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from simulators.devices.account import Sent


class Comparison(NamedTuple):
    """Counts of values; each list holds the values themselves in the order of their kind."""

    arrived: int
    lost: list[Any]  # acknowledged, yet not there
    duplicated: list[Any]  # there more often than sent
    reordered: int  # how many would have to move to restore the order of sending


def compare(sent: Sequence[Sent], arrived: Iterable[Any]) -> Comparison:
    """
    Compare entries of one key, in the order of sending, with values in the order of arrival.

    A failed or pending entry may have arrived or not: neither is wrong.
    """
    open_places: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, entry in enumerate(sent):
        open_places[canonical(entry.value)].append(place)
    places, duplicated = [], []
    for value in arrived:
        waiting = open_places[canonical(value)]
        if waiting:
            places.append(waiting.popleft())
        else:
            duplicated.append(value)
    missing = sorted(place for waiting in open_places.values() for place in waiting)
    lost = [sent[place].value for place in missing if sent[place].state == "acknowledged"]
    return Comparison(len(places), lost, duplicated, len(places) - longest_ascent(places))


def canonical(value: Any) -> str:
    """Text that is equal for equal JSON values; 21.0 is 21, since platforms may write either."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def longest_ascent(numbers: Iterable[int]) -> int:
    """Length of the longest strictly ascending subsequence (patience sorting)."""
    tops: list[int] = []
    for number in numbers:
        place = bisect_left(tops, number)
        tops[place : place + 1] = [number]
    return len(tops)
