"""What Join, Network and Application Server have in common when they keep devices."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import check_times, part
from conformance.things_stack.test_join_server import new_ids
from conformance.things_stack.test_network_server import abp_ids, need_examples_plan

ROOTS = {"join": "js", "network": "ns", "application": "as"}
DOCUMENTS = {
    "join": registration.join,
    "network": registration.network_otaa,
    "application": registration.application_otaa,
}
READABLE = {
    "join": "network_server_address", "network": "frequency_plan_id", "application": "formatters",
}  # fmt: skip
UNMASKED: dict[str, tuple[str, Any]] = {
    "join": ("application_server_id", "example"),
    "network": ("supports_class_c", True),
    "application": ("formatters", {"up_formatter": "FORMATTER_CAYENNELPP"}),
}
ADDRESS = "260B0004"


class Kept:
    """A device that joins, on one of the three servers."""

    def __init__(self, stack: Stack, application: str, server: str) -> None:
        self._api = stack.api
        self._readable = READABLE[server]
        self.document: dict[str, Any] = DOCUMENTS[server](new_ids(stack))
        name = self.document["end_device"]["ids"]["device_id"]
        self.path = f"/{ROOTS[server]}/applications/{application}/devices/{name}"

    def put(self) -> Response:
        """Set it as the document says."""
        return self._api.put(self.path, self.document)

    def get(self, field_mask: str | None = None) -> Response:
        """Read it, with a field that the server knows when none is named."""
        return self._api.get(self.path, field_mask=field_mask or self._readable)

    def delete(self) -> Response:
        """Delete it."""
        return self._api.delete(self.path)


@pytest.fixture(params=ROOTS)
def server(request: pytest.FixtureRequest) -> str:
    """Each of the three."""
    return str(request.param)


@pytest.fixture
def kept(stack: Stack, application: str, server: str) -> Kept:
    """A device that is not set yet."""
    if server == "network":
        need_examples_plan(stack)
    return Kept(stack, application, server)


@pytest.mark.requirement("TTS-SD-001")
def test_deleted_device_is_gone(stack: Stack, kept: Kept, requirement: Judge) -> None:
    stack.given(kept.put())
    before = kept.get().status

    answer = kept.delete()

    requirement.check([before, answer.status, answer.json], expected=[200, 200, {}])
    requirement.check(kept.get().status, expected=404)


@pytest.mark.requirement("TTS-SD-002")
def test_unmasked_fields_are_not_stored(
    stack: Stack, kept: Kept, server: str, requirement: Judge
) -> None:
    field, value = UNMASKED[server]
    kept.document["end_device"][field] = value

    stack.given(kept.put())

    answer = kept.get(field)
    requirement.check(answer.status, expected=200)
    found = part(answer.json, field)
    requirement.check_that(found in (None, False, {}), expected="not stored", actual=found)


@pytest.mark.requirement("TTS-SD-003")
@pytest.mark.parametrize(
    ("server", "asked", "others"),
    [
        pytest.param("join", "network_server_address", "root_keys", id="join"),
        pytest.param("network", "frequency_plan_id", "lorawan_version", id="network"),
        pytest.param("application", "formatters", "session", id="application"),
    ],
)
def test_unmasked_fields_are_not_told(
    stack: Stack, kept: Kept, asked: str, others: str, requirement: Judge
) -> None:
    stack.given(kept.put())

    answer = kept.get(asked)

    requirement.check(answer.status, expected=200)
    requirement.check(others in (answer.json or {}), expected=False)


@pytest.mark.requirement("TTS-SD-004")
def test_reset_lets_counters_begin_anew(stack: Stack, application: str, requirement: Judge) -> None:
    need_examples_plan(stack)
    ids = abp_ids(stack)
    document = registration.network_abp(ids, ADDRESS)
    document["end_device"]["session"]["last_f_cnt_up"] = 40
    document["field_mask"]["paths"].append("session.last_f_cnt_up")
    path = f"/ns/applications/{application}/devices/{ids['device_id']}"
    stack.given(stack.api.put(path, document))
    before = stack.api.get(path, field_mask="session.last_f_cnt_up")
    requirement.check(part(before.json, "session", "last_f_cnt_up"), expected=40)

    answer = stack.api.send("PATCH", path, {"field_mask": {"paths": ["session.last_f_cnt_up"]}})

    requirement.check(answer.status, expected=200)
    after = stack.api.get(path, field_mask="session.last_f_cnt_up")
    requirement.check(part(after.json, "session", "last_f_cnt_up") or 0, expected=0)


@pytest.mark.requirement("TTS-SD-005")
def test_update_without_mask_changes_nothing(
    stack: Stack, application: str, requirement: Judge
) -> None:
    path = f"/applications/{application}/devices/{stack.new_device(application, name='old')}"

    answer = stack.api.put(path, {"end_device": {"name": "new"}})

    requirement.check(answer.status, expected=200)
    after = stack.api.get(path, field_mask="name")
    requirement.check(part(after.json, "name"), expected="old")


@pytest.mark.requirement("TTS-SD-006")
def test_setting_again_sets_the_time(stack: Stack, kept: Kept, requirement: Judge) -> None:
    answers = [stack.given(kept.put()) for _ in range(2)]

    check_times(answers, requirement)
