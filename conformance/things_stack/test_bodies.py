"""Requests as JSON: what is refused, what is ignored."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import code, fields, part, told
from conformance.things_stack.test_network_server import need_examples_plan

TRAILING_COMMA = b'{"downlinks": [{"frm_payload": "vu8=", "f_port": 42,}]}'


def plain_refusal(answer: Response) -> list[object]:
    """Status, code, and whether there are details."""
    return [answer.status, code(answer), part(answer.json, "details") is not None]


@pytest.mark.requirement("TTS-BD-001")
def test_cut_off_json_is_refused_without_details(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.post(
        f"/users/{stack.user_id}/applications", body=b'{"application": {"ids": {'
    )

    requirement.check(plain_refusal(answer), expected=[400, 3, False])


@pytest.mark.requirement("TTS-BD-002")
def test_trailing_comma_is_refused_without_details(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.post("/as/applications/app1/devices/dev1/down/push", body=TRAILING_COMMA)

    requirement.check(plain_refusal(answer), expected=[400, 3, False])


@pytest.mark.requirement("TTS-BD-003")
def test_short_eui_is_refused_without_details(stack: Stack, requirement: Judge) -> None:
    ids = {"device_id": "Not-An-Id", "dev_eui": "70B3D57ED000000"}

    answer = stack.api.post("/applications/app1/devices", {"end_device": {"ids": ids}})

    requirement.check(plain_refusal(answer), expected=[400, 3, False])


@pytest.mark.requirement("TTS-BD-004")
def test_unknown_enum_name_is_refused_without_details(stack: Stack, requirement: Judge) -> None:
    document = {"end_device": {"lorawan_version": "MAC_V9_9"}, "field_mask": "lorawan_version"}

    answer = stack.api.put("/ns/applications/app1/devices/dev1", document)

    requirement.check(plain_refusal(answer), expected=[400, 3, False])


@pytest.mark.requirement("TTS-BD-005")
def test_empty_body_lacks_a_required_value(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.post(f"/users/{stack.user_id}/applications")

    requirement.check(told(answer), expected=[400, "pkg/errors:validation"])
    requirement.check(fields(answer)[:1], expected=["application"])


@pytest.mark.requirement("TTS-BD-006")
def test_body_is_read_before_the_token(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.post("/applications/app1/devices", body=b"{", key=None)

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TTS-BD-007")
def test_long_number_may_be_a_number(stack: Stack, application: str, requirement: Judge) -> None:
    need_examples_plan(stack)
    ids = {"device_id": stack.new_id(), "dev_eui": stack.new_eui()}
    document = registration.network_abp(ids, "260B0005")
    frequencies = [int(each) for each in registration.FREQUENCIES]
    document["end_device"]["mac_settings"]["factory_preset_frequencies"] = frequencies

    answer = stack.api.put(f"/ns/applications/{application}/devices/{ids['device_id']}", document)

    requirement.check(answer.status, expected=200)
    requirement.check(
        part(answer.json, "mac_settings", "factory_preset_frequencies"),
        expected=registration.FREQUENCIES,
    )


@pytest.mark.requirement("TTS-BD-008")
def test_enum_may_be_a_number(stack: Stack, application: str, requirement: Judge) -> None:
    ids = {"device_id": stack.new_id(), "dev_eui": stack.new_eui(), "join_eui": stack.new_eui()}
    document = registration.application_otaa(ids)
    document["end_device"]["formatters"] = {"up_formatter": 4}
    document["field_mask"]["paths"].append("formatters")

    answer = stack.api.put(f"/as/applications/{application}/devices/{ids['device_id']}", document)

    requirement.check(answer.status, expected=200)
    requirement.check(
        part(answer.json, "formatters", "up_formatter"), expected="FORMATTER_CAYENNELPP"
    )


@pytest.mark.requirement("TTS-BD-009")
def test_time_may_have_an_offset(stack: Stack, application: str, requirement: Judge) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=8)
    local = end.astimezone(timezone(timedelta(hours=2)))
    document = {
        "name": stack.new_id(), "rights": ["RIGHT_APPLICATION_INFO"],
        "expires_at": local.isoformat(),
    }  # fmt: skip

    answer = stack.api.post(f"/applications/{application}/api-keys", document)

    requirement.check(answer.status, expected=200)
    expected = f"{end:%Y-%m-%dT%H:%M:%SZ}"
    told_end = str(part(answer.json, "expires_at"))
    requirement.check(re.sub(r"\.0+Z$", "Z", told_end), expected=expected)
