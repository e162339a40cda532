"""Limits of one client, each with an error that names it."""

from __future__ import annotations

import threading

from simulators.platforms.framing import Limits


def test_unfinished_request_is_refused_after_its_time(start):
    server = start(limits=Limits(request_s=0.2))
    with server.client() as client:
        client.send(b"GET /v2/ HTTP/1.1\r\nHo")
        status, document = client.answer()
    assert (status, document["message"]) == (408, "request took longer than 0.2 s")


def test_connection_without_a_request_is_told_why_it_ends(start):
    server = start(limits=Limits(idle_s=0.2, linger_s=0.2))
    with server.client() as client:
        assert client.answer()[0] == 408
        assert client.is_closed()


def test_idle_connection_is_closed_without_a_word_after_an_answer(start):
    server = start(limits=Limits(idle_s=0.2))
    with server.client() as client:
        client.send(b"GET /v2/ HTTP/1.1\r\n\r\n")
        assert client.answer()[0] == 401
        assert client.is_closed()
        assert client.buffer == b""


def test_too_many_connections(start):
    server = start(limits=Limits(connections=2))
    with server.client() as one, server.client() as two:
        for client in (one, two):
            assert client.send(b"GET /v2/ HTTP/1.1\r\n\r\n").answer()[0] == 401
        with server.client() as three:
            status, document = three.answer()
            assert status == 503
            assert "too many connections" in document["message"]
        assert one.send(b"GET /v2/ HTTP/1.1\r\n\r\n").answer()[0] == 401


def test_error_can_be_read_while_the_client_is_still_sending(start):
    server = start(limits=Limits(body_bytes=1000))
    with server.client() as client:
        client.send(b"POST /v2/things HTTP/1.1\r\nContent-Length: 900000\r\n\r\n")
        client.send(b"x" * 500_000)
        client.send(b"x" * 400_000)
        status, document = client.answer()
    assert status == 413
    assert document["message"] == "body of the request is over 1000 bytes"


def test_connection_close_is_honoured(start):
    server = start()
    with server.client() as client:
        client.send(b"GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n\n\nGET /v2/ HTTP/1.1\r\n\r\n")
        status, headers = client.head()
        assert (status, headers["connection"]) == (401, "close")
        assert client.is_closed()
        assert client.buffer.count(b"HTTP/1.1") == 0


def test_full_storage_is_an_error_in_json_and_heals(start, tmp_path, capfd):
    """A write that cannot be kept is refused; with room again the server goes on."""
    server = start(database=tmp_path / "state.sqlite")

    def allow(pages):
        done = threading.Event()

        def set_limit():
            server.shell._database.execute(f"PRAGMA max_page_count = {pages}")
            done.set()

        server.shell.loop.call_soon_threadsafe(set_limit)
        assert done.wait(5)

    def write(value):
        body = b'{"values":[{"key":"t","value":"%b"}]}' % value
        head = f"POST {server.path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        return server.once(head.encode() + body)

    assert write(b"small")[0] == 201
    allow(1)
    assert write(b"x" * 100_000) == (503, {"status": "error", "message": "storage failed"})
    assert "storage failed" in capfd.readouterr().err
    allow(1_000_000)
    assert write(b"again")[0] == 201
    reading = f"GET {server.path}/resources/t?limit=9 HTTP/1.1\r\n\r\n".encode()
    assert [row["value"] for row in server.once(reading)[1]] == ["again", "small"]
