"""Lists and reads of a user who has two things."""

from __future__ import annotations

import pytest

from conformance.clients.stream import Stream
from conformance.judge import Judge
from conformance.people import Home
from conformance.thethings_io.app_shapes import (
    ids,
    opened,
    seen,
    told,
    told_in_all,
)
from conformance.thethings_io.shapes import column, values


@pytest.mark.requirement("TIO-THINGS-002")
def test_all_linked_things_are_there(home: Home, annex: Home, requirement: Judge) -> None:
    found = ids(home.owner.things())

    both = [each for each in (home.id, annex.id) if isinstance(found, list) and each in found]
    requirement.check(both, expected=[home.id, annex.id])


@pytest.mark.requirement("TIO-MERES-003")
def test_resource_of_two_things_is_there_once(home: Home, annex: Home, requirement: Judge) -> None:
    key = home.given(1)
    annex.thing.given([{"key": key, "value": 2}])

    answer = home.owner.resources()

    rows = answer.json if isinstance(column(answer, "name"), list) else []
    found = [sorted(row.get("things") or ()) for row in rows if row.get("name") == key]
    requirement.check(found, expected=[sorted([home.id, annex.id])])


@pytest.mark.requirement("TIO-MERD-016")
def test_read_shows_its_own_thing_and_resource(home: Home, annex: Home, requirement: Judge) -> None:
    key = home.given("rig:first")
    annex.thing.given([{"key": key, "value": "rig:second"}])
    home.thing.given([{"key": f"{key}.a", "value": "other"}])

    found = [values(each.read(key, limit=10)) for each in (home, annex)]

    requirement.check(found, expected=[["rig:first"], ["rig:second"]])


@pytest.mark.requirement("TIO-MERR-002")
def test_read_without_a_thing_shows_all_things(home: Home, annex: Home, requirement: Judge) -> None:
    key = home.given("rig:of the first thing")
    annex.thing.given([{"key": key, "value": "rig:of the second thing"}])

    answer = home.owner.read(key)

    texts = ["rig:of the first thing", "rig:of the second thing"]
    requirement.check(seen(texts, answer), expected=texts)


@pytest.mark.requirement("TIO-MEWR-012")
def test_write_changes_nothing_else(home: Home, annex: Home, requirement: Judge) -> None:
    key, other = home.given("before"), home.given("before", "other")
    annex.thing.given([{"key": key, "value": "before"}])

    home.owner.write(key, home.id, [{"value": "rig:after"}])

    found = [
        values(home.thing.read(other, limit=10)),
        values(annex.thing.read(key, limit=10)),
    ]
    requirement.check(found, expected=[["before"], ["before"]])


def both_values(stream: Stream, home: Home, annex: Home, key: str) -> None:
    """Each thing writes, after the subscription was opened."""
    opened(stream)
    home.thing.given([{"key": key, "value": "rig:from the first"}])
    annex.thing.given([{"key": key, "value": "rig:from the second"}])


@pytest.mark.requirement("TIO-MESUB-009")
def test_subscription_carries_all_things(home: Home, annex: Home, requirement: Judge) -> None:
    key = home.given("before")
    annex.thing.given([{"key": key, "value": "before"}])
    stream = home.owner.subscribe(key)
    try:
        both_values(stream, home, annex, key)
        found = [bool(told(stream, text)) for text in ("rig:from the first", "rig:from the second")]
    finally:
        stream.close()

    requirement.check(found, expected=[True, True])


@pytest.mark.requirement("TIO-MESUB-015")
def test_subscription_of_one_thing_carries_it_alone(
    home: Home, annex: Home, requirement: Judge
) -> None:
    key = home.given("before")
    annex.thing.given([{"key": key, "value": "before"}])
    stream = home.owner.subscribe(key, home.id)
    try:
        both_values(stream, home, annex, key)
        found = [
            bool(told(stream, "rig:from the first")),
            told_in_all(stream, "rig:from the second"),
        ]
    finally:
        stream.close()

    requirement.check(found, expected=[True, []])
