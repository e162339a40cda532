"""What many deviations do to an answer: another status, another error, another member."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.things_stack.deviations.deviation import OnAnswer

Document = Any
Change = Callable[[Document], Document]


def with_status(status: int, *, of: int | None = None) -> OnAnswer:
    """Another status; ``of`` is the one that is replaced, any good one when None."""

    def answer(answer: Answer) -> Answer:
        is_meant = answer.status == of if of is not None else answer.status == 200
        return replace(answer, status=status) if is_meant else answer

    return answer


def document_of(answer: Answer) -> Document:
    """A copy of its document that may be changed."""
    document = answer.document
    return orjson.loads(document if isinstance(document, bytes) else orjson.dumps(document))


def with_document(change: Change, *, status: int = 200) -> OnAnswer:
    """Another document in answers of one status."""

    def changed(answer: Answer) -> Answer:
        if answer.status != status or answer.content_type is not None:
            return answer
        return replace(answer, document=change(document_of(answer)))

    return changed


def without(*path: str) -> OnAnswer:
    """A member is missing in good answers: the last name of ``path``, wherever that leads."""

    def change(document: Document) -> Document:
        inner = _at(document, path[:-1])
        if isinstance(inner, dict):
            inner.pop(path[-1], None)
        return document

    return with_document(change)


def with_member(value: Any, *path: str) -> OnAnswer:
    """
    A member has another value in good answers; ``value`` may be a function of the old one.

    Where the way to it does not exist nothing changes.
    """

    def change(document: Document) -> Document:
        inner = _at(document, path[:-1])
        if isinstance(inner, dict):
            inner[path[-1]] = value(inner.get(path[-1])) if callable(value) else value
        return document

    return with_document(change)


def in_base64(*names: str) -> OnAnswer:
    """Members of these names, wherever they stand, are told in base64 instead of hexadecimal."""

    def change(document: Document) -> Document:
        if isinstance(document, list):
            return [change(each) for each in document]
        if not isinstance(document, dict):
            return document
        return {
            name: b64encode(bytes.fromhex(value)).decode()
            if name in names and isinstance(value, str)
            else change(value)
            for name, value in document.items()
        }

    return with_document(change)


def with_time_of_creation(document: Document) -> Document:
    """No change is told: updated_at is created_at."""
    return {**document, "updated_at": document.get("created_at", document.get("updated_at"))}


def _at(document: Document, path: tuple[str, ...]) -> Document:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def error_name(document: Document) -> str:
    """``pkg/errors:validation``; "" for what is no error of the stack."""
    details = document.get("details") if isinstance(document, dict) else None
    if not details:
        return ""
    return f"{details[0].get('namespace')}:{details[0].get('name')}"


def on_error(name: str, change: Callable[[Answer, Document], Answer]) -> OnAnswer:
    """Change answers that are an error of that name."""

    def changed(answer: Answer) -> Answer:
        if answer.status < 400 or answer.content_type is not None:
            return answer
        document = document_of(answer)
        return change(answer, document) if error_name(document) == name else answer

    return changed


def renamed(name: str, other: str) -> OnAnswer:
    """An error is called by another name."""

    def change(answer: Answer, document: Document) -> Answer:
        namespace, _, short = other.partition(":")
        document["details"][0].update(namespace=namespace, name=short)
        return replace(answer, document=document)

    return on_error(name, change)


def with_error_status(name: str, status: int) -> OnAnswer:
    """An error comes with another status."""
    return on_error(name, lambda answer, _: replace(answer, status=status))


def forgiven(name: str) -> OnAnswer:
    """What ought to be refused with this error is answered with 200 and an empty document."""
    return on_error(name, lambda answer, _: replace(answer, status=200, document={}))


def without_attribute(name: str, attribute: str) -> OnAnswer:
    """An error does not tell one of its attributes."""

    def change(answer: Answer, document: Document) -> Answer:
        document["details"][0].get("attributes", {}).pop(attribute, None)
        return replace(answer, document=document)

    return on_error(name, change)


def without_header(name: str) -> OnAnswer:
    """A header is missing."""
    return lambda answer: replace(
        answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() != name.lower())
    )


def with_header(name: str, value: str | Callable[[str], str]) -> OnAnswer:
    """A header that is there has another value."""

    def told(old: str) -> str:
        return value(old) if callable(value) else value

    return lambda answer: replace(
        answer,
        headers=tuple(
            (key, told(text) if key.lower() == name.lower() else text)
            for key, text in answer.headers
        ),
    )


def with_body(change: Change) -> Callable[[Request], Request]:
    """The core sees another document than was sent; what does not parse stays as it is."""

    def before(request: Request) -> Request:
        try:
            document = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return request
        return replace(request, body=orjson.dumps(change(document)))

    return before


def body_without(*path: str) -> Callable[[Request], Request]:
    """A member of the document that was sent is overlooked."""

    def change(document: Document) -> Document:
        inner = _at(document, path[:-1])
        if isinstance(inner, dict):
            inner.pop(path[-1], None)
        return document

    return with_body(change)


def with_query(change: Callable[[str], str]) -> Callable[[Request], Request]:
    """The core sees another query."""
    return lambda request: replace(request, query=change(request.query))
