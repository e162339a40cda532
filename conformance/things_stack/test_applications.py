"""Applications on the Identity Server."""

import pytest

from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part


@pytest.mark.requirement("TTS-APP-001")
def test_created_application_is_answered_whole(stack: Stack, requirement: Judge) -> None:
    name = stack.new_id()
    document = {"ids": {"application_id": name}, "name": "My app", "attributes": {"a-key": "b"}}

    answer = stack.api.post(f"/users/{stack.user_id}/applications", {"application": document})

    requirement.check(answer.status, expected=200)
    told = {each: part(answer.json, each) for each in document}
    requirement.check(told, expected=document)
    missing = {"created_at", "updated_at", "administrative_contact", "technical_contact"} - set(
        answer.json
    )
    requirement.check(sorted(missing), expected=[])
