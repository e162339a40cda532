"""Defects on the wire."""

from __future__ import annotations

from simulators.platforms.thethings_io.deviations.deviation import Deviation


def _newline_after(documents: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\n\r\n" % (len(document) + 1, document) for document in documents)


def _all_in_one(documents: list[bytes]) -> bytes:
    joined = b"".join(documents)
    return b"%x\r\n%b\r\n" % (len(joined), joined)


def _in_pieces(documents: list[bytes]) -> bytes:
    """Long documents go out in chunks of 1000 bytes."""
    pieces = [
        document[at : at + 1000] for document in documents for at in range(0, len(document), 1000)
    ]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


DEVIATIONS = {
    "stream-in-pieces": Deviation(
        "Long documents of a stream are spread over chunks.", framing={"chunks": _in_pieces}
    ),
    "stream-type-other": Deviation(
        "A stream and everything else says application/octet-stream.",
        framing={"content_type": "application/octet-stream"},
    ),
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
