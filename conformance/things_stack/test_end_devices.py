"""End devices on the Identity Server."""

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack import registration
from conformance.things_stack.answers import attribute, check_times, part, told

LOCATION = {"latitude": 52.37, "longitude": 4.9, "altitude": 2, "source": "SOURCE_REGISTRY"}


def create(stack: Stack, application: str, ids: dict[str, str], **more: Any) -> Response:
    """POST of a device."""
    document = {"end_device": {"ids": ids, **more}}
    return stack.api.post(f"/applications/{application}/devices", document)


@pytest.fixture(scope="module")
def ids(stack: Stack) -> dict[str, str]:
    """Identifiers of a device that joins, EUIs in lower case."""
    return {
        "device_id": stack.new_id(),
        "dev_eui": stack.new_eui().lower(),
        "join_eui": stack.new_eui().lower(),
    }


@pytest.fixture(scope="module")
def created(stack: Stack, application: str, ids: dict[str, str]) -> Response:
    """The answer to the document's first registration step."""
    return stack.api.post(f"/applications/{application}/devices", registration.identity(ids))


@pytest.mark.requirement("TTS-DEV-001")
def test_otaa_example_stores_every_field(
    application: str, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    requirement.check(created.status, expected=200)
    requirement.check(
        part(created.json, "ids"),
        expected={
            "device_id": ids["device_id"],
            "application_ids": {"application_id": application},
            "dev_eui": ids["dev_eui"].upper(),
            "join_eui": ids["join_eui"].upper(),
        },
    )
    servers = ("join", "network", "application")
    addresses = [part(created.json, f"{server}_server_address") for server in servers]
    requirement.check(addresses, expected=["thethings.example.com"] * 3)


OF_OTHERS = {
    "formatters": {"up_formatter": "FORMATTER_CAYENNELPP"},
    "frequency_plan_id": "EU_863_870",
    "lorawan_phy_version": "1.0.2-b",
    "lorawan_version": "1.0.2",
    "mac_settings": {"supports_32_bit_f_cnt": True},
    "root_keys": {"app_key": {"key": registration.APP_KEY}},
    "session": {
        "dev_addr": "260B0006",
        "keys": {"f_nwk_s_int_key": {"key": registration.SESSION_KEY}},
    },
    "supports_join": True,
}


@pytest.mark.requirement("TTS-DEV-017")
def test_fields_of_other_servers_are_not_kept(
    stack: Stack, application: str, requirement: Judge
) -> None:
    answer = create(stack, application, {"device_id": stack.new_id()}, name="kept", **OF_OTHERS)

    requirement.check([answer.status, part(answer.json, "name")], expected=[200, "kept"])
    requirement.check(sorted(set(OF_OTHERS) & set(answer.json)), expected=[])


@pytest.mark.requirement("TTS-DEV-002")
def test_abp_example_needs_no_join_eui(stack: Stack, application: str, requirement: Judge) -> None:
    ids = {"device_id": stack.new_id(), "dev_eui": stack.new_eui()}

    answer = stack.api.post(f"/applications/{application}/devices", registration.identity(ids))

    requirement.check(answer.status, expected=200)
    requirement.check(
        [part(answer.json, "ids", "dev_eui"), part(answer.json, "ids", "join_eui")],
        expected=[ids["dev_eui"], None],
    )


@pytest.fixture(scope="module")
def located(stack: Stack, application: str) -> str:
    """A device with name, description and location."""
    return stack.new_device(
        application, name="Meter 12", description="in the yard", locations={"user": LOCATION}
    )


def check_example(answer: Response, requirement: Judge) -> None:
    """The document's first example: what the mask names, beside ids and times."""
    requirement.check(answer.status, expected=200)
    expected = {
        "name": "Meter 12", "description": "in the yard", "locations": {"user": LOCATION},
    }  # fmt: skip
    requirement.check({each: part(answer.json, each) for each in expected}, expected=expected)
    requirement.check(
        sorted(set(answer.json) - set(expected)), expected=["created_at", "ids", "updated_at"]
    )


@pytest.mark.requirement("TTS-DEV-003")
def test_first_example_reads_the_mask(
    stack: Stack, application: str, located: str, requirement: Judge
) -> None:
    mask = "?field_mask=name,description,locations"

    check_example(
        stack.api.get(f"/applications/{application}/devices/{located}{mask}"), requirement
    )


@pytest.mark.requirement("TTS-DEV-004")
def test_first_example_in_a_tenant(
    stack: Stack, tenant: str, application: str, located: str, requirement: Judge
) -> None:
    if not tenant:
        raise NotApplicable("the target file names no tenant: the deployment has one alone")
    mask = "?field_mask=name,description,locations"

    check_example(
        stack.api.get(f"/applications/{application}/devices/{located}{mask}"), requirement
    )


@pytest.fixture
def tenant(stack: Stack) -> str:
    """The tenant that the target's address leads to; "" when there are none."""
    return stack.tenant


@pytest.mark.requirement("TTS-DEV-005")
def test_taken_device_id_is_refused(
    stack: Stack, application: str, located: str, requirement: Judge
) -> None:
    answer = create(stack, application, {"device_id": located})

    requirement.check(told(answer), expected=[409, "pkg/util/store:id_taken"])


@pytest.mark.requirement("TTS-DEV-006")
def test_taken_euis_name_the_other_device(
    stack: Stack, application: str, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = create(stack, application, {**ids, "device_id": stack.new_id()})

    requirement.check(told(answer), expected=[409, "pkg/identityserver:end_device_euis_taken"])
    requirement.check(
        [attribute(answer, "device_id"), attribute(answer, "application_id")],
        expected=[ids["device_id"], application],
    )


@pytest.mark.requirement("TTS-DEV-007")
def test_dev_eui_may_be_shared_without_join_eui(
    stack: Stack, application: str, requirement: Judge
) -> None:
    dev_eui = stack.new_eui()

    answers = [
        create(stack, application, {"device_id": stack.new_id(), "dev_eui": dev_eui})
        for _ in range(2)
    ]

    requirement.check([each.status for each in answers], expected=[200, 200])


@pytest.mark.requirement("TTS-DEV-008")
def test_update_answers_the_mask(stack: Stack, application: str, requirement: Judge) -> None:
    name = stack.new_device(application, name="old", description="old")
    document = {
        "end_device": {"name": "new", "description": "new"},
        "field_mask": {"paths": ["description"]},
    }

    answer = stack.api.put(f"/applications/{application}/devices/{name}", document)

    requirement.check([answer.status, part(answer.json, "description")], expected=[200, "new"])
    after = stack.api.get(
        f"/applications/{application}/devices/{name}", field_mask="name,description"
    )
    requirement.check(
        [part(after.json, "name"), part(after.json, "description")], expected=["old", "new"]
    )


@pytest.mark.requirement("TTS-DEV-009")
def test_deleted_device_is_gone_and_its_id_free(
    stack: Stack, application: str, requirement: Judge
) -> None:
    name = stack.new_device(application)

    answer = stack.api.delete(f"/applications/{application}/devices/{name}")

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = stack.api.get(f"/applications/{application}/devices/{name}")
    requirement.check(after.status, expected=404)
    requirement.check(create(stack, application, {"device_id": name}).status, expected=200)


@pytest.mark.requirement("TTS-DEV-010")
def test_unknown_device_is_not_found(stack: Stack, application: str, requirement: Judge) -> None:
    answer = stack.api.get(f"/applications/{application}/devices/{stack.new_id()}")

    requirement.check(told(answer), expected=[404, "pkg/identityserver/store:end_device_not_found"])


@pytest.mark.requirement("TTS-DEV-011")
def test_several_devices_are_read_at_once(
    stack: Stack, application: str, requirement: Judge
) -> None:
    names = [stack.new_device(application) for _ in range(2)]
    query = "&".join(f"device_ids={name}" for name in [*names, stack.new_id()])

    answer = stack.api.get(f"/applications/{application}/devices/batch?{query}")

    found = [part(each, "ids", "device_id") for each in part(answer.json, "end_devices") or ()]
    requirement.check([answer.status, sorted(found)], expected=[200, sorted(names)])


@pytest.mark.requirement("TTS-DEV-012")
def test_several_devices_are_deleted_at_once(
    stack: Stack, application: str, requirement: Judge
) -> None:
    names = [stack.new_device(application) for _ in range(2)]
    query = "&".join(f"device_ids={name}" for name in names)

    answer = stack.api.delete(f"/applications/{application}/devices/batch?{query}")

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = [stack.api.get(f"/applications/{application}/devices/{name}").status for name in names]
    requirement.check(after, expected=[404, 404])


@pytest.mark.requirement("TTS-DEV-013")
def test_address_of_another_server_is_refused(stack: Stack, requirement: Judge) -> None:
    application = stack.new_application(network_server_address="ns.example.com")

    answer = create(
        stack,
        application,
        {"device_id": stack.new_id()},
        network_server_address="other.example.com",
    )

    requirement.check(
        told(answer), expected=[400, "pkg/identityserver:network_server_address_mismatch"]
    )


@pytest.mark.requirement("TTS-DEV-014")
def test_join_eui_of_zeros_is_a_value(stack: Stack, application: str, requirement: Judge) -> None:
    ids = {"device_id": stack.new_id(), "dev_eui": stack.new_eui(), "join_eui": "0" * 16}

    answer = create(stack, application, ids)

    requirement.check(
        [answer.status, part(answer.json, "ids", "join_eui")], expected=[200, "0000000000000000"]
    )


@pytest.mark.requirement("TTS-DEV-015")
def test_search_finds_a_part_of_the_id(
    stack: Stack, application: str, located: str, requirement: Judge
) -> None:
    stack.new_device(application)

    answer = stack.api.get(f"/search/applications/{application}/devices", id_contains=located[2:])

    found = [part(each, "ids", "device_id") for each in part(answer.json, "end_devices") or ()]
    all_hold = bool(found) and all(located[2:] in str(each) for each in found)
    requirement.check_that(
        located in found and all_hold, expected=f"ids with {located[2:]}", actual=found
    )


@pytest.fixture(scope="module")
def sought(stack: Stack) -> tuple[str, str]:
    """An application, and one of its two devices: the one that searches are to find."""
    application = stack.new_application()
    ids = {"dev_eui": stack.new_eui(), "join_eui": stack.new_eui()}
    stack.new_device(application, name="pump", description="in the yard", ids=ids)
    wanted = {"dev_eui": "58A0CBFFFE0" + stack.new_eui()[11:], "join_eui": stack.new_eui()}
    more = {"name": "water meter", "description": "in the cellar", "attributes": {"floor": "minus"}}
    return application, stack.new_device(application, ids=wanted, **more)


@pytest.mark.requirement("TTS-DEV-025")
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name_contains", "METER"),
        ("description_contains", "cellar"),
        ("dev_eui_contains", "58A0CBFFFE0"),
        ("attributes_contain[floor]", "min"),
    ],
)
def test_search_by_fields(
    stack: Stack, sought: tuple[str, str], field: str, text: str, requirement: Judge
) -> None:
    application, wanted = sought

    answer = stack.api.get(f"/search/applications/{application}/devices", **{field: text})

    found = [part(each, "ids", "device_id") for each in part(answer.json, "end_devices") or ()]
    requirement.check(
        [answer.status, found, answer.headers.get("X-Total-Count")], expected=[200, [wanted], "1"]
    )


@pytest.mark.requirement("TTS-DEV-018")
def test_update_sets_its_time(stack: Stack, application: str, requirement: Judge) -> None:
    path = f"/applications/{application}/devices/{stack.new_device(application)}"
    document = {"end_device": {"name": "new"}, "field_mask": {"paths": ["name"]}}

    answers = [stack.given(stack.api.put(path, document)) for _ in range(2)]

    check_times(answers, requirement)
