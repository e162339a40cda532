"""GET /v2/me/resources: the resources of a user, and the things that have them."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.people import Home, People
from conformance.run import Run
from conformance.thethings_io.app_shapes import seen
from conformance.thethings_io.shapes import column, shown


def entries(answer: Response, key: str) -> Any:
    """The things of every entry of a resource; the answer whole when it is no such array."""
    if not isinstance(column(answer, "name"), list):
        return shown(answer)
    return [row.get("things") for row in answer.json if row.get("name") == key]


@pytest.mark.requirement("TIO-MERES-001")
def test_resources_are_an_array_of_names_and_things(home: Home, requirement: Judge) -> None:
    home.given(1)

    answer = home.owner.resources()

    rows = answer.json if isinstance(column(answer, "name"), list) else []
    kinds = [[type(row.get(name)) for name in ("name", "things")] for row in rows]
    things = [thing for row in rows for thing in row.get("things") or ()]
    requirement.check_that(
        answer.status == 200
        and bool(kinds)
        and all(kind == [str, list] for kind in kinds)
        and all(isinstance(thing, str) for thing in things),
        expected="status 200 and an array of objects with name, a text, and things, ids",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MERES-002")
def test_written_resource_is_there(home: Home, requirement: Judge) -> None:
    key = home.given(1)

    requirement.check(entries(home.owner.resources(), key), expected=[[home.id]])


@pytest.mark.requirement("TIO-MERES-004")
def test_resources_of_others_are_not_there(home: Home, neighbour: Home, requirement: Judge) -> None:
    mine, theirs = home.given(1, "mine"), neighbour.given(1, "theirs")
    neighbour.thing.given([{"key": mine, "value": 1}])

    answer = home.owner.resources()

    requirement.check(seen([home.id, neighbour.id, theirs], answer), expected=[home.id])


@pytest.mark.requirement("TIO-MERES-005")
def test_names_ascend(home: Home, requirement: Judge) -> None:
    for name in "bac":
        home.given(1, name)

    names = column(home.owner.resources(), "name")

    requirement.check(names, expected=sorted(names) if isinstance(names, list) else "an array")


@pytest.mark.requirement("TIO-MERES-006")
def test_user_without_things_has_no_resources(people: People, requirement: Judge) -> None:
    answer = people.newcomer().resources()

    requirement.check([answer.status, answer.json], expected=[200, []])


@pytest.mark.requirement("TIO-MERES-007")
def test_app_sees_what_it_may_ask_for(
    home: Home, people: People, run: Run, requirement: Judge
) -> None:
    key = home.given(1)
    app_id = run.target.credential("unofficial_app_id")
    user = people.registered(home.owner.email, home.owner.password, app_id)

    answer = user.resources()

    requirement.check(seen([key], answer), expected=[key])
