"""Passwords on the wire: hashed beside the loop's thread, answers in order, a bounded queue."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from simulators.platforms.framing import Limits
from simulators.platforms.provisioning import DEMO_APP

from .conftest import post

PING = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"


def registration(name: str) -> bytes:
    body = {"email": f"{name}@example.org", "password": "secret", "app": DEMO_APP}
    return post("/v2/register", json.dumps(body).encode(), "Content-Type: application/json")


def test_answers_keep_the_order_of_the_requests(server):
    with server.client() as client:
        client.send(PING + registration("ada") + PING + registration("ada") + PING)
        answers = [client.answer() for _ in range(5)]
    assert [status for status, _ in answers] == [401, 201, 401, 400, 401]


def test_slow_password_delays_nobody_else(start):
    """A hash that takes a second: meanwhile other connections are answered at once."""
    running = start(password_cost=18)
    with running.client() as slow, running.client() as quick:
        slow.send(registration("ada"))
        for _ in range(20):
            assert quick.send(PING).answer()[0] == 401
        slow.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.socket.recv(1)
        slow.socket.settimeout(20)
        assert slow.answer()[0] == 201


def test_registration_counts_although_the_client_is_gone(start):
    running = start(password_cost=14)
    with running.client() as client:
        client.send(registration("ada"))
    for _ in range(50):
        if running.once(registration("ada"))[0] == 400:
            return
    pytest.fail("the address was never taken")


def test_no_more_passwords_wait_than_may(start):
    running = start(password_cost=16, limits=replace(Limits(), hashes=1))
    with running.client() as first, running.client() as second:
        first.send(registration("ada"))
        status, answer = second.send(registration("ben")).answer()
        assert (status, answer["message"]) == (503, "too many passwords wait to be hashed")
        assert first.answer()[0] == 201
        assert second.send(registration("ben")).answer()[0] == 201


def test_server_ends_while_passwords_are_hashed(start):
    running = start(password_cost=17)
    with running.client() as client:
        client.send(registration("ada") + PING)
        assert running.once(PING)[0] == 401
        running.stop()
        assert client.is_closed()
