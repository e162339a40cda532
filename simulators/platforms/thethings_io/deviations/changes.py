"""The vocabulary of deviations: small changes to requests and answers, to be combined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.deviations.deviation import Before, OnAnswer
from simulators.platforms.thethings_io.refusals import error_document

When = Callable[[Answer], bool]


def document_of(request: Request) -> Any:
    """The JSON body of a request; None when it is none."""
    try:
        return orjson.loads(request.body)
    except ValueError:
        return None


def items_of(request: Request) -> list[Any]:
    """The values of a write; none when its body is no write."""
    document = document_of(request)
    found = document.get("values") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def key_of(request: Request) -> str:
    """The last part of the path."""
    return request.path.rstrip("/").rpartition("/")[2]


def token_of(request: Request) -> str:
    """The thing token of a path under ``things``; empty when there is none."""
    return next(iter(request.path.split("/")[3:]), "")


def is_good(answer: Answer) -> bool:
    """Whether an answer is a success."""
    return answer.status < 300


def is_bad(answer: Answer) -> bool:
    """Whether an answer is a refusal."""
    return answer.status >= 400


def is_status(status: int) -> When:
    """Whether an answer has this status."""
    return lambda answer: answer.status == status


def says(message: str) -> When:
    """Whether an answer is a refusal with this message."""
    return lambda answer: is_bad(answer) and answer.document.get("message") == message


def with_status(status: int, when: When = is_good) -> OnAnswer:
    """Another status; the document stays, with its code in step."""

    def change(answer: Answer) -> Answer:
        document = answer.document
        if isinstance(document, dict) and "code" in document:
            document = {**document, "code": status}
        return replace(answer, status=status, document=document) if when(answer) else answer

    return change


def with_document(change: Callable[[Any], Any], when: When = is_good) -> OnAnswer:
    """Another document."""
    return lambda answer: (
        replace(answer, document=change(answer.document)) if when(answer) else answer
    )


def with_members(when: When = is_good, **members: Any) -> OnAnswer:
    """Members of the document with other values."""
    return with_document(lambda document: {**document, **members}, when)


def with_rows(change: Callable[[list[Any]], list[Any]]) -> OnAnswer:
    """Another array, when the answer is a success and an array."""
    return lambda answer: (
        replace(answer, document=change(answer.document))
        if is_good(answer) and isinstance(answer.document, list)
        else answer
    )


def with_each_row(change: Callable[[dict[str, Any]], dict[str, Any]]) -> OnAnswer:
    """Another object in place of every one of the array."""
    return with_rows(lambda rows: [change(row) for row in rows])


def with_each_value(change: Callable[[Any], Any]) -> OnAnswer:
    """Another value in every row that has a datetime; states such as $geo have none."""
    return with_each_row(
        lambda row: {**row, "value": change(row["value"])} if "datetime" in row else row
    )


def answered(status: int, document: Any, when: When) -> OnAnswer:
    """Another answer altogether."""
    return lambda answer: (
        replace(answer, status=status, document=document, content_type=None)
        if when(answer)
        else answer
    )


def refused(status: int, message: str, when: When) -> OnAnswer:
    """A refusal in place of an answer."""
    return answered(status, error_document(status, message), when)


def as_text(content_type: str, when: When, *, end: bytes = b"") -> OnAnswer:
    """The same JSON under another Content-Type, with something after it."""
    return lambda answer: (
        replace(answer, document=orjson.dumps(answer.document) + end, content_type=content_type)
        if when(answer) and answer.content_type is None
        else answer
    )


def with_body(change: Callable[[Any], Any]) -> Before:
    """Another JSON body, when there is one."""

    def before(request: Request) -> Request:
        document = document_of(request)
        if document is None:
            return request
        return replace(request, body=orjson.dumps(change(document)))

    return before


def with_items(change: Callable[[list[Any]], list[Any]]) -> Before:
    """Other values in a write; none make the write refused."""

    def before(request: Request) -> Request:
        items = items_of(request)
        if not items or not all(isinstance(item, dict) for item in items):
            return request
        return replace(request, body=orjson.dumps({"values": change(items)}))

    return before


def with_each_item(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Before:
    """Another value in place of every one of a write."""
    return with_items(lambda items: [change(item) for item in items])


def refusing_items(is_unwanted: Callable[[dict[str, Any]], bool]) -> Before:
    """A write with such a value is refused."""
    return with_items(lambda items: [] if any(map(is_unwanted, items)) else items)


def with_query(change: Callable[[dict[str, str]], dict[str, str]]) -> Before:
    """Another query."""
    return lambda request: replace(request, query=urlencode(change(request.arguments())))


def with_datetimes(change: Callable[[str], str]) -> Before:
    """Another datetime in every value that has one."""
    return with_each_item(
        lambda item: (
            {**item, "datetime": change(item["datetime"])}
            if isinstance(item.get("datetime"), str)
            else item
        )
    )


def with_path(change: Callable[[str], str]) -> Before:
    """Another path."""
    return lambda request: replace(request, path=change(request.path))
