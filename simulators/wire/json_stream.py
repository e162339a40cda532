"""
JSON documents from a stream of bytes, liberal in how they are cut.

Documents may come split over many reads, several in one read, with any JSON whitespace between
them or none. Knows bytes and values only.
"""

from __future__ import annotations

import json
import re
from typing import Any

_WHITESPACE = b" \t\r\n"
_BRACKET_OR_QUOTE = re.compile(rb'[\[\]{}"]')
_QUOTE_OR_ESCAPE = re.compile(rb'["\\]')
_END_OF_WORD = re.compile(rb'[ \t\r\n\[{"]')


class JsonStreamError(ValueError):
    """The peer sent something that is not a sequence of JSON documents."""


class JsonStream:
    """
    Incremental reader; ``feed`` it what comes, it returns the documents that are complete.

    A number or word at the top level is complete only when something follows it, or at ``finish``.
    """

    def __init__(self, *, longest: int = 16 * 1024 * 1024) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False

    def feed(self, data: bytes) -> list[Any]:
        """
        Take bytes, give the documents that they complete, in order.

        Raises:
            JsonStreamError: not JSON, not UTF-8, or one document longer than ``longest`` bytes.
        """
        self._buffer += data
        documents = []
        while (end := self._document_end()) is not None:
            documents.append(_decode(bytes(self._buffer[:end])))
            self._drop(end)
        if len(self._buffer) > self._longest:
            raise JsonStreamError(f"expected a document of at most {self._longest} bytes")
        return documents

    def finish(self) -> list[Any]:
        """
        The stream is over: a last number or word is a document now.

        Raises:
            JsonStreamError: the stream ended within a document.
        """
        if not self._buffer:
            return []
        if self._buffer[0] in b'[{"':
            raise JsonStreamError("expected the rest of a document; the stream ended")
        document = _decode(bytes(self._buffer))
        self._drop(len(self._buffer))
        return [document]

    def _drop(self, end: int) -> None:
        del self._buffer[:end]
        self._scanned = 0

    def _document_end(self) -> int | None:
        """Index just behind the first document; None while it is incomplete."""
        if not self._scanned:
            self._skip_whitespace()
        if not self._buffer:
            return None
        if self._buffer[0] in b'[{"':
            return self._bracketed_end()
        found = _END_OF_WORD.search(self._buffer)
        return found.start() if found else None

    def _skip_whitespace(self) -> None:
        blank = len(self._buffer) - len(self._buffer.lstrip(_WHITESPACE))
        del self._buffer[:blank]

    def _bracketed_end(self) -> int | None:
        """Scan on from where the last call stopped, counting brackets outside of strings."""
        while True:
            pattern = _QUOTE_OR_ESCAPE if self._in_string else _BRACKET_OR_QUOTE
            found = pattern.search(self._buffer, self._scanned)
            if found is None:
                self._scanned = len(self._buffer)
                return None
            if found[0] == b"\\" and found.end() == len(self._buffer):
                self._scanned = found.start()  # look again when the escaped character is here
                return None
            self._step(found[0])
            self._scanned = found.end() + (found[0] == b"\\")
            if self._depth == 0 and not self._in_string:
                return self._scanned

    def _step(self, symbol: bytes) -> None:
        if symbol == b'"':
            self._in_string = not self._in_string
        elif symbol in b"[{":
            self._depth += 1
        elif symbol in b"]}":
            self._depth -= 1


def _decode(data: bytes) -> Any:
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        shown = data[:40].decode(errors="replace")
        raise JsonStreamError(f"expected JSON; got {shown!r}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
