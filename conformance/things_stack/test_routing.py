"""Paths and methods: what the HTTP gateway answers by itself."""

import pytest

from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import attribute, code, part, told


@pytest.mark.requirement("TTS-RT-001")
def test_unknown_path_is_404_without_details(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/no-such-resource")

    requirement.check(answer.status, expected=404)
    requirement.check(answer.json, expected={"code": 5, "message": "Not Found"})


@pytest.mark.requirement("TTS-RT-002")
def test_wrong_method_is_not_implemented(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.send("PATCH", "/auth_info")

    requirement.check_in(answer.status, accepted=[501, 405])
    requirement.check_in(code(answer), accepted=[12, None])


@pytest.mark.requirement("TTS-RT-003")
def test_unknown_path_outside_the_version_is_route_not_found(
    stack: Stack, requirement: Judge
) -> None:
    answer = stack.api.send_whole("GET", "/api/no-such-version/applications")

    requirement.check(told(answer), expected=[404, "pkg/webhandlers:route_not_found"])
    requirement.check_that(
        isinstance(attribute(answer, "route"), str),
        expected="an attribute route",
        actual=attribute(answer, "route"),
    )


@pytest.mark.requirement("TTS-RT-004")
def test_method_override_changes_nothing(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", headers={"X-HTTP-Method-Override": "PATCH"})

    requirement.check(answer.status, expected=200)


@pytest.mark.requirement("TTS-RT-005")
def test_unknown_query_is_ignored(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", no_such_field="1")

    requirement.check(answer.status, expected=200)
    requirement.check_that(
        part(answer.json, "api_key") is not None, expected="the key", actual=answer
    )
