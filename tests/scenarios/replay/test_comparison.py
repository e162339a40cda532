"""Two documents, and how they differ."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.replay.comparison import NOTHING, Difference, Sides, Span, differences
from scenarios.replay.names import Names

from .recording import TOKEN, activated, post, script

RECORDED = Span(1_704_067_200_000_000, 1_704_067_260_000_000)  # a minute of 2024
REPLAYED = Span(1_795_824_000_000_000, 1_795_824_060_000_000)  # a minute of 2026
THEN, NOW = "2024-01-01T00:00:10.000Z", "2026-11-28T00:00:10.000Z"
ID, NEW_ID = "Kq7_issued-by-the-platform", "Zb3_issued-by-another-one-"
NEW_TOKEN = "N" * 43


def found(recorded: Any, replayed: Any, named: set[int] | None = None) -> list[Difference]:
    played = script(
        (0, "a", post("/v2/things")),
        (1, "a", activated(TOKEN, ID)),
    )
    names = Names(played, activation_codes=[], thing_tokens=[])
    return list(differences(recorded, replayed, Sides(names, RECORDED, REPLAYED, named or set())))


@pytest.mark.parametrize(
    ("recorded", "replayed"),
    [
        (None, None),
        ({"a": [1, "x", True, None]}, {"a": [1, "x", True, None]}),
        (1, 1.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"datetime": THEN}, {"datetime": NOW}),
        ({"date": 1_704_067_210}, {"date": 1_795_824_010}),
        ({"date": 1_704_067_210_000}, {"date": 1_795_824_010_000}),
        ({"thingId": ID}, {"thingId": NEW_ID}),
        ({"thingToken": TOKEN}, {"thingToken": NEW_TOKEN}),
        ([{"_id": ID}, {"ref": ID}], [{"_id": NEW_ID}, {"ref": NEW_ID}]),
        ({"_id": ID, ID: 1}, {"_id": NEW_ID, NEW_ID: 1}),
        ({ID: 1, "_id": ID}, {NEW_ID: 1, "_id": NEW_ID}),
        ({ID: {"get": True}}, {NEW_ID: {"get": True}}),
    ],
)
def test_the_same_differs_in_nothing(recorded: Any, replayed: Any) -> None:
    assert found(recorded, replayed) == []


@pytest.mark.parametrize(
    ("recorded", "replayed", "kind", "where"),
    [
        ("created", "ok", "value", ""),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "value", "a.b"),
        ([{"v": 1}], [{"v": 2}], "value", "[].v"),
        ({"a": 1}, {"a": "1"}, "shape", "a"),
        ({"a": 1}, {"a": True}, "shape", "a"),
        ({"a": 1}, {"a": None}, "shape", "a"),
        ([], {}, "shape", ""),
        ([1], [1, 1], "value", "[]"),
        ({"d": THEN}, {"d": "2026-11-28T00:00:10Z"}, "shape", "d"),
        ({"d": THEN}, {"d": "2026-11-28T01:00:10.000Z"}, "value", "d"),  # an hour off
        ({"d": "2023-05-05T00:00:00.000Z"}, {"d": NOW}, "value", "d"),  # no stamp of that run
        ({"d": 1_704_067_210}, {"d": 1_795_824_010_000}, "value", "d"),
        ({"_id": ID}, {"_id": "17"}, "value", "_id"),
        ({"_id": ID}, {"_id": 17}, "shape", "_id"),
        ({"word": "temperature-in-0"}, {"word": "temperature-in-1"}, "value", "word"),
    ],
)
def test_another_thing_differs(recorded: Any, replayed: Any, kind: str, where: str) -> None:
    [difference] = found(recorded, replayed)
    assert (difference.kind, difference.where) == (kind, where)


def test_members_that_are_missing_or_added_are_shapes() -> None:
    assert found({"a": 1, "b": 2}, {"a": 1, "c": 3}) == [
        Difference("shape", "b", 2, NOTHING),
        Difference("shape", "c", NOTHING, 3),
    ]


def test_an_id_stands_for_the_same_throughout() -> None:
    recorded = [{"_id": ID}, {"ref": ID}]
    [difference] = found(recorded, [{"_id": NEW_ID}, {"ref": "Yc4_issued-to-somebody-els"}])
    assert (difference.kind, difference.where) == ("value", "[].ref")


def test_a_date_that_a_request_named_is_content() -> None:
    [difference] = found({"d": THEN}, {"d": NOW}, {1_704_067_210_000_000})
    assert (difference.kind, difference.recorded, difference.replayed) == ("value", THEN, NOW)


def test_nothing_reads_so() -> None:
    assert repr(NOTHING) == "nothing"
