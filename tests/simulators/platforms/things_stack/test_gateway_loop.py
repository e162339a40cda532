"""The whole way: a node, the medium, a gateway of ours, the whole network, and back."""

from __future__ import annotations

import asyncio
import base64
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from simulators.clock import Clock, VirtualClock, WallClock, wall_unix_us
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.state import Otaa
from simulators.devices.lorawan.uplinks import Outcome
from simulators.devices.node import Node
from simulators.gateways.basics_station import BasicsStation
from simulators.gateways.channels import ChannelPlan
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.counter import Counter
from simulators.gateways.forwarder_settings import ForwarderSettings, transmit_range_hz
from simulators.gateways.packet_forwarder import PacketForwarder
from simulators.gateways.station_settings import StationSettings
from simulators.lorawan.keys import RootKeys
from simulators.lorawan.modulation import Lora
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.serving import new_loop
from simulators.platforms.shell import Shell
from simulators.platforms.things_stack import plans
from simulators.platforms.wire_gateways import GatewayPorts
from simulators.radio.medium import Medium
from simulators.radio.mobility import Still
from simulators.radio.node_radio import MediumRadio
from simulators.radio.path_loss import PATH_LOSSES
from simulators.randomness import RandomStreams
from simulators.transports.udp import MemoryDatagrams, UdpTransport
from simulators.transports.websocket import MemoryWebSockets
from simulators.transports.websocket_sockets import SocketWebSockets
from tests.simulators.gateways.stage import Notebook
from tests.simulators.platforms.things_stack.conftest import USER_KEY, Bench
from tests.simulators.platforms.things_stack.radio import (
    DEV_EUI,
    JOIN_EUI,
    ROOT_KEY,
    add_otaa,
    put,
)

EUI = "58a0cbfffe000001"
PLANS = {
    "EU863": "EU_863_870_TTN",
    "US902": "US_902_928_FSB_2",
    "AU915": "AU_915_928_FSB_2",
    "AS923-1": "AS_923",
    "AS923JP": "AS_920_923_TTN_JP_1",
    "KR920": "KR_920_923_TTN",
    "IL915": "IL_917_920_TTN",
}
OTHERS = ["CN_470_510_FSB_11", "EU_433", "IN_865_867", "RU_864_870_TTN"]
TRAVEL_US = 15_000


class Loop:
    """One node at one gateway; what the node and the application were told."""

    def __init__(
        self,
        clock: Clock,
        plan: str,
        *,
        mac_settings: dict[str, Any] | None = None,
        **gateway: Any,
    ) -> None:
        self.clock = clock
        self.bench = Bench()
        self.bench.now_us = clock.unix_us()
        self.results: list[Any] = []
        self.ups: list[tuple[str, Any]] = []
        found = plans.plan(plan)
        phy = "PHY_V1_0_3_REV_A"
        if phy not in plans.bands()[found["band_id"]]:
            phy = "RP002_V1_0_3"
        self.region = plans.region_of(found["band_id"], phy)
        self._register(plan, phy, mac_settings or {}, gateway)
        self._note_ups()
        self.notebook = Notebook(clock)
        medium = Medium(clock, path_loss=PATH_LOSSES["log-distance"])
        self.concentrator = Concentrator(
            "gateway-1",
            clock,
            medium,
            eui=EUI,
            plan=_channels(found, self.region),
            counter=Counter(drift_ppm=10.0),
            observer=self.notebook,
        )
        self.streams = RandomStreams(3)
        self.node = Node(
            "node-1",
            clock=clock,
            radio=MediumRadio(clock, medium, "node-1", Still((500.0, 0.0, 0.0))),
            region=self.region,
            identity=Otaa(DEV_EUI, JOIN_EUI, RootKeys(ROOT_KEY)),
            rng=self.streams.small_stream("device", "node-1", "mac"),
            settings=Settings(duty_cycle="none", join_pause_s=(0.1, 0.2)),
            observer=self.notebook,
        )
        clock.process(self._live())

    def _register(
        self, plan: str, phy: str, mac_settings: dict[str, Any], gateway: dict[str, Any]
    ) -> None:
        bench = self.bench
        bench.application()
        version = "MAC_V1_0_3" if phy.startswith("PHY") else "MAC_V1_0_4"
        add_otaa(bench, plan=plan, phy_version=phy, version=version, mac_settings=mac_settings)
        ids = {"device_id": "dev1", "dev_eui": DEV_EUI.upper(), "join_eui": JOIN_EUI,
               "application_ids": {"application_id": "app1"}}  # fmt: skip
        put(bench, "as", ids, {"formatters": {}})
        document = {"ids": {"gateway_id": "gtw1", "eui": EUI.upper()},
                    "frequency_plan_id": plan, **gateway}  # fmt: skip
        bench.made("/users/user1/gateways", {"gateway": document})

    def _note_ups(self) -> None:
        application = self.bench.core.stack.application
        handle = application.handle_up

        def note(up: Any, now_us: int) -> None:
            self.ups.append((up.kind, up.message.get("f_cnt", 0)))
            handle(up, now_us)

        application.handle_up = note  # type: ignore[method-assign]

    def with_forwarder(self, datagrams: Any) -> PacketForwarder:
        settings = ForwarderSettings(transmits_hz=transmit_range_hz(self.region))
        return PacketForwarder(
            self.concentrator, clock=self.clock, datagrams=datagrams,
            rng=self.streams.stream("gateway"), settings=settings, observer=self.notebook,
        )  # fmt: skip

    def with_station(self, sockets: Any, uri: str, **settings: Any) -> BasicsStation:
        key = f"Bearer {USER_KEY}"
        return BasicsStation(
            self.concentrator, clock=self.clock, sockets=sockets,
            rng=self.streams.stream("gateway"),
            settings=StationSettings(uri=uri, authorization=key, **settings),
            observer=self.notebook,
        )  # fmt: skip

    def _live(self) -> Any:
        """Join; two confirmed uplinks, the second of which is answered with a payload."""
        yield self.clock.sleep(1.0)
        self.results.append((yield from self.node.join(60)))
        for payload in (b"one", b"two"):
            if payload == b"two":
                self.push(b"down")
            result = yield from self.node.uplink(payload, f_port=5, is_confirmed=True)
            self.results.append(result)
            yield self.clock.sleep(1.0)

    def push(self, payload: bytes) -> None:
        self.bench.now_us = self.clock.unix_us()
        item = {"f_port": 9, "frm_payload": base64.b64encode(payload).decode()}
        self.bench.made("/as/applications/app1/devices/dev1/down/push", {"downlinks": [item]})

    def check(self) -> None:
        """It joined, both uplinks arrived and were acknowledged, and the payload came down."""
        report, *uplinks = self.results
        assert report.is_joined, report
        assert [result.outcome for result in uplinks] == [Outcome.ACKNOWLEDGED] * 2
        assert [up for up in self.ups if up[0] == "uplink_message"] == [
            ("uplink_message", 0), ("uplink_message", 1),
        ]  # fmt: skip
        assert "join_accept" in dict(self.ups)
        assert "downlink_sent" in dict(self.ups)
        told = [
            message["f_port"]
            for _, device, _, _, message in self.notebook.events
            if device == "node-1" and message.get("frm_payload") == b"down".hex()
        ]
        assert told == [9]


def _channels(plan: dict[str, Any], region: Any) -> ChannelPlan:
    """What a packet forwarder is configured to listen to."""
    standard = plan.get("lora_standard_channel")
    rate = region.data_rate(standard["data-rate"]).modulation if standard else None
    return ChannelPlan(
        tuple(hertz for hertz, *_ in plan["uplink_channels"]),
        ((standard["frequency"], rate),) if standard and isinstance(rate, Lora) else (),
        (plan["fsk_channel"]["frequency"],) if "fsk_channel" in plan else (),
    )


def in_memory(plan: str, **gateway: Any) -> tuple[Loop, MemoryDatagrams, MemoryWebSockets]:
    clock = VirtualClock()
    loop = Loop(clock, plan, **gateway)
    datagrams = MemoryDatagrams(clock, delay_us=TRAVEL_US)
    sockets = MemoryWebSockets(clock, delay_us=TRAVEL_US)
    core = loop.bench.core
    MemoryTransport(core, clock).serve_gateways(core, datagrams, sockets)
    return loop, datagrams, sockets


@pytest.mark.parametrize("plan", [*PLANS.values(), *OTHERS])
def test_through_a_packet_forwarder(plan):
    loop, datagrams, _ = in_memory(plan)
    loop.with_forwarder(datagrams).start()
    loop.clock.play(400)
    loop.check()


@pytest.mark.parametrize("region", PLANS)
def test_through_a_strict_station_in_each_region_that_it_knows(region):
    loop, _, sockets = in_memory(PLANS[region])
    station = loop.with_station(sockets, "ws://lns:1887", is_strict=True)
    station.start()
    loop.clock.play(400)
    assert station.config.region == region
    loop.check()


@pytest.mark.parametrize("plan", OTHERS)
def test_through_a_station_where_a_strict_one_would_be_dumb(plan):
    loop, _, sockets = in_memory(plan)
    loop.with_station(sockets, "ws://lns:1887").start()
    loop.clock.play(400)
    loop.check()


def test_duty_cycle_and_late_downlinks_leave_room_for_a_join():
    loop, datagrams, _ = in_memory(
        "EU_863_870_TTN", enforce_duty_cycle=True, schedule_downlink_late=True
    )
    loop.with_forwarder(datagrams).start()
    loop.clock.play(400)
    loop.check()
    stats = loop.bench.get("/gs/gateways/gtw1/connection/stats")[1]
    assert len(stats["sub_bands"]) == 6
    assert sum(each.get("downlink_utilization", 0) for each in stats["sub_bands"]) > 0


@pytest.mark.parametrize("kind", ["udp", "lns"])
def test_the_same_seed_gives_the_same_trace(kind):
    def trace() -> bytes:
        loop, datagrams, sockets = in_memory("EU_863_870_TTN")
        if kind == "udp":
            loop.with_forwarder(datagrams).start()
        else:
            loop.with_station(sockets, "ws://lns:1887").start()
        loop.clock.play(400)
        loop.check()
        return orjson.dumps(loop.notebook.events)

    assert trace() == trace()


@pytest.mark.timeout(60)
def test_on_the_wall_clock():
    """Both kinds at once, since each has to wait for real seconds."""

    async def play() -> list[Loop]:
        clock = WallClock()
        async with AsyncExitStack() as closing:
            loops = [await _on_ports(clock, closing, kind) for kind in ("udp", "lns")]
            clock.process(_until_done(clock, loops))
            await clock.play(50)
            return loops

    with asyncio.Runner(loop_factory=new_loop) as runner:
        for loop in runner.run(play()):
            loop.check()
            connection = loop.bench.core.stack.gateways.connections.get("gtw1")
            assert connection is None or connection.remote_ip == "127.0.0.1"


async def _on_ports(clock: WallClock, closing: AsyncExitStack, kind: str) -> Loop:
    loop = Loop(clock, "EU_863_870_TTN", mac_settings={"desired_rx1_delay": 1})
    core = loop.bench.core
    shell = Shell(core, loop.bench.connection, wall_unix_us, network=core)
    closing.callback(shell.shut_down)
    ports = await GatewayPorts.listen(
        shell.gateways, host="127.0.0.1", udp_port=0, lns_port=0, ssl_context=None
    )
    closing.push_async_callback(ports.close)
    shell.resume()
    addresses = ports.addresses("127.0.0.1")
    if kind == "udp":
        datagrams = UdpTransport(clock, addresses["udp"])
        closing.callback(datagrams.close)
        loop.with_forwarder(datagrams).start()
    else:
        loop.with_station(SocketWebSockets(clock), addresses["lns"], is_strict=True).start()
    return loop


def _until_done(clock: WallClock, loops: list[Loop]) -> Any:
    while any(len(loop.results) < 3 for loop in loops):
        yield clock.sleep(0.1)
    yield clock.sleep(0.5)
    clock.finish()
