"""Spacing of a stream's documents to the millisecond, on a loop whose time the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from simulators.platforms.framing import Framing, Limits
from simulators.platforms.wire_stream import WireStream


@dataclass
class Handle:
    due_s: float
    callback: object
    is_cancelled: bool = False

    def cancel(self):
        self.is_cancelled = True


@dataclass
class Desk:
    """Loop and transport in one: notes each socket write with its time in milliseconds."""

    now_s: float = 100.0
    handles: list = field(default_factory=list)
    writes: list = field(default_factory=list)
    ends: list = field(default_factory=list)
    unsent: int = 1000

    def get_write_buffer_size(self):
        return self.unsent

    def time(self):
        return self.now_s

    def call_later(self, delay_s, callback):
        self.handles.append(Handle(self.now_s + delay_s, callback))
        return self.handles[-1]

    def advance(self, milliseconds):
        until_s = self.now_s + milliseconds / 1000
        while due := [h for h in self.handles if not h.is_cancelled and h.due_s <= until_s]:
            handle = min(due, key=lambda h: h.due_s)
            self.handles.remove(handle)
            self.now_s = max(self.now_s, handle.due_s)
            handle.callback()
        self.now_s = until_s

    def write(self, data):
        self.writes.append((round((self.now_s - 100) * 1000), data))

    def is_closing(self):
        return bool(self.ends)

    def close(self):
        self.ends.append("close")

    def abort(self):
        self.ends.append("abort")

    def set_write_buffer_limits(self, high, low):
        assert (high, low) == (1, 0)


def open_stream(desk, *, framing=None, limits=None, chunked=True):
    stream = WireStream(desk, desk, framing or Framing(), limits or Limits(), chunked=chunked)
    stream.begin(b"HEAD", b"first")
    return stream


def chunk(document):
    return b"%x\r\n%b\r\n" % (len(document), document)


def test_first_document_leaves_with_the_head():
    desk = Desk()
    open_stream(desk)
    assert desk.writes == [(0, b"HEAD" + chunk(b"first"))]


def test_one_chunk_per_write_twenty_milliseconds_apart():
    desk = Desk()
    stream = open_stream(desk)
    for document in (b"a", b"bb", b"ccc"):
        stream.push(document)
    desk.advance(100)
    assert desk.writes[1:] == [(20, chunk(b"a")), (40, chunk(b"bb")), (60, chunk(b"ccc"))]


def test_after_a_pause_a_document_leaves_at_once():
    desk = Desk()
    stream = open_stream(desk)
    desk.advance(500)
    stream.push(b"a")
    assert desk.writes[1:] == [(500, chunk(b"a"))]


def test_beyond_sixteen_waiting_there_is_no_gap():
    desk = Desk()
    stream = open_stream(desk)
    for number in range(20):
        stream.push(b"%d" % number)
    desk.advance(1000)
    times = [time_ms for time_ms, _ in desk.writes[1:]]
    assert [data for _, data in desk.writes[1:]] == [chunk(b"%d" % n) for n in range(20)]
    assert times[-16:] == [20 * step for step in range(times[-16] // 20, times[-16] // 20 + 16)]
    assert times[-1] < 20 * 20


def test_large_documents_do_not_wait_for_each_other():
    """The gap alone must never fill the queue of a reader who takes everything at once."""
    desk = Desk()
    stream = open_stream(desk)
    for number in range(10):
        stream.push(b"%d" % number * 200_000)
        desk.advance(1)
    desk.advance(100)
    assert desk.ends == []
    assert [data[:10] for _, data in desk.writes[1:]] == [
        chunk(b"%d" % number * 200_000)[:10] for number in range(10)
    ]
    assert desk.writes[-1][0] <= 60


def test_full_socket_holds_documents_back_in_order():
    desk = Desk()
    stream = open_stream(desk)
    stream.pause()
    stream.push(b"a")
    stream.push(b"b")
    desk.advance(300)
    assert len(desk.writes) == 1
    stream.resume()
    desk.advance(100)
    assert desk.writes[1:] == [(300, chunk(b"a")), (320, chunk(b"b"))]


@pytest.mark.parametrize(("paused_s", "ends"), [(9.9, []), (10.0, ["abort"])])
def test_reader_that_takes_nothing_for_ten_seconds_is_cut(paused_s, ends):
    desk = Desk()
    stream = open_stream(desk)
    stream.pause()
    stream.check(desk.now_s + paused_s)
    assert desk.ends == ends


def test_slow_reader_that_takes_some_is_not_cut():
    desk = Desk()
    stream = open_stream(desk)
    stream.pause()
    for step in range(1, 9):
        desk.unsent -= 100
        stream.check(desk.now_s + 6 * step)
    assert desk.ends == []
    stream.check(desk.now_s + 48 + 9.9)
    assert desk.ends == []
    stream.check(desk.now_s + 48 + 10)
    assert desk.ends == ["abort"]


def test_more_than_a_mebibyte_waiting_is_cut():
    desk = Desk()
    stream = open_stream(desk)
    stream.pause()
    for _ in range(4):
        stream.push(b"x" * 262_144)
    assert desk.ends == []
    stream.push(b"x")
    assert desk.ends == ["abort"]
    stream.push(b"after the end")
    assert len(desk.writes) == 1


def test_end_sends_what_waits_and_the_last_chunk():
    desk = Desk()
    stream = open_stream(desk)
    stream.push(b"a")
    stream.push(b"b")
    stream.finish()
    desk.advance(100)
    assert desk.writes[1:] == [(0, chunk(b"a") + chunk(b"b")), (0, b"0\r\n\r\n")]
    assert desk.ends == ["close"]


def test_without_chunks_the_documents_are_bare():
    desk = Desk()
    stream = open_stream(desk, chunked=False)
    desk.advance(100)
    stream.push(b"a")
    stream.finish()
    assert desk.writes == [(0, b"HEADfirst"), (100, b"a")]
