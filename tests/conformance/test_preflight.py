"""A target that cannot be judged: why, in one phrase, and never an exception."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from conformance import preflight as subject
from conformance.clients.exchange import unanswered
from conformance.clients.thethings_io import ThethingsClient
from conformance.preflight import no_json, preflight

HTML = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: text/html\r\n\r\n<ok>"


def say(data: bytes) -> Callable[[socket.socket], None]:
    """Reads a request's head, answers these bytes, closes."""

    def react(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)
        connection.close()

    return react


def hang(connection: socket.socket) -> None:
    """Keeps the connection and stays silent."""


def drip(head: bytes) -> Callable[[socket.socket], None]:
    """Sends a byte now and then, for ever."""

    def react(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(head)
        threading.Thread(target=_keep_dripping, args=(connection,), daemon=True).start()

    return react


def _keep_dripping(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)


REACTIONS = {
    "drips a body": (
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
        "the answer did not end in time",
    ),
    "drips a head": (drip(b"HTTP/1.1 200 OK\r\nX: "), "the answer did not end in time"),
    "hangs": (hang, "no answer came in time"),
    "closes": (say(b""), "the connection was closed without an answer"),
    "not http": (say(b"SSH-2.0-OpenSSH_9\r\n"), "the answer is not HTTP"),
    "cut short": (
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
        "the connection was closed before the answer was complete",
    ),
    "html": (
        say(HTML),
        "no request of the preflight was answered with JSON "
        "(GET /v2/: status 200, GET /v2/utils/date: status 200)",
    ),
}


@pytest.mark.parametrize("reaction", REACTIONS, ids=lambda name: name.replace(" ", "-"))
def test_a_target_without_json_is_not_judged(
    port: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, reaction: str
) -> None:
    monkeypatch.setattr(subject, "TIMEOUT_S", 0.5)
    react, words = REACTIONS[reaction]
    with port(react) as url:
        assert preflight(ThethingsClient(url), "token") == f"{url}: {words}"


def test_a_target_that_is_down_is_not_judged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert preflight(ThethingsClient(url), None) == f"{url}: the connection was refused"


def test_one_json_answer_is_enough(fake: Callable[..., Any]) -> None:
    def odd(method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        return (500, "text/plain", b"{}") if "date" in path else (200, "text/html", b"<html>")

    assert preflight(ThethingsClient(fake(odd).url), None) is None


def test_the_preflight_asks_for_the_date_with_the_thing_token(fake: Callable[..., Any]) -> None:
    target = fake()
    assert preflight(ThethingsClient(target.url), "my-token") is None
    assert [path for _, path, _ in target.seen] == ["/v2/", "/v2/utils/date?thingToken=my-token"]


def test_an_unknown_authority_is_named_and_a_known_one_is_trusted(
    fake: Callable[..., Any], tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    target = fake()
    target.server.socket = context.wrap_socket(target.server.socket, server_side=True)
    url = target.url.replace("http:", "https:")
    assert preflight(ThethingsClient(url), None) == (
        f"{url}: the TLS certificate is signed by an unknown authority"
    )
    assert preflight(ThethingsClient(url, ca_file=tmp_path / "ca.pem"), None) is None


def test_tls_to_a_plain_port_is_named(fake: Callable[..., Any]) -> None:
    url = fake().url.replace("http:", "https:")
    assert preflight(ThethingsClient(url), None) == f"{url}: the port does not speak TLS"


def test_what_kept_all_requests_from_being_answered_is_said_once() -> None:
    answers = {path: unanswered("the connection was refused", 0.1) for path in ("GET /a", "GET /b")}
    assert no_json("http://here", answers) == "http://here: the connection was refused"
