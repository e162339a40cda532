"""Medium, gateways and places from what a scenario says of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scenarios.lorawan.model import GatewaySpec, Parts, Placement, RadioSpec
from simulators.clock import MICROSECONDS, Clock
from simulators.devices.fleet import FleetSpec
from simulators.devices.lorawan.reporting import Reporting
from simulators.gateways.access import Access, access_of
from simulators.gateways.basics_station import BasicsStation
from simulators.gateways.channels import ChannelPlan, every_channel, usual_plan
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.counter import Counter
from simulators.gateways.forwarder_settings import ForwarderSettings, transmit_range_hz
from simulators.gateways.observing import Observer
from simulators.gateways.packet_forwarder import PacketForwarder
from simulators.gateways.station_settings import StationSettings
from simulators.lorawan.regions import region
from simulators.lorawan.regions.region import Region
from simulators.platforms.scripted_network.plan import NetworkPlan
from simulators.radio.interference import INTERFERENCE_MODELS
from simulators.radio.medium import Medium, MediumObserver
from simulators.radio.mobility import Mobility, RandomWaypoint, Route, Still
from simulators.radio.path_loss import PATH_LOSSES, Shadowing
from simulators.randomness import RandomStreams
from simulators.transports.udp import DatagramTransport
from simulators.transports.websocket import WebSocketTransport

Gateway = PacketForwarder | BasicsStation


def medium_of(
    spec: RadioSpec, clock: Clock, streams: RandomStreams, observer: MediumObserver | None
) -> Medium:
    """The air."""
    shadowing = None
    if spec.shadowing_db:
        shadowing = Shadowing(
            streams, sigma_db=spec.shadowing_db, is_per_frame=spec.shadowing_per_frame
        )
    return Medium(
        clock,
        path_loss=PATH_LOSSES[spec.path_loss],
        interference=INTERFERENCE_MODELS[spec.interference],
        shadowing=shadowing,
        observer=observer,
    )


def plan_of(spec: GatewaySpec, table: Region) -> ChannelPlan:
    """What a gateway listens to, when it is not told by its server."""
    if spec.channels == "all":
        return every_channel(table)
    return usual_plan(table, sub_band=spec.sub_band)


def network_plan(parts: Parts) -> NetworkPlan:
    """What the scripted network expects its gateways to listen to: the first one's channels."""
    table = region(parts.radio.region)
    return NetworkPlan(table, *plan_of(parts.gateways[0], table))


def mobility_of(name: str, placement: Placement, streams: RandomStreams) -> Mobility:
    """A node's place at all times."""
    if placement.walk is not None:
        width_m, height_m, slowest, fastest = placement.walk
        return RandomWaypoint(
            streams.stream("device", name, "walk"),
            width_m=width_m,
            height_m=height_m,
            speed_m_per_s=(slowest, fastest),
            up_m=placement.position[2],
        )
    if placement.route:
        return Route(placement.route)
    east, north, up = placement.position
    if placement.radius_m:
        rng = streams.small_stream("device", name, "place")
        distance_m = placement.radius_m * math.sqrt(rng.random())
        angle = 2 * math.pi * rng.random()
        east += distance_m * math.cos(angle)
        north += distance_m * math.sin(angle)
    return Still((east, north, up))


def gateway_eui(spec: GatewaySpec, streams: RandomStreams) -> str:
    """Its own, or one from its name and the seed."""
    number = streams.integer("gateway", spec.name, "eui") & 0xFFFF_FFFF_FFFF
    return spec.eui.lower() or f"0200{number:012x}"


def regional(fleets: Sequence[FleetSpec], parts: Parts) -> list[FleetSpec]:
    """The fleets, each with the region of the radio unless it names its own."""
    usual: dict[str, Any] = {"region": parts.radio.region}
    return [replace(spec, behaviour={**usual, **spec.behaviour}) for spec in fleets]


def in_time(fleets: Sequence[FleetSpec], duration_us: int) -> list[FleetSpec]:
    """
    The fleets, each switched on within the scenario's first quarter.

    Devices are switched on within their first period; one that is longer would leave some of them
    off for most of a short run. Who says ``spread_s`` has decided that.
    """
    most_s = duration_us / MICROSECONDS / 4
    return [
        replace(spec, behaviour={"spread_s": most_s, **spec.behaviour})
        if spec.behaviour.get("period_s", Reporting.period_s) > most_s
        else spec
        for spec in fleets
    ]


class GatewayBuilder:
    """Builds the gateways of one run."""

    def __init__(
        self,
        clock: Clock,
        medium: Medium,
        streams: RandomStreams,
        *,
        table: Region,
        datagrams: DatagramTransport | None,
        sockets: WebSocketTransport | None,
        lns_uri: str,
        observer: Observer | None,
    ) -> None:
        self._clock = clock
        self._medium = medium
        self._streams = streams
        self._region = table
        self._datagrams = datagrams
        self._sockets = sockets
        self._lns_uri = lns_uri
        self._observer = observer

    def build(self, spec: GatewaySpec) -> Gateway:
        """One gateway, not started."""
        return _KINDS[spec.kind](self, spec)

    def packet_forwarder(self, spec: GatewaySpec) -> Gateway:
        """Semtech's UDP protocol."""
        assert self._datagrams is not None
        settings = ForwarderSettings(transmits_hz=transmit_range_hz(self._region), has_gps=spec.gps)
        return PacketForwarder(
            self._concentrator(spec),
            **self._same(spec),
            datagrams=self._datagrams,
            settings=settings,
        )

    def basics_station(self, spec: GatewaySpec) -> Gateway:
        """LoRa Basics Station's."""
        assert self._sockets is not None
        settings = StationSettings(
            uri=self._lns_uri,
            authorization=spec.authorization or None,
            is_strict=spec.strict,
            has_gps=spec.gps,
        )
        return BasicsStation(
            self._concentrator(spec), **self._same(spec), sockets=self._sockets, settings=settings
        )

    def _concentrator(self, spec: GatewaySpec) -> Concentrator:
        access = access_of(self._region) if spec.duty_cycle else Access()
        return Concentrator(
            spec.name,
            self._clock,
            self._medium,
            eui=self._eui(spec),
            position=spec.position,
            plan=plan_of(spec, self._region),
            counter=Counter(drift_ppm=spec.drift_ppm),
            access=access,
            observer=self._observer,
        )

    def _eui(self, spec: GatewaySpec) -> str:
        return gateway_eui(spec, self._streams)

    def _same(self, spec: GatewaySpec) -> dict[str, Any]:
        return {
            "clock": self._clock,
            "rng": self._streams.stream("gateway", spec.name),
            "observer": self._observer,
        }


_KINDS = {
    "packet-forwarder": GatewayBuilder.packet_forwarder,
    "basics-station": GatewayBuilder.basics_station,
}
KINDS = tuple(_KINDS)
