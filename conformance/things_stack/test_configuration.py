"""What everybody may know of a deployment."""

import re

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part


@pytest.fixture(scope="module")
def plans(stack: Stack) -> Response:
    """The frequency plans."""
    return stack.api.get("/configuration/frequency-plans")


@pytest.mark.requirement("TTS-CF-001")
def test_plans_hold_the_plan_of_the_target(
    stack: Stack, plans: Response, requirement: Judge
) -> None:
    found = part(plans.json, "frequency_plans") or []
    own = [each for each in found if part(each, "id") == stack.frequency_plan]
    requirement.check(len(own), expected=1)
    missing = {"id", "name", "base_frequency", "band_id"} - set(own[0])
    requirement.check(sorted(missing), expected=[])


@pytest.mark.requirement("TTS-CF-002")
def test_plans_of_one_base_frequency(stack: Stack, plans: Response, requirement: Judge) -> None:
    first = plans.ok_json()["frequency_plans"][0]["base_frequency"]

    answer = stack.api.get("/configuration/frequency-plans", base_frequency=first)

    found = part(answer.json, "frequency_plans") or []
    requirement.check({part(each, "base_frequency") for each in found} == {first}, expected=True)


@pytest.mark.requirement("TTS-CF-003")
def test_settings_are_public(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/is/configuration", key=None)

    requirement.check([answer.status, "configuration" in answer.json], expected=[200, True])


@pytest.mark.requirement("TTS-CF-004")
def test_device_addresses_lie_in_the_prefixes(stack: Stack, requirement: Judge) -> None:
    address = part(stack.api.get("/ns/dev_addr").json, "dev_addr")
    prefixes = part(stack.api.get("/ns/dev_addr_prefixes").json, "dev_addr_prefixes")

    is_address = bool(re.fullmatch(r"[0-9A-F]{8}", str(address)))
    requirement.check_that(is_address, expected="eight digits", actual=address)
    is_inside = any(_is_in(str(address), str(each)) for each in prefixes or ())
    requirement.check_that(is_inside, expected=f"one of {prefixes}", actual=address)


def _is_in(address: str, prefix: str) -> bool:
    start, _, length = prefix.partition("/")
    shift = 32 - int(length)
    return int(address, 16) >> shift == int(start, 16) >> shift


@pytest.mark.requirement("TTS-CF-005")
def test_net_id_is_hexadecimal(stack: Stack, requirement: Judge) -> None:
    net_id = part(stack.api.get("/ns/net_id").json, "net_id")

    is_hex = isinstance(net_id, str) and bool(re.fullmatch(r"[0-9A-F]{6}", net_id))
    requirement.check_that(is_hex, expected="six digits", actual=net_id)


@pytest.mark.requirement("TTS-CF-006")
def test_default_mac_settings_hold_the_windows(stack: Stack, requirement: Judge) -> None:
    path = f"/ns/default_mac_settings/{stack.frequency_plan}/PHY_V1_0_2_REV_B"

    settings = stack.api.get(path).json

    frequency = part(settings, "rx2_frequency")
    requirement.check_that(
        isinstance(frequency, str) and frequency.isdigit(),
        expected="rx2_frequency as text",
        actual=frequency,
    )
    delay = part(settings, "rx1_delay")
    requirement.check_that(isinstance(delay, int), expected="rx1_delay as number", actual=delay)


@pytest.mark.requirement("TTS-CF-007")
def test_join_euis_are_hexadecimal(stack: Stack, requirement: Judge) -> None:
    found = [part(stack.api.get("/js/default_join_eui").json, "join_eui")]
    prefixes = part(stack.api.get("/js/join_eui_prefixes").json, "prefixes")
    found += [part(each, "join_eui") for each in prefixes or ()]

    are_euis = all(re.fullmatch(r"[0-9A-F]{16}", str(each)) for each in found)
    requirement.check_that(are_euis, expected="sixteen digits each", actual=found)


@pytest.mark.requirement("TTS-CF-008")
def test_webhooks_have_both_formats(stack: Stack, requirement: Judge) -> None:
    formats = part(stack.api.get("/as/webhook-formats").json, "formats")

    requirement.check(sorted({"json", "protobuf"} - set(formats or ())), expected=[])


@pytest.mark.requirement("TTS-CF-009")
def test_other_clusters_have_no_identity_server(stack: Stack, requirement: Judge) -> None:
    http = stack.api.server("/ns/net_id")
    if http.url == stack.api.server("/gateways").url:
        raise NotApplicable(f"{http.url} answers for all servers: there is one cluster")

    answer = stack.api.send_whole("GET", "/api/v3/gateways", http=http)

    requirement.check_that(
        answer.status in (404, 501) or 300 <= (answer.status or 0) < 400,
        expected="status 404, 501 or 3xx",
        actual=answer.status,
    )
