"""Where a device is, found in its decoded payload."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.platforms.things_stack.application_server import locations

HERE = {"latitude": 52.5, "longitude": 4.25, "source": "SOURCE_GPS"}


@pytest.mark.parametrize(
    ("decoded", "location"),
    [
        ({"latitude": 52.5, "longitude": 4.25}, HERE),
        ({"lat": 52.5, "lon": 4.25, "alt": 3.9, "hacc": 7}, HERE | {"altitude": 3, "accuracy": 7}),
        ({"lat": 52.5, "lng": 4.25}, HERE),
        ({"lat": 52.5, "long": 4.25}, HERE),
        ({"Latitude": 52.5, "Longitude": 4.25, "Altitude": -2}, HERE | {"altitude": -2}),
        ({"latitudeDeg": 52.5, "longitudeDeg": 4.25}, HERE),
        ({"gps_lat": 52.5, "gps_lng": 4.25}, HERE),
        ({"gps_7": {"latitude": 52.5, "longitude": 4.25}, "lat": 1, "lon": 1}, HERE),
        ({"gps_7": {"latitude": 91, "longitude": 4.25}, "lat": 52.5, "lon": 4.25}, HERE),
        ({"gps_x": {"latitude": 52.5, "longitude": 4.25}}, None),
        ({"lat": 0, "lon": 0}, None),
        ({"lat": "52.5", "lon": 4.25}, None),
        ({"lat": True, "lon": 4.25}, None),
        ({"latitude": 52.5}, None),
        ({"lat": 52.5, "longitude": 181}, None),
        ({}, None),
    ],
)
def test_location_of_a_payload(decoded: dict[str, Any], location: dict[str, Any] | None) -> None:
    assert locations.of_payload(decoded) == location
