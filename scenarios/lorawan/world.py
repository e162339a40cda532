"""
A LoRaWAN scenario at work: nodes, medium and gateways on one clock, and whoever answers them.

Which clock, and whether the server is the scripted one, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import simpy

from scenarios.lorawan.building import Gateway, GatewayBuilder, medium_of, mobility_of
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.model import Parts
from scenarios.lorawan.watch import Recorder, Watch
from scenarios.model import Scenario
from simulators.clock import Clock
from simulators.devices.fleet import FleetSpec
from simulators.devices.lorawan.building import build_nodes
from simulators.devices.lorawan.state import Abp, Otaa, Steps
from simulators.devices.node import Node
from simulators.lorawan.keys import RootKeys
from simulators.lorawan.regions import region
from simulators.platforms.scripted_network.core import ScriptedNetwork
from simulators.platforms.scripted_network.devices import Registration
from simulators.radio.node_radio import MediumRadio
from simulators.randomness import RandomStreams
from simulators.transports.udp import DatagramTransport
from simulators.transports.websocket import WebSocketTransport

HEAD_START_US = 2_000_000  # gateways are on before nodes are
TICKS = 100

LorawanProgress = Callable[[int, LorawanEvidence], None]


@dataclass(frozen=True)
class Ways:
    """How gateways reach their server."""

    datagrams: DatagramTransport | None = None
    sockets: WebSocketTransport | None = None
    lns_uri: str = ""


class LorawanWorld:
    """Everything that lives in one run."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        clock: Clock,
        ways: Ways,
        recorder: Recorder | None = None,
        progress: LorawanProgress | None = None,
        is_watched: bool = True,
    ) -> None:
        """
        Args:
            is_watched: whether to note what becomes of each request and uplink; without it nothing
                is explained, and frames on air are not counted.
        Raises:
            FleetError: a fleet's options are wrong.
        """
        assert scenario.lorawan is not None
        self.scenario = scenario
        self.parts: Parts = scenario.lorawan
        self.clock = clock
        self._progress = progress
        self.streams = RandomStreams(scenario.seed)
        names = [(spec.name, spec.kind) for spec in self.parts.gateways]
        watch = Watch(clock, names, recorder)
        observer = watch if is_watched else None
        self.medium = medium_of(self.parts.radio, clock, self.streams, observer)
        builder = GatewayBuilder(
            clock,
            self.medium,
            self.streams,
            table=region(self.parts.radio.region),
            datagrams=ways.datagrams,
            sockets=ways.sockets,
            lns_uri=ways.lns_uri,
            observer=observer,
        )
        self.gateways: list[Gateway] = [builder.build(spec) for spec in self.parts.gateways]
        self._fleet_of = {n: spec.name for spec in scenario.fleets for n in spec.names()}
        built = build_nodes(
            fleets_of(scenario),
            clock=clock,
            streams=self.streams,
            radio=self._radio,
            observe=watch if recorder is not None else None,
        )
        self._lives = [life for _, life in built]
        nodes = [node for node, _ in built]
        for node in nodes:
            _tell_keys(node, watch)
        self.evidence = LorawanEvidence(nodes, self._fleet_of, watch, scenario.duration_us)

    def registrations(self) -> list[Registration]:
        """What a server has to know of the nodes."""
        return [registration_of(node) for node in self.evidence.nodes]

    def use(self, network: ScriptedNetwork) -> None:
        """The server is ours: what it knows counts as evidence."""
        self.evidence.network = network

    def conduct(self) -> Steps:
        """The whole run as one process."""
        for gateway in self.gateways:
            gateway.start()
        for by_us in self._deadlines():
            self.clock.process(self._look_at(by_us))
        if self._progress is not None:
            self.clock.process(self._tick(self._progress))
        yield self._until(min(HEAD_START_US, self.scenario.duration_us))
        for life in self._lives:
            self.clock.process(life)
        yield self._until(self.scenario.duration_us)
        self._note_late(None)

    def _radio(self, name: str) -> MediumRadio:
        placement = self.parts.placements[self._fleet_of[name]]
        mobility = mobility_of(name, placement, self.streams)
        return MediumRadio(self.clock, self.medium, name, mobility)

    def _deadlines(self) -> set[int]:
        options = [expectation.options for expectation in self.scenario.expectations]
        return {each["within"] for each in options if "within" in each}

    def _look_at(self, by_us: int) -> Steps:
        yield self._until(by_us)
        self._note_late(by_us)

    def _note_late(self, by_us: int | None) -> None:
        nodes = self.evidence.nodes
        self.evidence.late[by_us] = [node.name for node in nodes if not node.is_joined]

    def _until(self, at_us: int) -> simpy.Timeout:
        return self.clock.timeout(max(0, at_us - self.clock.now_us()))

    def _tick(self, progress: LorawanProgress) -> Steps:
        while self.clock.now_us() < self.scenario.duration_us:
            progress(self.clock.now_us(), self.evidence)
            yield self.clock.timeout(max(1, self.scenario.duration_us // TICKS))
        progress(self.scenario.duration_us, self.evidence)


def fleets_of(scenario: Scenario) -> list[FleetSpec]:
    """The fleets, each with the region of the radio unless it names its own."""
    assert scenario.lorawan is not None
    usual: dict[str, Any] = {"region": scenario.lorawan.radio.region}
    return [replace(spec, behaviour={**usual, **spec.behaviour}) for spec in scenario.fleets]


def registration_of(node: Node) -> Registration:
    """A node as its network server has to know it."""
    identity, version, table = node.identity, node.settings.version, node.region
    if isinstance(identity, Otaa):
        return Registration(identity.dev_eui, identity.join_eui, identity.root, version, table)
    return Registration(
        identity.dev_eui, "", RootKeys(b""), version, table, identity.dev_addr, identity.keys
    )


def _tell_keys(node: Node, watch: Watch) -> None:
    """Keys are secret, in capitals too."""
    identity = node.identity
    keys = identity.keys if isinstance(identity, Abp) else identity.root
    for kind, key in keys._asdict().items():
        if key:
            watch.secret(kind, key.hex())
            watch.secret(kind, key.hex().upper())
