"""Calls of apps: errors, bodies, and what real clients send."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest

from conformance.clients.exchange import NOT_JSON, Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.people import Home, User
from conformance.run import Run
from conformance.thethings_io.app_calls import (
    MALFORMED,
    REFUSED,
    SERVED,
    WRONG_METHODS,
    Call,
    calls,
)
from conformance.thethings_io.app_shapes import token_in
from conformance.thethings_io.shapes import ERROR, is_error, is_refused, shown
from conformance.thethings_io.stored import new_name

IN_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
PAGE = "http://dashboard.example"


class Place(NamedTuple):
    """Where calls go: a home, a resource with a value, and a collection."""

    home: Home
    key: str
    collection: str
    unknown: str

    def send(self, call: Call) -> Response:
        """A call of the owner."""
        return call.send(
            self.home.thing.api,
            self.home.owner.token,
            {
                "id": self.home.id,
                "key": self.key,
                "class": self.collection,
                "unknown": self.unknown,
            },
        )


@pytest.fixture(scope="module")
def place(home: Home, run: Run) -> Place:
    """A resource with two values, one of them with spaces and letters beyond ASCII."""
    key = home.given({"a b": ["ü ", 1, True]}, datetime="20240131120000")
    home.thing.given([{"key": key, "value": "x y"}])
    return Place(home, key, new_name(run), "U" * 43)


@pytest.mark.requirement("TIO-APP-001")
@calls(REFUSED)
def test_refusal_is_the_error_object(place: Place, requirement: Judge, call: Call) -> None:
    answer = place.send(call)

    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-APP-002")
@calls(REFUSED)
def test_code_equals_the_status(place: Place, requirement: Judge, call: Call) -> None:
    answer = place.send(call)

    document = answer.json if isinstance(answer.json, dict) else {}
    requirement.check(document.get("code", answer.status), expected=answer.status)


@pytest.mark.requirement("TIO-APP-003")
@calls(MALFORMED)
def test_malformed_request_is_answered_in_order(
    place: Place, requirement: Judge, call: Call
) -> None:
    answer = place.send(call)

    is_whole = answer.status is not None and answer.json is not NOT_JSON
    requirement.check_that(
        is_whole and (200 <= (answer.status or 0) < 300 or is_refused(answer)),
        expected=f"an answer in JSON: accepted, or a 4xx with {ERROR}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-APP-004")
@pytest.mark.parametrize(
    "path", ["/v2/me/thingrig-nothing-here", "/v2/me/things/a/b/c", "/v2/thingrig-nothing-here/a"]
)
def test_unknown_path_is_404(owner: User, requirement: Judge, path: str) -> None:
    requirement.check(owner.send("GET", path).status, expected=404)


@pytest.mark.requirement("TIO-APP-005")
@calls(WRONG_METHODS)
def test_unknown_method_is_refused(
    owner: User, api: ThethingsClient, run: Run, requirement: Judge, call: Call
) -> None:
    answer = call.send(api, owner.token, {"key": f"{run.prefix}nothing", "id": "U" * 43})

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-APP-006")
@calls([*SERVED, *REFUSED])
def test_body_is_of_type_json(place: Place, requirement: Judge, call: Call) -> None:
    answer = place.send(call)

    content_type = str(answer.headers.get("Content-Type", ""))
    requirement.check(content_type.partition(";")[0].strip().lower(), expected="application/json")


@pytest.mark.requirement("TIO-APP-007")
@calls(SERVED)
def test_body_is_compact(place: Place, requirement: Judge, call: Call) -> None:
    text = place.send(call).body.decode("utf-8", "replace").rstrip("\r\n")

    requirement.check_that(
        re.search(r"\s", IN_STRING.sub("", text)) is None,
        expected="no space outside of strings",
        actual=text,
    )


@pytest.mark.requirement("TIO-APP-008")
@calls(SERVED)
def test_body_is_one_json_document(place: Place, requirement: Judge, call: Call) -> None:
    answer = place.send(call)

    requirement.check_that(
        answer.json is not NOT_JSON, expected="one JSON document in UTF-8", actual=shown(answer)
    )


def credentials(user: User) -> bytes:
    """The body of a login."""
    fields = {"email": user.email, "password": user.password, "app": user.app_id}
    return json.dumps(fields).encode()


@pytest.mark.requirement("TIO-APP-011")
def test_doubled_slash_is_one(owner: User, api: ThethingsClient, requirement: Judge) -> None:
    headers = {"Content-Type": "application/json"}

    login = api.send("POST", "/v2//login", body=credentials(owner), headers=headers)
    settings = owner.send("GET", "/v2//me/settings")

    found = [login.status, token_in(login) is not None, settings.status]
    requirement.check(found, expected=[200, True, 200])


@pytest.mark.requirement("TIO-APP-012")
def test_body_needs_no_content_type(
    owner: User, api: ThethingsClient, run: Run, requirement: Judge
) -> None:
    name = f"{run.prefix}untyped"

    login = api.send("POST", "/v2/login", body=credentials(owner))
    put = owner.send("PUT", "/v2/me/settings", body=json.dumps({name: 1}).encode())

    settings = owner.settings().json
    stored = settings.get(name) if isinstance(settings, dict) else settings
    found = [login.status, token_in(login) is not None, put.is_success, stored]
    requirement.check(found, expected=[200, True, True, 1])


@pytest.mark.requirement("TIO-APP-013")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/me/settings"),
        ("POST", "/v2/me/things"),
        ("PUT", "/v2/me/grant"),
        ("DELETE", "/v2/classes/me/Songs/1"),
    ],
)
def test_browser_may_ask(api: ThethingsClient, requirement: Judge, method: str, path: str) -> None:
    answer = api.send(
        "OPTIONS",
        path,
        headers={
            "Origin": PAGE,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )

    fields, methods = (
        re.split(r"[\s,]+", str(answer.headers.get(f"Access-Control-Allow-{name}", "")).lower())
        for name in ("Headers", "Methods")
    )
    requirement.check_that(
        answer.is_success
        and is_shared(answer)
        and {"authorization", "content-type"} <= {*fields}
        and (method.lower() in methods or "*" in methods or method in ("GET", "POST")),
        expected="a 2xx that allows the origin, the method, Authorization and Content-Type",
        actual={"status": answer.status, "headers": dict(answer.headers)},
    )


@pytest.mark.requirement("TIO-APP-014")
@pytest.mark.parametrize("is_right", [True, False], ids=["answer", "error"])
def test_browser_may_read_the_answer(
    owner: User, api: ThethingsClient, requirement: Judge, is_right: bool
) -> None:
    headers = {"Origin": PAGE, "Authorization": owner.token if is_right else "none"}

    answer = api.send("GET", "/v2/me/settings", headers=headers)

    requirement.check_that(
        is_shared(answer), expected="an answer that allows the origin", actual=dict(answer.headers)
    )


def is_shared(answer: Response) -> bool:
    """Whether pages of the origin may read the answer."""
    return answer.headers.get("Access-Control-Allow-Origin") in ("*", PAGE)
