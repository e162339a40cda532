"""What real clients put on the wire is understood; everything else gets an error in JSON."""

from __future__ import annotations

import itertools
import json
import socket
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CREATED = (201, {"status": "created"})
ONE = b'{"values":[{"key":"t","value":1}]}'


def post(target: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: x", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def is_error(document: Any) -> bool:
    return document["status"] == "error" and bool(document["message"])


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            lambda path: b"POST %b HTTP/1.1\nHost: x\nContent-Length: 34\n\n" % path + ONE,
            id="bare line feeds in the head",
        ),
        pytest.param(
            lambda path: post(path.decode().replace("/v2/", "/v2//") + "/", ONE),
            id="doubled and trailing slash",
        ),
        pytest.param(lambda path: post(path.decode() + "?", ONE), id="empty query"),
        pytest.param(
            lambda path: post("http://api.thethings.io" + path.decode(), ONE), id="absolute form"
        ),
        pytest.param(
            lambda path: (
                b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" % path
                + b"10\r\n%b\r\n12\r\n%b\r\n0\r\n\r\n" % (ONE[:16], ONE[16:])
            ),
            id="chunked without host and type",
        ),
        pytest.param(
            lambda path: post(
                path.decode(), ONE, "Content-Type: application/x-www-form-urlencoded"
            ),
            id="JSON declared as a form",
        ),
        pytest.param(
            lambda path: post(
                path.decode(),
                b"values%5B0%5D%5Bkey%5D=t&values%5B0%5D%5Bvalue%5D=1",
                "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
            ),
            id="form with brackets",
        ),
        pytest.param(
            lambda path: post(
                path.decode(),
                b"\x81\xa6values\x91\x82\xa3key\xa1t\xa5value\x01",
                "Content-Type: application/msgpack",
            ),
            id="MessagePack",
        ),
        pytest.param(
            lambda path: post(path.decode(), ONE, "Connection: Upgrade", "Upgrade: h2c"),
            id="offer to upgrade",
        ),
    ],
)
def test_write_is_understood(server, request_bytes):
    """Every form of section "what the server must tolerate" counts as a write."""
    assert server.once(request_bytes(server.path.encode())) == CREATED


@pytest.mark.parametrize("stray", [b"\n\n", b"\r\n", b"\n", b"\r\n\r\n"])
def test_stray_line_ends_between_requests_are_skipped(server, stray):
    with server.client() as client:
        client.send(post(server.path, ONE) + stray + post(server.path, ONE) + stray)
        assert [client.answer(), client.answer()] == [CREATED, CREATED]


def test_write_counts_when_the_client_closes_at_once(server):
    with server.client() as client:
        client.send(post(server.path, b'{"values":[{"key":"hasty","value":7}]}'))
    deadline = time.monotonic() + 5
    reading = f"GET {server.path}/resources/hasty HTTP/1.1\r\n\r\n".encode()
    while (answer := server.once(reading))[0] == 404 and time.monotonic() < deadline:
        pass
    assert answer[1][0]["value"] == 7


def test_half_closed_client_gets_its_answer(server):
    with server.client() as client:
        client.send(b"GET /v2/ HTTP/1.1\r\n\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer()[0] == 401
        assert client.is_closed()


def test_pipelined_requests_are_answered_in_order(server):
    with server.client() as client:
        writes = [b'{"values":[{"key":"p","value":%d}]}' % number for number in range(20)]
        reading = f"GET {server.path}/resources/p HTTP/1.1\r\n\r\n".encode()
        client.send(b"".join(post(server.path, body) + reading for body in writes))
        seen = []
        for _ in writes:
            assert client.answer() == CREATED
            seen.append(client.answer()[1][0]["value"])
    assert seen == list(range(20))


def test_browser_preflight_is_allowed(server):
    with server.client() as client:
        client.send(b"OPTIONS /v2/things/x HTTP/1.1\r\nOrigin: http://a\r\n\r\n")
        status, headers = client.head()
    assert status == 204
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    assert headers["access-control-allow-headers"] == "Authorization, Content-Type, Accept"
    assert "content-length" not in headers


def test_head_request_has_no_body(server):
    with server.client() as client:
        client.send(b"HEAD /v2/ HTTP/1.1\r\n\r\nGET /v2/ HTTP/1.1\r\n\r\n")
        status, headers = client.head()
        assert (status, int(headers["content-length"]) > 0) == (404, True)
        assert client.answer()[0] == 401


def test_client_that_waits_for_continue_gets_it(server):
    with server.client() as client:
        head, body = post(server.path, ONE, "Expect: 100-continue").split(b"\r\n\r\n")
        client.send(head + b"\r\n\r\n")
        assert client.head() == (100, {})
        assert client.send(body).answer() == CREATED


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"HELLO\r\n\r\n", 400),
        (b"GET /v2/ HTTP/9.9\r\n\r\n", 400),
        (b"GET /v2/ HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
        (b"POST /v2/things HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /v2/things HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", 400),
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", 404),
        (b"DELETE /v2/things HTTP/1.1\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /v1/ThingRead/x/y HTTP/1.1\r\n\r\n", 410),
        (b"PUT /v2/things/ID_COLLECTION/PRIMARY_KEY HTTP/1.1\r\n\r\n", 404),
        (b"CONNECT x:1 HTTP/1.1\r\n\r\n", 400),
        (b"GET /v2/ HTTP/1.1\r\nX: " + b"x" * 200_000, 431),
        (b"POST /v2/things HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_100_000, 413),
    ],
)
def test_what_cannot_be_served_gets_an_error_object(server, data, status):
    got, document = server.once(data)
    assert got == status
    assert is_error(document)


def test_a_body_of_one_mebibyte_is_accepted(server):
    filler = b"x" * (1_048_576 - 35)
    body = b'{"values":[{"key":"big","value":"' + filler[:-1] + b'"}]}'
    body = body[:33] + b"x" * (1_048_576 - 37) + b'"}]}'
    assert len(body) == 1_048_576
    assert server.once(post(server.path, body)) == CREATED


def test_every_prefix_of_a_request(server):
    """Cut anywhere, a request is either unfinished, and refused at the end, or complete."""
    whole = post(server.path, ONE, "Content-Type: application/json")
    for length in range(1, len(whole)):
        with server.client() as client:
            client.send(whole[:length])
            client.socket.shutdown(socket.SHUT_WR)
            status, document = client.answer()
            assert (status, is_error(document)) == (400, True), whole[:length]
            assert client.is_closed()


def test_request_byte_by_byte(server):
    with server.client() as client:
        for byte in post(server.path, ONE):
            client.send(bytes([byte]))
        assert client.answer() == CREATED


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(1, 700), max_size=8))
def test_any_cut_of_several_requests_gives_the_same_answers(server, cuts):
    chunked = b"POST %b HTTP/1.1\nTransfer-Encoding: chunked\n\n" % server.path.encode()
    chunked += b"10\r\n%b\r\n12\r\n%b\r\n0\r\n\r\n" % (ONE[:16], ONE[16:])
    upgrade = post(server.path + "?store=0", ONE, "Connection: Upgrade", "Upgrade: h2c")
    stream = b"".join(
        [post(server.path, ONE), chunked, b"\n\n", upgrade, b"GET /v2 HTTP/1.1\r\n\r\n"]
    )
    with server.client() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        places = [0, *sorted(set(cuts)), len(stream)]
        for start, end in itertools.pairwise(places):
            client.send(stream[start:end])
        assert [client.answer()[0] for _ in range(4)] == [201, 201, 201, 401]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(min_size=1, max_size=300))
def test_hostile_bytes_get_no_internal_error(server, capfd, data):
    _never_internal(server, capfd, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(["values", "key", "value", "datetime", "geo", "lat", "long", "params"]),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PLACES = ["", "/tags", "/resources/description", "/code/functions/echo", "/resources/a"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    document=JSON,
    place=st.sampled_from(PLACES),
    method=st.sampled_from(["POST", "PUT"]),
    wrapped=st.booleans(),
)
def test_hostile_documents_get_no_internal_error(server, capfd, document, place, method, wrapped):
    document = {"values": [document]} if wrapped else document
    body = json.dumps(document).encode()
    request = post(server.path + place, body).replace(b"POST", method.encode(), 1)
    _never_internal(server, capfd, request)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    query=st.dictionaries(
        st.sampled_from(["limit", "startDate", "endDate", "keepAlive", "format", "store"]),
        st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=20),
    )
)
def test_hostile_queries_get_no_internal_error(server, capfd, query):
    from urllib.parse import urlencode

    target = f"{server.path}/all_resources?{urlencode(query)}"
    _never_internal(server, capfd, f"GET {target} HTTP/1.1\r\n\r\n".encode())


def _never_internal(server: Any, capfd: Any, data: bytes) -> None:
    with server.client() as client:
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        received = b""
        while block := client.socket.recv(65536):
            received += block
    assert b" 500 " not in received
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("depth", [250, 251, 300, 1100, 100_000])
def test_deep_nesting_is_stored_or_refused(server, depth):
    body = b'{"values":[{"key":"deep","value":%b%b}]}' % (b"[" * depth, b"]" * depth)
    status, document = server.once(post(server.path, body))
    assert status == 201 or is_error(document)
    status, rows = server.once(f"GET {server.path}/resources/deep HTTP/1.1\r\n\r\n".encode())
    assert status == 200
    assert json.dumps(rows[0]["value"]) == "[" * 250 + "]" * 250
