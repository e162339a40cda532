"""GET /v2/things/{token}: the stream of what a thing is told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from conformance.clients.stream import Stream
from conformance.fixtures import Thing, stream_factory
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.run import Run
from conformance.thethings_io.shapes import ERROR, is_error, is_refused, shown

ARRIVAL_S = 3.0
"""How long a document may take to arrive before it counts as missing."""
SETTLE_S = 0.3
"""How long to look for what must not come after a later write has come."""
IN_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

Open = Callable[..., Stream]


@pytest.fixture(scope="module")
def listener(run: Run, thing: Thing) -> Iterator[Stream]:
    """A subscription that is shared by the tests of this file; each looks for its own keys."""
    with stream_factory(run, thing) as open_stream:
        yield opened(open_stream(keep_alive=60_000))


def opened(stream: Stream) -> Stream:
    """A stream whose first document has come; Inconclusive when it did not open."""
    if stream.status != 200 or not stream.wait_for(1, ARRIVAL_S):
        raise Inconclusive(f"the subscription did not open: {stream.response.summary()}")
    return stream


def told(stream: Stream, *keys: str, count: int = 1) -> Any:
    """
    The first ``count`` documents that tell of these keys, each as (key, value) pairs.

    Takes what is there when it has waited for long enough.
    """
    deadline = time.monotonic() + ARRIVAL_S
    while len(found := telling(stream, keys)) < count and time.monotonic() < deadline:
        if stream.ended is not None:
            break
        time.sleep(0.005)
    return [pairs(value) for value in found[:count]]


def told_in_all(stream: Stream, *keys: str) -> Any:
    """All documents that tell of these keys, a while after those that had to come have come."""
    time.sleep(SETTLE_S)
    return [pairs(value) for value in telling(stream, keys)]


def telling(stream: Stream, keys: tuple[str, ...]) -> list[Any]:
    """The documents so far in which one of the keys stands."""
    return [value for value in stream.values if any(key in json.dumps(value) for key in keys)]


def pairs(document: Any) -> Any:
    """Key and value of every item; the document itself when it is no array of such items."""
    if not isinstance(document, list):
        return document
    is_item = [isinstance(item, dict) and {"key", "value"} <= item.keys() for item in document]
    return [[item["key"], item["value"]] for item in document] if all(is_item) else document


@pytest.mark.requirement("TIO-SUB-001")
def test_subscription_is_200(stream: Open, requirement: Judge) -> None:
    requirement.check(stream(keep_alive=60_000).status, expected=200)


@pytest.mark.requirement("TIO-SUB-002")
def test_stream_is_of_type_json(listener: Stream, requirement: Judge) -> None:
    content_type = str(listener.headers.get("Content-Type"))

    requirement.check(content_type.partition(";")[0].strip().lower(), expected="application/json")


@pytest.mark.requirement("TIO-SUB-003")
def test_stream_is_chunked(listener: Stream, requirement: Judge) -> None:
    requirement.check(listener.headers.get("Transfer-Encoding"), expected="chunked")


@pytest.mark.requirement("TIO-SUB-004")
def test_first_document_says_subscribed(stream: Open, requirement: Judge) -> None:
    first = stream(keep_alive=60_000).wait_for(1, ARRIVAL_S)

    requirement.check(first, expected=[{"status": "success", "message": "subscribed"}])


@pytest.mark.requirement("TIO-SUB-005")
def test_write_reaches_the_stream_as_an_array(
    thing: Thing, listener: Stream, requirement: Judge
) -> None:
    key = thing.key("one")

    thing.write([{"key": key, "value": 21.5}])

    requirement.check(told(listener, key), expected=[[[key, 21.5]]])


@pytest.mark.requirement("TIO-SUB-005")
def test_long_value_reaches_the_stream(thing: Thing, listener: Stream, requirement: Judge) -> None:
    key, text = thing.key("long"), "0123456789" * 2000

    answer = thing.write([{"key": key, "value": text}])

    expected = [[[key, text]]] if answer.is_success else []
    requirement.check(told(listener, key, count=len(expected)), expected=expected)


@pytest.mark.requirement("TIO-SUB-005")
def test_broadcast_true_reaches_the_stream(
    thing: Thing, listener: Stream, requirement: Judge
) -> None:
    key = thing.key("aloud")

    thing.write([{"key": key, "value": "heard"}], broadcast="true")

    requirement.check(told(listener, key), expected=[[[key, "heard"]]])


@pytest.mark.requirement("TIO-SUB-006")
def test_many_values_keep_their_order(thing: Thing, listener: Stream, requirement: Judge) -> None:
    key = thing.key("many")

    thing.write([{"key": key, "value": n} for n in range(45)])

    requirement.check(told(listener, key), expected=[[[key, n] for n in range(45)]])


@pytest.mark.requirement("TIO-SUB-006")
def test_values_keep_their_order(thing: Thing, listener: Stream, requirement: Judge) -> None:
    stem = thing.key("order")
    sent = [[f"{stem}.{name}", number] for number, name in enumerate("cabad")]

    thing.write([{"key": key, "value": value} for key, value in sent])

    requirement.check(told(listener, stem), expected=[sent])


@pytest.mark.requirement("TIO-SUB-007")
def test_writes_come_as_one_document_each_in_order(
    thing: Thing, listener: Stream, requirement: Judge
) -> None:
    key = thing.key("series")

    for number in (3, 1, 4, 1, 5):
        thing.write([{"key": key, "value": number}])

    expected = [[[key, 3]], [[key, 1]], [[key, 4]], [[key, 1]], [[key, 5]]]
    requirement.check(told(listener, key, count=5), expected=expected)
    requirement.check(told_in_all(listener, key), expected=expected)


@pytest.mark.requirement("TIO-SUB-008")
@pytest.mark.parametrize(
    "value",
    ["9000", 9000, -0.25, 24.805999999999997, True, False, [], ["]", [1, "1"]], {"a": {"b": "}"}},
     "Küche 😀 \"°\" \n", "", 9007199254740991],
    ids=repr,
)  # fmt: skip
def test_value_keeps_its_type(
    thing: Thing, listener: Stream, requirement: Judge, value: Any
) -> None:
    key = thing.key("typed")

    thing.write([{"key": key, "value": value}])

    requirement.check(told(listener, key), expected=[[[key, value]]])


@pytest.mark.requirement("TIO-SUB-009")
def test_store_false_reaches_the_stream(thing: Thing, listener: Stream, requirement: Judge) -> None:
    key = thing.key("volatile")

    thing.write([{"key": key, "value": "passing"}], store="false")

    requirement.check(told(listener, key), expected=[[[key, "passing"]]])


@pytest.mark.requirement("TIO-SUB-010")
def test_broadcast_false_does_not_reach_the_stream(
    thing: Thing, listener: Stream, requirement: Judge
) -> None:
    quiet, control = thing.key("quiet"), thing.key("control")

    thing.write([{"key": quiet, "value": 1}], broadcast="false")
    thing.write([{"key": control, "value": 2}])

    told(listener, control)
    requirement.check(told_in_all(listener, quiet, control), expected=[[[control, 2]]])


@pytest.mark.requirement("TIO-SUB-011")
def test_dated_value_reaches_the_stream(thing: Thing, listener: Stream, requirement: Judge) -> None:
    key = thing.key("dated")

    thing.write([{"key": key, "value": 23, "datetime": "20150520130000"}])

    requirement.check(told(listener, key), expected=[[[key, 23]]])


@pytest.mark.requirement("TIO-SUB-012")
def test_stream_carries_all_keys(thing: Thing, listener: Stream, requirement: Judge) -> None:
    keys = [thing.key(name) for name in ("a", "B.c", "d_e")]

    for key in keys:
        thing.write([{"key": key, "value": 1}])

    requirement.check(told(listener, *keys, count=3), expected=[[[key, 1]] for key in keys])


@pytest.mark.requirement("TIO-SUB-013")
def test_all_subscribers_get_every_write(thing: Thing, stream: Open, requirement: Judge) -> None:
    key = thing.key("shared")
    both = [opened(stream(keep_alive=60_000)) for _ in range(2)]

    for number in (1, 2):
        thing.write([{"key": key, "value": number}])

    expected = [[[key, 1]], [[key, 2]]]
    requirement.check([told(each, key, count=2) for each in both], expected=[expected, expected])


@pytest.mark.requirement("TIO-SUB-014")
def test_stream_carries_no_other_thing(
    thing: Thing, second_thing: Thing, listener: Stream, stream: Open, requirement: Judge
) -> None:
    key = thing.key("same")
    other = opened(stream(thing_token=second_thing.token, keep_alive=60_000))

    second_thing.write([{"key": key, "value": "second thing"}])
    thing.write([{"key": key, "value": "first thing"}])

    told(listener, key), told(other, key)
    requirement.check(told_in_all(listener, key), expected=[[[key, "first thing"]]])
    requirement.check(told_in_all(other, key), expected=[[[key, "second thing"]]])


@pytest.mark.requirement("TIO-SUB-015")
@pytest.mark.parametrize(
    "item",
    [
        pytest.param('{"key":"KEY with spaces","value":1}', id="bad-key"),
        pytest.param('{"value":"KEY"}', id="no-key"),
        pytest.param('{"key":"KEY"}', id="no-value"),
    ],
)
def test_refused_write_does_not_reach_the_stream(
    thing: Thing, listener: Stream, requirement: Judge, item: str
) -> None:
    refused, control = thing.key("refused"), thing.key("control")

    if thing.write([json.loads(item.replace("KEY", refused))]).is_success:
        raise Inconclusive("the target does not refuse this write")
    thing.write([{"key": control, "value": 2}])

    told(listener, control)
    requirement.check(told_in_all(listener, refused, control), expected=[[[control, 2]]])


@pytest.mark.requirement("TIO-SUB-020")
def test_no_two_documents_share_a_chunk(thing: Thing, stream: Open, requirement: Judge) -> None:
    busy = after_a_burst(thing, stream)

    chunks = [document.chunk for document in busy.documents]
    requirement.check(chunks, expected=sorted(set(chunks)))


@pytest.mark.requirement("TIO-SUB-021")
def test_no_document_is_spread_over_chunks(thing: Thing, stream: Open, requirement: Judge) -> None:
    busy = after_a_burst(thing, stream, size=4000)

    spread = [[each.first_chunk, each.chunk] for each in busy.documents]
    requirement.check(spread, expected=[[last, last] for _, last in spread])


@pytest.mark.requirement("TIO-SUB-022")
def test_nothing_stands_between_documents(thing: Thing, stream: Open, requirement: Judge) -> None:
    busy = after_a_burst(thing, stream)

    text = b"".join(busy.chunks).decode("utf-8", "replace")
    requirement.check(text, expected="".join(texts(text)))


@pytest.mark.requirement("TIO-SUB-023")
def test_documents_are_compact(thing: Thing, stream: Open, requirement: Judge) -> None:
    busy = after_a_burst(thing, stream)

    loose = [
        text
        for text in texts(b"".join(busy.chunks).decode("utf-8", "replace"))
        if re.search(r"\s", IN_STRING.sub("", text))
    ]
    requirement.check(loose, expected=[])


@pytest.mark.requirement("TIO-SUB-024")
def test_documents_keep_a_distance(thing: Thing, stream: Open, requirement: Judge) -> None:
    arrivals = [document.at for document in after_a_burst(thing, stream).documents]

    gaps_ms = [round(1000 * (b - a)) for a, b in pairwise(arrivals)]
    requirement.check_that(min(gaps_ms) >= 15, expected="20 ms and more", actual=gaps_ms)


@pytest.mark.requirement("TIO-SUB-025")
def test_unknown_token_brings_the_error_object(
    stream: Open, unknown_token: str, requirement: Judge
) -> None:
    refused = stream(thing_token=unknown_token, keep_alive=60_000)

    first = refused.wait_for(1, ARRIVAL_S)

    requirement.check_in(refused.status, accepted=[200, 401, 403, 404])
    requirement.check_that(bool(first) and is_error(first[0]), expected=ERROR, actual=first)


@pytest.mark.requirement("TIO-SUB-026")
def test_unknown_token_is_named(stream: Open, unknown_token: str, requirement: Judge) -> None:
    first = stream(thing_token=unknown_token, keep_alive=60_000).wait_for(1, ARRIVAL_S)

    message = first[0].get("message") if first and isinstance(first[0], dict) else first
    requirement.check(message, expected=f"Thing with thing token '{unknown_token}' not found.")


@pytest.mark.requirement("TIO-SUB-027")
@pytest.mark.parametrize("keep_alive", ["soon", "0", "-1000", "999", "1500.5", "2147483648"])
def test_bad_keep_alive_is_400(stream: Open, requirement: Judge, keep_alive: str) -> None:
    refused = stream(keep_alive=keep_alive)

    requirement.check(refused.status, expected=400)


@pytest.mark.requirement("TIO-ERR-004")
@pytest.mark.parametrize("keep_alive", ["soon", "-1000", "1500.5", "9" * 30, "%00"])
def test_bad_keep_alive_is_answered_in_order(
    stream: Open, requirement: Judge, keep_alive: str
) -> None:
    answer = stream(keep_alive=keep_alive).response

    requirement.check_that(
        answer.status == 200 or is_refused(answer),
        expected=f"a stream, or a 4xx with {ERROR}",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-SUB-028")
def test_without_keep_alive_it_carries_writes(
    thing: Thing, stream: Open, requirement: Judge
) -> None:
    key = thing.key("plain")
    plain = stream()
    first = plain.wait_for(1, ARRIVAL_S)

    thing.write([{"key": key, "value": 1}])

    requirement.check([plain.status, len(first)], expected=[200, 1])
    requirement.check(told(plain, key), expected=[[[key, 1]]])


@pytest.mark.requirement("TIO-SUB-029")
def test_stream_does_not_repeat_what_is_stored(
    thing: Thing, stream: Open, requirement: Judge
) -> None:
    key = thing.key("timed")
    thing.given([{"key": key, "value": "before"}])

    late = opened(stream(keep_alive=60_000))
    thing.write([{"key": key, "value": "after"}])

    requirement.check(told(late, key), expected=[[[key, "after"]]])


@pytest.mark.requirement("TIO-SUB-030")
def test_others_stay_when_one_leaves(thing: Thing, stream: Open, requirement: Judge) -> None:
    key = thing.key("left")
    leaver, stayer = (opened(stream(keep_alive=60_000)) for _ in range(2))
    leaver.close()

    for number in (1, 2, 3):
        thing.write([{"key": key, "value": number}])

    expected = [[[key, 1]], [[key, 2]], [[key, 3]]]
    requirement.check(told(stayer, key, count=3), expected=expected)


@pytest.mark.requirement("TIO-SUB-031")
def test_write_arrives_within_a_second(thing: Thing, listener: Stream, requirement: Judge) -> None:
    key = thing.key("prompt")

    started = time.monotonic()
    thing.write([{"key": key, "value": 1}])
    told(listener, key)

    arrivals = [each.at - started for each in listener.documents if key in json.dumps(each.value)]
    requirement.check_that(
        bool(arrivals) and arrivals[0] <= 1.0, expected="within 1 s", actual=arrivals
    )


@pytest.mark.requirement("TIO-SUB-032")
@pytest.mark.parametrize("extra", [{}, {"datetime": "20240131120000"}], ids=["plain", "dated"])
def test_items_show_the_datetime_given(
    thing: Thing, listener: Stream, requirement: Judge, extra: dict[str, str]
) -> None:
    key = thing.key("shape")

    thing.given([{"key": key, "value": 1, **extra}])

    told(listener, key)
    requirement.check(telling(listener, (key,)), expected=[[{"key": key, "value": 1, **extra}]])


@pytest.mark.requirement("TIO-SUB-033")
def test_magic_writes_reach_the_stream(thing: Thing, listener: Stream, requirement: Judge) -> None:
    key = f"$settings.{thing.key('magic').replace('.', '-')}"

    thing.given([{"key": key, "value": 1}])

    requirement.check(told(listener, key), expected=[[[key, 1]]])


def after_a_burst(thing: Thing, stream: Open, *, size: int = 10) -> Stream:
    """
    A stream on which eight documents have come, from writes at the same time.

    Raises:
        Inconclusive: they have not, or the stream has no chunks to judge.
    """
    key = thing.key("burst")
    busy = opened(stream(keep_alive=60_000))
    if "chunked" not in str(busy.headers.get("Transfer-Encoding")).lower():
        raise Inconclusive("the stream has no chunks")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: thing.write([{"key": key, "value": f"{n} " * size}]), range(8)))
    if len(told(busy, key, count=8)) < 8:
        raise Inconclusive("not all documents of the burst have come")
    return busy


def texts(stream_text: str) -> list[str]:
    """The documents in the text of a stream, each without what stands around it."""
    found, decoder, at = [], json.JSONDecoder(), 0
    while rest := stream_text[at:].lstrip():
        start = len(stream_text) - len(rest)
        at = decoder.raw_decode(stream_text, start)[1]
        found.append(stream_text[start:at])
    return found
