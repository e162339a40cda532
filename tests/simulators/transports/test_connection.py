"""Connections share what reads their answers, and none hears of another's."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.transports.connection import Connection

CREATED = b'HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{"status":"created"}'
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n[1\r\n2\r\n,2\r\n1\r\n]\r\n0\r\n\r\n"
)
UNSIZED = b"HTTP/1.1 200 OK\r\n\r\nuntil the end"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Line:
    """The transport of a connection: nothing is sent."""

    def write(self, data: bytes) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        """Nothing to close."""


class Listener(Connection):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []
        self.connection_made(Line())  # type: ignore[arg-type]  # as far as it is used

    def answered(self, status: int, body: bytes) -> None:
        self.heard.append((status, body))

    def lost(self, reason: str) -> None:
        self.heard.append(reason)

    def end(self) -> list[Any]:
        """The peer closes; everything that was heard."""
        self.eof_received()
        self.connection_lost(None)
        return self.heard


CLOSED = "the peer closed the connection"


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (CREATED, (201, b'{"status":"created"}')),
        (CHUNKED, (200, b"[1,2]")),
        (CONTINUE + CREATED, (201, b'{"status":"created"}')),
        (b"\r\n" + CREATED, (201, b'{"status":"created"}')),
    ],
)
def test_an_answer_is_the_same_however_it_is_cut(answer: bytes, heard: Any) -> None:
    for cut in range(1, len(answer)):
        slow, quick = Listener(), Listener()
        slow.data_received(answer[:cut])
        for _ in range(2):
            quick.data_received(answer)
        slow.data_received(answer[cut:])
        slow.data_received(answer)
        assert slow.end() == [heard, heard, CLOSED]
        assert quick.end() == [heard, heard, CLOSED]


def test_a_thousand_connections_in_mid_answer_do_not_mix() -> None:
    listeners = [Listener() for _ in range(1000)]
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n%06d" % n for n in range(1000)]
    for at in range(0, len(answers[0]), 9):
        for listener, answer in zip(listeners, answers, strict=True):
            listener.data_received(answer[at : at + 9])
    assert [each.heard for each in listeners] == [[(200, b"%06d" % n)] for n in range(1000)]


def test_what_comes_before_an_answer_is_none() -> None:
    listener = Listener()
    for _ in range(3):
        listener.data_received(CONTINUE)
    assert listener.heard == []


def test_two_answers_at_once_are_two() -> None:
    listener = Listener()
    for _ in range(2):
        listener.data_received(CREATED + CREATED)
    assert listener.heard == [(201, b'{"status":"created"}')] * 4


@pytest.mark.parametrize(
    ("data", "heard"),
    [
        (UNSIZED, [(200, b"until the end"), CLOSED]),
        (CONTINUE + UNSIZED, [(200, b"until the end"), CLOSED]),
        (CREATED[:-1], [CLOSED]),
        (CONTINUE + CREATED[:-1], [CLOSED]),
        (CHUNKED[:-1], [CLOSED]),
        (UNSIZED[:18], [CLOSED]),
    ],
)
def test_only_a_body_without_another_end_ends_with_the_connection(
    data: bytes, heard: list[Any]
) -> None:
    listener = Listener()
    listener.data_received(data)
    assert listener.end() == heard


def test_nothing_is_sent_after_an_answer_that_closes() -> None:
    closing = CREATED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    for _ in range(2):  # the second is known already, were it to be remembered
        listener = Listener()
        listener.data_received(closing)
        assert listener.heard == [(201, b'{"status":"created"}')]
        assert not listener.is_reusable


def test_what_is_no_answer_ends_the_connection_and_spoils_no_other() -> None:
    listener, other = Listener(), Listener()
    listener.data_received(b"SSH-2.0-OpenSSH\r\n")
    other.data_received(CREATED)
    [reason] = listener.end()
    assert reason.startswith("expected an HTTP answer; got b'SSH-2.0")
    assert other.heard == [(201, b'{"status":"created"}')]
