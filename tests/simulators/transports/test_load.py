"""The raw driver counts what a peer did, and its histogram is as exact as it says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.transports.histogram import BITS, Histogram
from simulators.transports.http import TransportError
from simulators.transports.load import closed_loop, open_loop


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one segment
    status, answer = 201, b'{"status":"created"}'
    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def sink(**attributes: object) -> Iterator[tuple[str, list[bytes]]]:
    bodies: list[bytes] = []
    handler = type("Handler", (Sink,), {"bodies": bodies, **attributes})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", bodies
        finally:
            server.shutdown()
            thread.join()


def test_closed_loop_counts_every_answer() -> None:
    with sink() as (url, bodies):
        result = closed_loop(url, ["/v2/things/a"], connections=3, seconds=0.2)

    assert result.acknowledged == len(bodies) > 30
    assert (result.refused, result.lost) == ({}, 0)
    assert 0.19 <= result.elapsed_s < 0.5
    assert 0 < result.latency_us.percentile(0.5) <= result.latency_us.highest
    values = [orjson.loads(body)["values"][0]["value"] for body in bodies]
    assert len(set(values)) > len(values) / 4


def test_open_loop_keeps_its_rate() -> None:
    with sink() as (url, bodies):
        result = open_loop(url, ["/a"], connections=4, requests_per_s=200, seconds=0.5)

    assert result.acknowledged == len(bodies) == 100
    assert 0.45 <= result.elapsed_s < 0.8
    assert result.delay_us.count == 100  # each write has one: from due until it was sent
    assert result.delay_us.highest <= result.latency_us.highest


@pytest.mark.parametrize(
    "attributes",
    [
        {"status": 400},
        {"answer": b'{"status":"error"}'},
        {"answer": b"not JSON"},
        {"answer": b"[]"},
    ],
)
def test_a_bad_answer_is_not_an_acknowledgement(attributes: dict[str, object]) -> None:
    with sink(**attributes) as (url, bodies):
        result = open_loop(url, ["/a"], connections=1, requests_per_s=100, seconds=0.05)

    assert result.acknowledged == 0
    assert result.refused.total() == len(bodies) == 5


def test_nobody_listens() -> None:
    with sink() as (url, _):
        pass

    with pytest.raises(TransportError, match="could not connect"):
        closed_loop(url, ["/a"], connections=1, seconds=1)


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1), st.floats(0, 1))
def test_a_percentile_is_exact_to_one_bucket(values: list[int], share: float) -> None:
    histogram = Histogram()
    histogram.fresh += values

    rank = max(1, -int(-share * len(values) // 1))
    exact = sorted(values)[rank - 1]

    assert histogram.count == len(values)
    assert histogram.percentile(share) <= exact
    assert exact - histogram.percentile(share) <= exact / 2 ** (BITS - 1)


def test_many_values_are_counted_in_chunks() -> None:
    histogram = Histogram()
    for start in range(0, 10_000, 100):
        histogram.fresh += range(start, start + 100)
        histogram.sort_in()

    assert (histogram.count, histogram.highest, histogram.fresh) == (10_000, 9_999, [])
    assert histogram.percentile(1.0) <= 9_999
    assert 4_900 <= histogram.percentile(0.5) <= 5_000
