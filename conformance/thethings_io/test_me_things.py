"""GET /v2/me/things: the things of a user."""

from __future__ import annotations

import pytest

from conformance.judge import Judge
from conformance.people import Home, People
from conformance.thethings_io.app_shapes import ids, seen
from conformance.thethings_io.shapes import column, shown


@pytest.mark.requirement("TIO-THINGS-001")
def test_things_are_an_array_with_ids(home: Home, requirement: Judge) -> None:
    answer = home.owner.things()

    found = column(answer, "_id")
    requirement.check_that(
        answer.status == 200 and isinstance(found, list) and home.id in found,
        expected=f"status 200 and an array of objects, one of them with _id {home.id!r}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-THINGS-003")
def test_id_comes_first(home: Home, requirement: Judge) -> None:
    text = home.owner.things().body.decode("utf-8", "replace").strip()

    requirement.check_that(
        text.startswith('[{"_id":"') and f'{{"_id":"{home.id}"' in text,
        expected='an array that begins with [{"_id":"',
        actual=text,
    )


@pytest.mark.requirement("TIO-THINGS-004")
def test_user_without_things_has_an_empty_array(people: People, requirement: Judge) -> None:
    answer = people.newcomer().things()

    requirement.check([answer.status, answer.json], expected=[200, []])


@pytest.mark.requirement("TIO-THINGS-005")
def test_things_of_others_are_not_there(home: Home, neighbour: Home, requirement: Judge) -> None:
    both = [home.id, neighbour.id]

    found = [seen(both, each.owner.things()) for each in (home, neighbour)]

    requirement.check(found, expected=[[home.id], [neighbour.id]])


@pytest.mark.requirement("TIO-THINGS-006")
def test_entry_has_id_and_description(home: Home, requirement: Judge) -> None:
    answer = home.owner.things()

    rows = answer.json if isinstance(ids(answer), list) else []
    names = sorted({name for row in rows for name in row})
    requirement.check_that(
        set(names) <= {"_id", "description"}, expected="_id and description", actual=names
    )
