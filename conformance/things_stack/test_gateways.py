"""Gateways on the Identity Server, and their connections."""

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import (
    attribute,
    causes,
    check_times,
    fields,
    just_after,
    part,
    told,
)


def create(stack: Stack, ids: dict[str, str], **more: Any) -> Response:
    """POST of a gateway of the caller."""
    document = {"gateway": {"ids": ids, **more}}
    return stack.permitted(stack.api.post(f"/users/{stack.user_id}/gateways", document))


@pytest.fixture(scope="module")
def ids(stack: Stack) -> dict[str, str]:
    """Identifiers of the gateway of ``created``."""
    return {"gateway_id": stack.new_id(), "eui": stack.new_eui()}


@pytest.fixture(scope="module")
def created(stack: Stack, ids: dict[str, str]) -> Response:
    """The answer to the document's example."""
    return create(
        stack,
        ids,
        name="my gateway",
        gateway_server_address="thethings.example.com",
        frequency_plan_id="EU_863_870_TTN",
    )


@pytest.mark.requirement("TTS-GW-001")
def test_example_is_answered_whole(
    ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    expected = {
        "ids": ids,
        "name": "my gateway",
        "gateway_server_address": "thethings.example.com",
        "frequency_plan_id": "EU_863_870_TTN",
        "frequency_plan_ids": ["EU_863_870_TTN"],
    }
    requirement.check(created.status, expected=200)
    requirement.check({each: part(created.json, each) for each in expected}, expected=expected)


@pytest.mark.requirement("TTS-GW-002")
def test_new_gateway_is_not_public(created: Response, requirement: Judge) -> None:
    found = [bool(part(created.json, f"{each}_public")) for each in ("status", "location")]
    requirement.check([created.status, *found], expected=[200, False, False])


@pytest.mark.requirement("TTS-GW-003")
def test_taken_eui_names_the_gateway(
    stack: Stack, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = create(stack, {**ids, "gateway_id": stack.new_id()})

    requirement.check(told(answer), expected=[409, "pkg/identityserver:gateway_eui_taken"])
    requirement.check(
        [attribute(answer, "gateway_eui"), attribute(answer, "gateway_id")],
        expected=[ids["eui"], ids["gateway_id"]],
    )


@pytest.mark.requirement("TTS-GW-004")
def test_id_stays_taken(stack: Stack, requirement: Judge) -> None:
    name = stack.new_gateway()

    taken = create(stack, {"gateway_id": name})
    stack.given(stack.api.delete(f"/gateways/{name}"))
    after = create(stack, {"gateway_id": name})

    requirement.check([told(taken), told(after)], expected=[[409, "pkg/util/store:id_taken"]] * 2)


@pytest.mark.requirement("TTS-GW-005")
def test_eui_is_free_after_deletion_and_not_restored(stack: Stack, requirement: Judge) -> None:
    name, eui = stack.new_id(), stack.new_eui()
    stack.given(create(stack, {"gateway_id": name, "eui": eui}))

    requirement.check(stack.api.delete(f"/gateways/{name}").status, expected=200)

    again = create(stack, {"gateway_id": stack.new_id(), "eui": eui})
    requirement.check(again.status, expected=200)
    requirement.check(
        stack.permitted(stack.api.post(f"/gateways/{name}/restore", {})).status, expected=200
    )
    restored = stack.api.get(f"/gateways/{name}")
    requirement.check(part(restored.json, "ids"), expected={"gateway_id": name})


@pytest.mark.requirement("TTS-GW-020")
def test_restored_gateway_is_not_deleted(stack: Stack, requirement: Judge) -> None:
    path = f"/gateways/{stack.new_gateway()}"
    stack.given(stack.api.delete(path))
    stack.permitted(stack.api.post(f"{path}/restore", {}))

    answer = stack.given(stack.api.get(path, field_mask="name,deleted_at"))

    requirement.check(part(answer, "deleted_at"), expected=None)


@pytest.mark.requirement("TTS-GW-006")
def test_gateway_of_an_organization(stack: Stack, requirement: Judge) -> None:
    document = {"gateway": {"ids": {"gateway_id": stack.new_id()}}}

    path = f"/organizations/{stack.organization_id}/gateways"
    answer = stack.permitted(stack.api.post(path, document))

    owner = {"organization_ids": {"organization_id": stack.organization_id}}
    requirement.check(
        [answer.status, part(answer.json, "administrative_contact")], expected=[200, owner]
    )


@pytest.mark.requirement("TTS-GW-007")
def test_update_changes_what_the_mask_names(stack: Stack, requirement: Judge) -> None:
    name = stack.new_gateway(name="old", description="old")
    document = {
        "gateway": {"name": "new", "description": "new"}, "field_mask": {"paths": ["name"]},
    }  # fmt: skip

    answer = stack.api.put(f"/gateways/{name}", document)

    requirement.check(answer.status, expected=200)
    after = stack.api.get(f"/gateways/{name}", field_mask="name,description")
    requirement.check(
        [part(after.json, "name"), part(after.json, "description")], expected=["new", "old"]
    )


@pytest.mark.requirement("TTS-GW-008")
def test_no_statistics_without_connection(
    stack: Stack, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = stack.api.get(f"/gs/gateways/{ids['gateway_id']}/connection/stats")

    requirement.check(told(answer), expected=[404, "pkg/gatewayserver:not_connected"])


@pytest.mark.requirement("TTS-GW-009")
def test_statistics_leave_out_who_is_not_connected(
    stack: Stack, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    stack.given(created)
    document = {"gateway_ids": [{"gateway_id": ids["gateway_id"]}]}

    answer = stack.api.post("/gs/gateways/connection/stats", document)

    requirement.check(answer.status, expected=200)
    entries = part(answer.json, "entries") or {}
    requirement.check(ids["gateway_id"] in entries, expected=False)


@pytest.mark.requirement("TTS-GW-010")
@pytest.mark.parametrize("is_under_user", [True, False], ids=["under-the-user", "own"])
def test_gateways_are_listed_with_a_mask(
    stack: Stack, ids: dict[str, str], created: Response, is_under_user: bool, requirement: Judge
) -> None:
    stack.given(created)
    path = f"/users/{stack.user_id}/gateways" if is_under_user else "/gateways"

    answer = stack.api.get(path, field_mask="name", order="-created_at", limit=1000)

    listed = part(answer.json, "gateways") or []
    own = [each for each in listed if part(each, "ids", "gateway_id") == ids["gateway_id"]]
    requirement.check([part(each, "name") for each in own], expected=["my gateway"])


@pytest.mark.requirement("TTS-GW-011")
def test_purge_frees_the_id(stack: Stack, requirement: Judge) -> None:
    name = stack.new_gateway()

    answer = stack.permitted(stack.api.delete(f"/gateways/{name}/purge", key=stack.admin_key))

    requirement.check([answer.status, answer.json], expected=[200, {}])
    requirement.check(create(stack, {"gateway_id": name}).status, expected=200)


@pytest.mark.requirement("TTS-GW-012")
def test_others_cannot_purge(stack: Stack, application: str, requirement: Judge) -> None:
    key = stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_INFO")

    answer = stack.api.delete(f"/gateways/{stack.new_id()}/purge", key=key)

    requirement.check(told(answer), expected=[403, "pkg/identityserver:admins_purge_gateways"])


@pytest.mark.requirement("TTS-GW-013")
def test_others_read_what_is_public(
    stack: Stack, application: str, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    stack.given(created)
    key = stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_INFO")
    path = f"/gateways/{ids['gateway_id']}"

    public = stack.api.get(path, field_mask="name,gateway_server_address", key=key)
    private = stack.api.get(path, field_mask="attributes", key=key)

    requirement.check([public.status, private.status], expected=[200, 403])
    found = [part(public.json, "name"), part(public.json, "gateway_server_address")]
    requirement.check(found, expected=["my gateway", None])


@pytest.mark.requirement("TTS-GW-014")
def test_configuration_of_a_packet_forwarder(
    stack: Stack, ids: dict[str, str], created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = stack.api.get(f"/gcs/gateways/{ids['gateway_id']}/semtechudp/global_conf.json")

    if "pkg/frequencyplans:not_found" in causes(answer):
        raise NotApplicable("the target has no frequency plan EU_863_870_TTN")

    found = part(answer.json, "gateway_conf")
    requirement.check(answer.status, expected=200)
    requirement.check(
        [str(part(found, "gateway_ID")).upper(), part(found, "server_address")],
        expected=[ids["eui"], "thethings.example.com"],
    )
    requirement.check(isinstance(part(answer.json, "SX1301_conf"), dict), expected=True)


@pytest.mark.requirement("TTS-GW-015")
@pytest.mark.parametrize("count", [0, 101])
def test_statistics_of_one_to_a_hundred_gateways(
    stack: Stack, count: int, requirement: Judge
) -> None:
    document = {"gateway_ids": [{"gateway_id": f"gateway-{number}"} for number in range(count)]}

    answer = stack.api.post("/gs/gateways/connection/stats", document)

    requirement.check(told(answer), expected=[400, "pkg/errors:validation"])
    requirement.check(fields(answer)[:1], expected=["gateway_ids"])


@pytest.fixture(scope="module")
def stranger(stack: Stack) -> str:
    """A key of another gateway, which may read that one's statistics."""
    return stack.new_key(f"/gateways/{stack.new_gateway()}", "RIGHT_GATEWAY_STATUS_READ")


@pytest.mark.requirement("TTS-GW-016")
def test_statistics_need_a_right(
    stack: Stack, ids: dict[str, str], created: Response, stranger: str, requirement: Judge
) -> None:
    stack.given(created)
    path = f"/gs/gateways/{ids['gateway_id']}/connection/stats"

    answer = stack.api.get(path, key=stranger)

    requirement.check(told(answer), expected=[403, "pkg/auth/rights:no_gateway_rights"])


@pytest.mark.requirement("TTS-GW-017")
def test_read_tells_what_the_mask_names(stack: Stack, requirement: Judge) -> None:
    name = stack.new_gateway(name="a name", description="a description")

    answer = stack.api.get(f"/gateways/{name}", field_mask="description")

    requirement.check(part(answer.json, "description"), expected="a description")
    requirement.check("name" in (answer.json or {}), expected=False)


@pytest.fixture(scope="module")
def linked(stack: Stack) -> tuple[str, str]:
    """The path of a gateway, and a key that may link it."""
    path = f"/gateways/{stack.new_gateway()}"
    return path, stack.new_key(path, "RIGHT_GATEWAY_LINK")


def update(stack: Stack, path: str, key: str, field: str, value: Any) -> Response:
    """PUT of one field with a key."""
    document = {"gateway": {field: value}, "field_mask": {"paths": [field]}}
    return stack.api.put(path, document, key=key)


@pytest.mark.requirement("TTS-GW-018")
def test_link_sets_antennas_and_no_name(
    stack: Stack, linked: tuple[str, str], requirement: Judge
) -> None:
    path, key = linked

    good = [
        update(stack, path, key, "antennas", [{"gain": 3}]).status,
        update(stack, path, key, "attributes", {"a-key": "b"}).status,
    ]
    answer = update(stack, path, key, "name", "x")

    requirement.check(good, expected=[200, 200])
    requirement.check(
        [*told(answer), attribute(answer, "missing")],
        expected=[
            403,
            "pkg/auth/rights:insufficient_gateway_rights",
            ["RIGHT_GATEWAY_SETTINGS_BASIC"],
        ],
    )


@pytest.mark.requirement("TTS-GW-019")
def test_secrets_need_a_right(stack: Stack, linked: tuple[str, str], requirement: Judge) -> None:
    path, key = linked

    answer = stack.api.get(path, field_mask="lbs_lns_secret", key=key)

    requirement.check(
        [*told(answer), attribute(answer, "missing")],
        expected=[
            403,
            "pkg/auth/rights:insufficient_gateway_rights",
            ["RIGHT_GATEWAY_READ_SECRETS"],
        ],
    )


@pytest.mark.requirement("TTS-GW-021")
def test_update_sets_its_time(stack: Stack, requirement: Judge) -> None:
    path = f"/gateways/{stack.new_gateway()}"
    document = {"gateway": {"name": "new"}, "field_mask": {"paths": ["name"]}}

    answers = [stack.given(stack.api.put(path, document)) for _ in range(2)]

    check_times(answers, requirement)


@pytest.mark.requirement("TTS-GW-022")
@pytest.mark.parametrize("secret", ["lbs_lns_secret", "target_cups_key"])
def test_secrets_are_set_with_a_right(stack: Stack, secret: str, requirement: Judge) -> None:
    path = f"/gateways/{stack.new_gateway()}"
    key = stack.new_key(path, "RIGHT_GATEWAY_INFO", "RIGHT_GATEWAY_SETTINGS_BASIC")

    answer = update(stack, path, key, secret, {"value": "c2VjcmV0"})

    requirement.check(
        [*told(answer), attribute(answer, "missing")],
        expected=[
            403,
            "pkg/auth/rights:insufficient_gateway_rights",
            ["RIGHT_GATEWAY_WRITE_SECRETS"],
        ],
    )


@pytest.mark.requirement("TTS-GW-023")
def test_place_is_not_told_to_others(stack: Stack, application: str, requirement: Judge) -> None:
    place = {"latitude": 52.5, "longitude": 13.5, "source": "SOURCE_REGISTRY"}
    path = f"/gateways/{stack.new_gateway(antennas=[{'gain': 3, 'location': place}])}"
    key = stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_INFO")

    own = stack.given(stack.api.get(path, field_mask="antennas"))
    answer = stack.api.get(path, field_mask="antennas", key=key)

    # Older versions tell others nothing of such antennas.
    told_places = [
        [part(each, "location", "latitude") for each in part(found, "antennas") or []]
        for found in (own, answer.json)
    ]
    requirement.check(answer.status, expected=200)
    requirement.check_in(told_places, accepted=[[[52.5], [None]], [[52.5], []]])


@pytest.mark.requirement("TTS-GW-024")
def test_eui_of_another_cannot_be_set(stack: Stack, requirement: Judge) -> None:
    eui, name, other = stack.new_eui(), stack.new_id(), stack.new_gateway()
    stack.given(create(stack, {"gateway_id": name, "eui": eui}))
    document = {
        "gateway": {"ids": {"gateway_id": other, "eui": eui}},
        "field_mask": {"paths": ["ids.eui"]},
    }

    answer = stack.permitted(stack.api.put(f"/gateways/{other}", document))

    euis = [
        part(stack.given(stack.api.get(f"/gateways/{each}")), "ids", "eui")
        for each in (name, other)
    ]
    requirement.check([answer.status, *euis], expected=[409, eui, None])


@pytest.mark.requirement("TTS-GW-025")
def test_gateways_are_listed_since_a_time(stack: Stack, requirement: Judge) -> None:
    old = stack.new_id()
    made = stack.given(create(stack, {"gateway_id": old}))
    new = stack.new_gateway()

    found = []
    for since in ("2020-01-01T00:00:00Z", just_after(made)):
        document = {
            "field_mask": {"paths": ["name"]}, "filters": [{"updated_since": since}],
            "order": "-created_at", "limit": 1000,
        }  # fmt: skip
        listed = part(stack.given(stack.api.post("/gateways/filter", document)), "gateways") or []
        ids = {part(each, "ids", "gateway_id") for each in listed}
        found.append([old in ids, new in ids])

    requirement.check(found, expected=[[True, True], [False, True]])


@pytest.mark.requirement("TTS-GW-026")
def test_new_plan_is_told_twice(stack: Stack, requirement: Judge) -> None:
    path = f"/gateways/{stack.new_gateway(frequency_plan_id='EU_863_870')}"
    document = {
        "gateway": {"frequency_plan_id": "US_902_928_FSB_2"},
        "field_mask": {"paths": ["frequency_plan_id"]},
    }
    stack.given(stack.api.put(path, document))

    answer = stack.given(stack.api.get(path, field_mask="frequency_plan_id,frequency_plan_ids"))

    found = [part(answer, name) for name in ("frequency_plan_id", "frequency_plan_ids")]
    requirement.check(found, expected=["US_902_928_FSB_2", ["US_902_928_FSB_2"]])


@pytest.mark.requirement("TTS-GW-027")
def test_batch_is_not_empty(stack: Stack, requirement: Judge) -> None:
    # By HTTP it cannot be given any: a query has no form for lists of identifiers.
    answer = stack.api.delete("/gateways/batch")

    requirement.check(told(answer), expected=[400, "pkg/errors:validation"])
    requirement.check(fields(answer)[:1], expected=["gateway_ids"])
