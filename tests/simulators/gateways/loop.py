"""The whole way: a node, the medium, a gateway of either kind, a scripted network, and back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from simulators.clock import Clock, VirtualClock, WallClock
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.state import Otaa
from simulators.devices.node import Node
from simulators.gateways.basics_station import BasicsStation
from simulators.gateways.channels import ChannelPlan, every_channel
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.counter import Counter
from simulators.gateways.forwarder_settings import ForwarderSettings, transmit_range_hz
from simulators.gateways.packet_forwarder import PacketForwarder
from simulators.gateways.station_settings import StationSettings
from simulators.lorawan.keys import RootKeys
from simulators.lorawan.regions import region as region_of
from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion
from simulators.platforms.scripted_network.core import ScriptedNetwork
from simulators.platforms.scripted_network.devices import Queued, Registration
from simulators.platforms.scripted_network.gathering import Gathering
from simulators.platforms.scripted_network.plan import NetworkPlan
from simulators.platforms.scripted_network.semtech_front import SemtechFront
from simulators.platforms.scripted_network.station_front import StationFront
from simulators.radio.medium import Medium
from simulators.radio.mobility import Still
from simulators.radio.node_radio import MediumRadio
from simulators.radio.path_loss import PATH_LOSSES
from simulators.randomness import RandomStreams
from simulators.transports.udp import DatagramTransport, MemoryDatagrams, UdpPort, UdpTransport
from simulators.transports.websocket import MemoryWebSockets, WebSocketTransport
from simulators.transports.websocket_sockets import SocketWebSockets, SocketWebSocketServer
from tests.simulators.gateways.stage import Notebook

APP_KEY = bytes.fromhex("404142434445464748494a4b4c4d4e4f")
DEV_EUI, JOIN_EUI, GATEWAY_EUI = "ffffffaadeadbeef", "ffffffbb00000000", "b827ebfffe000001"
KINDS = ("packet_forwarder", "basics_station")
TRAVEL_US = 15_000


@dataclass
class Loop:
    """Everything on the way, and what the node had to tell."""

    clock: Clock
    region: Region
    notebook: Notebook
    network: ScriptedNetwork
    node: Node
    concentrator: Concentrator
    plan: ChannelPlan
    streams: RandomStreams
    received: list[tuple[Any, ...]]
    results: list[Any] = field(default_factory=list)

    def live(self) -> Generator[Any, Any, None]:
        """Join; two confirmed uplinks, the second of which is answered with a payload."""
        self.results.append((yield from self.node.join(40)))
        for payload in (b"one", b"two"):
            if payload == b"two":
                self.network.enqueue(DEV_EUI, Queued(9, b"down"))
            result = yield from self.node.uplink(payload, f_port=5, is_confirmed=True)
            self.results.append(result)


def built(clock: Clock, name: str, *, seed: int = 1, drift_ppm: float = 0.0) -> Loop:
    """A loop without its middle: the gateway's protocol is still missing."""
    region, streams = region_of(name), RandomStreams(seed)
    notebook = Notebook(clock)
    medium = Medium(clock, path_loss=PATH_LOSSES["log-distance"])
    plan = every_channel(region)
    received: list[tuple[Any, ...]] = []
    network = ScriptedNetwork(
        NetworkPlan(region, *plan),
        [Registration(DEV_EUI, JOIN_EUI, RootKeys(APP_KEY), MacVersion.V1_0_3, region)],
        heard=lambda dev_eui, frame: received.append(
            (dev_eui, frame.f_port, frame.frm_payload, frame.f_cnt, frame.is_confirmed)
        ),
    )
    concentrator = Concentrator(
        "gateway-1",
        clock,
        medium,
        eui=GATEWAY_EUI,
        plan=plan,
        counter=Counter(drift_ppm=drift_ppm),
        observer=notebook,
    )
    node = Node(
        "node-1",
        clock=clock,
        radio=MediumRadio(clock, medium, "node-1", Still((500.0, 0.0, 0.0))),
        region=region,
        identity=Otaa(DEV_EUI, JOIN_EUI, RootKeys(APP_KEY)),
        rng=streams.small_stream("device", "node-1", "mac"),
        settings=Settings(duty_cycle="none", join_pause_s=(0.1, 0.2)),
        observer=notebook,
    )
    return Loop(clock, region, notebook, network, node, concentrator, plan, streams, received)


def with_forwarder(loop: Loop, datagrams: DatagramTransport) -> PacketForwarder:
    """Its gateway runs a packet forwarder."""
    gateway = PacketForwarder(
        loop.concentrator,
        clock=loop.clock,
        datagrams=datagrams,
        rng=loop.streams.stream("gateway", "gateway-1"),
        settings=ForwarderSettings(transmits_hz=transmit_range_hz(loop.region)),
        observer=loop.notebook,
    )
    gateway.start()
    return gateway


def with_station(loop: Loop, sockets: WebSocketTransport, url: str) -> BasicsStation:
    """Its gateway runs a Basics Station."""
    station = BasicsStation(
        loop.concentrator,
        clock=loop.clock,
        sockets=sockets,
        rng=loop.streams.stream("gateway", "gateway-1"),
        settings=StationSettings(uri=url),
        observer=loop.notebook,
    )
    station.start()
    return station


def in_memory(kind: str, name: str, **options: Any) -> Loop:
    """A loop on a virtual clock of its own."""
    clock = VirtualClock()
    loop = built(clock, name, **options)
    if kind == "packet_forwarder":
        datagrams = MemoryDatagrams(clock, delay_us=TRAVEL_US)
        semtech = SemtechFront(Gathering(clock, loop.network))
        semtech.open(datagrams.listen(semtech.received))
        with_forwarder(loop, datagrams)
    else:
        sockets = MemoryWebSockets(clock, delay_us=TRAVEL_US)
        gathering = Gathering(clock, loop.network)
        sockets.serve(StationFront(clock, gathering, url="ws://lns").accept)
        with_station(loop, sockets, "ws://lns")
    clock.process(_later(clock, loop))
    return loop


def _later(clock: Clock, loop: Loop) -> Generator[Any, Any, None]:
    yield clock.sleep(1.0)  # until the gateway knows its server
    yield from loop.live()


async def over_sockets(
    clock: WallClock, closing: AsyncExitStack, kind: str, name: str, **options: Any
) -> Loop:
    """A loop on the wall clock."""
    loop = built(clock, name, **options)
    if kind == "packet_forwarder":
        semtech = SemtechFront(Gathering(clock, loop.network))
        port = await UdpPort.listen(clock, semtech.received)
        closing.callback(port.close)
        semtech.open(port)
        transport = UdpTransport(clock, f"127.0.0.1:{port.port}")
        closing.callback(transport.close)
        with_forwarder(loop, transport)
    else:
        front = StationFront(clock, Gathering(clock, loop.network), url="")
        server = await SocketWebSocketServer.listen(clock, front.accept)
        front.url = f"ws://127.0.0.1:{server.port}"
        closing.push_async_callback(server.close)
        with_station(loop, SocketWebSockets(clock), front.url)
    clock.process(_later(clock, loop))
    return loop
