"""POST /v2/me/resources/{resource}/{thingId}: an app writes."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home
from conformance.thethings_io.app_shapes import told
from conformance.thethings_io.shapes import (
    ERROR,
    body_status,
    datetimes,
    is_refused,
    shown,
    values,
)

JSON = {"Content-Type": "application/json"}


@pytest.mark.requirement("TIO-MEWR-001")
def test_write_is_200_or_201(home: Home, requirement: Judge) -> None:
    answer = home.owner.write(home.key(), home.id, [{"value": 1}])

    requirement.check_in(answer.status, accepted=[200, 201])


@pytest.mark.requirement("TIO-MEWR-002")
@pytest.mark.parametrize(
    "value", ["on", "9000", 9000, -0.25, True, [1, "1"], {"a": {"b": []}}, "Küche 😀"], ids=repr
)
def test_device_reads_what_the_app_writes(home: Home, requirement: Judge, value: Any) -> None:
    key = home.key()

    home.owner.write(key, home.id, [{"value": value}])

    requirement.check(values(home.thing.read(key, limit=10)), expected=[value])


@pytest.mark.requirement("TIO-MEWR-002")
def test_device_reads_what_the_app_writes_last(home: Home, requirement: Judge) -> None:
    key = home.given("off", datetime="20240131120000")

    home.owner.write(key, home.id, [{"value": "on"}])

    requirement.check(values(home.thing.read(key, limit=10)), expected=["on", "off"])


@pytest.mark.requirement("TIO-MEWR-003")
def test_app_reads_what_it_writes(home: Home, requirement: Judge) -> None:
    key = home.key()

    home.owner.write(key, home.id, [{"value": "on"}])

    requirement.check(values(home.read(key, limit=10)), expected=["on"])


@pytest.mark.requirement("TIO-MEWR-004")
def test_device_hears_what_the_app_writes(home: Home, requirement: Judge) -> None:
    key, text = home.key(), home.key("text")
    stream = home.thing.api.subscribe(home.thing.token)
    try:
        if not stream.wait_for(1, 3.0):
            raise Inconclusive(f"the device cannot subscribe: {stream.response.summary()}")
        home.owner.write(key, home.id, [{"value": text}])
        found = told(stream, text)
    finally:
        stream.close()

    items = found[0] if found and isinstance(found[0], list) else []
    pairs = [[item.get("key"), item.get("value")] for item in items if isinstance(item, dict)]
    requirement.check(pairs or found, expected=[[key, text]])


@pytest.mark.requirement("TIO-MEWR-005")
def test_several_values_are_stored(home: Home, requirement: Judge) -> None:
    key = home.key()

    home.owner.write(key, home.id, [{"value": "a"}, {"value": "b"}, {"value": "c"}])

    found = values(home.thing.read(key, limit=10))
    requirement.check(sorted(found) if isinstance(found, list) else found, expected=[*"abc"])


@pytest.mark.requirement("TIO-MEWR-006")
def test_value_may_name_its_key(home: Home, requirement: Judge) -> None:
    key = home.key()

    home.owner.write(key, home.id, [{"key": key, "value": "on"}])

    requirement.check(values(home.thing.read(key, limit=10)), expected=["on"])


@pytest.mark.requirement("TIO-MEWR-007")
def test_thing_may_be_named_by_its_token(home: Home, requirement: Judge) -> None:
    key = home.key()

    answer = home.owner.write(key, home.thing.token, [{"value": "on"}])

    requirement.check(
        [answer.is_success, values(home.thing.read(key, limit=10))], expected=[True, ["on"]]
    )


@pytest.mark.requirement("TIO-MEWR-008")
def test_value_of_another_key_is_400(home: Home, requirement: Judge) -> None:
    answer = home.owner.write(home.key(), home.id, [{"key": home.key("other"), "value": 1}])

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TIO-MEWR-009")
def test_datetime_is_stored(home: Home, requirement: Judge) -> None:
    key = home.key()

    home.owner.write(key, home.id, [{"value": 1, "datetime": "20240131120000"}])

    requirement.check(datetimes(home.thing.read(key)), expected=["2024-01-31T12:00:00.000Z"])


@pytest.mark.requirement("TIO-MEWR-010")
def test_write_says_created(home: Home, requirement: Judge) -> None:
    answer = home.owner.write(home.key(), home.id, [{"value": 1}])

    requirement.check(body_status(answer), expected="created")


@pytest.mark.requirement("TIO-MEWR-011")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="no-values"),
        pytest.param(b'{"values":"on"}', id="text"),
        pytest.param(b'{"values":[{}]}', id="no-value"),
        pytest.param(b'{"values":', id="cut-short"),
        pytest.param(b"", id="no-body"),
    ],
)
def test_write_without_values_is_refused(home: Home, requirement: Judge, body: bytes) -> None:
    key = home.given("before")
    target = f"/v2/me/resources/{key}/{home.id}"

    answer = home.owner.send("POST", target, body=body, headers=JSON)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(values(home.thing.read(key, limit=10)), expected=["before"])


@pytest.mark.requirement("TIO-MEWR-013")
def test_write_to_an_unknown_thing_is_refused(
    home: Home, unknown_token: str, requirement: Judge
) -> None:
    answer = home.owner.write(home.key(), unknown_token, [{"value": 1}])

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
