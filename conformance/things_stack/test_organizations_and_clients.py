"""Organizations and OAuth clients: what they have in common with applications, and their own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import attribute, part, told

TAKEN = [409, "pkg/util/store:id_taken"]
ADMIN_FIELD = [403, "pkg/identityserver:update_admin_field"]
REDIRECT = ["https://app.example.com/callback"]


class Entities:
    """Organizations and clients of the caller. Few are made: administrators are told of clients."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._first: dict[str, tuple[str, Response]] = {}

    def create(self, kind: str, entity_id: str, **more: Any) -> Response:
        """
        POST of an entity of the caller.

        Raises:
            NotRun: the caller may create none.
        """
        document = {kind: {"ids": {f"{kind}_id": entity_id}, **more}}
        path = f"/users/{self.stack.user_id}/{kind}s"
        return self.stack.permitted(self.stack.api.post(path, document))

    def first(self, kind: str) -> tuple[str, Response]:
        """The id of the first entity of a kind, and the answer to its creation."""
        if kind not in self._first:
            name = self.stack.new_id()
            more = {"redirect_uris": REDIRECT, "state": "STATE_APPROVED"}
            answer = self.create(kind, name, name="first", **(more if kind == "client" else {}))
            self._first[kind] = name, answer
        return self._first[kind]

    def given(self, kind: str) -> str:
        """The id of the first entity, for tests that build upon it."""
        name, answer = self.first(kind)
        self.stack.given(answer)
        return name


@pytest.fixture(scope="module")
def entities(stack: Stack) -> Entities:
    """See Entities."""
    return Entities(stack)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-001")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-001")),
    ],
)
def test_created_entity_is_answered_whole(
    stack: Stack, entities: Entities, kind: str, requirement: Judge
) -> None:
    name, answer = entities.first(kind)

    owner = {"user_ids": {"user_id": stack.user_id}}
    expected = {
        "ids": {f"{kind}_id": name}, "name": "first", "administrative_contact": owner,
        "technical_contact": owner, **({"redirect_uris": REDIRECT} if kind == "client" else {}),
    }  # fmt: skip
    requirement.check(answer.status, expected=200)
    requirement.check({each: part(answer.json, each) for each in expected}, expected=expected)
    missing = {"created_at", "updated_at"} - set(answer.json)
    requirement.check(sorted(missing), expected=[])


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-002")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-002")),
    ],
)
def test_taken_id_is_refused(entities: Entities, kind: str, requirement: Judge) -> None:
    answer = entities.create(kind, entities.given(kind))

    requirement.check(told(answer), expected=TAKEN)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-003")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-003")),
    ],
)
def test_update_changes_what_the_mask_names(
    stack: Stack, entities: Entities, kind: str, requirement: Judge
) -> None:
    path = f"/{kind}s/{entities.given(kind)}"
    document = {kind: {"name": "first", "description": "new"}}
    stack.given(stack.api.put(path, {**document, "field_mask": {"paths": ["description"]}}))
    document = {kind: {"name": "second", "description": "newer"}}

    answer = stack.api.put(path, {**document, "field_mask": {"paths": ["name"]}})

    requirement.check([answer.status, part(answer.json, "name")], expected=[200, "second"])
    after = stack.api.get(path, field_mask="name,description")
    requirement.check(
        [part(after.json, "name"), part(after.json, "description")], expected=["second", "new"]
    )


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-004")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-004")),
    ],
)
@pytest.mark.parametrize("is_under_user", [True, False], ids=["under-the-user", "own"])
def test_entities_are_listed(
    stack: Stack, entities: Entities, kind: str, is_under_user: bool, requirement: Judge
) -> None:
    name = entities.given(kind)
    path = f"/users/{stack.user_id}/{kind}s" if is_under_user else f"/{kind}s"

    answer = stack.permitted(stack.api.get(path, order="-created_at", limit=1000))

    listed = part(answer.json, f"{kind}s") or []
    ids = [part(each, "ids", f"{kind}_id") for each in listed]
    requirement.check_that(name in ids, expected=name, actual=ids[:50])


@pytest.fixture(scope="module")
def deleted(entities: Entities) -> Deleted:
    """Of each kind an entity that is deleted, and the answer to its deletion; made when asked."""
    return Deleted(entities)


class Deleted(dict[str, tuple[str, Response]]):
    """See ``deleted``."""

    def __init__(self, entities: Entities) -> None:
        super().__init__()
        self._entities = entities

    def __missing__(self, kind: str) -> tuple[str, Response]:
        stack, name = self._entities.stack, self._entities.stack.new_id()
        stack.given(self._entities.create(kind, name, name="short-lived"))
        self[kind] = name, stack.permitted(stack.api.delete(f"/{kind}s/{name}"))
        return self[kind]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-005")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-005")),
    ],
)
def test_deleted_entity_is_gone(
    stack: Stack, deleted: Deleted, kind: str, requirement: Judge
) -> None:
    name, answer = deleted[kind]

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = stack.api.get(f"/{kind}s/{name}", field_mask="name")
    requirement.check_in(after.status, accepted=[403, 404])


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-006")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-006")),
    ],
)
def test_deleted_id_stays_taken(
    stack: Stack, entities: Entities, deleted: Deleted, kind: str, requirement: Judge
) -> None:
    name, answer = deleted[kind]
    stack.given(answer)

    requirement.check(told(entities.create(kind, name)), expected=TAKEN)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-007")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-007")),
    ],
)
def test_deleted_entity_is_restored(
    stack: Stack, deleted: Deleted, kind: str, requirement: Judge
) -> None:
    name, answer = deleted[kind]
    stack.given(answer)

    answer = stack.permitted(stack.api.post(f"/{kind}s/{name}/restore", {}))

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = stack.api.get(f"/{kind}s/{name}", field_mask="name")
    requirement.check(part(after.json, "name"), expected="short-lived")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-011")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-013")),
    ],
)
def test_restored_entity_is_not_deleted(
    stack: Stack, deleted: Deleted, kind: str, requirement: Judge
) -> None:
    name, answer = deleted[kind]
    stack.given(answer)
    path = f"/{kind}s/{name}"
    stack.permitted(stack.api.post(f"{path}/restore", {}))  # another test may have done it already

    after = stack.given(stack.api.get(path, field_mask="name,deleted_at"))

    requirement.check(part(after, "deleted_at"), expected=None)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-008")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-008")),
    ],
)
def test_purge_frees_the_id(
    stack: Stack, entities: Entities, kind: str, requirement: Judge
) -> None:
    name = stack.new_id()
    stack.given(entities.create(kind, name))

    answer = stack.permitted(stack.api.delete(f"/{kind}s/{name}/purge", key=stack.admin_key))

    requirement.check([answer.status, answer.json], expected=[200, {}])
    requirement.check(entities.create(kind, name).status, expected=200)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("organization", marks=pytest.mark.requirement("TTS-ORG-009")),
        pytest.param("client", marks=pytest.mark.requirement("TTS-CL-009")),
    ],
)
def test_others_cannot_purge(stack: Stack, application: str, kind: str, requirement: Judge) -> None:
    key = stack.new_key(f"/applications/{application}", "RIGHT_APPLICATION_INFO")

    answer = stack.api.delete(f"/{kind}s/{stack.new_id()}/purge", key=key)

    requirement.check(told(answer), expected=[403, f"pkg/identityserver:admins_purge_{kind}s"])


@pytest.mark.requirement("TTS-ORG-010")
def test_users_and_organizations_share_their_ids(
    stack: Stack, entities: Entities, requirement: Judge
) -> None:
    answer = entities.create("organization", stack.user_id)

    if str(told(answer)[1]).endswith("list:forbidden_id"):
        raise NotApplicable(f"nobody may take an id like that of the caller, {stack.user_id}")
    requirement.check(told(answer), expected=TAKEN)


def skip_for_administrators(stack: Stack) -> None:
    """What only administrators may do is not refused when the caller is one."""
    if part(stack.api.get("/auth_info").json, "is_admin"):
        raise NotApplicable("credentials.api_key is an administrator's")


def refused_field(answer: Response) -> list[Any]:
    """As told, and the field; earlier versions begin update_admin_field with the entity's kind."""
    status, name = told(answer)
    name = re.sub(":(user|client)_update_admin", ":update_admin", str(name))
    return [status, name, attribute(answer, "field")]


@pytest.mark.requirement("TTS-CL-010")
def test_client_waits_for_its_review(stack: Stack, entities: Entities, requirement: Judge) -> None:
    skip_for_administrators(stack)

    _, answer = entities.first("client")

    state = part(answer.json, "state") or "STATE_REQUESTED"  # zero values are left out
    requirement.check([answer.status, state], expected=[200, "STATE_REQUESTED"])


@pytest.mark.requirement("TTS-CL-011")
def test_state_of_a_client_is_for_administrators(
    stack: Stack, entities: Entities, requirement: Judge
) -> None:
    skip_for_administrators(stack)
    document = {"client": {"state": "STATE_APPROVED"}, "field_mask": {"paths": ["state"]}}

    answer = stack.api.put(f"/clients/{entities.given('client')}", document)

    requirement.check(refused_field(answer), expected=[*ADMIN_FIELD, "state"])


@pytest.mark.requirement("TTS-CL-012")
def test_secret_is_told_once(stack: Stack, entities: Entities, requirement: Judge) -> None:
    name, created = entities.first("client")

    requirement.check_that(
        bool(part(created.json, "secret")), expected="a secret", actual=sorted(created.json)
    )
    public = stack.api.get(f"/clients/{name}", field_mask="name,redirect_uris")
    requirement.check("secret" in public.json, expected=False)
