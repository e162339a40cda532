"""Hostile input on every route: an answer each time, never a traceback, and nothing left open."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.platforms.effects import Answer, OpenStream, Request
from simulators.platforms.things_stack.core import ANSWERS, HANDLERS, STREAMS
from simulators.platforms.things_stack.masks import mask_of
from simulators.platforms.things_stack.routes import _all_routes
from simulators.platforms.things_stack.schema import enum, message

from .conftest import ADMIN_KEY, NOON_US, USER_KEY, Bench

ROUTES = [route for route in _all_routes() if route.rpc in {**ANSWERS, **HANDLERS, **STREAMS}]
EUIS = ["70B3D57ED0000001", "0" * 16, "70b3d57ed0000002", "AAAAAAAAAAAA", "X" * 16]
WORDS = ["app1", "dev1", "gtw1", "org1", "user1", "boss", "batch", "A", "a" * 37, "", "\n"]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([*WORDS, *EUIS, "2024-01-31T12:00:00Z", "1.5s", "0" * 32, "868100000"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
LIKELY = {
    "bool": st.booleans(),
    "u32": st.integers(0, 1 << 32),
    "i32": st.integers(-(1 << 31), 1 << 31),
    "u64": st.sampled_from(["868100000", "0", 99999]),
    "i64": st.integers(),
    "float": st.floats(),
    "double": st.floats(),
    "string": st.sampled_from(WORDS) | st.text(max_size=60),
    "bytes": st.binary(max_size=20).map(lambda data: data.hex()),
    "hex": st.sampled_from([*EUIS, "2600ABCD", "0" * 32, "000013"]),
    "time": st.sampled_from(["2024-01-31T12:00:00Z", "0001-01-01T00:00:00+23:59", "9999"]),
    "duration": st.sampled_from(["1s", "-1.5s", "x"]),
    "struct": st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
}


def field(one, depth):
    """Values of a field: mostly of its type, sometimes anything."""
    if one.kind == "message":
        value = body(one.of, depth + 1) if depth < 4 else st.just({})
    elif one.kind == "enum":
        value = st.sampled_from([*enum(one.of).by_text, 99])
    else:
        value = LIKELY[one.kind]
    if one.is_list:
        value = st.lists(value, max_size=2)
    elif one.is_map:
        value = st.dictionaries(st.sampled_from(["key", "Bad Key"]), value, max_size=2)
    return st.integers(0, 9).flatmap(lambda number: ODD if number == 0 else value)


@st.composite
def body(draw, name, depth=0):
    """A message with some of its fields."""
    fields = [one for one in message(name).fields.values() if one.kind != "mask"]
    if not fields:
        return {}
    chosen = draw(st.lists(st.sampled_from(fields), max_size=6, unique_by=lambda one: one.name))
    needed = [one for one in fields if "required" in one.rules and one not in chosen]
    return {one.name: draw(field(one, depth)) for one in [*needed, *chosen]}


def paths(mask):
    """Every path that a call accepts."""

    def below(node, prefix):
        for name, child in node.children.items():
            yield f"{prefix}{name}"
            yield from below(child, f"{prefix}{name}.")

    return sorted(below(mask.root, ""))


@st.composite
def requests(draw, route):
    """Path, query and body of a request to a route."""
    words = st.sampled_from([*WORDS[:6], "%00", "%ff", "a%2Fb", "EU_433", "1.0", "PHY_V1_1_REV_A"])
    parts = [part if isinstance(part, str) else draw(words) for part in route.parts]
    mask = mask_of(route.rpc)
    chosen = draw(st.lists(st.sampled_from(paths(mask)), max_size=4)) if mask else []
    query = f"field_mask={','.join(chosen)}" if chosen else ""
    names = st.sampled_from([*message(route.request.name).fields, "a.b", "field_mask.paths"])
    for name in draw(st.lists(names, max_size=3)):
        query += f"&{name}={draw(st.sampled_from([*WORDS[:4], '1', 'true', '%ff', '-1']))}"
    document = draw(body(route.request.name))
    if chosen:
        document["field_mask"] = {"paths": chosen}
    return "/" + "/".join(parts), query, document


def stocked() -> Bench:
    """A core with one thing of each kind."""
    bench = Bench()
    for kind, name in (("application", "app1"), ("gateway", "gtw1"), ("organization", "org1")):
        bench.made(f"/users/user1/{kind}s", {kind: {"ids": {f"{kind}_id": name}}})
    bench.made("/applications/app1/devices", {"end_device": {"ids": {"device_id": "dev1"}}})
    return bench


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.rpc}")
def test_every_route_answers(route):
    bench = stocked()

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(requests(route), st.sampled_from([USER_KEY, ADMIN_KEY]))
    def check(request, key):
        path, query, document = request
        data = json.dumps(document).encode("utf-8", "surrogatepass")
        effects = bench.effects(route.method, f"{path}?{query}", data, key=key)
        first = effects[0]
        assert isinstance(first, Answer | OpenStream)
        if isinstance(first, OpenStream):
            bench.core.closed(first.stream_id)
            return
        assert first.status in (200, 400, 401, 403, 404, 409, 429, 501)
        rendered = first.document
        if not isinstance(rendered, bytes):
            orjson.dumps(rendered)
        for name, text in first.headers:
            f"{name}: {text}".encode("ascii")
            assert "\n" not in text

    check()
    assert bench.core.stack.events._by_key == {}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.sampled_from(["POST", "PUT", "PATCH"]))
def test_bytes_that_are_no_json(data, method):
    bench = Bench()
    target = "/ns/applications/app1/devices/dev1"
    effects = bench.effects(method, target, data)
    assert isinstance(effects[0], Answer)
    assert effects[0].status in (200, 400, 403, 404, 501)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
)
def test_any_address_and_token(path, token):
    bench = Bench()
    headers = {"X-Request-Id": token, "Accept": token}
    try:
        lines = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
    except UnicodeError:
        return
    effects = bench.effects("GET", f"/{path}", headers=lines, key="NNSXS." + path)
    assert isinstance(effects[0], Answer)
    assert 200 <= effects[0].status < 502
    assert effects[0].status != 500


@pytest.mark.parametrize("depth", [50, 99, 101, 300, 5000])
@pytest.mark.parametrize("unit", ['{"a":', "["])
def test_deep_nesting(depth, unit):
    """It is either understood and shown again, or refused."""
    bench = stocked()
    closing = "}" if unit != "[" else "]"
    deep = unit * depth + "1" + closing * depth
    paths = '{"paths":["provisioning_data"]}'
    ids = '{"dev_eui":"70B3D57ED0000001","join_eui":"0000000000000001"}'
    text = f'{{"end_device":{{"ids":{ids},"provisioning_data":{deep}}},"field_mask":{paths}}}'
    status, document = bench.put("/js/applications/app1/devices/dev1", text.encode())
    assert status == (200 if unit != "[" and depth < 99 else 400)
    orjson.dumps(document)


def test_no_password_is_hashed_before_the_request_is_right():
    body = {"user": {"ids": {"user_id": "abc"}, "password": "long-enough"}}
    request = Request("POST", "/api/v3/users", body=orjson.dumps(body))
    (answer,) = Bench().core.handle(request, NOON_US)
    assert isinstance(answer, Answer)
    assert answer.status == 400
