"""
A LoRaWAN scenario at work: nodes, medium and gateways on one clock, and whoever answers them.

Which clock, and whether the server is the scripted one, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import simpy

from scenarios.lorawan.building import (
    Gateway,
    GatewayBuilder,
    in_time,
    medium_of,
    mobility_of,
    regional,
)
from scenarios.lorawan.coverage import Coverage
from scenarios.lorawan.enrolment import Membership
from scenarios.lorawan.evidence import AtNetwork, LorawanEvidence
from scenarios.lorawan.model import Parts
from scenarios.lorawan.traffic import Traffic
from scenarios.lorawan.watch import Recorder, Watch
from scenarios.model import ActorSpec, Scenario
from simulators.apps.things_stack.api import Api
from simulators.apps.things_stack.application import Application
from simulators.apps.things_stack.caretaker import Caretaker
from simulators.clock import Clock
from simulators.devices.lorawan.building import BuiltNode, build_nodes
from simulators.devices.lorawan.node_options import kind_of
from simulators.devices.lorawan.start_session import personalise
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


@dataclass(frozen=True)
class Joined:
    """A run's place at a network: what it registered, and its way to the API."""

    membership: Membership
    api: Api


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
        joined: Joined | None = None,
    ) -> None:
        """
        Args:
            is_watched: whether to note what becomes of each request and uplink; without it nothing
                is explained, and frames on air are not counted.
            joined: the network that the nodes are registered at, if they are.
        Raises:
            FleetError: a fleet's options are wrong.
        """
        assert scenario.lorawan is not None
        self.scenario = scenario
        self.parts: Parts = scenario.lorawan
        if joined is not None:
            self.parts = replace(self.parts, gateways=joined.membership.gateways)
        self.clock = clock
        self._progress = progress
        self.streams = RandomStreams(scenario.seed)
        names = [(spec.name, spec.kind) for spec in self.parts.gateways]
        traffic = Traffic() if joined is not None else None
        coverage = Coverage({spec.name: spec.position for spec in self.parts.gateways})
        watch = Watch(clock, names, recorder, traffic, coverage if is_watched else None)
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
            in_time(regional(scenario.fleets, self.parts), scenario.duration_us),
            clock=clock,
            streams=self.streams,
            radio=self._radio,
            observe=watch if recorder is not None else None,
        )
        self._lives = [each.life for each in built]
        nodes = [each.node for each in built]
        if joined is not None:
            _identify(nodes, joined.membership)
        for node in nodes:
            _tell_keys(node, watch)
        self.evidence = LorawanEvidence(nodes, self._fleet_of, watch, scenario.duration_us)
        self._people: list[Caretaker] = []
        if joined is not None and traffic is not None:
            self.evidence.at_network = self._enter(joined, traffic, built, recorder)

    def registrations(self) -> list[Registration]:
        """What a server has to know of the nodes."""
        return [registration_of(node) for node in self.evidence.nodes]

    def use(self, network: ScriptedNetwork) -> None:
        """The server is ours: what it knows counts as evidence."""
        self.evidence.network = network

    def conduct(self) -> Steps:
        """The whole run as one process."""
        at_network = self.evidence.at_network
        if at_network is not None:
            at_network.application.listen()
        for gateway in self.gateways:
            gateway.start()
        for by_us in self._deadlines():
            self.clock.process(self._look_at(by_us))
        if self._progress is not None:
            self.clock.process(self._tick(self._progress))
        yield self._until(min(HEAD_START_US, self.scenario.duration_us))
        for life in self._lives:
            self.clock.process(life)
        for person in self._people:
            self.clock.process(person.process())
        yield self._until(self.scenario.duration_us)
        self._note_late(None)
        if at_network is not None:
            at_network.application.close()
            at_network.turns = [turn for person in self._people for turn in person.turns]

    def _enter(
        self,
        joined: Joined,
        traffic: Traffic,
        built: list[BuiltNode],
        recorder: Recorder | None,
    ) -> AtNetwork:
        """The side of the application: who listens, and who turns switches."""
        membership = joined.membership
        application = Application(
            joined.api,
            membership.application_id,
            has_webhook=membership.has_webhook,
            observer=recorder,
        )
        for spec in self.scenario.actors:
            self._people += self._caretakers(spec, membership, application)
        return AtNetwork(
            application,
            traffic,
            {device_id: name for name, device_id in membership.device_ids.items()},
            {each.node.name: each.relay for each in built if each.relay is not None},
            {
                name: kind_of(spec.behaviour).reporting.period_us
                for spec in self.scenario.fleets
                for name in spec.names()
                if "relay" in spec.behaviour
            },
        )

    def _caretakers(
        self, spec: ActorSpec, membership: Membership, application: Application
    ) -> Iterator[Caretaker]:
        turned = next(each for each in self.scenario.fleets if each.name == spec.turns)
        for name in spec.names():
            yield Caretaker(
                name,
                clock=self.clock,
                application=application,
                rng=self.streams.stream("actor", name),
                switches=[membership.device_ids[each] for each in turned.names()],
                f_port=kind_of(turned.behaviour).reporting.f_port,
                habits=spec.habits,
            )

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


def _identify(nodes: list[Node], membership: Membership) -> None:
    """Nodes are who they were registered as."""
    for node in nodes:
        node.identity = membership.identities[node.name]
        if isinstance(node.identity, Abp):
            personalise(node)


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
