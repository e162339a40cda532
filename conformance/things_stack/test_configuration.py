"""What everybody may know of a deployment."""

import re
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part, told


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


BAND, VERSION = "EU_863_870", "PHY_V1_0_2_REV_B"


def band_of(answer: Response, version: str) -> Any:
    """The description of the band in one version."""
    return part(answer.json, "descriptions", BAND, "band", version)


@pytest.mark.requirement("TTS-CF-010")
def test_band_is_described(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(f"/configuration/bands/{BAND}/{VERSION}")

    band = band_of(answer, VERSION)
    channels = [part(each, "frequency") for each in part(band, "uplink_channels") or ()]
    requirement.check(channels, expected=["868100000", "868300000", "868500000"])
    rx2 = part(band, "default_rx2_parameters")
    requirement.check(
        [part(rx2, "frequency"), part(rx2, "data_rate_index") or 0], expected=["869525000", 0]
    )
    rates = {
        index: part(band, "data_rates", index, "rate", "lora", "spreading_factor")
        for index in ("0", "3", "5")
    }
    requirement.check(rates, expected={"0": 12, "3": 9, "5": 7})


@pytest.mark.requirement("TTS-CF-011")
def test_bands_of_one_version(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(f"/configuration/bands/{BAND}", phy_version=VERSION)

    found = part(answer.json, "descriptions", BAND, "band") or {}
    requirement.check([answer.status, sorted(found)], expected=[200, [VERSION]])


@pytest.mark.requirement("TTS-CF-012")
def test_versions_of_a_band(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/configuration/phy-versions", band_id=BAND)

    found = part(answer.json, "version_info") or []
    requirement.check([part(each, "band_id") for each in found], expected=[BAND])
    versions = part(found[0], "phy_versions") or []
    missing = {"PHY_V1_0_2_REV_B", "PHY_V1_0_3_REV_A", "PHY_V1_1_REV_B"} - set(versions)
    requirement.check(sorted(missing), expected=[])


@pytest.mark.requirement("TTS-CF-013")
def test_unknown_band_is_not_found(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/configuration/bands/NO_SUCH_BAND")

    requirement.check(told(answer), expected=[404, "pkg/band:band_not_found"])


@pytest.mark.requirement("TTS-CF-014")
def test_plans_of_one_band(stack: Stack, plans: Response, requirement: Judge) -> None:
    first = part(plans.ok_json()["frequency_plans"][0], "band_id")
    requirement.check_that(isinstance(first, str), expected="a band", actual=first)

    answer = stack.api.get("/configuration/frequency-plans", band_id=first)

    found = {part(each, "band_id") for each in part(answer.json, "frequency_plans") or ()}
    requirement.check(sorted(map(str, found)), expected=[first])
