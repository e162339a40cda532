"""Paths and methods: what the HTTP gateway answers by itself."""

import pytest

from conformance.judge import Judge
from conformance.stack_fixtures import Stack


@pytest.mark.requirement("TTS-RT-001")
def test_unknown_path_is_404_without_details(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/no-such-resource")

    requirement.check(answer.status, expected=404)
    requirement.check(answer.json, expected={"code": 5, "message": "Not Found"})
