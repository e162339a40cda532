"""Users: what they are told of themselves and of others, and what administrators do about them."""

from __future__ import annotations

import secrets as random_source

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part, told
from conformance.things_stack.test_organizations_and_clients import (
    ADMIN_FIELD,
    refused_field,
    skip_for_administrators,
)

TAKEN = [409, "pkg/util/store:id_taken"]


def create(stack: Stack, user_id: str) -> Response:
    """
    POST of a user by an administrator; the address is valid already, so nobody gets a mail.

    The password keeps stricter rules than the usual ones, which a deployment sets.

    Raises:
        NotRun: the administrator's key lacks a right.
    """
    user = {
        "ids": {"user_id": user_id},
        "primary_email_address": f"{random_source.token_hex(8)}@example.com",
        "primary_email_address_validated_at": "2026-01-01T00:00:00Z",
        "password": f"Thing-RIG!?#{random_source.token_hex(12)}0815",
        "state": "STATE_APPROVED",
        "name": "A user",
    }
    return stack.permitted(stack.api.post("/users", {"user": user}, key=stack.admin_key))


@pytest.fixture(scope="module")
def created(stack: Stack) -> tuple[str, Response]:
    """A new user, and the answer to its creation."""
    name = stack.new_id()
    return name, create(stack, name)


@pytest.fixture(scope="module")
def stranger(stack: Stack, application: str) -> str:
    """A key that is no user's."""
    return stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_INFO")


@pytest.mark.requirement("TTS-US-001")
def test_user_reads_its_own_address(stack: Stack, requirement: Judge) -> None:
    answer = stack.permitted(
        stack.api.get(f"/users/{stack.user_id}", field_mask="primary_email_address")
    )

    requirement.check(answer.status, expected=200)
    missing = {"ids", "created_at", "updated_at", "primary_email_address"} - set(answer.json)
    requirement.check(sorted(missing), expected=[])
    requirement.check(part(answer.json, "ids", "user_id"), expected=stack.user_id)


@pytest.mark.requirement("TTS-US-002")
def test_others_read_what_is_public(stack: Stack, stranger: str, requirement: Judge) -> None:
    path = f"/users/{stack.user_id}"

    public = stack.api.get(path, field_mask="name", key=stranger)
    private = stack.api.get(path, field_mask="primary_email_address", key=stranger)

    requirement.check([public.status, private.status], expected=[200, 403])


@pytest.mark.requirement("TTS-US-003")
def test_users_are_listed_for_administrators(
    stack: Stack, stranger: str, requirement: Judge
) -> None:
    requirement.check(stack.api.get("/users", key=stranger).status, expected=403)


@pytest.mark.requirement("TTS-US-004")
def test_update_answers_what_the_mask_names(stack: Stack, requirement: Judge) -> None:
    path = f"/users/{stack.user_id}"
    name = stack.given(stack.api.get(path, field_mask="name")).get("name", "")
    document = {
        "user": {"name": name, "description": "not this"}, "field_mask": {"paths": ["name"]},
    }  # fmt: skip

    answer = stack.permitted(stack.api.put(path, document))

    requirement.check([answer.status, part(answer.json, "name") or ""], expected=[200, name])
    known = {"ids", "created_at", "updated_at", "name"}
    told_too = sorted(set(answer.json) & {"description", "primary_email_address", "state"} - known)
    requirement.check(told_too, expected=[])
    requirement.check(sorted({"ids", "updated_at"} - set(answer.json)), expected=[])


@pytest.mark.requirement("TTS-US-005")
def test_state_of_a_user_is_for_administrators(stack: Stack, requirement: Judge) -> None:
    skip_for_administrators(stack)
    # No administrator is made even if this is accepted.
    document = {"user": {"admin": False}, "field_mask": {"paths": ["admin"]}}

    answer = stack.api.put(f"/users/{stack.user_id}", document)

    if told(answer)[1] == "pkg/auth/rights:insufficient_user_rights":
        stack.permitted(answer)
    requirement.check(refused_field(answer), expected=[*ADMIN_FIELD, "admin"])


@pytest.mark.requirement("TTS-US-006")
def test_administrator_creates_a_user(created: tuple[str, Response], requirement: Judge) -> None:
    name, answer = created
    expected = {
        "ids": {"user_id": name}, "name": "A user", "state": "STATE_APPROVED", "password": None,
    }  # fmt: skip
    requirement.check(answer.status, expected=200)
    requirement.check({each: part(answer.json, each) for each in expected}, expected=expected)


@pytest.mark.requirement("TTS-US-007")
def test_taken_user_id_is_refused(
    stack: Stack, created: tuple[str, Response], requirement: Judge
) -> None:
    # Not the caller's: nobody may take an id like admin, which many have on a server of their own.
    stack.given(created[1])

    answer = create(stack, created[0])

    requirement.check(told(answer), expected=TAKEN)


@pytest.mark.requirement("TTS-US-008")
def test_deleted_user_is_gone_and_restored(
    stack: Stack, created: tuple[str, Response], requirement: Judge
) -> None:
    stack.given(created[1])
    path = f"/users/{created[0]}"

    answer = stack.permitted(stack.api.delete(path, key=stack.admin_key))

    requirement.check([answer.status, answer.json], expected=[200, {}])
    gone = stack.api.get(path, field_mask="name", key=stack.admin_key)
    requirement.check(gone.status, expected=404)
    requirement.check(told(create(stack, created[0])), expected=TAKEN)
    restored = stack.permitted(stack.api.post(f"{path}/restore", {}, key=stack.admin_key))
    requirement.check([restored.status, restored.json], expected=[200, {}])
    after = stack.api.get(path, field_mask="name", key=stack.admin_key)
    requirement.check(part(after.json, "name"), expected="A user")


@pytest.mark.requirement("TTS-US-011")
def test_restored_user_is_not_deleted(
    stack: Stack, created: tuple[str, Response], requirement: Judge
) -> None:
    stack.given(created[1])
    path = f"/users/{created[0]}"
    stack.permitted(stack.api.delete(path, key=stack.admin_key))
    stack.permitted(stack.api.post(f"{path}/restore", {}, key=stack.admin_key))

    answer = stack.given(stack.api.get(path, field_mask="name,deleted_at", key=stack.admin_key))

    requirement.check(part(answer, "deleted_at"), expected=None)


@pytest.mark.requirement("TTS-US-009")
def test_purge_frees_the_id(stack: Stack, requirement: Judge) -> None:
    name = stack.new_id()
    stack.given(create(stack, name))

    answer = stack.permitted(stack.api.delete(f"/users/{name}/purge", key=stack.admin_key))

    requirement.check([answer.status, answer.json], expected=[200, {}])
    requirement.check(create(stack, name).status, expected=200)


@pytest.mark.requirement("TTS-US-010")
def test_others_cannot_purge(stack: Stack, stranger: str, requirement: Judge) -> None:
    answer = stack.api.delete(f"/users/{stack.new_id()}/purge", key=stranger)

    requirement.check(told(answer), expected=[403, "pkg/identityserver:admins_purge_users"])
