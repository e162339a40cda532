"""Headers of answers, and older clients."""

from urllib.parse import urlsplit

import pytest

from conformance.clients.raw import exchange_raw
from conformance.clients.things_stack import rate_limit
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.stack_fixtures import Stack


@pytest.mark.requirement("TTS-HD-001")
def test_request_id_is_told_again(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info", headers={"X-Request-Id": "my-request-17"})

    requirement.check(answer.headers.get("X-Request-Id"), expected="my-request-17")


@pytest.mark.requirement("TTS-HD-002")
def test_every_answer_has_its_own_request_id(stack: Stack, requirement: Judge) -> None:
    found = [stack.api.get("/auth_info").headers.get("X-Request-Id") for _ in range(2)]

    requirement.check_that(
        bool(found[0]) and bool(found[1]) and found[0] != found[1],
        expected="two request ids",
        actual=found,
    )


@pytest.mark.requirement("TTS-HD-003")
def test_answers_are_json(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info")

    kind = str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()
    requirement.check(kind, expected="application/json")


@pytest.mark.requirement("TTS-HD-004")
def test_answers_are_not_stored(stack: Stack, requirement: Judge) -> None:
    told = stack.api.get("/auth_info").headers.get("Cache-Control", "")

    requirement.check_that("no-store" in told, expected="no-store", actual=told)


@pytest.mark.requirement("TTS-HD-005")
def test_any_origin_may_read(stack: Stack, requirement: Judge) -> None:
    origin = "https://console.example.com"

    answer = stack.api.get("/auth_info", headers={"Origin": origin})

    told = answer.headers.get("Access-Control-Allow-Origin")
    requirement.check_in(told, accepted=["*", origin])


@pytest.mark.requirement("TTS-HD-006")
def test_rate_limit_is_told_in_numbers(stack: Stack, requirement: Judge) -> None:
    answer = stack.api.get("/auth_info")

    if not any("rate" in name and "limit" in name for name in answer.headers):
        raise NotApplicable("the target told no rate limit: it has none configured")
    found = {name: rate_limit(answer.headers, name) for name in ("Limit", "Available", "Reset")}
    requirement.check_that(None not in found.values(), expected="numbers", actual=found)


@pytest.mark.requirement("TTS-HD-007")
def test_http_1_0_is_served_or_told_to_upgrade(stack: Stack, requirement: Judge) -> None:
    http = stack.api.server("/auth_info")
    target = f"{http.prefix}/api/v3/auth_info"
    request = f"GET {target} HTTP/1.0\r\nHost: {urlsplit(http.url).hostname}\r\n\r\n"

    answer = exchange_raw(http, request.encode(), answers=1, timeout_s=10.0)[-1]

    requirement.check_in(answer.status, accepted=[200, 426])


@pytest.mark.requirement("TTS-HD-008")
def test_preflight_allows_the_api(stack: Stack, requirement: Judge) -> None:
    headers = {
        "Origin": "https://console.example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
    }

    answer = stack.api.send("OPTIONS", "/applications", key=None, headers=headers)

    requirement.check_in(answer.status, accepted=[200, 204])
    methods = str(answer.headers.get("Access-Control-Allow-Methods", "")).upper()
    allowed = str(answer.headers.get("Access-Control-Allow-Headers", "")).lower()
    requirement.check(
        ["PUT" in methods, "authorization" in allowed, "content-type" in allowed],
        expected=[True, True, True],
    )


@pytest.mark.requirement("TTS-HD-009")
def test_answers_are_not_sniffed(stack: Stack, requirement: Judge) -> None:
    told = stack.api.get("/auth_info").headers.get("X-Content-Type-Options")

    requirement.check(told, expected="nosniff")
