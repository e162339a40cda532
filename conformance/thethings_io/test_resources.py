"""GET /v2/things/{token}/resources: the names of a thing's resources."""

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import ERROR, REFUSED_TOKEN, is_error, names, shown


@pytest.fixture(scope="module")
def two_keys(thing: Thing) -> list[str]:
    """Two keys in descending order, the second of them written twice."""
    keys = [thing.key("zone"), thing.key("area")]
    for key in [*keys, keys[1]]:
        thing.given([{"key": key, "value": 1}])
    return keys


@pytest.mark.requirement("TIO-RES-001")
def test_answer_has_an_array_of_names(
    thing: Thing, two_keys: list[str], requirement: Judge
) -> None:
    answer = thing.resources()

    found = names(answer)
    requirement.check_that(
        answer.status == 200 and isinstance(found, list) and {type(n) for n in found} == {str},
        expected="status 200 and an object with an array resources of strings",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-RES-002")
def test_written_keys_are_listed(thing: Thing, two_keys: list[str], requirement: Judge) -> None:
    found = names(thing.resources())

    requirement.check([key for key in two_keys if key in found], expected=two_keys)


@pytest.mark.requirement("TIO-RES-002")
def test_new_key_is_listed_at_once(thing: Thing, two_keys: list[str], requirement: Judge) -> None:
    key = thing.key("New.Key-1")
    before = key in names(thing.resources())

    thing.given([{"key": key, "value": 1}])

    requirement.check([before, key in names(thing.resources())], expected=[False, True])


@pytest.mark.requirement("TIO-RES-002")
def test_many_keys_are_listed(thing: Thing, requirement: Judge) -> None:
    keys = [thing.key("many") for _ in range(30)]
    thing.given([{"key": key, "value": 1} for key in keys])

    found = names(thing.resources())

    requirement.check([key for key in keys if key not in found], expected=[])


@pytest.mark.requirement("TIO-RES-003")
def test_name_appears_once(thing: Thing, two_keys: list[str], requirement: Judge) -> None:
    found = names(thing.resources())

    times = [list(found).count(key) for key in two_keys]
    requirement.check_that(max(times) <= 1, expected="each name once", actual=found)


@pytest.mark.requirement("TIO-RES-004")
def test_key_never_written_is_not_listed(thing: Thing, requirement: Judge) -> None:
    never = thing.key("never")
    thing.given([{"key": thing.key("there"), "value": 1}])
    thing.read(never)

    answer = thing.resources()

    requirement.check_that(answer.is_success, expected="a list of names", actual=shown(answer))
    requirement.check(never in names(answer), expected=False)


@pytest.mark.requirement("TIO-RES-005")
def test_key_of_another_thing_is_not_listed(
    thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    first, second = thing.key("first"), thing.key("second")
    thing.given([{"key": first, "value": 1}])
    second_thing.given([{"key": second, "value": 1}])

    listed = [names(each.resources()) for each in (thing, second_thing)]

    found = [[first in each, second in each] for each in listed]
    requirement.check(found, expected=[[True, False], [False, True]])


@pytest.mark.requirement("TIO-RES-006")
def test_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answer = api.resources(unknown_token)

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-RES-007")
def test_answer_has_status_success(thing: Thing, two_keys: list[str], requirement: Judge) -> None:
    document = thing.resources().json

    status = document.get("status") if isinstance(document, dict) else document
    requirement.check(status, expected="success")


@pytest.mark.requirement("TIO-RES-008")
def test_names_are_sorted(thing: Thing, two_keys: list[str], requirement: Judge) -> None:
    found = names(thing.resources())

    requirement.check_that(
        list(found) == sorted(found, key=str), expected="ascending", actual=found
    )


@pytest.mark.requirement("TIO-RES-009")
def test_magic_and_description_are_not_listed(thing: Thing, requirement: Judge) -> None:
    thing.given([{"key": "$settings", "value": {thing.key("x").replace(".", "-"): 1}}])

    found = names(thing.resources())

    special = [name for name in found if str(name).startswith("$") or name == "description"]
    requirement.check(special, expected=[])


@pytest.mark.requirement("TIO-RES-010")
def test_key_that_was_not_stored_is_not_listed(thing: Thing, requirement: Judge) -> None:
    key = thing.key("passing")
    thing.given([{"key": key, "value": 1}], store="false")

    requirement.check(key in names(thing.resources()), expected=False)
