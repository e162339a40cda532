"""The description of a thing, as an app reads and replaces it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home
from conformance.thethings_io.app_shapes import holds, is_4xx, mentions
from conformance.thethings_io.shapes import body_status, shown


@pytest.fixture(scope="module", autouse=True)
def as_it_was(own_home: Home) -> Iterator[None]:
    """Put back the description that the thing had before, if it had one."""
    before = described(own_home.thing.get_description())
    yield
    if isinstance(before, dict):
        own_home.thing.put_description(before)


def described(answer: Response) -> Any:
    """The description that a device reads; the answer whole when there is none."""
    first = answer.json[0] if isinstance(answer.json, list) and answer.json else None
    return first["value"] if isinstance(first, dict) and "value" in first else str(shown(answer))


def put(home: Home, document: dict[str, Any]) -> None:
    """Describe a thing, by its owner; Inconclusive when that is refused."""
    answer = home.owner.put_description(home.id, document)
    if not answer.is_success:
        raise Inconclusive(f"the description was not accepted: {answer.summary()}")


@pytest.mark.requirement("TIO-MEDESC-001")
def test_put_is_200_or_201(own_home: Home, requirement: Judge) -> None:
    answer = own_home.owner.put_description(own_home.id, {"name": "Meter in the hall"})

    requirement.check_in(answer.status, accepted=[200, 201])


@pytest.mark.requirement("TIO-MEDESC-002")
def test_put_replaces_the_whole_document(own_home: Home, requirement: Judge) -> None:
    put(own_home, {"name": "old", "room": "hall"})

    put(own_home, {"name": "new"})

    requirement.check(described(own_home.thing.get_description()), expected={"name": "new"})


@pytest.mark.requirement("TIO-MEDESC-002")
def test_app_sees_nothing_of_the_document_before(own_home: Home, requirement: Judge) -> None:
    put(own_home, {"rig:old-name": "x"})

    put(own_home, {"rig:new-name": "x"})

    answer = own_home.owner.get_description(own_home.id)
    told = [mentions(answer.json, name) for name in ("rig:new-name", "rig:old-name")]
    requirement.check(told, expected=[True, False])


@pytest.mark.requirement("TIO-MEDESC-003")
def test_device_reads_what_the_app_has_put(own_home: Home, requirement: Judge) -> None:
    put(own_home, {"name": "rig:from the app"})

    answer = own_home.thing.get_description()

    requirement.check(described(answer), expected={"name": "rig:from the app"})


@pytest.mark.requirement("TIO-MEDESC-004")
def test_description_is_that_of_one_thing(own_home: Home, annex: Home, requirement: Judge) -> None:
    before = annex.thing.get_description()

    answer = own_home.owner.put_description(own_home.id, {"name": "of the first thing alone"})

    after = annex.thing.get_description()
    requirement.check_that(not is_4xx(answer), expected="accepted", actual=shown(answer))
    requirement.check([after.status, after.json], expected=[before.status, before.json])


@pytest.mark.requirement("TIO-MEDESC-005")
def test_put_says_success(own_home: Home, requirement: Judge) -> None:
    answer = own_home.owner.put_description(own_home.id, {"name": "Meter in the hall"})

    requirement.check(body_status(answer), expected="success")


DOCUMENTS = [
    pytest.param({"name": "Meter in the hall"}, id="text"),
    pytest.param({"n": 21.5, "s": "21", "b": True, "l": [1, "2"], "o": {"p": {}}}, id="types"),
    pytest.param({"name": "Küche 😀", "geo": {"lat": 41.4, "long": 2.2}}, id="unicode"),
]


@pytest.mark.requirement("TIO-MEDESC-011")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_description_is_shown(own_home: Home, requirement: Judge, document: dict[str, Any]) -> None:
    put(own_home, document)

    answer = own_home.owner.get_description()

    requirement.check_that(
        answer.status == 200 and holds(answer.json, document),
        expected=f"status 200, and in the answer {document}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MEDESC-012")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_description_of_one_thing_is_shown(
    own_home: Home, requirement: Judge, document: dict[str, Any]
) -> None:
    put(own_home, document)

    answer = own_home.owner.get_description(own_home.id)

    requirement.check_that(
        answer.status == 200 and holds(answer.json, document),
        expected=f"status 200, and in the answer {document}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-MEDESC-013")
def test_app_reads_what_the_device_has_put(own_home: Home, requirement: Judge) -> None:
    document = {"name": "from the device", "n": 1}
    if not own_home.thing.put_description(document).is_success:
        raise Inconclusive("the device's description was not accepted")

    found = [
        holds(answer.json, document)
        for answer in (
            own_home.owner.get_description(),
            own_home.owner.get_description(own_home.id),
        )
    ]

    requirement.check(found, expected=[True, True])
