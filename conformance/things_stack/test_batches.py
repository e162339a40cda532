"""Several devices in one call, on each of the four servers."""

from __future__ import annotations

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import fields, just_after, part, told
from conformance.things_stack.test_join_server import new_ids
from conformance.things_stack.test_network_server import need_examples_plan

BODIES = {
    "js": registration.join,
    "ns": registration.network_otaa,
    "as": registration.application_otaa,
}


def query_of(names: list[str]) -> str:
    """Ids as a batch takes them."""
    return "&".join(f"device_ids={name}" for name in names)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param("js", marks=pytest.mark.requirement("TTS-JS-010")),
        pytest.param("ns", marks=pytest.mark.requirement("TTS-NS-023")),
        pytest.param("as", marks=pytest.mark.requirement("TTS-AS-008")),
    ],
)
def test_several_devices_are_deleted_at_once(
    stack: Stack, application: str, server: str, requirement: Judge
) -> None:
    if server == "ns":
        need_examples_plan(stack)
    path = f"/{server}/applications/{application}/devices"
    names = []
    for ids in (new_ids(stack), new_ids(stack)):
        names.append(ids["device_id"])
        stack.given(stack.api.put(f"{path}/{names[-1]}", BODIES[server](ids)))

    answer = stack.api.delete(f"{path}/batch?{query_of(names)}")

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = [stack.api.get(f"{path}/{name}").status for name in names]
    requirement.check(after, expected=[404, 404])


@pytest.mark.requirement("TTS-DEV-016")
@pytest.mark.parametrize("count", [0, 21])
def test_batch_holds_one_to_twenty_ids(
    stack: Stack, application: str, count: int, requirement: Judge
) -> None:
    names = [f"device-{number}" for number in range(count)]

    answer = stack.api.delete(f"/applications/{application}/devices/batch?{query_of(names)}")

    requirement.check(told(answer), expected=[400, "pkg/errors:validation"])
    requirement.check(fields(answer)[:1], expected=["device_ids"])


@pytest.fixture(scope="module")
def shelf(stack: Stack) -> str:
    """The path of the devices of an application with one named device."""
    application = stack.new_application()
    stack.new_device(application, name="Meter 12", description="in the cellar")
    return f"/applications/{application}/devices"


def filtered(stack: Stack, shelf: str, since: str | None = None) -> Response:
    """A list by POST, with its field mask as an object of the body."""
    filters = [{"updated_since": since}] if since else []
    document = {"field_mask": {"paths": ["name"]}, "filters": filters}
    return stack.api.post(f"{shelf}/filter", document)


@pytest.mark.requirement("TTS-LI-008")
def test_list_takes_its_mask_from_the_body(stack: Stack, shelf: str, requirement: Judge) -> None:
    answer = filtered(stack, shelf)

    listed = part(answer.json, "end_devices") or []
    found = [[part(each, "name"), part(each, "description")] for each in listed]
    requirement.check([answer.status, found], expected=[200, [["Meter 12", None]]])


@pytest.mark.requirement("TTS-LI-009")
def test_list_since_a_time(stack: Stack, requirement: Judge) -> None:
    shelf = f"/applications/{stack.new_application()}/devices"
    made = []
    for _ in range(2):
        document = {"end_device": {"ids": {"device_id": stack.new_id()}}}
        made.append(stack.given(stack.api.post(shelf, document)))
    old, new = (part(each, "ids", "device_id") for each in made)

    found = []
    for since in ("2020-01-01T00:00:00Z", just_after(made[0])):
        listed = part(stack.given(filtered(stack, shelf, since)), "end_devices") or []
        found.append(sorted(str(part(each, "ids", "device_id")) for each in listed))

    requirement.check(found, expected=[sorted([old, new]), [new]])
