"""The form of an error, seen in one that needs no entity: a wrong application id."""

import re

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import causes, code, error_of, fields, name_of, part


@pytest.fixture
def refused(stack: Stack) -> Response:
    """A wrong application id."""
    return stack.api.get("/applications/Not_An_Id")


@pytest.mark.requirement("TTS-ER-001")
def test_details_tell_namespace_name_format_and_code(refused: Response, requirement: Judge) -> None:
    error = error_of(refused)
    requirement.check(
        [part(error, each) for each in ("@type", "namespace", "name", "code")],
        expected=[
            "type.googleapis.com/ttn.lorawan.v3.ErrorDetails", "pkg/errors", "validation", 3,
        ],
    )  # fmt: skip
    requirement.check(code(refused), expected=3)
    has_format = isinstance(part(error, "message_format"), str)
    requirement.check_that(has_format, expected="a message_format", actual=error)


@pytest.mark.requirement("TTS-ER-002")
def test_message_begins_with_namespace_and_name(refused: Response, requirement: Judge) -> None:
    message = str(part(refused.json, "message"))
    begin = f"error:{name_of(error_of(refused))}"
    requirement.check(message[: len(begin)], expected="error:pkg/errors:validation")


@pytest.mark.requirement("TTS-ER-003")
def test_every_error_has_its_own_correlation_id(
    stack: Stack, refused: Response, requirement: Judge
) -> None:
    other = stack.api.get("/applications/Not_An_Id")

    found = [str(part(error_of(each), "correlation_id")) for each in (refused, other)]
    are_ids = all(re.fullmatch(r"[0-9a-f]{32}", each) for each in found)
    requirement.check_that(are_ids, expected="32 hexadecimal digits", actual=found)
    requirement.check(len(set(found)), expected=2)


@pytest.mark.requirement("TTS-ER-004")
def test_causes_lead_to_the_inner_field(refused: Response, requirement: Judge) -> None:
    requirement.check(causes(refused), expected=["pkg/errors:validation"] * 2)
    requirement.check(fields(refused), expected=["application_ids", "application_id"])
