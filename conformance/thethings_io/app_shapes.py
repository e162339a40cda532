"""
How answers of the app side are taken apart where their shape is not in the documents.

Tests give values that nobody else has, and look whether they are in an answer at all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from conformance.clients.exchange import NOT_JSON, Response
from conformance.clients.stream import Stream, StreamDocument
from conformance.judge import is_same
from conformance.outcomes import Inconclusive
from conformance.thethings_io.shapes import is_error, shown
from conformance.tidy import lists_in

REFUSED_LOGIN = [401, 403, 404]
"""What a wrong password or an unknown user may be answered with."""
ARRIVAL_S = 3.0
"""How long a message may take to arrive before it counts as missing."""
SETTLE_S = 0.3
"""How long to look for what must not come after something later has come."""


def is_4xx(answer: Response) -> bool:
    """Whether a request was refused."""
    return answer.status is not None and 400 <= answer.status < 500


def mentions(document: Any, *texts: str) -> bool:
    """Whether every text is somewhere in a document: in a string, or in a member's name."""
    if document is NOT_JSON:
        return False
    words = list(strings_in(document))
    return all(any(text in word for word in words) for text in texts)


def strings_in(document: Any) -> Iterator[str]:
    """Every string and every member's name."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from strings_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings_in(value)


def holds(document: Any, wanted: Any) -> bool:
    """Whether a value is a document, or a member or an element somewhere in it."""
    if is_same(document, wanted):
        return True
    inner: Any = document.values() if isinstance(document, dict) else document
    return isinstance(document, dict | list) and any(holds(each, wanted) for each in inner)


def seen(texts: list[str], answer: Response) -> list[str]:
    """Those of the texts that an answer shows."""
    return [text for text in texts if mentions(answer.json, text)]


def member(answer: Response, name: str) -> Any:
    """One member of an answer's object; the answer whole when it has none."""
    document = answer.json
    return document[name] if isinstance(document, dict) and name in document else shown(answer)


def token_in(answer: Response) -> Any:
    """What an answer hands out as a session token, or None."""
    return answer.json.get("token") if isinstance(answer.json, dict) else None


def session_token(answer: Response) -> str:
    """
    The session token that a login hands out.

    Raises:
        Inconclusive: it hands out none.
    """
    token = token_in(answer)
    if not answer.is_success or not isinstance(token, str):
        raise Inconclusive(f"the login brings no session: {answer.summary()}")
    return token


def given_object(answer: Response) -> str:
    """
    The ``_id`` of an object that was stored to build upon.

    Raises:
        Inconclusive: it was not stored, or the answer names no ``_id``.
    """
    key = id_in(answer)
    if not answer.is_success or key is None:
        raise Inconclusive(f"an object could not be stored: {answer.summary()}")
    return key


def id_in(answer: Response) -> str | None:
    """The ``_id`` that an answer names, at its top or one step below."""
    document = answer.json if isinstance(answer.json, dict) else {}
    for each in (document, *document.values()):
        if isinstance(each, dict) and isinstance(each.get("_id"), str):
            return str(each["_id"])
    return None


def objects(answer: Response) -> list[dict[str, Any]] | Any:
    """The objects of a collection, in their order; the answer whole when there is no array."""
    document = answer.json
    has_list = isinstance(document, list) or (
        isinstance(document, dict) and any(isinstance(each, list) for each in document.values())
    )
    return list(lists_in(document)) if answer.is_success and has_list else shown(answer)


def ids(answer: Response) -> Any:
    """The ``_id`` of every object of a collection, in their order."""
    found = objects(answer)
    return [each.get("_id") for each in found] if isinstance(found, list) else found


def opened(stream: Stream) -> Stream:
    """
    A subscription that was accepted.

    What comes first is not in the documents: a while is given for whatever does.

    Raises:
        Inconclusive: it did not open.
    """
    first = stream.wait_for(1, SETTLE_S) if stream.status == 200 else []
    if stream.status != 200 or stream.ended is not None or (first and is_error(first[0])):
        raise Inconclusive(f"the subscription did not open: {stream.response.summary()}")
    return stream


def messages(stream: Stream, text: str) -> list[StreamDocument]:
    """The documents so far that mention a text."""
    return [each for each in list(stream.documents) if mentions(each.value, text)]


def told(stream: Stream, text: str, *, count: int = 1, within_s: float = ARRIVAL_S) -> list[Any]:
    """The first documents that mention a text; what has come of them when time is up."""
    deadline = time.monotonic() + within_s
    while len(messages(stream, text)) < count and time.monotonic() < deadline:
        if stream.ended is not None:
            break
        time.sleep(0.005)
    return [each.value for each in messages(stream, text)[:count]]


def told_in_all(stream: Stream, text: str) -> list[Any]:
    """All documents that mention a text, a while after those that had to come have come."""
    time.sleep(SETTLE_S)
    return [each.value for each in messages(stream, text)]


def told_before(stream: Stream, control: str, *texts: str) -> list[Any]:
    """
    All documents that mention one of the texts.

    ``control`` was caused after whatever might have caused them, and has come, a while ago.

    Raises:
        Inconclusive: it has not, so that nothing is known of the others either.
    """
    if not told(stream, control):
        raise Inconclusive(f"the subscription does not tell of what has to come: {control}")
    return [value for text in texts for value in told_in_all(stream, text)]


def order_in(stream: Stream, texts: list[str]) -> list[str]:
    """Which of the texts the stream mentions, in the order of its documents."""
    words = [json.dumps(each.value, ensure_ascii=False) for each in list(stream.documents)]
    return [text for word in words for text in texts if text in word]
