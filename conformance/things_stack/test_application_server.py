"""End devices and links on the Application Server."""

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import attribute, part, told
from conformance.things_stack.test_join_server import new_ids
from conformance.things_stack.test_network_server import abp_ids

FIELD_VALUE = [400, "pkg/applicationserver:field_value"]


def put(stack: Stack, application: str, document: registration.Document) -> Response:
    """PUT of a device."""
    name = document["end_device"]["ids"]["device_id"]
    return stack.api.put(f"/as/applications/{application}/devices/{name}", document)


@pytest.mark.requirement("TTS-AS-001")
def test_otaa_example_is_answered_with_ids_and_times(
    stack: Stack, application: str, requirement: Judge
) -> None:
    ids = new_ids(stack)

    answer = put(stack, application, registration.application_otaa(ids))

    requirement.check(answer.status, expected=200)
    expected = {**ids, "application_ids": {"application_id": application}}
    requirement.check(part(answer.json, "ids"), expected=expected)
    missing = {"created_at", "updated_at"} - set(answer.json)
    requirement.check(sorted(missing), expected=[])


@pytest.mark.requirement("TTS-AS-002")
def test_abp_example_sets_the_address_of_the_ids(
    stack: Stack, application: str, requirement: Judge
) -> None:
    ids = abp_ids(stack)

    answer = put(stack, application, registration.application_abp(ids, "260B0001"))

    requirement.check(answer.status, expected=200)
    requirement.check(
        part(answer.json, "session"),
        expected={
            "dev_addr": "260B0001",
            "keys": {"app_s_key": {"key": "101112131415161718191A1B1C1D1E1F"}},
        },
    )
    after = stack.api.get(f"/as/applications/{application}/devices/{ids['device_id']}")
    requirement.check(part(after.json, "ids", "dev_addr"), expected="260B0001")


@pytest.mark.requirement("TTS-AS-003")
@pytest.mark.parametrize(
    ("path", "field"),
    [
        pytest.param(("session", "dev_addr"), "session.dev_addr", id="address"),
        pytest.param(("session", "keys", "app_s_key"), "session.keys.app_s_key.key", id="key"),
    ],
)
def test_masked_session_must_be_there(
    stack: Stack, application: str, path: tuple[str, ...], field: str, requirement: Judge
) -> None:
    document = registration.application_abp(abp_ids(stack), "260B0002")

    answer = put(stack, application, registration.without(document, *path))

    requirement.check([*told(answer), attribute(answer, "field")], expected=[*FIELD_VALUE, field])


@pytest.mark.requirement("TTS-AS-004")
def test_long_script_is_refused(stack: Stack, application: str, requirement: Judge) -> None:
    document = registration.application_otaa(new_ids(stack))
    document["end_device"]["formatters"] = {
        "up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": "/" * 40_961,
    }  # fmt: skip
    document["field_mask"]["paths"].append("formatters")

    answer = put(stack, application, document)

    requirement.check(answer.status, expected=400)
    requirement.check_in(told(answer)[1], accepted=[FIELD_VALUE[1], "pkg/errors:validation"])


@pytest.mark.requirement("TTS-AS-005")
@pytest.mark.parametrize(
    ("method", "error"),
    [("GET", "pkg/redis:not_found"), ("DELETE", "pkg/applicationserver:device_not_found")],
)
def test_unknown_device_is_not_found(
    stack: Stack, application: str, method: str, error: str, requirement: Judge
) -> None:
    answer = stack.api.send(method, f"/as/applications/{application}/devices/{stack.new_id()}")

    requirement.check(told(answer), expected=[404, error])


@pytest.mark.requirement("TTS-AS-006")
def test_formatters_of_an_application(stack: Stack, requirement: Judge) -> None:
    path = f"/as/applications/{stack.new_application()}/link"
    formatters = {"up_formatter": "FORMATTER_CAYENNELPP"}
    document = {
        "link": {"default_formatters": formatters},
        "field_mask": {"paths": ["default_formatters"]},
    }

    requirement.check(stack.api.put(path, document).status, expected=200)

    found = stack.api.get(path, field_mask="default_formatters")
    requirement.check(part(found.json, "default_formatters"), expected=formatters)
    requirement.check(stack.api.delete(path).status, expected=200)
    requirement.check(stack.api.get(path).status, expected=404)


@pytest.mark.requirement("TTS-AS-007")
def test_statistics_of_links_are_not_implemented(
    stack: Stack, application: str, requirement: Judge
) -> None:
    answer = stack.api.get(f"/as/applications/{application}/link/stats")

    requirement.check(told(answer), expected=[501, "pkg/applicationserver:linking_not_implemented"])


@pytest.mark.requirement("TTS-AS-009")
def test_both_addresses_are_the_same(stack: Stack, application: str, requirement: Judge) -> None:
    document = registration.application_abp(abp_ids(stack), "260B0001")
    document["end_device"]["ids"]["dev_addr"] = "260B0002"

    answer = put(stack, application, document)

    requirement.check(
        [*told(answer), attribute(answer, "field")], expected=[*FIELD_VALUE, "ids.dev_addr"]
    )


@pytest.mark.requirement("TTS-AS-010")
def test_euis_stay(stack: Stack, application: str, requirement: Judge) -> None:
    ids = new_ids(stack)
    stack.given(put(stack, application, registration.application_otaa(ids)))

    other = registration.application_otaa({**ids, "dev_eui": stack.new_eui()})
    answer = put(stack, application, other)

    requirement.check(told(answer), expected=[400, "pkg/applicationserver/redis:read_only_field"])


@pytest.mark.requirement("TTS-AS-011")
def test_taken_pair_of_euis_is_refused(stack: Stack, application: str, requirement: Judge) -> None:
    ids = new_ids(stack)
    stack.given(put(stack, application, registration.application_otaa(ids)))

    other = registration.application_otaa({**ids, "device_id": stack.new_id()})
    answer = put(stack, application, other)

    requirement.check(told(answer), expected=[409, "pkg/internal/registry:end_device_euis_taken"])
