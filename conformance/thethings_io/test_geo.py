"""$geo: the position of a thing, as GeoJSON."""

from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import body_status, shown, values
from conformance.thethings_io.waiting import eventually


def point(long: float, lat: float) -> dict[str, Any]:
    """A GeoJSON point: longitude first."""
    return {"type": "Point", "coordinates": [long, lat]}


@pytest.mark.requirement("TIO-GEO-011")
def test_position_never_written_is_404(second_thing: Thing, requirement: Judge) -> None:
    requirement.check(second_thing.read("$geo").status, expected=404)


@pytest.mark.requirement("TIO-GEO-001")
def test_write_of_a_point_is_accepted(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": "$geo", "value": point(2.154007, 41.390205)}])

    requirement.check_in(answer.status, accepted=[201, 200])
    requirement.check_in(body_status(answer), accepted=["created", "success"])


@pytest.mark.requirement("TIO-GEO-002")
@pytest.mark.parametrize(
    ("long", "lat"),
    [
        (2.154007, 41.390205), (-73.985428, 40.748817), (151.215297, -33.856784),
        (13.40495412, 52.52000812), (0, 0), (180, -90),
    ],
)  # fmt: skip
def test_point_comes_back_as_written(
    thing: Thing, requirement: Judge, long: float, lat: float
) -> None:
    expected = [{"type": "Point", "coordinates": [long, lat]}]

    thing.write([{"key": "$geo", "value": {"type": "Point", "coordinates": [long, lat]}}])

    requirement.check(eventually(lambda: values(thing.read("$geo")), expected), expected=expected)


@pytest.mark.requirement("TIO-GEO-003")
def test_read_has_key_and_value_only(thing: Thing, requirement: Judge) -> None:
    thing.given([{"key": "$geo", "value": point(2.154007, 41.390205)}])
    answer = eventually_there(thing, "$geo")

    members = [sorted(row) for row in answer if isinstance(row, dict)]
    keys = [row.get("key") for row in answer if isinstance(row, dict)]
    requirement.check([members, keys], expected=[[["key", "value"]], ["$geo"]])


@pytest.mark.requirement("TIO-GEO-004")
def test_pair_becomes_a_point(thing: Thing, requirement: Judge) -> None:
    expected = [{"type": "Point", "coordinates": [13.404954, 52.520008]}]

    thing.write([{"key": "$geo", "value": [13.404954, 52.520008]}])

    requirement.check(eventually(lambda: values(thing.read("$geo")), expected), expected=expected)


@pytest.mark.requirement("TIO-GEO-005")
def test_geo_beside_null_becomes_a_point(thing: Thing, requirement: Judge) -> None:
    expected = [{"type": "Point", "coordinates": [-0.127758, 51.507351]}]

    thing.write([{"key": "$geo", "value": None, "geo": {"lat": 51.507351, "long": -0.127758}}])

    requirement.check(eventually(lambda: values(thing.read("$geo")), expected), expected=expected)


@pytest.mark.requirement("TIO-GEO-006")
def test_further_write_replaces_the_position(thing: Thing, requirement: Judge) -> None:
    expected = [{"type": "Point", "coordinates": [12.5, 42.5]}]
    thing.given([{"key": "$geo", "value": point(11.5, 41.5)}])
    eventually(lambda: values(thing.read("$geo")), [point(11.5, 41.5)])

    thing.write([{"key": "$geo", "value": point(12.5, 42.5)}])

    requirement.check(eventually(lambda: values(thing.read("$geo")), expected), expected=expected)


@pytest.mark.requirement("TIO-GEO-007")
@pytest.mark.parametrize("name", ["$geo", "%24geo"], ids=["raw", "escaped"])
def test_dollar_raw_or_escaped(
    thing: Thing, api: ThethingsClient, requirement: Judge, name: str
) -> None:
    expected = [{"type": "Point", "coordinates": [3.25, 50.75]}]
    thing.given([{"key": "$geo", "value": point(3.25, 50.75)}])

    seen = eventually(
        lambda: values(api.send("GET", f"/v2/things/{thing.token}/resources/{name}")), expected
    )

    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-GEO-008")
def test_things_have_positions_of_their_own(
    thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    expected = [[point(5.5, 45.5)], [point(6.5, 46.5)]]
    thing.given([{"key": "$geo", "value": point(5.5, 45.5)}])
    eventually(lambda: values(thing.read("$geo")), expected[0])

    second_thing.given([{"key": "$geo", "value": point(6.5, 46.5)}])

    seen = eventually(
        lambda: [values(each.read("$geo")) for each in (thing, second_thing)], expected
    )
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-GEO-009")
@pytest.mark.parametrize(
    "query", [{"limit": 10}, {"startDate": "20370101000000"}, {"endDate": "19710101000000"}]
)
def test_query_has_no_effect(thing: Thing, requirement: Judge, query: dict[str, Any]) -> None:
    thing.given([{"key": "$geo", "value": point(2.5, 41.5)}])
    eventually(lambda: values(thing.read("$geo")), [point(2.5, 41.5)])

    requirement.check(values(thing.read("$geo", **query)), expected=[point(2.5, 41.5)])


@pytest.mark.requirement("TIO-GEO-010")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"type": "Point", "coordinates": [2.0, 90.5]}, id="latitude"),
        pytest.param({"type": "Point", "coordinates": [-180.5, 41.0]}, id="longitude"),
        pytest.param({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, id="line"),
        pytest.param({"type": "Point", "coordinates": [2.0]}, id="one-coordinate"),
        pytest.param("here", id="text"),
    ],
)
def test_impossible_position_is_400(thing: Thing, requirement: Judge, value: Any) -> None:
    requirement.check(thing.write([{"key": "$geo", "value": value}]).status, expected=400)


def eventually_there(thing: Thing, key: str) -> list[Any]:
    """The rows of a magic resource once there are some; otherwise the answer in a list."""
    eventually(lambda: isinstance(thing.read(key).json, list), True)
    answer = thing.read(key)
    return answer.json if isinstance(answer.json, list) else [shown(answer)]
