"""Collaborators of an application; the other one is an organization of the target file."""

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part, told

INFO = "RIGHT_APPLICATION_INFO"
NOT_FOUND = [404, "pkg/identityserver/store:membership_not_found"]


@pytest.fixture(scope="module")
def path(stack: Stack) -> str:
    """An application whose collaborators are tested."""
    return f"/applications/{stack.new_application()}"


def set_rights(stack: Stack, path: str, *rights: str) -> Response:
    """PUT of the organization as collaborator."""
    ids = {"organization_ids": {"organization_id": stack.organization_id}}
    document = {"collaborator": {"ids": ids, "rights": list(rights)}}
    return stack.api.put(f"{path}/collaborators", document)


@pytest.mark.requirement("TTS-CO-001")
def test_creator_is_a_collaborator(stack: Stack, path: str, requirement: Judge) -> None:
    answer = stack.api.get(f"{path}/collaborators")

    found = part(answer.json, "collaborators") or []
    own = {"user_ids": {"user_id": stack.user_id}}
    rights = [part(each, "rights") or [] for each in found if part(each, "ids") == own]
    has_all = len(rights) == 1 and bool({"RIGHT_ALL", "RIGHT_APPLICATION_ALL"} & set(rights[0]))
    requirement.check_that(has_all, expected="the caller with all rights", actual=found)


@pytest.mark.requirement("TTS-CO-002")
def test_collaborator_is_set_read_and_removed(stack: Stack, path: str, requirement: Judge) -> None:
    one = f"{path}/collaborator/organization/{stack.organization_id}"

    requirement.check(set_rights(stack, path, INFO).status, expected=200)

    found = stack.api.get(one)
    requirement.check([found.status, part(found.json, "rights")], expected=[200, [INFO]])
    requirement.check(set_rights(stack, path).status, expected=200)
    requirement.check(told(stack.api.get(one)), expected=NOT_FOUND)


@pytest.mark.requirement("TTS-CO-003")
def test_collaborator_is_removed_by_delete(stack: Stack, path: str, requirement: Judge) -> None:
    stack.given(set_rights(stack, path, INFO))

    answer = stack.api.delete(f"{path}/collaborator/organization/{stack.organization_id}")

    requirement.check([answer.status, answer.json], expected=[200, {}])


LAST = (
    "pkg/identityserver:application_needs_collaborator",
    # What deleting tells in the source, for applications too.
    "pkg/identityserver:organization_needs_collaborator",
    "pkg/identityserver:collaborator_is_contact",
)


@pytest.mark.requirement("TTS-CO-004")
def test_last_collaborator_stays(stack: Stack, path: str, requirement: Judge) -> None:
    answer = stack.api.delete(f"{path}/collaborator/user/{stack.user_id}")

    requirement.check(answer.status, expected=400)
    requirement.check_in(told(answer)[1], accepted=LAST)
