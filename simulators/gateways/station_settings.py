"""What stands in a Basics Station's configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StationSettings:
    """
    ``uri`` is where discovery begins, ``ws://host:port`` or ``wss://…``, without a path.

    ``authorization`` is the value of that header, ``Bearer NNSXS.…``. ``is_strict``: as a real
    station of version 2.0.6, which takes no downlinks where it does not know the region's name, and
    drops rejoin requests. ``is_production``: a build that keeps its limits whatever the server
    says. ``has_gps``: time (PPS) and place; beacons and class B need it.
    """

    uri: str
    authorization: str | None = None
    is_strict: bool = False
    is_production: bool = False
    has_gps: bool = False
    latitude: float = 0.0
    longitude: float = 0.0
    station: str = "2.0.6(thingrig)"
    model: str = "thingrig"

    @property
    def features(self) -> str:
        """Words of the version message."""
        words = {"prod": self.is_production, "gps": self.has_gps}
        return " ".join(word for word, is_there in words.items() if is_there)
