"""Defects on the wire."""

from __future__ import annotations

from simulators.platforms.thethings_io.deviations.deviation import Deviation


def _newline_after(documents: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\n\r\n" % (len(document) + 1, document) for document in documents)


def _all_in_one(documents: list[bytes]) -> bytes:
    joined = b"".join(documents)
    return b"%x\r\n%b\r\n" % (len(joined), joined)


DEVIATIONS = {
    "stream-newline": Deviation(
        "A line feed follows each document of a stream.", framing={"chunks": _newline_after}
    ),
    "stream-two-in-a-chunk": Deviation(
        "Documents written shortly after one another share a chunk.",
        framing={"chunks": _all_in_one, "join": True, "gap_s": 0.3},
    ),
    "stream-not-chunked": Deviation(
        "A stream has no chunks; only the end of the connection ends it.",
        framing={"chunked": False},
    ),
}
