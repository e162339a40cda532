"""What clients in the field can digest of a stream: one recording, read by each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from conformance.clients.exchange import Headers
from conformance.clients.readers import (
    Indigestible,
    browser_stream,
    exact_stream,
    node_stream,
    python_stream,
)
from conformance.fixtures import Thing, stream_factory
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.run import Run
from conformance.thethings_io.waiting import eventually

WAIT_S = 3.0
WRITES = 6
LONG = "long " * 400


class Recording(NamedTuple):
    """
    A stream as it came, and the documents that a liberal reader finds in it.

    They are the first one, arrays with a long string each, written at the same time, and a sign of
    life.
    """

    headers: Headers
    chunks: list[bytes]
    documents: list[Any]

    @property
    def text(self) -> str:
        """The body."""
        return b"".join(self.chunks).decode("utf-8", "replace")


@pytest.fixture(scope="module")
def recording(run: Run, thing: Thing) -> Iterator[Recording]:
    """One stream for all readers; Inconclusive when there is nothing to read."""
    key = thing.key("readers")
    with stream_factory(run, thing) as open_stream:
        stream = open_stream(keep_alive=1000)
        if not stream.wait_for(1, WAIT_S):
            raise Inconclusive(f"the subscription did not open: {stream.response.summary()}")
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n: thing.write([{"key": key, "value": f"{n} {LONG}"}]), range(6)))
        if not stream.wait_for_data(WRITES, WAIT_S):
            raise Inconclusive("nothing that was written has come")
        if eventually(lambda: stream.values[-1], {}, within_s=WAIT_S) != {}:
            raise Inconclusive("no sign of life has come")
        stream.close()
        yield Recording(stream.headers, stream.chunks, stream.values)


def digest(reader: Callable[..., list[Any]], *of: Any) -> Any:
    """The documents that a reader gets, or where it goes wrong."""
    try:
        return reader(*of)
    except Indigestible as problem:
        return f"indigestible: {problem}"


@pytest.mark.requirement("TIO-RDR-020")
def test_node_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digest(node_stream, recording.chunks)

    expected = ["keep-alive" if each == {} else each for each in recording.documents]
    requirement.check(told, expected=expected)


@pytest.mark.requirement("TIO-RDR-021")
def test_browser_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digest(browser_stream, recording.chunks)

    requirement.check(told, expected=recording.documents)


@pytest.mark.requirement("TIO-RDR-022")
def test_python_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digest(python_stream, recording.text)

    requirement.check(told, expected=recording.documents)


@pytest.mark.requirement("TIO-RDR-023")
def test_exact_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digest(exact_stream, recording.headers, recording.text)

    requirement.check(told, expected=recording.documents)
