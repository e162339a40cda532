"""Streams on the wire: a chunk per document, gaps, keep-alive in time, slow readers."""

from __future__ import annotations

import socket
import time

import pytest

from simulators.platforms.framing import Limits

SUBSCRIBED = b'{"status":"success","message":"subscribed"}'


def subscribe(client, server, query=""):
    """Open a stream and return its headers."""
    client.send(f"GET {server.path}{query} HTTP/1.1\r\n\r\n".encode())
    status, headers = client.head()
    assert status == 200
    assert client.chunk() == SUBSCRIBED
    return headers


def write(server, *values):
    with server.client() as client:
        for value in values:
            body = b'{"values":[{"key":"t","value":%b}]}' % value
            head = f"POST {server.path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            client.send(head.encode() + body)
        assert [client.answer()[0] for _ in values] == [201] * len(values)


def document(value):
    return b'[{"key":"t","value":%b}]' % value


def test_head_of_a_stream(server):
    with server.client() as client:
        headers = subscribe(client, server)
    assert headers["transfer-encoding"] == "chunked"
    assert headers["content-type"] == "application/json"
    assert "content-length" not in headers


def test_documents_come_in_order_and_not_all_at_once(server):
    numbers = [b"%d" % number for number in range(6)]
    with server.client() as client:
        subscribe(client, server)
        began = time.monotonic()
        write(server, *numbers)
        assert [client.chunk() for _ in numbers] == [document(number) for number in numbers]
    assert time.monotonic() - began >= 0.020 * 5


def test_a_crowd_of_documents_is_not_held_back(server):
    numbers = [b"%d" % number for number in range(200)]
    with server.client() as client:
        subscribe(client, server)
        began = time.monotonic()
        write(server, *numbers)
        assert [client.chunk() for _ in numbers] == [document(number) for number in numbers]
    assert time.monotonic() - began < 200 * 0.020 / 2


def test_all_subscribers_get_the_write(server):
    with server.client() as one, server.client() as two:
        subscribe(one, server)
        subscribe(two, server)
        write(server, b'{"a":[1]}')
        assert one.chunk() == two.chunk() == document(b'{"a":[1]}')


def test_keep_alive_comes_in_time_and_starts_again_with_a_message(server):
    with server.client() as client:
        subscribe(client, server, "?keepAlive=1000")
        began = time.monotonic()
        assert client.chunk() == b"{}"
        assert 0.98 <= time.monotonic() - began <= 1.5
        time.sleep(0.5)
        write(server, b"1")
        assert client.chunk() == document(b"1")
        again = time.monotonic()
        assert client.chunk() == b"{}"
        assert 0.95 <= time.monotonic() - again <= 1.5


def test_shut_down_ends_streams_in_an_orderly_way(start):
    server = start()
    with server.client() as stream, server.client() as idle:
        subscribe(stream, server)
        idle.send(b"GET /v2/ HTTP/1.1\r\n\r\n")
        assert idle.answer()[0] == 401
        server.stop()
        assert stream.chunk() == b""
        assert stream.is_closed()
        assert idle.is_closed()


def test_bytes_sent_into_a_stream_do_not_disturb_it(server):
    with server.client() as client:
        client.send(f"GET {server.path} HTTP/1.1\r\n\r\nNONSENSE\r\n\r\n".encode())
        assert client.head()[0] == 200
        assert client.chunk() == SUBSCRIBED
        client.send(b"GET /v2/ HTTP/1.1\r\n\r\n\x00\xff" * 10)
        write(server, b"1")
        assert client.chunk() == document(b"1")


def test_old_clients_get_a_stream_that_ends_with_the_connection(server):
    with server.client() as client:
        client.send(f"GET {server.path} HTTP/1.0\r\n\r\n".encode())
        _, headers = client.head()
        assert "transfer-encoding" not in headers
        assert headers["connection"] == "close"
        write(server, b"1")
        expected = SUBSCRIBED + document(b"1")
        while len(client.buffer) < len(expected):
            client.buffer += client.socket.recv(65536)
        assert client.buffer == expected


@pytest.mark.parametrize("limits", [Limits(stream_stall_s=0.5), Limits(stream_bytes=300_000)])
def test_reader_that_takes_nothing_is_cut_and_others_are_not(start, limits):
    server = start(limits=limits)
    big = b'"' + b"x" * 100_000 + b'"'
    with server.client() as slow, server.client() as quick:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        subscribe(slow, server)
        subscribe(quick, server)
        for _ in range(80):
            write(server, big)
            assert quick.chunk() == document(big)
        deadline = time.monotonic() + 5
        while len(server.shell._streams) == 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(server.shell._streams) == 1
        write(server, b"1")
        assert quick.chunk() == document(b"1")
