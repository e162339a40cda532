"""Applications on the Identity Server."""

import re
from datetime import datetime
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import code, fields, part, told


def create(stack: Stack, application_id: str, **more: Any) -> Response:
    """POST of an application of the caller."""
    document = {"application": {"ids": {"application_id": application_id}, **more}}
    return stack.permitted(stack.api.post(f"/users/{stack.user_id}/applications", document))


@pytest.mark.requirement("TTS-APP-001")
def test_created_application_is_answered_whole(stack: Stack, requirement: Judge) -> None:
    name = stack.new_id()
    document = {"ids": {"application_id": name}, "name": "My app", "attributes": {"a-key": "b"}}

    path = f"/users/{stack.user_id}/applications"
    answer = stack.permitted(stack.api.post(path, {"application": document}))

    requirement.check(answer.status, expected=200)
    found = {each: part(answer.json, each) for each in document}
    requirement.check(found, expected=document)
    missing = {"created_at", "updated_at", "administrative_contact", "technical_contact"} - set(
        answer.json
    )
    requirement.check(sorted(missing), expected=[])


@pytest.mark.requirement("TTS-APP-002")
def test_taken_id_is_refused(stack: Stack, application: str, requirement: Judge) -> None:
    answer = create(stack, application)

    requirement.check(told(answer), expected=[409, "pkg/util/store:id_taken"])


@pytest.mark.requirement("TTS-APP-003")
def test_unknown_members_are_ignored_and_camel_case_is_read(
    stack: Stack, requirement: Judge
) -> None:
    answer = create(stack, stack.new_id(), noSuchField=1, networkServerAddress="ns.example.com")

    requirement.check(answer.status, expected=200)
    requirement.check(part(answer.json, "network_server_address"), expected="ns.example.com")
    strange = {"networkServerAddress", "noSuchField"} & set(answer.json)
    requirement.check(sorted(strange), expected=[])


@pytest.fixture(scope="module")
def named(stack: Stack) -> str:
    """An application that tests rename."""
    return stack.new_application(name="first", description="kept")


def read(stack: Stack, name: str) -> list[Any]:
    """Name and description of an application."""
    answer = stack.given(stack.api.get(f"/applications/{name}", field_mask="name,description"))
    return [answer.get("name"), answer.get("description")]


@pytest.mark.requirement("TTS-APP-004")
def test_update_changes_what_the_mask_names(stack: Stack, named: str, requirement: Judge) -> None:
    document = {
        "application": {"name": "second", "description": "changed"},
        "field_mask": {"paths": ["name"]},
    }

    answer = stack.api.put(f"/applications/{named}", document)

    requirement.check([answer.status, part(answer.json, "name")], expected=[200, "second"])
    requirement.check(sorted(answer.json), expected=["created_at", "ids", "name", "updated_at"])
    requirement.check(read(stack, named), expected=["second", "kept"])


@pytest.mark.requirement("TTS-APP-030")
def test_masked_field_that_is_absent_is_emptied(stack: Stack, requirement: Judge) -> None:
    path = f"/applications/{stack.new_application(name='first', description='goes')}"
    document = {"application": {"name": "second"}, "field_mask": {"paths": ["name", "description"]}}

    answer = stack.api.put(path, document)

    requirement.check(answer.status, expected=200)
    found = stack.api.get(path, field_mask="name,description").json
    told_of = [part(found, name) or "" for name in ("name", "description")]
    requirement.check(told_of, expected=["second", ""])


@pytest.mark.requirement("TTS-APP-005")
def test_update_without_mask_changes_nothing(stack: Stack, named: str, requirement: Judge) -> None:
    before = read(stack, named)

    answer = stack.api.put(f"/applications/{named}", {"application": {"name": "no mask"}})

    requirement.check(answer.status, expected=200)
    requirement.check(read(stack, named), expected=before)


@pytest.mark.requirement("TTS-APP-006")
def test_mask_may_be_one_text(stack: Stack, named: str, requirement: Judge) -> None:
    document = {
        "application": {"name": "third", "description": "third too"},
        "field_mask": "name,description",
    }

    answer = stack.api.put(f"/applications/{named}", document)

    requirement.check(answer.status, expected=200)
    requirement.check(read(stack, named), expected=["third", "third too"])


@pytest.fixture(scope="module")
def deleted(stack: Stack) -> tuple[str, Response]:
    """An application that is deleted, and the answer to its deletion."""
    name = stack.new_application(name="short-lived")
    return name, stack.api.delete(f"/applications/{name}")


@pytest.mark.requirement("TTS-APP-007")
def test_deleted_application_is_gone(
    stack: Stack, deleted: tuple[str, Response], requirement: Judge
) -> None:
    name, answer = deleted
    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = stack.api.get(f"/applications/{name}", field_mask="name")
    requirement.check_in(after.status, accepted=[403, 404])


@pytest.mark.requirement("TTS-APP-008")
def test_deleted_id_stays_taken(
    stack: Stack, deleted: tuple[str, Response], requirement: Judge
) -> None:
    answer = create(stack, deleted[0])

    requirement.check(told(answer), expected=[409, "pkg/util/store:id_taken"])


@pytest.mark.requirement("TTS-APP-009")
def test_deleted_application_is_restored(stack: Stack, requirement: Judge) -> None:
    name = stack.new_application(name="comes back")
    stack.given(stack.api.delete(f"/applications/{name}"))
    listed = stack.given(
        stack.api.get(f"/users/{stack.user_id}/applications", deleted="true", order="-created_at")
    )
    ids = [part(each, "ids", "application_id") for each in listed.get("applications", [])]
    requirement.check_that(name in ids, expected=f"{name} among the deleted", actual=ids)

    answer = stack.permitted(stack.api.post(f"/applications/{name}/restore", {}))

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = stack.api.get(f"/applications/{name}", field_mask="name")
    requirement.check(part(after.json, "name"), expected="comes back")


@pytest.mark.requirement("TTS-APP-010")
def test_application_with_devices_is_not_deleted(stack: Stack, requirement: Judge) -> None:
    name = stack.new_application()
    stack.new_device(name)

    answer = stack.api.delete(f"/applications/{name}")

    requirement.check(
        [*told(answer), code(answer)],
        expected=[400, "pkg/identityserver:application_has_devices", 9],
    )


@pytest.mark.requirement("TTS-APP-011")
def test_purge_frees_the_id(stack: Stack, requirement: Judge) -> None:
    name = stack.new_application()

    answer = stack.api.delete(f"/applications/{name}/purge", key=stack.admin_key)

    requirement.check([answer.status, answer.json], expected=[200, {}])
    requirement.check(create(stack, name).status, expected=200)


@pytest.mark.requirement("TTS-APP-012")
def test_others_cannot_purge(stack: Stack, requirement: Judge) -> None:
    name = stack.new_application()
    key = stack.new_key(f"/applications/{name}", "RIGHT_APPLICATION_ALL")

    answer = stack.api.delete(f"/applications/{name}/purge", key=key)

    requirement.check(told(answer), expected=[403, "pkg/identityserver:admins_purge_applications"])


@pytest.mark.requirement("TTS-APP-013")
def test_administrator_is_told_what_does_not_exist(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(
        f"/applications/{stack.new_id()}", key=stack.admin_key, field_mask="name"
    )

    requirement.check(
        told(answer), expected=[404, "pkg/identityserver/store:application_not_found"]
    )


@pytest.mark.requirement("TTS-APP-014")
def test_reserved_word_is_refused(stack: Stack, requirement: Judge) -> None:
    answer = create(stack, "admin")

    requirement.check(told(answer), expected=[400, "pkg/identityserver/blocklist:forbidden_id"])


@pytest.mark.requirement("TTS-APP-015")
def test_application_of_an_organization(stack: Stack, requirement: Judge) -> None:
    document = {"application": {"ids": {"application_id": stack.new_id()}}}

    path = f"/organizations/{stack.organization_id}/applications"
    answer = stack.permitted(stack.api.post(path, document))

    owner = {"organization_ids": {"organization_id": stack.organization_id}}
    contacts = [part(answer.json, f"{kind}_contact") for kind in ("administrative", "technical")]
    requirement.check([answer.status, *contacts], expected=[200, owner, owner])


@pytest.mark.requirement("TTS-APP-016")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("name", "n" * 51, id="name"),
        pytest.param("description", "d" * 2001, id="description"),
        pytest.param("attributes", {f"key-{n}": "v" for n in range(11)}, id="eleven-attributes"),
        pytest.param("attributes", {"A key": "v"}, id="attribute-key"),
        pytest.param("attributes", {"key": "v" * 201}, id="attribute-value"),
    ],
)
def test_values_have_limits(stack: Stack, field: str, value: Any, requirement: Judge) -> None:
    answer = create(stack, stack.new_id(), **{field: value})

    requirement.check(told(answer), expected=[400, "pkg/errors:validation"])
    found = [str(each).partition("[")[0] for each in fields(answer)[:2]]
    requirement.check(found, expected=["application", field])


NO_EUIS = (
    "pkg/identityserver:dev_eui_issuing_not_enabled",
    "pkg/identityserver:application_dev_eui_limit_reached",
)


@pytest.mark.requirement("TTS-APP-017")
def test_dev_eui_is_issued_or_refused(stack: Stack, application: str, requirement: Judge) -> None:
    answer = stack.api.post(f"/applications/{application}/dev-eui", {})

    if answer.status == 400:
        requirement.check_in(told(answer)[1], accepted=NO_EUIS)
    else:
        eui = str(part(answer.json, "dev_eui"))
        is_eui = answer.status == 200 and bool(re.fullmatch(r"[0-9A-F]{16}", eui))
        requirement.check_that(is_eui, expected="sixteen digits", actual=answer)


@pytest.mark.requirement("TTS-APP-018")
def test_contact_info_is_warned_about(stack: Stack, named: str, requirement: Judge) -> None:
    document = {
        "application": {"contact_info": []}, "field_mask": {"paths": ["contact_info"]},
    }  # fmt: skip

    answer = stack.api.put(f"/applications/{named}", document)

    requirement.check([answer.status, "X-Warning" in answer.headers], expected=[200, True])


@pytest.mark.requirement("TTS-APP-019")
def test_update_sets_its_time(stack: Stack, requirement: Judge) -> None:
    created = stack.given(create(stack, stack.new_id(), name="old"))
    path = f"/applications/{part(created, 'ids', 'application_id')}"
    document = {"application": {"name": "new"}, "field_mask": {"paths": ["name"]}}

    stack.given(stack.api.put(path, document))

    after = stack.api.get(path, field_mask="name")
    before, now = (
        [datetime.fromisoformat(str(part(each, name))) for name in ("created_at", "updated_at")]
        for each in (created, after.json)
    )
    requirement.check(now[0], expected=before[0])
    requirement.check_that(now[1] > before[1], expected=f"later than {before[1]}", actual=now[1])


@pytest.mark.requirement("TTS-APP-020")
def test_list_leaves_deleted_out(stack: Stack, requirement: Judge) -> None:
    gone, stays = (stack.new_application() for _ in range(2))
    stack.given(stack.api.delete(f"/applications/{gone}"))

    answer = stack.api.get(f"/users/{stack.user_id}/applications", order="-created_at", limit=1000)

    listed = part(stack.given(answer), "applications") or []
    ids = {part(each, "ids", "application_id") for each in listed}
    requirement.check([gone in ids, stays in ids], expected=[False, True])


@pytest.mark.requirement("TTS-APP-021")
def test_id_of_the_path_counts(stack: Stack, requirement: Judge) -> None:
    name, other = stack.new_application(), stack.new_application(name="other")
    document = {
        "application": {"ids": {"application_id": other}, "name": "renamed"},
        "field_mask": {"paths": ["name"]},
    }

    answer = stack.api.put(f"/applications/{name}", document)

    requirement.check(part(answer.json, "ids", "application_id"), expected=name)
    requirement.check([read(stack, name)[0], read(stack, other)[0]], expected=["renamed", "other"])


@pytest.mark.requirement("TTS-APP-022")
def test_application_with_devices_is_not_purged(stack: Stack, requirement: Judge) -> None:
    name = stack.new_application()
    stack.new_device(name)

    answer = stack.permitted(stack.api.delete(f"/applications/{name}/purge", key=stack.admin_key))

    requirement.check(told(answer), expected=[400, "pkg/identityserver:application_has_devices"])


@pytest.mark.requirement("TTS-APP-023")
def test_restored_application_is_not_deleted(stack: Stack, requirement: Judge) -> None:
    path = f"/applications/{stack.new_application()}"
    stack.given(stack.api.delete(path))
    stack.permitted(stack.api.post(f"{path}/restore", {}))

    answer = stack.given(stack.api.get(path, field_mask="name,deleted_at"))

    requirement.check(part(answer, "deleted_at"), expected=None)


@pytest.mark.requirement("TTS-APP-024")
def test_list_of_deleted_leaves_others_out(stack: Stack, requirement: Judge) -> None:
    gone, stays = (stack.new_application() for _ in range(2))
    stack.given(stack.api.delete(f"/applications/{gone}"))

    query = {"deleted": "true", "order": "-created_at", "limit": 1000}
    answer = stack.api.get(f"/users/{stack.user_id}/applications", **query)

    listed = part(stack.given(answer), "applications") or []
    ids = {part(each, "ids", "application_id") for each in listed}
    requirement.check([gone in ids, stays in ids], expected=[True, False])


@pytest.mark.requirement("TTS-APP-025")
def test_what_is_not_deleted_is_not_restored(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.post(f"/applications/{stack.new_application()}/restore", {})

    requirement.check(answer.status, expected=404)
