"""Lists: limit, page, order and total; seen in the devices of an application of its own."""

from typing import Any, NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part


class Shelf(NamedTuple):
    """An application with three devices, whose ids are in order."""

    path: str
    ids: list[str]


@pytest.fixture(scope="module")
def shelf(stack: Stack) -> Shelf:
    """Created in another order than that of their ids."""
    application = stack.new_application()
    names = [f"{letter}-{stack.new_id()}"[:36] for letter in "bac"]
    for name in names:
        document = {"end_device": {"ids": {"device_id": f"dev{name}"}}}
        stack.given(stack.api.post(f"/applications/{application}/devices", document))
    return Shelf(f"/applications/{application}/devices", sorted(f"dev{name}" for name in names))


def ids_in(answer: Response) -> list[Any]:
    """The device ids of a list, in its order."""
    return [part(each, "ids", "device_id") for each in part(answer.json, "end_devices") or ()]


@pytest.mark.requirement("TTS-LI-001")
def test_limit_and_total(stack: Stack, shelf: Shelf, requirement: Judge) -> None:
    answer = stack.api.get(shelf.path, limit=2)

    requirement.check(len(ids_in(answer)), expected=2)
    requirement.check(answer.headers.get("X-Total-Count"), expected="3")


@pytest.mark.requirement("TTS-LI-002")
@pytest.mark.parametrize(("page", "place"), [(0, 0), (1, 0), (2, 1)])
def test_pages_begin_with_one(
    stack: Stack, shelf: Shelf, page: int, place: int, requirement: Judge
) -> None:
    answer = stack.api.get(shelf.path, limit=1, page=page)

    requirement.check(ids_in(answer), expected=[shelf.ids[place]])


@pytest.mark.requirement("TTS-LI-003")
def test_past_the_last_page_is_empty(stack: Stack, shelf: Shelf, requirement: Judge) -> None:
    answer = stack.api.get(shelf.path, limit=2, page=3)

    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-LI-004")
def test_order_by_id(stack: Stack, shelf: Shelf, requirement: Judge) -> None:
    requirement.check(ids_in(stack.api.get(shelf.path)), expected=shelf.ids)
    turned = stack.api.get(shelf.path, order="-device_id")
    requirement.check(ids_in(turned), expected=shelf.ids[::-1])


@pytest.mark.requirement("TTS-LI-005")
def test_list_by_filter(stack: Stack, shelf: Shelf, requirement: Judge) -> None:
    answer = stack.api.post(f"{shelf.path}/filter", {"limit": 10, "page": 1})

    requirement.check([answer.status, ids_in(answer)], expected=[200, shelf.ids])


@pytest.mark.requirement("TTS-LI-006")
def test_own_applications_are_listed(stack: Stack, application: str, requirement: Judge) -> None:
    answer = stack.api.get("/applications", order="-created_at", limit=1000)

    found = [
        part(each, "ids", "application_id") for each in part(answer.json, "applications") or ()
    ]
    requirement.check_that(application in found, expected=application, actual=found[:50])


@pytest.mark.requirement("TTS-LI-007")
def test_key_of_an_application_lists_nothing(
    stack: Stack, application: str, requirement: Judge
) -> None:
    key = stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_INFO")

    answer = stack.api.get("/applications", key=key)

    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-LI-010")
def test_total_of_keys(stack: Stack, requirement: Judge) -> None:
    path = f"/applications/{stack.new_application()}"
    for _ in range(2):
        stack.new_key(path, "RIGHT_APPLICATION_INFO")

    answer = stack.api.get(f"{path}/api-keys", limit=1)

    requirement.check(len(part(answer.json, "api_keys") or ()), expected=1)
    requirement.check(answer.headers.get("X-Total-Count"), expected="2")


@pytest.mark.requirement("TTS-LI-020")
def test_total_of_applications(stack: Stack, requirement: Judge) -> None:
    for _ in range(2):
        stack.new_application()

    answer = stack.api.get("/applications", limit=1)

    requirement.check(len(part(answer.json, "applications") or ()), expected=1)
    total = answer.headers.get("X-Total-Count") or ""
    is_whole = total.isdigit() and int(total) >= 2
    requirement.check_that(is_whole, expected="X-Total-Count of 2 or more", actual=total)
