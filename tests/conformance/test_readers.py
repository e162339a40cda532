"""Emulated readers: each goes wrong where its client does, and only there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.clients import readers
from conformance.clients.exchange import Headers
from conformance.clients.readers import Indigestible

TOKEN = "T" * 43
ROWS = b'[{"key":"k","value":1}]'
CHUNKED = Headers({"Transfer-Encoding": "chunked"})
JSON = Headers({"Content-Type": "application/json; charset=utf-8"})
FIRST = '{"status":"success","message":"subscribed"}'
ARRAY = '[{"key":"k","value":1}]'
SUBSCRIBED = {"status": "success", "message": "subscribed"}
WRITTEN = [{"key": "k", "value": 1}]

Read = Callable[[], Any]

DIGESTED: dict[str, tuple[Read, Any]] = {
    "token": (
        lambda: readers.arduino_thing_token(b'{"thingToken":"%b","a":1}' % TOKEN.encode()),
        TOKEN,
    ),
    "token-of-44-is-cut": (
        lambda: readers.arduino_thing_token(b'{"thingToken":"%bx"}' % TOKEN.encode()),
        TOKEN,
    ),
    "token-of-42-takes-the-quote": (
        lambda: readers.arduino_thing_token(b'{"thingToken":"%b"}' % TOKEN[1:].encode()),
        TOKEN[1:] + '"',
    ),
    "seconds": (lambda: readers.arduino_timestamp(b'{"date":7,"values":[{"value":7}]}'), 7),
    "one-block": (lambda: readers.node_answer([ROWS]), WRITTEN),
    "type-with-charset": (lambda: readers.browser_answer(JSON, ROWS), WRITTEN),
    "absent": (lambda: readers.python_read("HTTP/1.1 404 Not Found", b"<html>"), None),
    "read": (lambda: readers.python_read("HTTP/1.1 200 OK", ROWS), WRITTEN),
    "status": (lambda: readers.indexed_status(b'{"status":"created"}'), "created"),
    "node": (
        lambda: readers.node_stream([FIRST.encode(), ARRAY.encode(), b"{}"]),
        [SUBSCRIBED, WRITTEN, "keep-alive"],
    ),
    "node-takes-a-spaced-sign-for-data": (lambda: readers.node_stream([b"{}\n"]), [{}]),
    "browser-takes-line-ends": (lambda: readers.browser_stream([b"{}\n"]), [{}]),
    "python": (
        lambda: readers.python_stream(f"{FIRST}\n{ARRAY}{ARRAY}{{}}"),
        [SUBSCRIBED, WRITTEN, WRITTEN, {}],
    ),
    "exact": (
        lambda: readers.exact_stream(CHUNKED, FIRST + ARRAY + "{}"),
        [SUBSCRIBED, WRITTEN, {}],
    ),
}

INDIGESTIBLE: dict[str, Read] = {
    "token-after-a-space": lambda: readers.arduino_thing_token(b'{"thingToken": "x"}'),
    "token-on-the-second-line": lambda: readers.arduino_thing_token(b'{\n"thingToken":"x"}'),
    "seconds-before-more": lambda: readers.arduino_timestamp(b'{"values":[{"value":7,"a":1}]}'),
    "seconds-as-text": lambda: readers.arduino_timestamp(b'{"values":[{"value":"7"}]}'),
    "two-blocks": lambda: readers.node_answer([ROWS[:5], ROWS[5:]]),
    "no-block": lambda: readers.node_answer([]),
    "page": lambda: readers.node_answer([b"<html>"]),
    "other-type": lambda: readers.browser_answer(Headers({"Content-Type": "text/json"}), ROWS),
    "no-type": lambda: readers.browser_answer(Headers(), ROWS),
    "other-phrase": lambda: readers.python_read("HTTP/1.1 404 Nothing", b"{}"),
    "forbidden": lambda: readers.python_read("HTTP/1.1 403 Forbidden", b"{}"),
    "array-without-status": lambda: readers.indexed_status(ROWS),
    "error-without-message": lambda: readers.indexed_status(b'{"status":"error"}'),
    "node-two-in-a-chunk": lambda: readers.node_stream([(ARRAY + ARRAY).encode()]),
    "node-split": lambda: readers.node_stream([ARRAY[:9].encode(), ARRAY[9:].encode()]),
    "browser-split": lambda: readers.browser_stream([ARRAY[:9].encode(), ARRAY[9:].encode()]),
    "python-nested": lambda: readers.python_stream('[{"key":"k","value":[1]}]'),
    "python-nested-object": lambda: readers.python_stream('{"a":{}}'),
    "exact-line-end": lambda: readers.exact_stream(CHUNKED, ARRAY + "\n"),
    "exact-not-chunked": lambda: readers.exact_stream(Headers(), ARRAY),
    "exact-other-coding": lambda: readers.exact_stream(
        Headers({"Transfer-Encoding": "gzip, chunked"}), ARRAY
    ),
}  # fmt: skip


@pytest.mark.parametrize(("read", "expected"), DIGESTED.values(), ids=DIGESTED)
def test_reader_takes_what_its_client_takes(read: Read, expected: Any) -> None:
    assert read() == expected


@pytest.mark.parametrize("read", INDIGESTIBLE.values(), ids=INDIGESTIBLE)
def test_reader_goes_wrong_where_its_client_does(read: Read) -> None:
    with pytest.raises(Indigestible):
        read()
