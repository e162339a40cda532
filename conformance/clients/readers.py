"""
What boards and public clients can digest: their small parsers, emulated.

Each reader does with an answer what that client's code does, no more and no less; Indigestible
says where it would have gone wrong. Nothing here is liberal, and nothing knows a requirement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from conformance.clients.exchange import Headers

TOKEN_LENGTH = 43


class Indigestible(Exception):  # noqa: N818 - the peer's doing, not a mistake of ours
    """The client would crash, or take something else than what was meant; one phrase says why."""


def arduino_thing_token(body: bytes) -> str:
    """
    The token that the Arduino library takes from the answer to an activation.

    It reads up to a line end, looks for the letters ``thingToken":"`` and copies 43 characters.
    """
    line = body.decode("latin-1").partition("\n")[0]
    _, found, rest = line.partition('thingToken":"')
    if not found:
        raise Indigestible('no thingToken":" in the first line')
    return rest[:TOKEN_LENGTH]


def arduino_timestamp(body: bytes) -> int:
    """
    The seconds that the Arduino library takes from the server's date.

    It takes what stands after the last ``value":`` up to one character before the last ``]``.
    """
    line = body.decode("latin-1").partition("\n")[0]
    _, found, rest = line.rpartition('value":')
    text = rest[: max(0, rest.rfind("]") - 1)]
    if not found or not text.isdigit():
        raise Indigestible(f'{text!r} between value": and the last ] is no number')
    return int(text)


def node_answer(blocks: list[bytes]) -> Any:
    """What the node client makes of an answer: every block of data is a document to it."""
    if len(blocks) != 1:
        raise Indigestible(f"the answer came in {len(blocks)} blocks")
    return _document(blocks[0].decode("utf-8", "replace"))


def browser_answer(headers: Headers, body: bytes) -> Any:
    """What the JS client makes of an answer: it parses only what is called JSON."""
    if "application/json" not in str(headers.get("Content-Type")):
        raise Indigestible("not parsed: the type does not contain application/json")
    return _document(body.decode("utf-8", "replace"))


def python_read(status_line: str, body: bytes) -> Any:
    """What Python client 'thethings' makes of a read: None for absent, by the line of a 404."""
    if "404 Not Found" in status_line:
        return None
    if " 200 " not in f"{status_line} ":
        raise Indigestible(f"neither 200 nor 404 Not Found: {status_line!r}")
    return _document(body.decode("utf-8", "replace"))


def indexed_status(body: bytes) -> str:
    """The status that Python client 'thethingsio' looks up in every answer, whatever it is."""
    document = _document(body.decode("utf-8", "replace"))
    if not isinstance(document, dict) or not isinstance(document.get("status"), str):
        raise Indigestible("no member status")
    if document["status"] == "error" and not isinstance(document.get("message"), str):
        raise Indigestible("an error without message")
    return str(document["status"])


def node_stream(chunks: Iterable[bytes]) -> list[Any]:
    """The events of the node client: a chunk is a document, and ``{}`` to the letter a sign."""
    return [
        "keep-alive" if text == "{}" else _document(text)
        for text in (chunk.decode("utf-8", "replace") for chunk in chunks)
    ]


def browser_stream(chunks: Iterable[bytes]) -> list[Any]:
    """The documents of the JS client: each chunk is parsed as one."""
    return [_document(chunk.decode("utf-8", "replace")) for chunk in chunks]


def python_stream(text: str) -> list[Any]:
    """
    The documents of Python client 'thethings'.

    It gathers characters and stops at the first ``]`` of an array, the first ``}`` of an object.
    """
    found: list[Any] = []
    while text := text.lstrip():
        head, end, text = text.partition("]" if text[0] == "[" else "}")
        found.append(_document(head + end))
    return found


def exact_stream(headers: Headers, text: str) -> list[Any]:
    """The documents of Python client 'thethingsio': chunked by name, and nothing between them."""
    if headers.get("Transfer-Encoding") != "chunked":
        raise Indigestible(f"refused: Transfer-Encoding {headers.get('Transfer-Encoding')!r}")
    found: list[Any] = []
    at = 0
    while at < len(text):
        try:
            document, at = json.JSONDecoder().raw_decode(text, at)
        except ValueError as problem:
            raise Indigestible(f"crashes at {text[at : at + 40]!r}") from problem
        found.append(document)
    return found


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        shown = re.sub(r"\s+", " ", text)[:80]
        raise Indigestible(f"crashes on {shown!r}") from problem
