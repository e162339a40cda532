"""Defects of firmware, of the server's date, of errors, and of bodies everywhere."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    as_text,
    document_of,
    is_bad,
    is_good,
    is_status,
    refused,
    with_document,
    with_members,
    with_path,
    with_query,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Deviation, OnAnswer

LATEST, DOWNLOAD, DATE = ("TIO-FWL",), ("TIO-FWD",), ("TIO-DATE",)
HOUR_US = 3_600_000_000


def _firmwares(change: Any) -> OnAnswer:
    return with_document(lambda document: {**document, "firmwares": change(document["firmwares"])})


def _altered(image: bytes) -> bytes:
    return image[:-1] + bytes([image[-1] ^ 1])


def _is_number(answer: Answer) -> bool:
    return is_good(answer) and isinstance(answer.document["date"], int)


def _is_text(answer: Answer) -> bool:
    return is_good(answer) and isinstance(answer.document["date"], str)


def _dated(date: Any) -> Any:
    return {"date": date, "values": [{"value": date}]}


def _spaced(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _is_bad_query(answer: Answer) -> bool:
    return is_status(400)(answer) and answer.request.method == "GET"


def _is_bad_datetime(answer: Answer) -> bool:
    return (
        is_status(400)(answer)
        and document_of(answer.request) is not None
        and "date" in answer.document["message"]
    )


DEVIATIONS = {
    "firmwares-201": Deviation(
        "The latest firmware is answered with status 201.", LATEST, answer=with_status(201)
    ),
    "firmwares-version-text": Deviation(
        "Versions of firmware begin with a letter.",
        LATEST,
        answer=_firmwares(
            lambda found: [{**each, "version": f"v{each['version']}"} for each in found]
        ),
    ),
    "firmwares-id-number": Deviation(
        "Ids of firmware are numbers.",
        LATEST,
        answer=_firmwares(lambda found: [{**each, "_id": n} for n, each in enumerate(found)]),
    ),
    "firmwares-first-only": Deviation(
        "Only the firmware of one microcontroller is listed.",
        LATEST,
        answer=_firmwares(lambda found: found[:1]),
    ),
    "firmwares-twice": Deviation(
        "Every firmware is listed twice.", LATEST, answer=_firmwares(lambda found: found + found)
    ),
    "firmware-empty": Deviation(
        "A download has no bytes.", DOWNLOAD, answer=with_document(lambda _: b"")
    ),
    "firmware-altered": Deviation(
        "The last byte of a download is another.", DOWNLOAD, answer=with_document(_altered)
    ),
    "firmware-unknown-200": Deviation(
        "A firmware that does not exist is answered with status 200.",
        DOWNLOAD,
        answer=answered(200, {"status": "success"}, is_status(404)),
    ),
    "date-without-ms": Deviation(
        "The date has no milliseconds.",
        DATE,
        answer=with_document(lambda document: _dated(f"{document['date'][:19]}Z"), _is_text),
    ),
    "date-default-unix": Deviation(
        "Without a format the date is a number.",
        DATE,
        before=with_query(lambda query: {"format": "unix_timestamp", **query}),
    ),
    "date-in-ms": Deviation(
        "The number of the date is one of milliseconds.",
        DATE,
        answer=with_document(lambda document: _dated(document["date"] * 1000), _is_number),
    ),
    "date-values-differ": Deviation(
        "values holds the date as text.",
        DATE,
        answer=with_document(
            lambda document: {**document, "values": [{"value": str(document["date"])}]}, _is_number
        ),
    ),
    "date-an-hour-late": Deviation(
        "The date is that of another time zone.", DATE, clock=lambda now_us: now_us + HOUR_US
    ),
    "date-number-late": Deviation(
        "The number of the date is a minute late.",
        DATE,
        answer=with_document(lambda document: _dated(document["date"] + 60), _is_number),
    ),
    "date-no-slash": Deviation(
        "The path of the date has no slash at its end.",
        before=with_path(lambda path: "/v2/nowhere" if path == "/v2/utils/date/" else path),
    ),
    "errors-200": Deviation(
        "Errors of reads are answered with status 200.",
        ("TIO-RD", "TIO-RES", "TIO-ALL"),
        answer=lambda answer: replace(answer, status=200) if is_bad(answer) else answer,
    ),
    "errors-other-shape": Deviation(
        "Errors have a member error.",
        ("TIO-RES", "TIO-ALL", "TIO-TAG"),
        answer=with_document(lambda document: {"error": document["message"]}, is_bad),
    ),
    "errors-without-text": Deviation(
        "Errors have an empty message.",
        ("", "TIO-TAG"),
        answer=with_members(is_bad, message=""),
    ),
    "errors-code-string": Deviation(
        "The code of an error is a string.",
        ("TIO-RD", "TIO-RES", "TIO-ALL"),
        answer=lambda answer: (
            replace(answer, document={**answer.document, "code": str(answer.status)})
            if is_bad(answer)
            else answer
        ),
    ),
    "path-unknown-400": Deviation(
        "A path that does not exist is answered with status 400.",
        ("",),
        answer=with_status(
            400, lambda answer: is_status(404)(answer) and "path" in answer.document["message"]
        ),
    ),
    "bad-query-500": Deviation(
        "A limit or date that cannot be read is answered with status 500.",
        ("TIO-RD", "TIO-ALL"),
        answer=refused(500, "internal error", _is_bad_query),
    ),
    "bad-datetime-500": Deviation(
        "A datetime that cannot be read is answered with status 500 and a page.",
        ("TIO-WR",),
        answer=lambda answer: (
            Answer(answer.request, 500, b"<h1>Internal Server Error</h1>", "text/html")
            if _is_bad_datetime(answer)
            else answer
        ),
    ),
    "method-unknown-200": Deviation(
        "A method that an endpoint does not have is answered with status 200.",
        ("",),
        answer=answered(
            200,
            {"status": "success"},
            lambda answer: is_bad(answer) and "method" in answer.document["message"],
        ),
    ),
    "first-version-404": Deviation(
        "The first version of the API is answered with status 404.",
        ("",),
        answer=with_status(404, is_status(410)),
    ),
    "success-as-html": Deviation(
        "Successful answers say text/html.", answer=as_text("text/html", is_good)
    ),
    "errors-as-html": Deviation("Errors say text/html.", answer=as_text("text/html", is_bad)),
    "bodies-with-space": Deviation("JSON is indented.", framing={"dumps": _spaced}),
    "names-with-rest": Deviation(
        "Something follows the names of resources.",
        ("TIO-RES",),
        answer=as_text("application/json", is_good, end=b"\n<!-- 1 ms -->"),
    ),
}
