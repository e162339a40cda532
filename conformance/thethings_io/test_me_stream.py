"""GET /v2/me/resources/{resource}?subscribe=true: new values of a resource."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from conformance.clients.stream import Stream
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home, User
from conformance.thethings_io.app_calls import LIMIT_S
from conformance.thethings_io.app_shapes import (
    SETTLE_S,
    holds,
    messages,
    opened,
    order_in,
    told,
    told_before,
)
from conformance.thethings_io.shapes import ERROR, is_error, shown

Listen = Callable[..., Stream]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Opens subscriptions of users to resources; all are closed at the end."""
    with ExitStack() as closing:

        def start(user: User, key: str, thing_id: str | None = None) -> Stream:
            stream = user.subscribe(key, thing_id)
            closing.callback(stream.close)
            return opened(stream)

        yield start


@pytest.mark.requirement("TIO-MESUB-001")
@pytest.mark.parametrize("by_id", [False, True], ids=["resource", "thing"])
def test_subscription_is_200_and_stays_open(home: Home, requirement: Judge, by_id: bool) -> None:
    stream = home.owner.subscribe(home.given("before"), home.id if by_id else None)
    stream.wait_for(2, SETTLE_S)
    first, ended = stream.values[:1], stream.ended
    stream.close()

    requirement.check_that(
        stream.status == 200 and not (first and is_error(first[0])),
        expected="status 200, and no error",
        actual=shown(stream.response),
    )
    requirement.check(ended, expected=None)


@pytest.mark.requirement("TIO-MESUB-002")
@pytest.mark.parametrize(
    "value", ["on", 21.5, True, ["a", 1], {"a": {"b": "}"}}, "Küche 😀"], ids=repr
)
def test_value_of_the_device_arrives(
    home: Home, listen: Listen, requirement: Judge, value: Any
) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)
    marked = {"mark": key, "value": value}

    home.thing.given([{"key": key, "value": marked}])

    found = told(stream, key)
    requirement.check_that(
        any(holds(document, marked) for document in found),
        expected=f"a message with {marked}",
        actual=found,
    )


@pytest.mark.requirement("TIO-MESUB-002")
def test_value_arrives_by_the_thing(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key, home.id)

    home.thing.given([{"key": key, "value": "rig:after"}])

    requirement.check(len(told(stream, "rig:after")), expected=1)


@pytest.mark.requirement("TIO-MESUB-002")
def test_first_value_of_a_resource_arrives(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)

    home.thing.given([{"key": key, "value": "rig:dated", "datetime": "20150520130000"}])

    requirement.check(len(told(stream, "rig:dated")), expected=1)


@pytest.mark.requirement("TIO-MESUB-003")
def test_value_of_the_app_arrives(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)

    home.owner.write(key, home.id, [{"value": "rig:from the app"}])

    requirement.check(len(told(stream, "rig:from the app")), expected=1)


@pytest.mark.requirement("TIO-MESUB-004")
def test_values_arrive_once_and_in_order(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)
    texts = [f"value-{letter}" for letter in "cabed"]

    for text in texts:
        home.thing.given([{"key": key, "value": text}])

    told(stream, texts[-1])
    time.sleep(SETTLE_S)
    documents = [len(messages(stream, text)) for text in texts]
    requirement.check([order_in(stream, texts), documents], expected=[texts, [1] * 5])
    number = len({id(each) for text in texts for each in messages(stream, text)})
    requirement.check(number, expected=5)


@pytest.mark.requirement("TIO-MESUB-005")
def test_other_resources_do_not_arrive(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)

    for other in (f"{key}.a", f"{key}2", home.key("other")):
        home.thing.given([{"key": other, "value": "rig:elsewhere"}])
    home.thing.given([{"key": key, "value": "rig:control"}])

    found = told_before(stream, "rig:control", "rig:elsewhere")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-MESUB-006")
def test_values_of_others_do_not_arrive(
    home: Home, neighbour: Home, listen: Listen, requirement: Judge
) -> None:
    key = home.given("before")
    neighbour.thing.given([{"key": key, "value": "before"}])
    stream = listen(home.owner, key)

    neighbour.thing.given([{"key": key, "value": "rig:of the neighbour"}])
    home.thing.given([{"key": key, "value": "rig:control"}])

    found = told_before(stream, "rig:control", "rig:of the neighbour")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-MESUB-007")
def test_all_subscriptions_get_every_value(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    both = [listen(home.owner, key) for _ in range(2)]

    for text in ("rig:first", "rig:second"):
        home.thing.given([{"key": key, "value": text}])

    found = [[len(told(each, text)) for text in ("rig:first", "rig:second")] for each in both]
    requirement.check(found, expected=[[1, 1], [1, 1]])


@pytest.mark.requirement("TIO-MESUB-008")
@pytest.mark.parametrize("token", [None, "no-such-session"], ids=["without", "unknown"])
def test_subscription_without_a_session_is_401(
    api: ThethingsClient, requirement: Judge, token: str | None
) -> None:
    headers = {} if token is None else {"Authorization": token}
    target = "/v2/me/resources/temperature?subscribe=true&keepAlive=60000"

    stream = Stream(api.http, target, headers=headers, timeout_s=LIMIT_S)
    stream.close()

    requirement.check_that(
        stream.status == 401 and is_error(stream.response.json),
        expected=f"status 401 with {ERROR}",
        actual=shown(stream.response),
    )


@pytest.mark.requirement("TIO-MESUB-011")
def test_value_arrives_within_a_second(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)

    started = time.monotonic()
    home.thing.given([{"key": key, "value": "rig:prompt"}])
    told(stream, "rig:prompt")

    arrivals = [round(each.at - started, 3) for each in messages(stream, "rig:prompt")]
    requirement.check_that(
        bool(arrivals) and arrivals[0] <= 1.0, expected="within 1 s", actual=arrivals
    )


@pytest.mark.requirement("TIO-MESUB-012")
def test_first_document(home: Home, listen: Listen, requirement: Judge) -> None:
    first = listen(home.owner, home.given("before")).wait_for(1, 1.0)

    requirement.check(first, expected=[{"status": "success", "message": "subscribed"}])


@pytest.mark.requirement("TIO-MESUB-013")
def test_shape_of_a_message(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)

    home.thing.given([{"key": key, "value": "rig:shape"}])

    found = told(stream, "rig:shape")
    item = found[0][0] if found and isinstance(found[0], list) and found[0] else found
    names = sorted(item) if isinstance(item, dict) else item
    requirement.check(names, expected=["datetime", "key", "thingId", "value"])


@pytest.mark.requirement("TIO-MESUB-014")
def test_each_message_is_a_chunk(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)
    if "chunked" not in str(stream.headers.get("Transfer-Encoding")).lower():
        raise Inconclusive("the stream has no chunks")

    for number in range(3):
        home.thing.given([{"key": key, "value": f"chunk-{number}"}])
    told(stream, "chunk-2")

    places = [(each.first_chunk, each.chunk) for each in stream.documents]
    text = b"".join(stream.chunks)
    is_tidy = len({last for _, last in places}) == len(places) == len(stream.chunks)
    requirement.check_that(
        is_tidy and all(first == last for first, last in places) and b"\n" not in text,
        expected="a chunk for each message, nothing between them",
        actual={"chunks": [data.decode("utf-8", "replace") for data in stream.chunks]},
    )


@pytest.mark.requirement("TIO-MESUB-016")
def test_broadcast_false_does_not_arrive(home: Home, listen: Listen, requirement: Judge) -> None:
    key = home.given("before")
    stream = listen(home.owner, key)

    home.thing.given([{"key": key, "value": "rig:quiet"}], broadcast="false")
    home.thing.given([{"key": key, "value": "rig:control"}])

    found = told_before(stream, "rig:control", "rig:quiet")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-MESUB-017")
def test_stream_is_of_type_json(home: Home, listen: Listen, requirement: Judge) -> None:
    stream = listen(home.owner, home.given("before"))

    content_type = str(stream.headers.get("Content-Type"))
    requirement.check(content_type.partition(";")[0].strip().lower(), expected="application/json")
