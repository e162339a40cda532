"""Hostile bytes on every endpoint: an error object each time, and not a word on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulators.platforms.embedded import Embedded, embedded_server
from simulators.platforms.provisioning import DEMO_APP
from simulators.platforms.thethings_io.routes import ENDPOINTS

from .conftest import Client

MIB = 1_048_576
WITH_BODY = [each for each in ENDPOINTS if each.method in ("POST", "PUT")]
NAMES = [f"{each.method} {each.path}" for each in WITH_BODY]


class Place:
    """A server with a user's thing in it."""

    def __init__(self, server: Embedded) -> None:
        self.server = server
        host, port = server.url.removeprefix("http://").split(":")
        self.address = (host, int(port))
        self.thing_token = server.target["credentials"]["thing_tokens"][0]
        body = {"email": "ada@example.org", "password": "secret", "app": DEMO_APP}
        self.session = self.ask("POST", "/v2/register", json.dumps(body).encode())[1]["token"]
        link = json.dumps({"thingToken": self.thing_token}).encode()
        self.thing_id = self.ask("POST", "/v2/me/things", link)[1]["thingId"]

    def head(self, method: str, path: str, length: int) -> bytes:
        session = getattr(self, "session", "")
        return (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {session}\r\n"
            f"Content-Length: {length}\r\n\r\n"
        ).encode()

    def ask(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        with Client(self.address) as client:
            return client.send(self.head(method, path, len(body)) + body).answer()

    def path(self, endpoint: Any, key: str) -> str:
        """A path of the endpoint that is as right as can be."""
        path = endpoint.path.replace("**", f"me/Songs/{key}")
        words = {"things/*": self.thing_token, "description/*": self.thing_id}
        for place, word in words.items():
            path = path.replace(place, place.replace("*", word))
        return path.replace("resources/*/*", f"resources/t/{self.thing_id}").replace("*", "echo")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with embedded_server() as server:
        place = Place(server)
        yield place
        assert place.ask("GET", "/v2/", b"")[0] == 200
        assert server.errors.read_text() == ""


BODIES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"a":"\xff\xfe"}',
    "lone surrogate": b'{"email":"\\ud800","thingToken":"\\udfff","a":"\\ud800"}',
    "surrogate in a name": b'{"\\ud800":1,"values":[{"key":"\\ud800","value":1}]}',
    "raw NUL": b'{"a":"\0"}',
    "array": b"[]",
    "text": b'"x"',
    "number": b"1e999",
    "null": b"null",
    "deep array": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "deep and closed": b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}",
    "deep pairs": b'{"a":' + b'{"\\u0061":' * 600 + b"1" + b"}" * 601,
    "long number": b'{"a":' + b"9" * 100_000 + b"}",
    "wrong types": b'{"email":[],"password":{},"app":1,"thingToken":null,"values":{},"_id":[],'
    b'"permissions":5,"activationCode":[],"name":{},"params":[]}',
}


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=NAMES)
@pytest.mark.parametrize("name", BODIES)
def test_bad_bodies(place, endpoint, name):
    status, answer = place.ask(endpoint.method, place.path(endpoint, name[:4]), BODIES[name])
    if status < 300:  # members that mean nothing here are no mistake, and what is stored is stored
        assert name in ("wrong types", "long number", "deep and closed", "empty", "deep pairs")
        return
    assert status in (400, 404, 410)
    assert answer["status"] == "error"
    assert answer["message"]


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=NAMES)
def test_ten_mebibytes(place, endpoint):
    with Client(place.address) as client:
        client.send(place.head(endpoint.method, place.path(endpoint, "big"), 10 * MIB))
        try:
            for _ in range(10):
                client.send(b" " * MIB)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has said its word and hears no more
        status, answer = client.answer()
    assert (status, answer["status"]) == (413, "error")
    assert answer["message"] == "body of the request is over 1048576 bytes"


REPEATED = [
    b'{"email":"a@example.org","email":"b@example.org","password":"x","app":"%s"}',
    b'{"thingToken":"a","thingToken":"b","thingId":"c"}',
    b'{"permissions":{"t":{"x":{"get":true,"get":false}}}}',
    b'{"a":1,"b":[{"c":1,"c":2}]}',
    b'{"a":"\\"","\\u0061":2}',
    b'{"values":[{"value":1,"value":2}]}',
    b'{"activationCode":"a","activationCode":"b"}',
    b'{ "name" : "a" , "name" : "b" }',
    b'{"params":{"a":1,"a":1}}',
]


@pytest.mark.parametrize("body", REPEATED)
@pytest.mark.parametrize(
    "endpoint",
    [each for each in WITH_BODY if each.id not in ("", "TIO-WR")],
    ids=lambda each: each.path,
)
def test_member_that_is_there_twice(place, endpoint, body):
    status, answer = place.ask(endpoint.method, place.path(endpoint, "twice"), body)
    assert (status, answer) == (400, {"status": "error", "message": "body has a member twice"})


def test_what_only_looks_repeated_is_taken(place):
    for number, body in enumerate(
        [
            b'{"a":{"a":"a"},"b":{"a":"\\"a\\""}}',
            b'{"a":"b","b":"a","c":["a","a"]}',
            b'{"\\u0062":1}',
        ]
    ):
        path = f"/v2/classes/me/Songs/alike-{number}"
        assert place.ask("POST", path, body)[0] == 201
        assert place.ask("GET", path, b"")[1] == {"_id": f"alike-{number}", **json.loads(body)}


@pytest.mark.parametrize(
    "path",
    [
        "/v2/me/resources/%00",
        "/v2/me/resources/%ff%fe/%00",
        "/v2/me/resources/t?limit=%00&startDate=%ff",
        "/v2/classes/me/%ED%A0%80",
        "/v2/classes/me/%00?subscribe=true&keepAlive=1e3",
        "/v2/confirmations/%00",
        "/v2/me/all_resources/%",
        "/v2/" + "x/" * 5000,
    ],
)
def test_odd_paths(place, path):
    status, answer = place.ask("GET", path, b"")
    if status == 200:
        assert answer == []
    else:
        assert status in (400, 403, 404)
        assert answer["status"] == "error"
