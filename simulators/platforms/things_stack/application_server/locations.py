"""Where a device is, as its payload tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]

FROM_PAYLOAD = "frm-payload"
_MOST_METERS = (1 << 31) - 1
_POSITION = re.compile(r"gps_[0-9]+")

# How payloads name latitude, longitude and altitude; the first pair that is there counts.
_NAMES = (
    ("lat", "lon", "alt"),
    ("lat", "lng", "alt"),
    ("lat", "long", "alt"),
    ("latitude", "longitude", "altitude"),
    ("Latitude", "Longitude", "Altitude"),
    ("latitudeDeg", "longitudeDeg", "altitude"),
    ("gps_lat", "gps_lng", "gps_alt"),
)
_ACCURACIES = ("acc", "accuracy", "hacc")


def of_payload(decoded: Document) -> Document | None:
    """
    The Location in a decoded payload, None when there is none.

    In a position as CayenneLPP names it (``gps_1``), or else at the top.
    """
    for place in _places(decoded):
        latitude, longitude = place["latitude"], place["longitude"]
        if _is_within(latitude, 90) and _is_within(longitude, 180) and (latitude or longitude):
            return _location(place)
    return None


def _places(decoded: Document) -> Iterator[Document]:
    for name in sorted(filter(_POSITION.fullmatch, decoded)):
        if isinstance(decoded[name], dict):
            yield _place(decoded[name], _NAMES[3])
    for names in _NAMES:
        if names[0] in decoded and names[1] in decoded:
            accuracies = (decoded[name] for name in _ACCURACIES if name in decoded)
            yield _place(decoded, names) | {"accuracy": next(accuracies, None)}


def _place(values: Document, names: tuple[str, str, str]) -> Document:
    latitude, longitude, altitude = (values.get(name) for name in names)
    return {"latitude": latitude, "longitude": longitude, "altitude": altitude}


def _is_within(value: Any, most: int) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -most <= value <= most


def _location(place: Document) -> Document:
    location: Document = {name: place[name] for name in ("latitude", "longitude") if place[name]}
    for name in ("altitude", "accuracy"):
        value: Any = place.get(name)
        if _is_within(value, _MOST_METERS) and int(value):
            location[name] = int(value)
    return location | {"source": "SOURCE_GPS"}
