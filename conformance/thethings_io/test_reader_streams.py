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
from conformance.thethings_io.shapes import column_of

WAIT_S = 3.0
WRITES = 6
LONG = "long " * 400


class Recording(NamedTuple):
    """
    A stream as it came; ``key`` is that of its writes.

    Its documents: the first one, ``WRITES`` arrays with a long string each, written at the same
    time, and a sign of life.
    """

    key: str
    headers: Headers
    chunks: list[bytes]

    @property
    def text(self) -> str:
        """The body."""
        return b"".join(self.chunks).decode("utf-8", "replace")


@pytest.fixture(scope="module")
def recording(run: Run, thing: Thing) -> Iterator[Recording]:
    """One stream for all readers; Inconclusive when a liberal reader does not get it whole."""
    key = thing.key("readers")
    with stream_factory(run, thing) as open_stream:
        stream = open_stream(keep_alive=1000)
        if not stream.wait_for(1, WAIT_S):
            raise Inconclusive(f"the subscription did not open: {stream.response.summary()}")
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n: thing.write([{"key": key, "value": f"{n} {LONG}"}]), range(6)))
        if len(stream.wait_for_data(WRITES, WAIT_S)) < WRITES:
            raise Inconclusive("not all that was written has come")
        if stream.wait_for(WRITES + 2, WAIT_S)[-1] != {}:
            raise Inconclusive("no sign of life has come")
        yield Recording(key, stream.headers, list(stream.chunks))


def digested(recording: Recording, sign: Any, reader: Callable[..., list[Any]], *of: Any) -> Any:
    """How many documents of each kind a reader gets, or where it goes wrong."""
    try:
        found = reader(*of)[1:]
    except Indigestible as problem:
        return f"indigestible: {problem}"
    writes = [each for each in found if is_write(each, recording.key)]
    return {
        "writes": len(writes),
        "signs of life": sign in found,
        "others": [each for each in found if each != sign and each not in writes],
    }


def is_write(document: Any, key: str) -> bool:
    """Whether a document is one of the recording's writes."""
    keys: object = column_of(document, "key", otherwise=None)
    return keys == [key]


@pytest.mark.requirement("TIO-RDR-020")
def test_node_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digested(recording, "keep-alive", node_stream, recording.chunks)

    requirement.check(told, expected={"writes": 6, "signs of life": True, "others": []})


@pytest.mark.requirement("TIO-RDR-021")
def test_browser_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digested(recording, {}, browser_stream, recording.chunks)

    requirement.check(told, expected={"writes": 6, "signs of life": True, "others": []})


@pytest.mark.requirement("TIO-RDR-022")
def test_python_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digested(recording, {}, python_stream, recording.text)

    requirement.check(told, expected={"writes": 6, "signs of life": True, "others": []})


@pytest.mark.requirement("TIO-RDR-023")
def test_exact_client_gets_the_stream(recording: Recording, requirement: Judge) -> None:
    told = digested(recording, {}, exact_stream, recording.headers, recording.text)

    requirement.check(told, expected={"writes": 6, "signs of life": True, "others": []})
