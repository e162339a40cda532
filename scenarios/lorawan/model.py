"""What a scenario says of radio and gateways, once it is known to be right; positions in metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.durations import microseconds
from simulators.radio.transmission import Position

AT_THE_GATEWAY: Position = (0.0, 0.0, 15.0)
NEARBY: Position = (100.0, 0.0, 1.5)


@dataclass(frozen=True)
class RadioSpec:
    """The medium; ``region`` holds for gateways, network and nodes that name no other."""

    region: str = "EU868"
    path_loss: str = "log-distance"
    interference: str = "goursaud"
    shadowing_db: float = 0.0
    shadowing_per_frame: bool = False


@dataclass(frozen=True)
class GatewaySpec:
    """One gateway; empty ``eui``: from its name and the seed."""

    name: str
    kind: str
    eui: str = ""
    position: Position = AT_THE_GATEWAY
    sub_band: int = 1
    channels: str = "usual"
    drift_ppm: float = 0.0
    duty_cycle: bool = False
    strict: bool = False
    gps: bool = False
    authorization: str = ""


@dataclass(frozen=True)
class Placement:
    """
    Where the nodes of a fleet are: at ``position``, or anywhere within ``radius_m`` of it.

    ``walk``: within a rectangle from (0, 0) on, with two speeds; ``route``: times and places.
    """

    position: Position = NEARBY
    radius_m: float = 0.0
    walk: tuple[float, float, float, float] | None = None
    route: tuple[tuple[int, Position], ...] = ()


@dataclass(frozen=True)
class NetworkSpec:
    """
    A network that is used over its API.

    ``frequency_plan``: by its id; empty: the region's. ``formatter`` decodes what all nodes send,
    ``formatters`` what those of a fleet do: a name, or a script. ``webhook``: whether the
    application's messages are also posted to us. ``mac_settings`` of every device, as the API has
    them.
    """

    frequency_plan: str = ""
    webhook: bool = False
    formatter: str = ""
    formatters: Mapping[str, str] = field(default_factory=dict)
    mac_settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """
    All that a scenario of LoRaWAN says beside what every scenario has.

    Without a ``network`` nothing is registered, and nobody but nodes and gateways plays.
    """

    radio: RadioSpec = RadioSpec()
    gateways: tuple[GatewaySpec, ...] = ()
    placements: Mapping[str, Placement] = field(default_factory=dict)
    network: NetworkSpec | None = None


def parts_of(document: Mapping[str, Any]) -> Parts | None:
    """Read them from a document that satisfies the schema; None when it has no gateway."""
    if "gateway" not in document:
        return None
    return Parts(
        RadioSpec(**document.get("radio", {})),
        tuple(_gateway(table) for table in document["gateway"]),
        {table["name"]: _placement(table) for table in document["fleet"]},
        NetworkSpec(**document["network"]) if "network" in document else None,
    )


def _gateway(table: Mapping[str, Any]) -> GatewaySpec:
    rest = {name: value for name, value in table.items() if name != "position"}
    return GatewaySpec(**rest, position=_position(table.get("position", AT_THE_GATEWAY)))


def _placement(table: Mapping[str, Any]) -> Placement:
    walk = table.get("walk")
    return Placement(
        _position(table.get("position", NEARBY)),
        table.get("radius_m", 0.0),
        None if walk is None else (walk["width_m"], walk["height_m"], *walk["speed_m_per_s"]),
        tuple(
            (microseconds(stop["at"]), _position(stop["position"]))
            for stop in table.get("route", ())
        ),
    )


def _position(numbers: Any) -> Position:
    east, north, up = (*map(float, numbers), 1.5)[:3]
    return (east, north, up)
