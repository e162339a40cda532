"""Tokens, and what is told about them."""

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part, told

UNKNOWN_KEY = "NNSXS." + "A" * 39 + "." + "B" * 52


def with_other_end(key: str) -> str:
    """A key with another secret of the same form, of which nothing is given away."""
    first, name, secret = key.split(".")
    return ".".join([first, name, "A" * len(secret)])


@pytest.fixture(scope="module")
def own(stack: Stack) -> Response:
    """What auth_info tells the caller."""
    return stack.api.get("/auth_info")


@pytest.mark.requirement("TTS-AU-001")
def test_anonymous_read_is_refused(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get(f"/applications/{stack.new_id()}", key=None, field_mask="name")

    requirement.check_in(answer.status, accepted=[401, 403])


@pytest.mark.requirement("TTS-AU-002")
def test_other_scheme_is_unsupported(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=None, headers={"Authorization": "Basic YTpi"})

    requirement.check(told(answer), expected=[401, "pkg/identityserver:unsupported_authorization"])


@pytest.mark.requirement("TTS-AU-003")
@pytest.mark.parametrize("key", ["secret", "NNSXS.ABC", "XXXXX.ABC.DEF"])
def test_malformed_token_is_400(stack: Stack, key: str, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=key)

    requirement.check(told(answer), expected=[400, "pkg/auth:token"])


@pytest.mark.requirement("TTS-AU-004")
def test_unknown_key_is_not_found(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=UNKNOWN_KEY)

    requirement.check(told(answer), expected=[401, "pkg/identityserver:api_key_not_found"])


@pytest.mark.requirement("TTS-AU-005")
def test_wrong_secret_is_refused(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=with_other_end(str(stack.api.key)))

    requirement.check(told(answer), expected=[401, "pkg/identityserver:invalid_authorization"])


@pytest.mark.requirement("TTS-AU-006")
def test_401_has_a_challenge(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=UNKNOWN_KEY)

    requirement.check([answer.status, "WWW-Authenticate" in answer.headers], expected=[401, True])


@pytest.mark.requirement("TTS-AU-007")
def test_anonymous_auth_info_is_empty(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=None)

    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-AU-008")
def test_auth_info_tells_the_key_but_not_its_secret(
    stack: Stack, own: Response, requirement: Judge
) -> None:
    key = part(own.json, "api_key", "api_key")
    requirement.check(part(key, "id"), expected=str(stack.api.key).split(".")[1])
    requirement.check(
        part(own.json, "api_key", "entity_ids", "user_ids", "user_id"),
        expected=stack.user_id,
    )
    rights = part(key, "rights")
    is_list = isinstance(rights, list) and all(str(each).startswith("RIGHT_") for each in rights)
    requirement.check_that(is_list and bool(rights), expected="rights by name", actual=rights)
    requirement.check_that(
        str(stack.api.key).encode() not in own.body, expected="no key in it", actual=own
    )


@pytest.mark.requirement("TTS-AU-009")
def test_administrator_is_told_so(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", key=stack.admin_key)

    rights = part(answer.json, "universal_rights", "rights") or []
    requirement.check([answer.status, part(answer.json, "is_admin")], expected=[200, True])
    requirement.check("RIGHT_APPLICATION_INFO" in rights, expected=True)
