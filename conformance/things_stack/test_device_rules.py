"""Settings of devices that contradict each other, or their band, on the Network Server."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import attribute, causes, part, told
from conformance.things_stack.test_join_server import new_ids
from conformance.things_stack.test_network_server import (
    FIELD_VALUE,
    abp_ids,
    dev_addr,
    examples_plan,
    put,
    with_fields,
)

__all__ = ["dev_addr", "examples_plan"]  # fixtures
OTHER_KEY = "202122232425262728292A2B2C2D2E2F"
KEYS = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")


def otaa(stack: Stack, application: str, settings: dict[str, Any]) -> Response:
    """PUT of a fresh device that joins, with MAC settings that the mask names one by one."""
    document = registration.network_otaa(new_ids(stack))
    document["end_device"]["mac_settings"] = settings
    document["field_mask"]["paths"] += [f"mac_settings.{name}" for name in settings]
    return put(stack, application, document)


def abp(stack: Stack, dev_addr: str, **more: Any) -> registration.Document:
    """The body for a fresh device with a session, and no MAC settings."""
    document = registration.network_abp(abp_ids(stack), dev_addr)
    del document["end_device"]["mac_settings"]
    paths = document["field_mask"]["paths"]
    paths[:] = [each for each in paths if not each.startswith("mac_settings.")]
    return with_fields(document, **more)


def names_one_of(requirement: Judge, answer: Response, *fields: str) -> None:
    """The refusal names one of these fields, or a part of it."""
    requirement.check(told(answer), expected=FIELD_VALUE)
    named = str(attribute(answer, "field"))
    requirement.check_that(named.startswith(fields), expected=" or ".join(fields), actual=named)


@pytest.mark.requirement("TTS-NS-014")
def test_taken_pair_of_euis_is_refused(stack: Stack, application: str, requirement: Judge) -> None:
    ids = new_ids(stack)
    stack.given(put(stack, application, registration.network_otaa(ids)))

    other = registration.network_otaa({**ids, "device_id": stack.new_id()})
    answer = put(stack, application, other)

    requirement.check(told(answer), expected=[409, "pkg/internal/registry:end_device_euis_taken"])


@pytest.mark.requirement("TTS-NS-015")
@pytest.mark.parametrize(
    ("settings", "is_accepted"),
    [
        pytest.param({"adr": {"dynamic": {"margin": 10}}}, True, id="new"),
        pytest.param({"use_adr": True}, True, id="old"),
        pytest.param({"adr": {"disabled": {}}, "use_adr": True}, False, id="both"),
        pytest.param({"adr": {"dynamic": {}}, "adr_margin": 10}, False, id="both-with-margin"),
    ],
)
def test_adr_is_told_in_one_way(
    stack: Stack,
    application: str,
    settings: dict[str, Any],
    is_accepted: bool,
    requirement: Judge,
) -> None:
    answer = otaa(stack, application, settings)

    if is_accepted:
        requirement.check(answer.status, expected=200)
    else:
        names = ("mac_settings.adr", "mac_settings.use_adr")
        names_one_of(requirement, answer, *names)


@pytest.mark.requirement("TTS-NS-016")
@pytest.mark.parametrize("name", ["rx2_data_rate_index", "desired_rx2_data_rate_index"])
def test_data_rate_is_one_of_the_band(
    stack: Stack, application: str, name: str, requirement: Judge
) -> None:
    good = otaa(stack, application, {name: 3})
    answer = otaa(stack, application, {name: 15})

    requirement.check(good.status, expected=200)
    names_one_of(requirement, answer, f"mac_settings.{name}")


@pytest.mark.requirement("TTS-NS-017")
def test_multicast_device_does_not_join(stack: Stack, application: str, requirement: Judge) -> None:
    document = registration.network_otaa(new_ids(stack), multicast=True, supports_class_c=True)

    answer = put(stack, application, document)

    requirement.check(told(answer), expected=FIELD_VALUE)


@pytest.mark.requirement("TTS-NS-018")
def test_multicast_device_is_of_class_b_or_c(
    stack: Stack, application: str, dev_addr: str, requirement: Judge
) -> None:
    good = put(stack, application, abp(stack, dev_addr, multicast=True, supports_class_c=True))
    answer = put(stack, application, abp(stack, dev_addr, multicast=True))

    requirement.check(good.status, expected=200)
    requirement.check(told(answer), expected=FIELD_VALUE)


def with_keys(document: registration.Document, *names: str) -> registration.Document:
    """The same with other network session keys, the first of them aside."""
    device, paths = document["end_device"], document["field_mask"]["paths"]
    for name in names:
        device["session"]["keys"][name] = {"key": OTHER_KEY}
        paths.append(f"session.keys.{name}.key")
    return document


@pytest.mark.requirement("TTS-NS-019")
@pytest.mark.parametrize("lacking", [None, *KEYS[1:]])
def test_abp_of_1_1_has_three_keys(
    stack: Stack, application: str, dev_addr: str, lacking: str | None, requirement: Judge
) -> None:
    versions = {"lorawan_version": "1.1", "lorawan_phy_version": "1.1-b"}
    names = [each for each in KEYS[1:] if each != lacking]
    document = with_keys(abp(stack, dev_addr, **versions), *names)

    answer = put(stack, application, document)

    if lacking is None:
        requirement.check(answer.status, expected=200)
    else:
        names_one_of(requirement, answer, f"session.keys.{lacking}")


@pytest.mark.requirement("TTS-NS-020")
def test_below_1_1_there_is_one_key(
    stack: Stack, application: str, dev_addr: str, requirement: Judge
) -> None:
    document = with_keys(abp(stack, dev_addr), "nwk_s_enc_key")

    answer = put(stack, application, document)

    requirement.check(told(answer), expected=FIELD_VALUE)


@pytest.mark.requirement("TTS-NS-021")
def test_device_that_joins_stays_one(
    stack: Stack, application: str, dev_addr: str, requirement: Judge
) -> None:
    ids = new_ids(stack)
    stack.given(put(stack, application, registration.network_otaa(ids)))

    answer = put(stack, application, registration.network_abp(ids, dev_addr))

    requirement.check(answer.status, expected=400)
    after = stack.api.get(
        f"/ns/applications/{application}/devices/{ids['device_id']}", field_mask="supports_join"
    )
    requirement.check(part(after.json, "supports_join"), expected=True)


@pytest.mark.requirement("TTS-NS-022")
def test_version_is_one_of_the_band(stack: Stack, application: str, requirement: Judge) -> None:
    plan, version = plan_without_a_version(stack)
    device = {"frequency_plan_id": plan, "lorawan_phy_version": version}
    document = with_fields(registration.network_otaa(new_ids(stack)), **device)

    answer = put(stack, application, document)

    requirement.check_in(answer.status, accepted=[400, 404])
    found = causes(answer)
    requirement.check_that(
        "pkg/networkserver/internal:no_band_version" in found or "pkg/band:band_not_found" in found,
        expected="no_band_version or band_not_found",
        actual=found,
    )


def plan_without_a_version(stack: Stack) -> tuple[str, str]:
    """
    A frequency plan of the target whose band lacks a version that other bands have.

    Raises:
        NotApplicable: there is none.
    """
    told_of = stack.given(stack.api.get("/configuration/phy-versions")).get("version_info", ())
    versions = {each["band_id"]: set(each["phy_versions"]) for each in told_of}
    every = set().union(*versions.values())
    plans = stack.given(stack.api.get("/configuration/frequency-plans")).get("frequency_plans", ())
    for plan in sorted(plans, key=lambda each: str(each["id"])):
        if missing := every - versions.get(plan.get("band_id"), every):
            return plan["id"], min(missing)
    raise NotApplicable("every band of the target has every version")


@pytest.mark.requirement("TTS-NS-025")
def test_euis_stay(stack: Stack, application: str, requirement: Judge) -> None:
    ids = new_ids(stack)
    stack.given(put(stack, application, registration.network_otaa(ids)))

    other = registration.network_otaa({**ids, "dev_eui": stack.new_eui()})
    answer = put(stack, application, other)

    requirement.check(told(answer), expected=[400, "pkg/networkserver/redis:read_only_field"])


@pytest.mark.requirement("TTS-NS-026")
@pytest.mark.parametrize("value", ["869525000", {"value": "869525000"}], ids=["bare", "wrapped"])
def test_setting_may_be_wrapped(
    stack: Stack, application: str, value: Any, requirement: Judge
) -> None:
    answer = otaa(stack, application, {"rx2_frequency": value})

    found = part(answer.json, "mac_settings", "rx2_frequency")
    requirement.check([answer.status, found], expected=[200, "869525000"])
