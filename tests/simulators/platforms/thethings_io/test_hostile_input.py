"""Input that no client sends: every endpoint refuses it as documented, and none falls over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.platforms.effects import NOT_GIVEN, Answer, OpenStream
from simulators.platforms.provisioning import DEMO_APP, DEMO_UNOFFICIAL_APP
from simulators.platforms.thethings_io.routes import ENDPOINTS, Endpoint

from ..conftest import Bench

DOCUMENTED = {200, 201, 204, 400, 401, 403, 404, 410, 429}
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

# NUL, halves of surrogate pairs, letters that are several, separators, and much of it.
odd_text = st.one_of(
    st.text(st.characters(), max_size=12),
    st.sampled_from(
        ["", "\0", "\ud800", "a\udc00b", "é", "\u2028", "../..", "a/b", "x" * 70_000, "{link}"]
    ),
    st.sampled_from(["t", "description", "$geo", "$settings.a", "_id", "password", "email"]),
)
odd_number = st.one_of(
    st.integers(), st.floats(), st.sampled_from([2**63, -(2**63) - 1, 10**400, 1e308, 0, -0.0])
)
odd_value = st.recursive(
    st.one_of(st.none(), st.booleans(), odd_number, odd_text),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(odd_text, inner, max_size=4)
    ),
    max_leaves=12,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class Place:
    """A server with a user's thing in it, and what hostile requests are made of."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.write({"key": "t", "value": 1})
        self.phones = [
            self.bench.phone("ada"),
            self.bench.phone("ben"),
            self.bench.phone("ada", app=DEMO_UNOFFICIAL_APP),
        ]
        self.thing_id = self.phones[0].link()
        self.words = [
            self.thing_id,
            self.bench.thing_token,
            self.bench.provisioning.things[1].thing_id,
            "t",
            "description",
            "me",
            "app",
            "Songs",
            "echo",
            "main-2",
        ]
        self.bodies: list[Any] = [
            {"email": "cem@example.org", "password": "secret", "app": DEMO_APP},
            {**self.phones[0].credentials},
            {"activationCode": self.bench.provisioning.activation_codes[0].code},
            {"thingToken": self.bench.provisioning.things[1].thing_token},
            {"thingId": self.thing_id},
            {"permissions": {"t": {self.thing_id: {"get": True}}}, "email": "ben@example.org"},
            {"values": [{"key": "t", "value": 1, "geo": {"lat": 1, "long": 2}}]},
            {"values": [{"value": {"a": [1]}, "datetime": "20240101000000"}]},
            {"_id": "1", "a": {"b": 1}},
            {"tags": ["red"]},
            {"params": {"a": 1}},
            {"password": "secret", "a": 1},
        ]

    def ask(self, endpoint: Endpoint, path: str, body: Any, token: str | None) -> None:
        """Ask, and hold the answer against what is documented of every answer."""
        effects = self.bench.effects(endpoint.method, path, body, session=token)
        answer = effects[0]
        if isinstance(answer, OpenStream):
            self.bench.core.closed(answer.stream_id)
            return
        assert isinstance(answer, Answer)
        assert answer.status in DOCUMENTED
        if answer.status >= 400:
            document = answer.document
            assert document["status"] == "error"
            assert isinstance(document["message"], str)
            assert document["message"]
            assert document.get("code", answer.status) == answer.status
        if answer.content_type is None:
            orjson.dumps(answer.document)
        for effect in effects[1:]:
            orjson.dumps(getattr(effect, "document", None))


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.bench.core.store.connection.close()


def changed(body: Any, data: st.DataObject) -> Any:
    """A right body with one place in it replaced by something odd, or with something added."""
    if isinstance(body, dict) and body and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(body)))
        return {**body, name: changed(body[name], data)}
    if isinstance(body, list) and body and data.draw(st.booleans()):
        return [changed(body[0], data), *body[1:]]
    if isinstance(body, dict) and data.draw(st.booleans()):
        return {**body, data.draw(odd_text): data.draw(odd_value)}
    return data.draw(odd_value)


def path_of(endpoint: Endpoint, place: Place, data: st.DataObject) -> str:
    word = st.one_of(st.sampled_from(place.words), odd_text)
    parts: list[str] = []
    for part in endpoint.path.split("/")[1:]:
        if part == "**":
            parts += data.draw(st.lists(word, min_size=1, max_size=6))
        else:
            parts.append(data.draw(word) if part == "*" else part)
    path = "".join("/" + quote(part, safe="", errors="replace") for part in parts)
    if data.draw(st.booleans()):
        return path
    name = st.sampled_from(
        ["limit", "startDate", "endDate", "subscribe", "keepAlive", "thingId", "store", "format"]
    )
    value = st.one_of(odd_text, st.sampled_from(["true", "false", "1", "0", "-1", "9" * 5000]))
    pairs = data.draw(st.lists(st.tuples(name, value), max_size=3))
    return path + "?" + "&".join(f"{key}={quote(text, errors='replace')}" for key, text in pairs)


names = [f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=names)
@EXAMPLES
@given(data=st.data())
def test_no_input_brings_an_endpoint_down(place, endpoint, data):
    base = data.draw(st.sampled_from([NOT_GIVEN, *place.bodies]))
    body = base if base is NOT_GIVEN else changed(base, data)
    token = data.draw(st.sampled_from([None, "x", *(phone.token for phone in place.phones)]))
    place.ask(endpoint, path_of(endpoint, place, data), body, token)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=names)
@pytest.mark.parametrize("depth", [200, 251, 900])
def test_deep_nesting(place, endpoint, depth):
    path = endpoint.path.replace("**", "Songs/" + str(depth)).replace("*", place.thing_id)
    for body in (nested(depth), {"a": nested(depth)}, {"values": [{"value": nested(depth)}]}):
        place.ask(endpoint, path, body, place.phones[0].token)


def test_what_was_stored_from_odd_input_can_be_read():
    """Whatever got in comes out again: nothing stored breaks a later answer."""
    place = Place()
    phone = place.phones[0]
    for depth in (1, 100, 248, 249, 250, 251, 252):
        phone.ask("POST", f"/classes/me/Deep/{depth}", {"a": nested(depth)})
        phone.ask("PUT", "/me/settings", {f"{depth}": nested(depth)})
        phone.ask(
            "POST", f"/me/resources/t/{place.thing_id}", {"values": [{"value": nested(depth)}]}
        )
    phone.ask("POST", "/classes/me/Deep/\0", {"\0": "\0", "x" * 100_000: 1.5})
    for path in (
        "/classes/me/Deep",
        "/me/settings",
        "/me/resources/t?limit=100",
        f"/me/all_resources/{place.thing_id}?limit=100",
    ):
        status, document = phone.ask("GET", path)
        assert status == 200
        orjson.dumps(document)
    place.bench.core.store.connection.close()
