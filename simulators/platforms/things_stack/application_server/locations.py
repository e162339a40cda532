"""Where a device is, as its payload tells."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

FROM_PAYLOAD = "frm-payload"
_MOST_METERS = (1 << 31) - 1


def of_payload(decoded: Document) -> Document | None:
    """
    The Location in a decoded payload, None when there is none.

    At the top, or in a position as CayenneLPP names it (``gps_1``).
    """
    for place in (decoded, *_positions(decoded)):
        latitude, longitude = place.get("latitude"), place.get("longitude")
        if _is_within(latitude, 90) and _is_within(longitude, 180) and (latitude or longitude):
            return _location(place)
    return None


def _positions(decoded: Document) -> list[Document]:
    named = sorted(name for name in decoded if name.startswith("gps_"))
    return [decoded[name] for name in named if isinstance(decoded[name], dict)]


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
