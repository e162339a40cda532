"""The two ways to play a LoRaWAN scenario: in virtual time, and against gateway ports."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

from scenarios.collector import calm_collector
from scenarios.lorawan.building import network_plan
from scenarios.lorawan.world import LorawanProgress, LorawanWorld, Ways
from scenarios.model import Scenario
from scenarios.run import Run, Stage
from simulators.clock import MICROSECONDS, Clock, VirtualClock, WallClock
from simulators.platforms.scripted_network.core import ScriptedNetwork
from simulators.platforms.scripted_network.gathering import Gathering
from simulators.platforms.scripted_network.plan import NetworkPlan
from simulators.platforms.scripted_network.semtech_front import SemtechFront
from simulators.platforms.scripted_network.station_front import StationFront
from simulators.transports.udp import MemoryDatagrams, UdpPort, UdpTransport
from simulators.transports.websocket import MemoryWebSockets
from simulators.transports.websocket_sockets import SocketWebSockets, SocketWebSocketServer

MEMORY_URL = "ws://network"
GRACE_S = 60.0

MakeNetwork = Callable[[NetworkPlan], ScriptedNetwork]


@dataclass(frozen=True)
class GatewayPorts:
    """Where a target takes gateways; ``udp`` is ``host:port``, ``lns`` is ``ws://…``."""

    udp: str = ""
    lns: str = ""
    ssl_context: ssl.SSLContext | None = None


def play_virtual(
    scenario: Scenario,
    *,
    trace: BinaryIO | None = None,
    progress: LorawanProgress | None = None,
    make_network: MakeNetwork = ScriptedNetwork,
    is_watched: bool = True,
) -> Run:
    """Play in virtual time with the scripted network in memory; see LorawanWorld."""
    clock = VirtualClock(start=scenario.start)
    stage = Stage(scenario, clock, "virtual", trace)
    datagrams = MemoryDatagrams(clock, delay_us=scenario.latency_us)
    sockets = MemoryWebSockets(clock, delay_us=scenario.latency_us)
    network, semtech, station = _network(scenario, clock, MEMORY_URL, make_network)
    semtech.open(datagrams.listen(semtech.received))
    sockets.serve(station.accept)
    ways = Ways(datagrams, sockets, MEMORY_URL)
    world = LorawanWorld(
        scenario,
        clock=clock,
        ways=ways,
        recorder=stage.recorder,
        progress=progress,
        is_watched=is_watched,
    )
    _introduce(world, network)
    try:
        with calm_collector():
            clock.run(until=clock.process(world.conduct()))
    except KeyboardInterrupt:
        stage.is_interrupted = True
    return stage.finish(world)


async def play_wall(
    scenario: Scenario,
    ports: GatewayPorts | None,
    *,
    trace: BinaryIO | None = None,
    progress: LorawanProgress | None = None,
    make_network: MakeNetwork = ScriptedNetwork,
) -> Run:
    """
    Play in real time against gateway ports; without any, against the scripted network on sockets.

    Cancelling it is interrupting it.
    """
    clock = WallClock()
    header: dict[str, Any] = {"url": ports.udp or ports.lns} if ports is not None else {}
    stage = Stage(scenario, clock, "wall", trace, **header)
    async with AsyncExitStack() as stack:
        network = None
        if ports is None:
            network, ports = await _listen(scenario, clock, stack, make_network)
        ways = socket_ways(clock, ports, stack)
        world = LorawanWorld(
            scenario, clock=clock, ways=ways, recorder=stage.recorder, progress=progress
        )
        if network is not None:
            _introduce(world, network)
        conducted = clock.process(world.conduct())
        conducted.callbacks.append(lambda _: clock.finish())
        try:
            await clock.play(scenario.duration_us / MICROSECONDS + GRACE_S)
        except asyncio.CancelledError:
            stage.is_interrupted = True
        return stage.finish(world)


def _network(
    scenario: Scenario, clock: Clock, url: str, make: MakeNetwork
) -> tuple[ScriptedNetwork, SemtechFront, StationFront]:
    assert scenario.lorawan is not None
    network = make(network_plan(scenario.lorawan))
    gathering = Gathering(clock, network)
    return network, SemtechFront(gathering), StationFront(clock, gathering, url=url)


def _introduce(world: LorawanWorld, network: ScriptedNetwork) -> None:
    """The network knows the nodes, unless it came knowing some."""
    for registration in world.registrations():
        if registration.dev_eui not in network.members:
            network.register(registration)
    world.use(network)


async def _listen(
    scenario: Scenario, clock: WallClock, stack: AsyncExitStack, make: MakeNetwork
) -> tuple[ScriptedNetwork, GatewayPorts]:
    network, semtech, station = _network(scenario, clock, "", make)
    port = await UdpPort.listen(clock, semtech.received)
    stack.callback(port.close)
    semtech.open(port)
    server = await SocketWebSocketServer.listen(clock, station.accept)
    stack.push_async_callback(server.close)
    station.url = f"ws://127.0.0.1:{server.port}"
    return network, GatewayPorts(f"127.0.0.1:{port.port}", station.url)


def socket_ways(clock: WallClock, ports: GatewayPorts, stack: AsyncExitStack) -> Ways:
    """The ways to gateway ports behind sockets."""
    datagrams = None
    if ports.udp:
        datagrams = UdpTransport(clock, ports.udp)
        stack.callback(datagrams.close)
    sockets = SocketWebSockets(clock, ssl_context=ports.ssl_context) if ports.lns else None
    return Ways(datagrams, sockets, ports.lns)
