"""The clients: requests as given, answers as values, streams in any framing."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.clients.exchange import NOT_JSON, Headers, UnexpectedAnswer, parse_json
from conformance.clients.json_documents import BrokenStream, JsonDocuments
from conformance.clients.stream import Stream
from conformance.clients.thethings_io import ThethingsClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSE_DELIMITED = b"HTTP/1.1 200 OK\nContent-Type: application/json\n\n"


def chunk(data: bytes) -> bytes:
    """One chunk on the wire."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def sending(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Answers a request with pieces, each in a send of its own, and closes."""

    def react(connection: socket.socket) -> None:
        connection.recv(4096)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.03)
        connection.close()

    return react


@pytest.mark.parametrize(
    "target", ["/v2//things", "/v2/things/T?", "/v2/things/T/resources/$geo", "/v2/a?b=c&d"]
)
def test_a_target_goes_out_as_given(fake: Callable[..., Any], target: str) -> None:
    server = fake()
    ThethingsClient(server.url + "/base").send("GET", target)
    assert [path for _, path, _ in server.seen] == ["/base" + target]


def test_every_endpoint_has_its_path(fake: Callable[..., Any]) -> None:
    server = fake()
    api = ThethingsClient(server.url)
    api.ping()
    api.activate("code", "product")
    api.write("T", [{"key": "a", "value": 1}], query={"store": "false"})
    api.read("T", "$geo", limit=2)
    api.resources("T")
    api.all_resources("T")
    api.get_description("T")
    api.put_description("T", {"a": 1})
    api.add_tag("T", "red")
    api.tags("T")
    api.delete_tag("T", "a/b")
    api.latest_firmwares("T")
    api.download_firmware("T", "f1")
    api.server_date(thingToken="T")
    api.call_function("T", "echo", {"a": 1})
    assert [(method, path) for method, path, _ in server.seen] == [
        ("GET", "/v2/"),
        ("POST", "/v2/things"),
        ("POST", "/v2/things/T?store=false"),
        ("GET", "/v2/things/T/resources/$geo?limit=2"),
        ("GET", "/v2/things/T/resources"),
        ("GET", "/v2/things/T/all_resources"),
        ("GET", "/v2/things/T/resources/description"),
        ("PUT", "/v2/things/T/resources/description"),
        ("POST", "/v2/things/T/tags"),
        ("GET", "/v2/things/T/tags"),
        ("DELETE", "/v2/things/T/tags/a%2Fb"),
        ("GET", "/v2/things/T/firmwares/latest"),
        ("GET", "/v2/things/T/firmwares/download/f1"),
        ("GET", "/v2/utils/date?thingToken=T"),
        ("POST", "/v2/things/T/code/functions/echo"),
    ]
    bodies = [json.loads(body) for _, _, body in server.seen if body]
    assert bodies == [
        {"activationCode": "code", "productId": "product"},
        {"values": [{"key": "a", "value": 1}]},
        {"a": 1},
        {"name": "red"},
        {"params": {"a": 1}},
    ]


def test_every_endpoint_of_a_session_has_its_path(fake: Callable[..., Any]) -> None:
    server = fake()
    api = ThethingsClient(server.url)
    api.register("ada@example.com", "secret", "app")
    api.login("ada@example.com", "secret", "app")
    ada = api.session("the-token")
    ada.link(thing_token="T")
    ada.link(thing_id="I")
    ada.things()
    ada.unlink("I")
    ada.resources()
    ada.read("a b", limit=2)
    ada.read("led", "I", startDate="20240131120000")
    ada.all_resources("I", limit=2)
    ada.write("led", "I", [{"value": 1}])
    ada.get_description()
    ada.put_description("I", {"a": 1})
    ada.grant({"led": {"I": {"get": True}}}, email="bob@example.com")
    ada.settings()
    ada.update_settings({"colour": "red"})
    ada.server_date(format="UTC")
    songs = ada.collection("me", "Lists", "2/5", "Songs")
    songs.add({"a": 1})
    songs.add({"a": 1}, "100")
    songs.all()
    songs.get("100")
    songs.update("100", {"b": 2})
    songs.delete("100")
    assert [(method, path) for method, path, _ in server.seen] == [
        ("POST", "/v2/register"),
        ("POST", "/v2/login"),
        ("POST", "/v2/me/things"),
        ("POST", "/v2/me/things"),
        ("GET", "/v2/me/things"),
        ("DELETE", "/v2/me/things/I"),
        ("GET", "/v2/me/resources"),
        ("GET", "/v2/me/resources/a%20b?limit=2"),
        ("GET", "/v2/me/resources/led/I?startDate=20240131120000"),
        ("GET", "/v2/me/all_resources/I?limit=2"),
        ("POST", "/v2/me/resources/led/I"),
        ("GET", "/v2/me/resources/description"),
        ("PUT", "/v2/me/resources/description/I"),
        ("PUT", "/v2/me/grant"),
        ("GET", "/v2/me/settings"),
        ("PUT", "/v2/me/settings"),
        ("GET", "/v2/utils/date?format=UTC"),
        ("POST", "/v2/classes/me/Lists/2%2F5/Songs"),
        ("POST", "/v2/classes/me/Lists/2%2F5/Songs/100"),
        ("GET", "/v2/classes/me/Lists/2%2F5/Songs"),
        ("GET", "/v2/classes/me/Lists/2%2F5/Songs/100"),
        ("PUT", "/v2/classes/me/Lists/2%2F5/Songs/100"),
        ("DELETE", "/v2/classes/me/Lists/2%2F5/Songs/100"),
    ]
    bodies = [json.loads(body) for _, _, body in server.seen if body]
    credentials = {"email": "ada@example.com", "password": "secret", "app": "app"}
    assert bodies == [
        credentials,
        credentials,
        {"thingToken": "T"},
        {"thingId": "I"},
        {"values": [{"value": 1}]},
        {"a": 1},
        {"permissions": {"led": {"I": {"get": True}}}, "email": "bob@example.com"},
        {"colour": "red"},
        {"a": 1},
        {"a": 1},
        {"b": 2},
    ]


def test_a_session_goes_into_the_header_as_it_is(port: Callable[..., Any]) -> None:
    heads: list[bytes] = []

    def react(connection: socket.socket) -> None:
        heads.append(connection.recv(4096))
        connection.sendall(HEAD + chunk(TEXTS[0]))

    with port(react) as url:
        ada = ThethingsClient(url).session("the-token")
        streams = [
            ada.subscribe("led", keep_alive_ms=2000),
            ada.subscribe("led", "I"),
            ada.collection("app", "Songs").subscribe(),
        ]
        for stream in streams:
            assert stream.wait_for(1, 5.0) == DOCUMENTS[:1]
            stream.close()
    lines = [head.decode().split("\r\n") for head in heads]
    assert [each[0].split(" ")[1] for each in lines] == [
        "/v2/me/resources/led?subscribe=true&keepAlive=2000",
        "/v2/me/resources/led/I?subscribe=true&keepAlive=60000",
        "/v2/classes/app/Songs?subscribe=true&keepAlive=60000",
    ]
    assert ["Authorization: the-token" in each for each in lines] == [True] * 3


def test_an_answer_is_a_value_whatever_it_is(fake: Callable[..., Any]) -> None:
    answer = ThethingsClient(fake(lambda *_: (503, "text/html", b"<html>")).url).ping()
    assert (answer.status, answer.json, answer.error) == (503, NOT_JSON, None)
    assert answer.headers["content-TYPE"] == "text/html"
    with pytest.raises(UnexpectedAnswer, match=r"^expected a 2xx answer in JSON; got status 503$"):
        answer.ok_json()


def test_redirects_are_not_followed(fake: Callable[..., Any]) -> None:
    server = fake(lambda *_: (302, "text/plain", b""))
    assert ThethingsClient(server.url).ping().status == 302
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"", b"NaN", b"[Infinity]", b"\xff", b"{'a':1}", b"[" * 10**5])
def test_what_is_not_json_is_told_apart(body: bytes) -> None:
    assert parse_json(body) is NOT_JSON


def test_null_is_json() -> None:
    assert parse_json(b"null") is None


def test_repeated_headers_are_joined() -> None:
    assert Headers([("Allow", "GET"), ("allow", "POST")]).get("ALLOW") == "GET, POST"


def test_raw_bytes_bring_as_many_answers_as_asked_for(port: Callable[..., Any]) -> None:
    two = (
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}" + HEAD + chunk(b"[]") + b"0\r\n\r\n"
    )
    with port(sending(two)) as url:
        answers = ThethingsClient(url).raw(b"GET / HTTP/1.1\n\n", answers=3)
    assert [(each.status, each.json) for each in answers[:2]] == [(201, {}), (200, [])]
    assert (answers[2].status, answers[2].error) == (None, "the connection was closed")


DOCUMENTS = [{"status": "success", "message": "subscribed"}, [{"key": "a", "value": "]}"}], {}]
TEXTS = [json.dumps(document, separators=(",", ":")).encode() for document in DOCUMENTS]
FRAMINGS = {
    "a chunk each": [HEAD, *map(chunk, TEXTS)],
    "all in one chunk": [HEAD, chunk(b"".join(TEXTS))],
    "separated by newlines": [HEAD, *(chunk(text + b"\r\n") for text in TEXTS)],
    "split over chunks": [HEAD, *(chunk(bytes([byte])) for byte in b"".join(TEXTS))],
    "close-delimited, bare LF": [CLOSE_DELIMITED, *TEXTS],
    "coalesced in one send": [HEAD + b"".join(map(chunk, TEXTS))],
}


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda name: name.replace(" ", "-"))
def test_a_stream_is_read_in_any_framing(port: Callable[..., Any], framing: str) -> None:
    with port(sending(*FRAMINGS[framing])) as url:
        stream = Stream(ThethingsClient(url).http, "/v2/things/T")
        assert stream.wait_for(3, 10.0) == DOCUMENTS
        assert stream.wait_for_data(1, 1.0) == [DOCUMENTS[1]]
        stream.close()
    assert stream.status == 200


def test_a_stream_tells_chunk_and_time_of_each_document(port: Callable[..., Any]) -> None:
    with port(sending(*FRAMINGS["a chunk each"])) as url:
        stream = Stream(ThethingsClient(url).http, "/v2/things/T")
        stream.wait_for(4, 10.0)  # one more than will come: until the peer has closed
        stream.close()
    assert [(each.first_chunk, each.chunk) for each in stream.documents] == [(0, 0), (1, 1), (2, 2)]
    assert stream.documents[1].at > stream.documents[0].at
    assert stream.ended == "the connection was closed"


def test_documents_in_one_chunk_say_so(port: Callable[..., Any]) -> None:
    with port(sending(*FRAMINGS["all in one chunk"])) as url:
        stream = Stream(ThethingsClient(url).http, "/v2/things/T")
        stream.wait_for(3, 10.0)
        stream.close()
    assert [each.chunk for each in stream.documents] == [0, 0, 0]


def test_a_refused_subscription_is_a_response(fake: Callable[..., Any]) -> None:
    stream = Stream(ThethingsClient(fake().url).http, "/v2/things/T")
    assert (stream.status, stream.ended) == (401, "status 401")
    assert stream.values == [{"status": "error", "code": 401, "message": "Invalid session token"}]
    stream.close()


def test_a_stream_that_never_opens_is_a_value(port: Callable[..., Any]) -> None:
    with port(sending(b"")) as url:
        stream = Stream(ThethingsClient(url).http, "/v2/things/T", timeout_s=2.0)
        assert (stream.status, stream.wait_for(1, 1.0)) == (None, [])
        stream.close()


json_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
).filter(lambda value: isinstance(value, list | dict))


@given(st.lists(json_documents, max_size=4), st.data())
def test_any_cut_gives_the_same_documents(documents: list[Any], data: st.DataObject) -> None:
    text = "".join(
        json.dumps(each, ensure_ascii=data.draw(st.booleans()))
        + data.draw(st.sampled_from(["", " ", "\n", "\r\n"]))
        for each in documents
    ).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parser, found = JsonDocuments(), []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += parser.feed(text[start:end])
    assert found == documents
    assert parser.rest == ""


@pytest.mark.parametrize("data", [b"<html>", b"{]", b"]", b"\xff"])
def test_what_can_never_become_json_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        JsonDocuments().feed(data)
