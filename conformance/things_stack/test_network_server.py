"""End devices on the Network Server."""

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import attribute, causes, part, told
from conformance.things_stack.test_join_server import new_ids

FIELD_VALUE = [400, "pkg/networkserver:field_value"]


def put(stack: Stack, application: str, document: registration.Document) -> Response:
    """PUT of a device."""
    name = document["end_device"]["ids"]["device_id"]
    return stack.api.put(f"/ns/applications/{application}/devices/{name}", document)


def abp_ids(stack: Stack) -> dict[str, str]:
    """Identifiers of a device that does not join."""
    return {"device_id": stack.new_id(), "dev_eui": stack.new_eui()}


def with_fields(document: registration.Document, **more: Any) -> registration.Document:
    """The same with other fields of the device, which the mask names too."""
    paths = [*document["field_mask"]["paths"], *more]
    return {
        "end_device": {**document["end_device"], **more},
        "field_mask": {"paths": list(dict.fromkeys(paths))},
    }


@pytest.fixture(scope="module", autouse=True)
def examples_plan(stack: Stack) -> None:
    """See need_examples_plan."""
    need_examples_plan(stack)


def need_examples_plan(stack: Stack) -> None:
    """
    The document's examples are of one frequency plan.

    Raises:
        NotApplicable: the target does not have it.
    """
    answer = stack.given(stack.api.get("/configuration/frequency-plans"))
    known = {part(each, "id") for each in answer.get("frequency_plans", ())}
    if registration.PLAN not in known:
        raise NotApplicable(f"the target has no frequency plan {registration.PLAN}")


@pytest.fixture(scope="module")
def dev_addr(stack: Stack) -> str:
    """A device address of the network; a made-up one would never be heard."""
    return str(stack.given(stack.api.get("/ns/dev_addr"))["dev_addr"])


@pytest.mark.requirement("TTS-NS-001")
def test_otaa_example_tells_versions_by_their_names(
    stack: Stack, application: str, requirement: Judge
) -> None:
    answer = put(stack, application, registration.network_otaa(new_ids(stack)))

    requirement.check(answer.status, expected=200)
    expected = {
        "supports_join": True,
        "lorawan_version": "MAC_V1_0_2",
        "lorawan_phy_version": "PHY_V1_0_2_REV_B",
        "frequency_plan_id": "EU_863_870_TTN",
    }
    requirement.check({each: part(answer.json, each) for each in expected}, expected=expected)


@pytest.fixture(scope="module")
def ids(stack: Stack) -> dict[str, str]:
    """Identifiers of the device of ``registered``."""
    return abp_ids(stack)


@pytest.fixture(scope="module")
def registered(stack: Stack, application: str, ids: dict[str, str], dev_addr: str) -> Response:
    """The answer to the document's ABP example."""
    return put(stack, application, registration.network_abp(ids, dev_addr))


@pytest.mark.requirement("TTS-NS-002")
def test_abp_example_is_accepted(registered: Response, dev_addr: str, requirement: Judge) -> None:
    requirement.check(registered.status, expected=200)
    requirement.check(
        part(registered.json, "mac_settings"),
        expected={
            "resets_f_cnt": True,
            "factory_preset_frequencies": [
                "868100000", "868300000", "868500000", "867100000", "867300000", "867500000",
                "867700000", "867900000",
            ],
        },
    )  # fmt: skip
    requirement.check(part(registered.json, "resets_f_cnt"), expected=None)
    requirement.check(part(registered.json, "session", "dev_addr"), expected=dev_addr)


@pytest.mark.requirement("TTS-NS-003")
@pytest.mark.parametrize("name", ["frequency_plan_id", "lorawan_version", "lorawan_phy_version"])
def test_required_field_is_named(
    stack: Stack, application: str, name: str, requirement: Judge
) -> None:
    document = registration.without(registration.network_otaa(new_ids(stack)), name)

    answer = put(stack, application, document)

    requirement.check([*told(answer), attribute(answer, "field")], expected=[*FIELD_VALUE, name])


@pytest.mark.requirement("TTS-NS-004")
def test_unknown_plan_is_not_found(stack: Stack, application: str, requirement: Judge) -> None:
    document = registration.network_otaa(new_ids(stack), frequency_plan_id="NO_SUCH_PLAN")

    answer = put(stack, application, document)

    requirement.check_in(answer.status, accepted=[404, 400])
    found = causes(answer)
    requirement.check_that(
        "pkg/frequencyplans:not_found" in found,
        expected="pkg/frequencyplans:not_found",
        actual=found,
    )


@pytest.mark.requirement("TTS-NS-005")
def test_device_that_joins_needs_a_join_eui(
    stack: Stack, application: str, requirement: Judge
) -> None:
    document = registration.without(registration.network_otaa(new_ids(stack)), "ids", "join_eui")

    requirement.check(told(put(stack, application, document)), expected=FIELD_VALUE)


@pytest.mark.requirement("TTS-NS-006")
@pytest.mark.parametrize(
    ("path", "field"),
    [
        pytest.param(("session", "dev_addr"), "session.dev_addr", id="address"),
        pytest.param(
            ("session", "keys", "f_nwk_s_int_key"), "session.keys.f_nwk_s_int_key", id="key"
        ),
    ],
)
def test_session_needs_address_and_key(
    stack: Stack,
    application: str,
    dev_addr: str,
    path: tuple[str, ...],
    field: str,
    requirement: Judge,
) -> None:
    document = registration.without(registration.network_abp(abp_ids(stack), dev_addr), *path)

    answer = put(stack, application, document)

    requirement.check(told(answer), expected=FIELD_VALUE)
    named = str(attribute(answer, "field"))
    requirement.check_that(named.startswith(field), expected=field, actual=named)


@pytest.mark.requirement("TTS-NS-007")
@pytest.mark.parametrize(
    ("version", "phy", "expected"),
    [
        pytest.param("1.0.4", "RP002_V1_0_1", FIELD_VALUE, id="1.0.4"),
        pytest.param("1.0.2", "1.0.2-b", [200, None], id="1.0.2"),
    ],
)
def test_dev_eui_is_needed_from_1_0_4_on(
    stack: Stack,
    application: str,
    dev_addr: str,
    version: str,
    phy: str,
    expected: list[Any],
    requirement: Judge,
) -> None:
    document = registration.network_abp(abp_ids(stack), dev_addr)
    document = with_fields(document, lorawan_version=version, lorawan_phy_version=phy)
    del document["end_device"]["ids"]["dev_eui"]
    document["field_mask"]["paths"].remove("ids.dev_eui")

    requirement.check(told(put(stack, application, document)), expected=expected)


@pytest.mark.requirement("TTS-NS-008")
def test_frequency_outside_the_plan_is_refused(
    stack: Stack, application: str, dev_addr: str, requirement: Judge
) -> None:
    document = registration.network_abp(abp_ids(stack), dev_addr)
    document["end_device"]["mac_settings"]["factory_preset_frequencies"] = ["915000000"]

    requirement.check(told(put(stack, application, document)), expected=FIELD_VALUE)


@pytest.mark.requirement("TTS-NS-009")
def test_reading_an_unknown_device(stack: Stack, application: str, requirement: Judge) -> None:
    path = f"/ns/applications/{application}/devices/{stack.new_id()}"

    answer = stack.api.get(path, field_mask="lorawan_version")

    requirement.check(told(answer), expected=[404, "pkg/redis:not_found"])


@pytest.mark.requirement("TTS-NS-010")
@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_deleting_or_resetting_an_unknown_device(
    stack: Stack, application: str, method: str, requirement: Judge
) -> None:
    path = f"/ns/applications/{application}/devices/{stack.new_id()}"
    body = b"" if method == "DELETE" else b'{"field_mask": {"paths": ["session"]}}'

    answer = stack.api.send(method, path, body=body)

    requirement.check(told(answer), expected=[404, "pkg/networkserver:device_not_found"])


@pytest.mark.requirement("TTS-NS-011")
def test_reset_keeps_the_session_of_abp(
    stack: Stack,
    application: str,
    ids: dict[str, str],
    registered: Response,
    dev_addr: str,
    requirement: Judge,
) -> None:
    stack.given(registered)
    path = f"/ns/applications/{application}/devices/{ids['device_id']}"
    paths = ["session.dev_addr", "session.keys.f_nwk_s_int_key.key"]

    answer = stack.api.send("PATCH", path, {"field_mask": {"paths": paths}})

    requirement.check(answer.status, expected=200)
    requirement.check(
        [
            part(answer.json, "session", "dev_addr"),
            part(answer.json, "session", "keys", "f_nwk_s_int_key", "key"),
        ],
        expected=[dev_addr, "101112131415161718191A1B1C1D1E1F"],
    )


@pytest.mark.requirement("TTS-NS-012")
def test_class_b_of_abp_needs_a_periodicity(
    stack: Stack, application: str, dev_addr: str, requirement: Judge
) -> None:
    document = registration.network_abp(abp_ids(stack), dev_addr)

    answer = put(stack, application, with_fields(document, supports_class_b=True))

    requirement.check(told(answer), expected=FIELD_VALUE)
    named = str(attribute(answer, "field"))
    expected = "mac_settings.ping_slot_periodicity"
    requirement.check_that(named.startswith(expected), expected=expected, actual=named)


@pytest.mark.requirement("TTS-NS-012")
def test_class_b_of_a_joining_device_needs_none(
    stack: Stack, application: str, requirement: Judge
) -> None:
    document = registration.network_otaa(new_ids(stack), supports_class_b=True)

    requirement.check(put(stack, application, document).status, expected=200)


@pytest.mark.requirement("TTS-NS-013")
def test_other_session_keys_are_copies_below_1_1(
    stack: Stack, application: str, ids: dict[str, str], registered: Response, requirement: Judge
) -> None:
    stack.given(registered)
    path = f"/ns/applications/{application}/devices/{ids['device_id']}"

    answer = stack.api.get(path, field_mask="session.keys")

    keys = part(answer.json, "session", "keys") or {}
    names = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")
    requirement.check(
        [part(keys, name, "key") for name in names],
        expected=["101112131415161718191A1B1C1D1E1F"] * 3,
    )


@pytest.mark.requirement("TTS-NS-027")
def test_ids_hold_the_address_of_the_session(
    stack: Stack, application: str, ids: dict[str, str], registered: Response, dev_addr: str,
    requirement: Judge,
) -> None:  # fmt: skip
    stack.given(registered)
    path = f"/ns/applications/{application}/devices/{ids['device_id']}"

    answer = stack.given(stack.api.get(path, field_mask="ids.dev_addr,session.dev_addr"))

    found = [part(answer, each, "dev_addr") for each in ("ids", "session")]
    requirement.check(found, expected=[dev_addr, dev_addr])
