"""Collaborators of entities; the other one is an organization of the target file."""

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import attribute, part, told

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


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        pytest.param("gateway", "RIGHT_GATEWAY_INFO", marks=pytest.mark.requirement("TTS-CO-005")),
    ],
)
def test_other_entities_have_collaborators_too(
    stack: Stack, kind: str, right: str, requirement: Judge
) -> None:
    path = f"/{kind}s/{stack.new_gateway()}"
    name = f"organization/{stack.organization_id}"

    requirement.check(set_rights(stack, path, right).status, expected=200)

    found = stack.api.get(f"{path}/collaborator/{name}")
    requirement.check([found.status, part(found.json, "rights")], expected=[200, [right]])
    removed = stack.api.delete(f"{path}/collaborators/{name}")
    requirement.check([removed.status, removed.json], expected=[200, {}])
    requirement.check(told(stack.api.get(f"{path}/collaborator/{name}")), expected=NOT_FOUND)


@pytest.mark.requirement("TTS-CO-006")
def test_collaborator_is_given_no_right_that_the_caller_has_not(
    stack: Stack, path: str, requirement: Judge
) -> None:
    key = stack.new_key(path, "RIGHT_APPLICATION_SETTINGS_COLLABORATORS", INFO)
    ids = {"organization_ids": {"organization_id": stack.organization_id}}
    rights = [INFO, "RIGHT_APPLICATION_DEVICES_READ"]

    answer = stack.api.put(
        f"{path}/collaborators", {"collaborator": {"ids": ids, "rights": rights}}, key=key
    )

    requirement.check(
        [*told(answer), attribute(answer, "missing")],
        expected=[
            403,
            "pkg/auth/rights:insufficient_application_rights",
            ["RIGHT_APPLICATION_DEVICES_READ"],
        ],
    )


@pytest.mark.requirement("TTS-CO-007")
def test_contact_is_a_collaborator(stack: Stack, requirement: Judge) -> None:
    contact = {"organization_ids": {"organization_id": stack.organization_id}}
    document = {
        "application": {"technical_contact": contact},
        "field_mask": {"paths": ["technical_contact"]},
    }

    answer = stack.api.put(f"/applications/{stack.new_application()}", document)

    if str(told(answer)[1]).endswith(":contact_info_restricted"):
        raise NotApplicable("the target lets nobody name others as contacts")
    requirement.check(told(answer), expected=[400, "pkg/identityserver:contact_no_collaborator"])


@pytest.mark.requirement("TTS-CO-008")
def test_organization_has_the_rights_that_it_was_given(stack: Stack, requirement: Judge) -> None:
    application = f"/applications/{stack.new_application()}"
    given, other = INFO, "RIGHT_APPLICATION_DEVICES_READ"
    stack.given(set_rights(stack, application, given))
    key = stack.new_key(f"/organizations/{stack.organization_id}", given, other)

    answer = stack.api.get(f"{application}/rights", key=key)

    requirement.check([answer.status, part(answer.json, "rights")], expected=[200, [given]])
