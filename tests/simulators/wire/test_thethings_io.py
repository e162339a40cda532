"""Dates, keys and positions of thethings.iO, as tables."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.wire.thethings_io import (
    WireError,
    format_date,
    is_key,
    is_magic_key,
    parse_date,
    read_geo,
    read_point,
)

NOON_MS = 1_706_702_400_000


@pytest.mark.parametrize(
    ("text", "unix_ms"),
    [
        ("20240131120000", NOON_MS),
        ("20240131T120000", NOON_MS),
        ("2024-01-31T12:00:00.000Z", NOON_MS),
        ("2024-01-31T12:00:00Z", NOON_MS),
        ("2024-01-31T12:00:00", NOON_MS),
        ("2024-01-31T12:00:00.1", NOON_MS + 100),
        ("2024-01-31T12:00:00.12", NOON_MS + 120),
        ("2024-01-31T12:00:00.123999", NOON_MS + 123),
        ("2024-01-31T14:30:00.000+02:30", NOON_MS),
        ("2024-01-31T10:00:00-0200", NOON_MS),
        ("19700101000000", 0),
        ("19691231235959", -1000),
        ("20240229000000", 1_709_164_800_000),
        ("NOW()", 42),
    ],
)
def test_every_form_of_a_date(text, unix_ms):
    assert parse_date(text, now_ms=42) == unix_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024013112000",
        "202401311200000",
        "20240230120000",
        "20241301000000",
        "20240131240000",
        "20240131236000",
        "20240131235960",
        "00000101000000",
        "2024-01-31",
        "2024-01-31 12:00:00",
        "2024-01-31T12:00:00.",
        "2024-01-31T12:00:00.1234567",
        "2024-01-31T12:00:00+24:00",
        "0001-01-01T00:00:00+01:00",
        "2024-01-31t12:00:00z",
        "20240131120000Z",
        "٢٠٢٤٠١٣١١٢٠٠٠٠",
        "20240131120000\n",
        "1706702400",
        "now()",
    ],
)
def test_everything_else_is_no_date(text):
    with pytest.raises(WireError):
        parse_date(text, now_ms=42)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_what_is_shown_can_be_read_again(unix_ms):
    assert parse_date(format_date(unix_ms)) == unix_ms


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text):
    with suppress(WireError):
        assert isinstance(parse_date(text), int)


def test_output_has_milliseconds_and_z():
    assert format_date(NOON_MS + 7) == "2024-01-31T12:00:00.007Z"


@pytest.mark.parametrize("key", ["a", "A-b_c.9", "..", "1"])
def test_keys(key):
    assert is_key(key)
    assert is_magic_key(f"${key}")


@pytest.mark.parametrize("key", ["", "a b", "a/b", "é", "a$", "a\n", "$", None, 1, ["a"]])
def test_no_keys(key):
    assert not is_key(key)
    assert not is_magic_key(key)


@pytest.mark.parametrize(
    "geo", [{"lat": 41.5, "long": -2}, {"lat": "41.5", "long": "-2.0"}, {"lat": 41.5, "long": -2.0}]
)
def test_geo_takes_numbers_and_numbers_as_text(geo):
    assert read_geo(geo) == (41.5, -2)


@pytest.mark.parametrize(
    "geo",
    [
        [1, 2],
        {"lat": 1},
        {"lat": 90.1, "long": 0},
        {"lat": 0, "long": -180.5},
        {"lat": True, "long": 0},
        {"lat": None, "long": 0},
        {"lat": "nan", "long": 0},
        {"lat": float("nan"), "long": 0},
        {"lat": "1e999", "long": 0},
    ],
)
def test_bad_geo(geo):
    with pytest.raises(WireError):
        read_geo(geo)


@pytest.mark.parametrize(
    "value",
    [{"type": "Point", "coordinates": [2.5, 41]}, [2.5, 41], [2.5, 41, 120]],
)
def test_point_is_longitude_then_latitude(value):
    assert read_point(value) == (2.5, 41)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        {"coordinates": [0, 0]},
        {"type": "Point"},
        [1],
        [0, 91],
        [181, 0],
        "2,41",
        None,
    ],
)
def test_bad_point(value):
    with pytest.raises(WireError):
        read_point(value)
