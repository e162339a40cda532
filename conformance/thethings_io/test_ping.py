"""GET /v2/ without a session."""

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge


@pytest.mark.requirement("TIO-PING-001")
def test_root_without_session_is_401(api: ThethingsClient, requirement: Judge) -> None:
    requirement.check(api.ping().status, expected=401)


@pytest.mark.requirement("TIO-PING-002")
def test_root_says_invalid_session_token(api: ThethingsClient, requirement: Judge) -> None:
    requirement.check(
        api.ping().json,
        expected={"status": "error", "code": 401, "message": "Invalid session token"},
    )


@pytest.mark.requirement("TIO-PING-003")
def test_root_without_slash(api: ThethingsClient, requirement: Judge) -> None:
    answer = api.send("GET", "/v2")

    requirement.check(
        [answer.status, answer.json],
        expected=[401, {"status": "error", "code": 401, "message": "Invalid session token"}],
    )
