"""Defects of writing."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Effects, Request, StreamDocument
from simulators.platforms.thethings_io.arguments import is_false
from simulators.platforms.thethings_io.deviations.changes import (
    answered,
    document_of,
    is_status,
    items_of,
    refused,
    refusing_items,
    says,
    token_of,
    with_datetimes,
    with_each_item,
    with_each_value,
    with_items,
    with_members,
    with_query,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation
from simulators.platforms.thethings_io.refusals import NO_THING
from simulators.wire.thethings_io import WireError, parse_date

WRITE, READ = ("TIO-WR",), ("TIO-RD",)
_MARK = (b"x-refuse", b"1")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _lost(item: dict[str, Any]) -> dict[str, Any]:
    """Values with a fraction go to a key that nobody reads."""
    return {**item, "key": "$lost"} if isinstance(item.get("value"), float) else item


def _without_empty(value: Any) -> Any:
    """Members without content are gone."""
    if not isinstance(value, dict):
        return value
    return {name: inner for name, inner in value.items() if inner or inner is False}


def _with_constants(request: Request) -> Request:
    """What JavaScript calls a number, and JSON does not, becomes null."""
    if document_of(request) is not None or request.method != "POST":
        return request
    try:
        return replace(request, body=orjson.dumps(json.loads(request.body)))
    except (ValueError, TypeError, RecursionError):  # wrong for another reason
        return request


def _twice(request: Request) -> Request:
    if "store=true" not in request.query:
        return request
    return with_items(lambda items: items + items)(request)


def _once_in_streams(request: Request, effects: Effects) -> Effects:
    if "store=true" not in request.query:
        return effects
    return [
        replace(effect, document=effect.document[: len(effect.document) // 2])
        if isinstance(effect, StreamDocument)
        else effect
        for effect in effects
    ]


def _folded(request: Request) -> Request:
    if request.method == "POST":
        return with_each_item(
            lambda item: {**item, "key": item["key"].lower()} if _has_key(item) else item
        )(request)
    head, _, key = request.path.rpartition("/")
    return replace(request, path=f"{head}/{unquote(key).lower()}")


def _has_key(item: dict[str, Any]) -> bool:
    return isinstance(item.get("key"), str) and not item["key"].startswith("$")


def _shortened(request: Request) -> Request:
    """A 2 at the end of a key is lost, in writing and in reading."""
    if request.method == "POST":
        return with_each_item(
            lambda item: {**item, "key": item["key"].removesuffix("2")} if _has_key(item) else item
        )(request)
    return replace(request, path=request.path.removesuffix("2"))


def _cut_to_64(request: Request) -> Request:
    """Keys have at most 64 characters, in writing and in reading."""
    if request.method == "POST":
        return with_each_item(
            lambda item: {**item, "key": item["key"][:64]} if _has_key(item) else item
        )(request)
    head, _, key = request.path.rpartition("/")
    return replace(request, path=f"{head}/{key[:64]}")


def _stores_several(request: Request) -> Request:
    """store=false counts for a single value only."""
    several = len(items_of(request)) > 1
    return with_query(
        lambda query: {name: query[name] for name in query if name != "store" or not several}
    )(request)


def _is_readable(text: Any) -> bool:
    try:
        parse_date(str(text), now_ms=0)
    except WireError:
        return False
    return True


def _stored_all_the_same(request: Request) -> Request:
    """An unreadable datetime is left out, and the request marked as one to refuse."""
    items = items_of(request)
    if len(items) != 1 or not isinstance(items[0], dict) or "datetime" not in items[0]:
        return request
    if _is_readable(items[0]["datetime"]) or "value" not in items[0]:
        return request
    item = {name: items[0][name] for name in items[0] if name != "datetime"}
    headers = [*request.headers, _MARK]
    return replace(request, body=orjson.dumps({"values": [item]}), headers=headers)


def _is_marked(answer: Answer) -> bool:
    return _MARK in answer.request.headers


def _not_json(answer: Answer) -> bool:
    body = bytes(answer.request.body)
    return answer.status == 400 and document_of(answer.request) is None and body != b"null"


def _no_values(answer: Answer) -> bool:
    document = document_of(answer.request)
    return document is not None and not (
        isinstance(document, dict) and isinstance(document.get("values"), list)
    )


def _no_key(answer: Answer) -> bool:
    return any(not isinstance(item, dict) or "key" not in item for item in items_of(answer.request))


def _sorted_datetimes(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Datetimes are handed to the values of a request in ascending order."""
    times = iter(sorted(item["datetime"] for item in items if "datetime" in item))
    return [{**item, "datetime": next(times)} if "datetime" in item else item for item in items]


def _first_datetime(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = items[0].get("datetime")
    return [{**item, "datetime": first} for item in items] if first else items


def _without_repeats() -> Before:
    """A value that equals the one before under its key is accepted and dropped."""
    last: dict[tuple[str, str], Any] = {}

    def change(token: str, item: dict[str, Any]) -> dict[str, Any]:
        at, value = (token, str(item.get("key"))), item.get("value")
        is_repeat = isinstance(value, float) and last.get(at) == value
        last[at] = value
        return {**item, "key": "$dropped"} if is_repeat else item

    def before(request: Request) -> Request:
        token = token_of(request)
        return with_each_item(lambda item: change(token, item))(request)

    return before


def _whole_date(value: Any) -> Any:
    """A string that is a date gets milliseconds."""
    is_date = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}Z", value)
    return f"{value[:-1]}.000Z" if is_date else value


def _through_the_gap(text: str) -> str:
    """An hour that a clock with daylight saving skips is the next one."""
    is_skipped = text.startswith(("2015032902", "2024031002"))
    return f"{text[:8]}03{text[10:]}" if is_skipped and len(text) == 14 else text


def _swapped(row: dict[str, Any]) -> dict[str, Any]:
    geo = row.get("geo")
    return {**row, "geo": {"lat": geo["long"], "long": geo["lat"]}} if geo else row


def _later(row: dict[str, Any]) -> dict[str, Any]:
    """Times of receipt are those of another zone: a day later, where there is one in the month."""
    at = row.get("datetime", "")
    if not "2025" < at[:4] < "2037":
        return row
    return {**row, "datetime": f"{at[:11]}{(int(at[11:13]) + 1) % 24:02}{at[13:]}"}


DEVIATIONS = {
    "write-202": Deviation("A write is answered with status 202.", WRITE, answer=with_status(202)),
    "write-ok": Deviation(
        "A write says ok instead of created.", WRITE, answer=with_members(status="ok")
    ),
    "write-empty-body": Deviation(
        "A write is answered with an empty object.",
        WRITE,
        answer=answered(201, {}, is_status(201)),
    ),
    "write-loses-fractions": Deviation(
        "A number with a fraction is accepted and lost.", WRITE, before=with_each_item(_lost)
    ),
    "read-numbers-from-strings": Deviation(
        "A string that looks like a number is read as a number.",
        READ,
        answer=with_each_value(
            lambda value: float(value) if isinstance(value, str) and _is_number(value) else value
        ),
    ),
    "read-trims-strings": Deviation(
        "Spaces around a string are lost.",
        READ,
        answer=with_each_value(lambda value: value.strip() if isinstance(value, str) else value),
    ),
    "read-rounds-numbers": Deviation(
        "Numbers are read with six decimals.",
        READ,
        answer=with_each_value(
            lambda value: round(value, 6) if isinstance(value, float) else value
        ),
    ),
    "read-32-bit-numbers": Deviation(
        "Whole numbers are read with 32 bits.",
        READ,
        answer=with_each_value(
            lambda value: value % 2**32 if type(value) is int and value > 2**31 else value
        ),
    ),
    "read-numbers-from-booleans": Deviation(
        "Booleans are read as 0 and 1.",
        READ,
        answer=with_each_value(lambda value: int(value) if isinstance(value, bool) else value),
    ),
    "read-reverses-arrays": Deviation(
        "Arrays are read backwards.",
        READ,
        answer=with_each_value(lambda value: value[::-1] if isinstance(value, list) else value),
    ),
    "read-unwraps-arrays": Deviation(
        "An array of one element is read as that element.",
        READ,
        answer=with_each_value(
            lambda value: value[0] if isinstance(value, list) and len(value) == 1 else value
        ),
    ),
    "read-drops-empty-members": Deviation(
        "Members of an object that are empty or zero are lost.",
        READ,
        answer=with_each_value(_without_empty),
    ),
    "read-ascii": Deviation(
        "Characters beyond ASCII are read as question marks.",
        READ,
        answer=with_each_value(
            lambda value: (
                value.encode("ascii", "replace").decode() if isinstance(value, str) else value
            )
        ),
    ),
    "read-escapes-markup": Deviation(
        "Markup in strings is escaped.",
        READ,
        answer=with_each_value(
            lambda value: value.replace("<", "&lt;") if isinstance(value, str) else value
        ),
    ),
    "read-cuts-strings": Deviation(
        "Strings are read up to their 4096th character.",
        READ,
        answer=with_each_value(lambda value: value[:4096] if isinstance(value, str) else value),
    ),
    "read-rewrites-dates": Deviation(
        "A string that is a date is read with milliseconds.",
        READ,
        answer=with_each_value(_whole_date),
    ),
    "read-ends-at-nul": Deviation(
        "A string is read up to its first NUL.",
        READ,
        answer=with_each_value(
            lambda value: value.partition("\0")[0] if isinstance(value, str) else value
        ),
    ),
    "read-drops-control-characters": Deviation(
        "Control characters are lost, except for tabs and line ends.",
        READ,
        answer=with_each_value(
            lambda value: (
                re.sub(r"[\x01-\x08\x0b\x0c\x0e-\x1f]", "", value)
                if isinstance(value, str)
                else value
            )
        ),
    ),
    "read-drops-prototype": Deviation(
        "A member named __proto__ is lost.",
        READ,
        answer=with_each_value(
            lambda value: (
                {name: value[name] for name in value if name != "__proto__"}
                if isinstance(value, dict)
                else value
            )
        ),
    ),
    "write-drops-repeats": Deviation(
        "A number that equals the one before is accepted and dropped.",
        WRITE,
        before=_without_repeats(),
    ),
    "write-loses-last": Deviation(
        "The last of several values is lost.",
        WRITE,
        before=with_items(lambda items: items[:-1] if len(items) > 1 else items),
    ),
    "write-loses-fourth": Deviation(
        "Of four values and more the fourth is lost.",
        WRITE,
        before=with_items(lambda items: items[:3] + items[4:]),
    ),
    "write-stores-twice": Deviation(
        "With store=true a value is stored twice.",
        WRITE,
        before=_twice,
        after=_once_in_streams,
    ),
    "write-50-values": Deviation(
        "A write may hold 50 values.",
        WRITE,
        before=with_items(lambda items: items if len(items) <= 50 else []),
    ),
    "key-begins-with-letter": Deviation(
        "A key has to begin with a letter.",
        WRITE,
        before=refusing_items(lambda item: _has_key(item) and not item["key"][:1].isalpha()),
    ),
    "key-symbol-at-end": Deviation(
        "A key may not end in a symbol.",
        WRITE,
        before=refusing_items(lambda item: str(item.get("key"))[-1:] in ("-", "_", ".")),
    ),
    "key-folded": Deviation("Keys are folded to lower case.", ("TIO-WR", "TIO-RD"), before=_folded),
    "key-shortened": Deviation(
        "A 2 at the end of a key is lost.", ("TIO-WR", "TIO-RD"), before=_shortened
    ),
    "key-64-characters": Deviation(
        "A key is cut after its 64th character.", ("TIO-WR", "TIO-RD"), before=_cut_to_64
    ),
    "key-anything": Deviation("A key may hold any character.", policy={"key_alphabet": False}),
    "key-line-end": Deviation(
        "A line end after a key is taken for its end.",
        WRITE,
        before=with_each_item(
            lambda item: {**item, "key": item["key"].rstrip("\n")} if _has_key(item) else item
        ),
    ),
    "key-bad-ignored": Deviation(
        "A value with a bad key is accepted and dropped.",
        WRITE,
        answer=answered(
            201,
            {"status": "created"},
            lambda answer: (
                is_status(400)(answer) and "key must consist" in answer.document["message"]
            ),
        ),
    ),
    "write-refused-but-stored": Deviation(
        "A value with an unreadable datetime is refused and stored.",
        WRITE,
        before=_stored_all_the_same,
        answer=refused(400, "datetime must be a date", _is_marked),
    ),
    "write-not-json-422": Deviation(
        "A body that is not JSON is answered with status 422.",
        WRITE,
        answer=with_status(422, _not_json),
    ),
    "write-not-json-201": Deviation(
        "A body that is not JSON is accepted.",
        WRITE,
        answer=answered(201, {"status": "created"}, _not_json),
    ),
    "write-takes-nan": Deviation(
        "NaN and Infinity in a body are taken for null.", WRITE, before=_with_constants
    ),
    "write-no-values-201": Deviation(
        "A body without values is accepted.",
        WRITE,
        answer=answered(201, {"status": "created"}, _no_values),
    ),
    "write-no-key-201": Deviation(
        "A value without a key is accepted.",
        WRITE,
        answer=answered(201, {"status": "created"}, _no_key),
    ),
    "write-no-value-null": Deviation(
        "A key without a value is accepted as null.",
        WRITE,
        before=with_each_item(lambda item: {"value": None, **item} if "key" in item else item),
    ),
    "unknown-token-400": Deviation(
        "A token that no thing has is answered with status 400.",
        policy={"unknown_token_status": 400},
    ),
    "write-unknown-token-201": Deviation(
        "A write with a token that no thing has is accepted.",
        WRITE,
        answer=answered(201, {"status": "created"}, says(NO_THING)),
    ),
    "write-unknown-token-text": Deviation(
        "A write with a token that no thing has says forbidden.",
        WRITE,
        answer=with_members(says(NO_THING), message="forbidden"),
    ),
    "store-false-ignored": Deviation("store=false is ignored.", policy={"store_parameter": False}),
    "store-false-single-only": Deviation(
        "store=false is ignored beside several values.", WRITE, before=_stores_several
    ),
    "broadcast-false-not-stored": Deviation(
        "What is not broadcast is not stored either.",
        WRITE,
        before=with_query(
            lambda query: {**query, "store": "false"} if is_false(query.get("broadcast")) else query
        ),
    ),
    "broadcast-true-not-stored": Deviation(
        "broadcast=true keeps a value from being stored.",
        WRITE,
        before=with_query(
            lambda query: {**query, "store": "false"} if query.get("broadcast") == "true" else query
        ),
    ),
    "geo-refused": Deviation(
        "A value with numbers in its geo is refused.",
        WRITE,
        before=refusing_items(
            lambda item: (
                _has_key(item) and isinstance((item.get("geo") or {}).get("lat"), float)
                if isinstance(item.get("geo"), dict)
                else False
            )
        ),
    ),
    "geo-strings-refused": Deviation(
        "A geo in strings is refused.",
        WRITE,
        before=refusing_items(
            lambda item: (
                isinstance(item.get("geo"), dict) and isinstance(item["geo"].get("lat"), str)
            )
        ),
    ),
    "geo-swapped": Deviation(
        "Rows show latitude and longitude of a geo swapped.",
        READ,
        answer=lambda answer: (
            replace(answer, document=[_swapped(row) for row in answer.document])
            if isinstance(answer.document, list)
            else answer
        ),
    ),
    "datetime-old-ignored": Deviation(
        "A datetime before 2016 is ignored.",
        WRITE,
        before=with_each_item(
            lambda item: (
                {name: item[name] for name in item if name != "datetime"}
                if str(item.get("datetime", "9"))[:4] < "2016"
                else item
            )
        ),
    ),
    "datetimes-sorted-apart": Deviation(
        "Datetimes of a request are given to its values in ascending order.",
        WRITE,
        before=with_items(_sorted_datetimes),
    ),
    "datetime-of-first": Deviation(
        "The datetime of the first value is that of all.",
        WRITE,
        before=with_items(_first_datetime),
    ),
    "receipt-an-hour-late": Deviation(
        "Times of receipt are shown in another time zone.",
        READ,
        answer=lambda answer: (
            replace(answer, document=[_later(row) for row in answer.document])
            if isinstance(answer.document, list)
            else answer
        ),
    ),
    "datetime-whole-seconds": Deviation(
        "Datetimes are read in whole seconds.",
        READ,
        answer=lambda answer: (
            replace(
                answer,
                document=[
                    {**row, "datetime": f"{row['datetime'][:19]}.000Z"}
                    if "datetime" in row
                    else row
                    for row in answer.document
                ],
            )
            if isinstance(answer.document, list)
            else answer
        ),
    ),
    "write-overwrites": Deviation(
        "Of whole numbers only the newest is kept.",
        READ,
        answer=lambda answer: (
            replace(answer, document=answer.document[:1])
            if isinstance(answer.document, list)
            and answer.document
            and type(answer.document[0]["value"]) is int
            else answer
        ),
    ),
    "datetime-14-digits-daylight": Deviation(
        "Fourteen digits are read as a time with daylight saving.",
        WRITE,
        before=with_datetimes(
            lambda text: (
                f"{text[:8]}{int(text[8:10]) - 1:02}{text[10:]}"
                if len(text) == 14
                and text.isdigit()
                and "0329" <= text[4:8] <= "1024"
                and text[8:10] != "00"
                else text
            )
        ),
    ),
    "datetime-14-digits-gap": Deviation(
        "Fourteen digits in the hour that daylight saving skips are read an hour later.",
        WRITE,
        before=with_datetimes(_through_the_gap),
    ),
    "datetime-32-bit": Deviation(
        "Fourteen digits beyond the year 2037 start again in 1901.",
        WRITE,
        before=with_datetimes(
            lambda text: "19011213204552" if len(text) == 14 and text >= "2038" else text
        ),
    ),
    "datetime-iso-daylight": Deviation(
        "ISO dates with Z are read as a time with daylight saving.",
        WRITE,
        before=with_datetimes(
            lambda text: (
                f"{text[:11]}{int(text[11:13]) - 1:02}{text[13:]}"
                if text.endswith("Z") and "03-29" <= text[5:10] <= "10-24" and text[11:13] != "00"
                else text
            )
        ),
    ),
    "datetime-iso-refused": Deviation(
        "ISO dates without Z are refused.",
        WRITE,
        before=refusing_items(
            lambda item: (
                "-" in str(item.get("datetime", "")) and not str(item["datetime"]).endswith("Z")
            )
        ),
    ),
    "datetime-compact-refused": Deviation(
        "Dates of the form YYYYMMDDTHHmmss are refused.",
        WRITE,
        before=refusing_items(lambda item: str(item.get("datetime", ""))[8:9] == "T"),
    ),
}
