"""A Basics Station: how it finds its server, what it says, and what it sends for it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from simulators.clock import VirtualClock
from simulators.gateways.basics_station import BasicsStation
from simulators.gateways.channels import ChannelPlan
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.counter import Counter
from simulators.gateways.station_settings import StationSettings
from simulators.lorawan.modulation import Fsk, Lora
from simulators.transports.websocket import (
    Handler,
    MemoryWebSockets,
    Refusal,
    Request,
    WebSocket,
)
from simulators.wire.basics_station.coding import encode
from simulators.wire.basics_station.messages import (
    Downlink,
    GetXTime,
    RouterInfo,
    RunCommand,
    Schedule,
    Scheduled,
    TimeSync,
    Window,
    XTime,
)
from simulators.wire.basics_station.router_config import (
    Beaconing,
    Board,
    DataRate,
    RouterConfig,
)
from tests.simulators.gateways.stage import JOIN_REQUEST, SF7, UPLINK, Notebook, PaperAir

EUI = "b827ebfffe000001"
SECRET = "Bearer NNSXS.ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789"
SESSION = random.Random(1).randint(1, 255)
DOWNLINK = bytes.fromhex("6002c3d4520000000ff899fded6d0e20374949b4782e")  # 56 576 µs at SF7
CONFIG = RouterConfig(
    "EU863",
    (
        *[DataRate(Lora(factor, 125_000)) for factor in (12, 11, 10, 9, 8, 7)],
        DataRate(Lora(7, 250_000)),
        DataRate(Fsk(50_000)),
        *[None] * 8,
    ),
    (863_000_000, 870_000_000),
    (
        Board(
            (867_500_000, 868_500_000),
            (868_100_000, 868_300_000, 868_500_000),
            (868_300_000, Lora(7, 250_000)),
            868_800_000,
        ),
    ),
)
RX1, RX2 = Window(5, 868_100_000), Window(3, 869_525_000)


@dataclass
class Lns:
    """A server that answers discovery, sends a configuration, and takes notes."""

    config: RouterConfig | None = CONFIG
    info: RouterInfo | str = field(
        default_factory=lambda: RouterInfo(EUI, uri="ws://lns:1887/traffic/eui-B827EBFFFE000001")
    )
    said: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    socket: WebSocket | None = None

    def accept(self, request: Request) -> Handler | Refusal:
        self.requests.append(request)
        if request.headers.get("authorization") != SECRET:
            return Refusal(401, "unauthorized")
        return _Discovery(self) if request.path == "/router-info" else _Data(self)

    def say(self, message: Any) -> None:
        assert self.socket is not None
        self.socket.send(message if isinstance(message, str) else encode(message))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.said if each.get("msgtype") == kind]


@dataclass
class _Discovery:
    lns: Lns
    socket: WebSocket | None = None

    def opened(self, socket: WebSocket) -> None:
        self.socket = socket

    def received(self, text: str) -> None:
        self.lns.said.append(json.loads(text))
        assert self.socket is not None
        info = self.lns.info
        self.socket.send(info if isinstance(info, str) else encode(info))
        self.socket.close()

    def closed(self, reason: str) -> None:
        pass


@dataclass
class _Data:
    lns: Lns

    def opened(self, socket: WebSocket) -> None:
        self.lns.socket = socket

    def received(self, text: str) -> None:
        self.lns.said.append(json.loads(text))
        if self.lns.said[-1]["msgtype"] == "version" and self.lns.config is not None:
            self.lns.say(self.lns.config)

    def closed(self, reason: str) -> None:
        self.lns.said.append({"closed": reason})


@dataclass
class World:
    clock: VirtualClock
    air: PaperAir
    notebook: Notebook
    network: MemoryWebSockets
    lns: Lns
    station: BasicsStation

    def play(self, until_s: float) -> None:
        self.clock.play(until_s)

    def sent(self) -> list[tuple[int, int]]:
        return [(each.start_us, each.frequency_hz) for each in self.air.sent]

    def unsent(self) -> list[tuple[str, int]]:
        told = self.notebook.messages("radio")
        return [(each["unsent"], each["tmst"]) for each in told if "unsent" in each]

    def ignored(self) -> list[str]:
        told = self.notebook.messages("websocket")
        return [each["ignored"] for each in told if "ignored" in each]


def built(
    *,
    config: RouterConfig | None = CONFIG,
    drift_ppm: float = 0.0,
    delay_us: int = 0,
    lns: Lns | None = None,
    **settings: Any,
) -> World:
    clock = VirtualClock()
    air, notebook = PaperAir(clock), Notebook(clock)
    network = MemoryWebSockets(clock, delay_us=delay_us)
    lns = lns or Lns(config)
    network.serve(lns.accept)
    concentrator = Concentrator(
        "gateway-1",
        clock,
        air,
        eui=EUI,
        plan=ChannelPlan(()),
        counter=Counter(drift_ppm=drift_ppm),
        observer=notebook,
    )
    station = BasicsStation(
        concentrator,
        clock=clock,
        sockets=network,
        rng=random.Random(1),
        settings=replace(StationSettings(uri="ws://lns:1887", authorization=SECRET), **settings),
        observer=notebook,
    )
    world = World(clock, air, notebook, network, lns, station)
    station.start()
    return world


def xtime(count_us: int) -> int:
    return XTime(0, SESSION, count_us).value()


def dnmsg(**change: Any) -> Downlink:
    message = Downlink(
        "0000000000000001", 0, 5, DOWNLINK, 1, RX1, RX2, xtime=xtime(1_000_000), priority=25
    )
    return message._replace(**change)


def test_it_finds_its_server_and_tells_who_it_is() -> None:
    world = built(has_gps=True, is_production=True, config=None)
    world.play(1)
    assert world.lns.said == [
        {"router": "b827:ebff:fe00:1"},
        {
            "msgtype": "version", "station": "2.0.6(thingrig)", "firmware": "2.0.6(thingrig)",
            "model": "thingrig", "protocol": 2, "features": "prod gps",
        },
    ]  # fmt: skip
    assert [request.path for request in world.lns.requests] == [
        "/router-info",
        "/traffic/eui-B827EBFFFE000001",
    ]
    assert world.notebook.secrets == [("gateway_key", SECRET.split(" ")[1])]
    assert world.air.receivers == {}


@pytest.mark.parametrize(
    ("phy", "kind", "fields"),
    [
        (
            JOIN_REQUEST,
            "jreq",
            {"JoinEui": "FF-FF-FF-BB-00-00-00-00", "DevNonce": 2, "MIC": -1061805519},
        ),
        (UPLINK, "updf", {"DevAddr": 1389675266, "FPort": 15, "FRMPayload": "AE02735368"}),
        (b"\xe0\x01\x02", "propdf", {"FRMPayload": "E00102"}),
        (b"\xc0" + bytes(18), "propdf", {"FRMPayload": "C0" + "00" * 18}),
    ],
)
def test_a_frame_goes_up_in_its_fields(phy: bytes, kind: str, fields: dict[str, Any]) -> None:
    world = built()
    world.play(5)
    world.air.uplink(phy)
    world.play(6)
    (said,) = world.lns.of(kind)
    assert said | fields == said
    assert (said["DR"], said["Freq"], said["RefTime"]) == (5, 868_100_000, 0.0)
    assert said["upinfo"] == {
        "rctx": 0, "xtime": xtime(5_000_000), "gpstime": 0, "fts": -1, "rssi": -35, "snr": 9.13,
        "rxtime": 1704067205.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "phy",
    [
        b"",
        b"\x40" + bytes(10),
        b"\x44" + bytes(20),
        b"\x41" + bytes(20),
        b"\x00" + bytes(21),
        b"\x20" + bytes(16),
        b"\x60" + bytes(16),
        b"\x40" + bytes(4) + b"\x0f" + bytes(7),
    ],
)
def test_what_is_no_uplink_of_lorawan_stays_here(phy: bytes) -> None:
    world = built()
    world.play(5)
    world.air.uplink(phy)
    world.play(6)
    assert [said.get("msgtype") for said in world.lns.said] == [None, "version"]


@pytest.mark.parametrize(
    ("change", "phy", "passes"),
    [
        ({"join_euis": ((0, 5),)}, JOIN_REQUEST, False),
        ({"join_euis": ((0, 5), (0xFFFFFFBB00000000, 0xFFFFFFBB00000000))}, JOIN_REQUEST, True),
        ({"join_euis": ()}, JOIN_REQUEST, True),
        ({"net_ids": (0x13,)}, UPLINK, False),
        ({"net_ids": (0x13, 0x29)}, UPLINK, True),
        ({"net_ids": (0x13,)}, JOIN_REQUEST, True),
    ],
)
def test_filters_of_the_configuration(change: dict[str, Any], phy: bytes, passes: bool) -> None:
    """Seven bits of the address: 52d4c302 is of network 29."""
    world = built(config=CONFIG._replace(**change))
    world.play(5)
    world.air.uplink(phy)
    world.play(6)
    assert len(world.lns.of("jreq") + world.lns.of("updf")) == passes


def test_the_configuration_says_what_is_heard() -> None:
    world = built()
    world.play(5)
    world.air.uplink(b"\xe0\x01", frequency_hz=868_300_000, modulation=Lora(7, 250_000))
    world.air.uplink(b"\xe0\x02", frequency_hz=868_800_000, modulation=Fsk(50_000))
    world.air.uplink(b"\xe0\x03", frequency_hz=868_500_000, modulation=Lora(12, 125_000))
    world.air.uplink(b"\xe0\x04", frequency_hz=867_100_000)
    world.play(6)
    assert [(said["FRMPayload"], said["DR"]) for said in world.lns.of("propdf")] == [
        ("E001", 6),
        ("E002", 7),
        ("E003", 0),
    ]


def test_a_class_a_downlink_goes_out_in_rx1_and_is_reported() -> None:
    world = built()
    world.play(1.5)
    world.lns.say(dnmsg())
    world.play(4)
    (sent,) = world.air.sent
    assert (sent.start_us, sent.end_us, sent.frequency_hz) == (2_000_000, 2_056_576, 868_100_000)
    assert (sent.modulation, sent.power_dbm, sent.payload) == (SF7, 16.0, DOWNLINK)
    assert world.lns.of("dntxed") == [
        {
            "msgtype": "dntxed", "seqno": 5, "diid": 5, "DR": 5, "Freq": 868_100_000,
            "DevEui": "00-00-00-00-00-00-00-01", "rctx": 0, "xtime": xtime(2_000_000),
            "txtime": 1704067202.0, "gpstime": 0,
        }
    ]  # fmt: skip
    (told,) = world.notebook.messages("radio")
    assert (told["tmst"], told["power_dbm"]) == (2_000_000, 16.0)


@pytest.mark.parametrize(
    ("said_at_s", "change", "sent", "too_late_us"),
    [
        (1.98, {}, (2_000_000, 868_100_000), None),
        (1.980001, {}, (3_000_000, 869_525_000), None),
        (2.980001, {}, None, 3_000_000),
        (1.980001, {"rx2": None}, None, 2_000_000),
        (1.5, {"rx1": None}, (3_000_000, 869_525_000), None),
        (1.5, {"rx_delay_s": 5}, (6_000_000, 868_100_000), None),
        (1.5, {"rx_delay_s": 0}, (2_000_000, 868_100_000), None),
    ],
)
def test_rx2_is_for_when_rx1_is_gone(
    said_at_s: float, change: dict[str, Any], sent: tuple[int, int] | None, too_late_us: int | None
) -> None:
    world = built()
    world.play(said_at_s)
    world.lns.say(dnmsg(**change))
    world.play(8)
    assert world.sent() == ([] if sent is None else [sent])
    assert len(world.lns.of("dntxed")) == len(world.air.sent)
    assert world.unsent() == ([] if too_late_us is None else [("too late", too_late_us)])


def test_the_louder_band_has_more_power() -> None:
    world = built()
    world.play(1.5)
    world.lns.say(dnmsg(rx1=None))
    world.play(4)
    assert [each.power_dbm for each in world.air.sent] == [27.0]


def test_class_c_goes_out_at_once_and_again_if_it_has_to() -> None:
    world = built(config=CONFIG._replace(region="KR920"))
    world.play(1.5)
    at_once = dnmsg(device_class=2, rx1=None, xtime=0)
    world.lns.say(at_once)
    world.play(1.51)
    world.air.busy_hz.add(869_525_000)
    world.play(1.75)
    world.air.busy_hz.clear()
    world.play(4)
    # Tried at 1.52, then a tenth of a second later each time.
    assert world.sent() == [(1_820_000, 869_525_000)]
    assert [reason for reason, _ in world.unsent()] == ["channel busy"] * 3
    assert len(world.lns.of("dntxed")) == 1


def test_class_c_gives_up_after_ten_more_tries() -> None:
    world = built(config=CONFIG._replace(region="KR920"))
    world.air.busy_hz.add(869_525_000)
    world.play(1.5)
    world.lns.say(dnmsg(device_class=2, rx1=None, xtime=0))
    world.play(10)
    assert world.sent() == []
    assert world.lns.of("dntxed") == []
    assert len(world.unsent()) == 13  # each try, and the end of it


def test_a_busy_channel_in_rx1_leads_to_rx2() -> None:
    world = built(config=CONFIG._replace(region="KR920"))
    world.air.busy_hz.add(868_100_000)
    world.play(1.5)
    world.lns.say(dnmsg())
    world.play(4)
    assert world.sent() == [(3_000_000, 869_525_000)]
    assert world.unsent() == [("channel busy", 2_000_000)]


@pytest.mark.parametrize(
    ("config", "is_production", "starts"),
    [
        (CONFIG, False, [2_000_000, 4_000_000]),
        (CONFIG._replace(has_no_duty_cycle=True), False, [2_000_000, 3_000_000]),
        (CONFIG._replace(has_no_duty_cycle=True), True, [2_000_000, 4_000_000]),
        (CONFIG._replace(region="US902"), False, [2_000_000, 3_000_000]),
    ],
)
def test_duty_cycle_is_the_stations_own_affair(
    config: RouterConfig, is_production: bool, starts: list[int]
) -> None:
    """56.576 ms at one percent close the band for 5.7 s: the second frame has to take RX2."""
    world = built(config=config, is_production=is_production)
    world.play(1.5)
    world.lns.say(dnmsg())
    world.lns.say(dnmsg(xtime=xtime(2_000_000), diid=6))
    world.play(8)
    assert [start_us for start_us, _ in world.sent()] == starts


def test_the_more_important_frame_has_its_way() -> None:
    world = built()
    world.play(1.5)
    world.lns.say(dnmsg(diid=1, priority=1))
    world.lns.say(dnmsg(diid=2, priority=20, xtime=xtime(1_030_000)))
    world.play(5)
    assert world.sent() == [(2_030_000, 868_100_000), (3_000_000, 869_525_000)]
    assert [said["diid"] for said in world.lns.of("dntxed")] == [2, 1]


def test_of_equals_the_earlier_one_displaces_the_later() -> None:
    world = built()
    world.play(1.5)
    world.lns.say(dnmsg(diid=1))
    world.lns.say(dnmsg(diid=2, xtime=xtime(1_030_000), rx2=None, rx_delay_s=1, priority=15))
    world.play(5)
    assert world.sent() == [(2_000_000, 868_100_000)]
    assert world.unsent() == [("another frame before it", 2_030_000)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"xtime": XTime(0, SESSION % 255 + 1, 1_000_000).value()}, "an xtime of another session"),
        ({"xtime": XTime(1, SESSION, 1_000_000).value()}, "an xtime of another session"),
        ({"xtime": 0}, "an xtime of another session"),
        ({"rx1": Window(8, 868_100_000)}, "a data rate that is not defined: 8"),
        ({"rx1": Window(5, 870_000_001)}, "a frequency out of range: 870000001"),
        ({"rx2": Window(5, 862_999_999)}, "a frequency out of range: 862999999"),
        ({"device_class": 1, "gpstime": 1_388_102_500_000_000}, "a GPS time, and none is known"),
    ],
)
def test_what_cannot_be_sent_is_ignored(change: dict[str, Any], reason: str) -> None:
    world = built()
    world.play(1.5)
    world.lns.say(dnmsg(**change))
    world.play(4)
    assert world.sent() == []
    assert world.ignored() == [reason]
    assert [said.get("msgtype") for said in world.lns.said] == [None, "version"]


def test_a_session_is_never_zero_and_changes_with_each_configuration() -> None:
    world = built()
    world.play(1.5)
    world.lns.say(CONFIG)
    world.lns.say(dnmsg())
    world.play(4)
    assert world.ignored() == ["an xtime of another session"]
    world.air.uplink()
    world.play(5)
    rng = random.Random(1)
    assert (
        XTime.of(world.lns.of("updf")[0]["upinfo"]["xtime"]).session
        == [rng.randint(1, 255) for _ in range(2)][1]
    )


def test_with_gps_class_b_has_its_time() -> None:
    world = built(has_gps=True, delay_us=20_000)

    def say_the_time(server: Lns) -> None:
        (asked,) = server.of("timesync")
        server.say(TimeSync(txtime_us=asked["txtime"], gpstime=1_388_102_418_123_456))

    world.play(0.2)
    say_the_time(world.lns)
    world.play(1)
    world.air.uplink()
    # GPS second 1 388 102 418 is the scenario's start.
    world.lns.say(
        dnmsg(device_class=1, rx1=RX2, rx2=None, gpstime=1_388_102_420_500_000, rx_delay_s=0)
    )
    world.play(5)
    assert world.lns.of("updf")[0]["upinfo"]["gpstime"] == 1_388_102_419_000_000
    assert world.sent() == [(2_500_000, 869_525_000)]
    assert world.lns.of("dntxed")[0]["gpstime"] == 1_388_102_420_500_000
    assert len(world.lns.of("timesync")) == 1


def test_it_goes_on_asking_for_the_time() -> None:
    world = built(has_gps=True)
    world.play(12)
    assert [said["txtime"] for said in world.lns.of("timesync")] == [1, 5_000_000, 10_000_000]


def test_a_server_may_push_the_time() -> None:
    """For stations without GPS: the time of a moment of the session."""
    world = built(drift_ppm=10.0)
    world.play(10)
    world.lns.say(TimeSync(xtime=xtime(5_000_000), gpstime=1_000_000_000))
    world.lns.say(TimeSync(xtime=XTime(0, SESSION % 255 + 1, 1).value(), gpstime=7))
    world.play(11)
    world.air.uplink()
    world.lns.say(Schedule((Scheduled(b"\x60" * 12, RX2, gpstime=1_007_000_000),)))
    world.play(15)
    assert world.lns.of("updf")[0]["upinfo"]["gpstime"] == 1_006_000_110
    assert world.sent() == [(11_999_881, 869_525_000)]
    assert world.lns.of("dntxed") == []


def test_scheduled_frames_go_out_and_are_not_reported() -> None:
    world = built()
    world.play(1)
    frames = (
        Scheduled(b"\x60" * 12, RX2, xtime=xtime(3_000_000), diid=1),
        Scheduled(b"\x61" * 12, RX2, xtime=xtime(900_000), diid=2),
        Scheduled(b"\x62" * 12, Window(9, 868_100_000), xtime=xtime(4_000_000)),
        Scheduled(b"\x63" * 12, RX2, gpstime=1_388_102_500_000_000),
    )
    world.lns.say(Schedule(frames))
    world.play(5)
    assert world.sent() == [(3_000_000, 869_525_000)]
    assert world.unsent() == [("too late", 900_000)]
    assert world.ignored() == ["a data rate that is not defined: 9"]
    assert world.lns.of("dntxed") == []


def test_beacons_as_the_configuration_says() -> None:
    beaconing = Beaconing(3, (2, 8, 17), (869_525_000,))
    world = built(
        has_gps=True, latitude=45.0, longitude=-90.0, config=CONFIG._replace(beaconing=beaconing)
    )
    world.play(0.5)
    world.lns.say(TimeSync(txtime_us=1, gpstime=1_388_102_418_000_000))
    world.play(400)
    assert world.sent() == [
        (110_000_000 + number * 128_000_000, 869_525_000) for number in range(3)
    ]
    assert world.air.sent[0].payload == bytes.fromhex("000080c3bc524883000000400000c0d0b7")
    assert world.air.sent[0].end_us - world.air.sent[0].start_us == 152_576
    assert world.lns.of("dntxed") == []


def test_ref_time_is_the_servers() -> None:
    world = built(config=CONFIG._replace(mux_time_s=1000.5))
    world.play(2)
    world.air.uplink()
    world.lns.say(GetXTime(mux_time_s=5000.0))
    world.play(3)
    world.air.uplink()
    world.play(4)
    assert [said["RefTime"] for said in world.lns.of("updf")] == [1002.5, 5001.0]
    assert world.lns.of("getxtime") == [
        {
            "msgtype": "getxtime", "MuxTime": 5000.0, "ustime": 2.0, "UTCtime": 1704067202.0,
            "xtimes": [xtime(2_000_000)],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("region", ["EU433", "IN865", "AS923", "CN470", "RU864", "nonsense", ""])
def test_every_region_name_is_taken_unless_it_is_strict(region: str) -> None:
    """A real station drops what it is asked to send where it does not know the name."""
    for is_strict in (False, True):
        config = CONFIG._replace(region=region, max_eirp_dbm=12.5)
        world = built(config=config, is_strict=is_strict)
        world.play(1.5)
        world.air.uplink()
        world.lns.say(dnmsg())
        world.play(4)
        assert len(world.lns.of("updf")) == 1
        if is_strict:
            assert world.sent() == []
            assert world.ignored() == ["before router_config"]
        else:
            assert world.sent() == [(2_000_000, 868_100_000)]
            assert world.air.sent[0].power_dbm == 12.5


@pytest.mark.parametrize(
    "region", ["EU863", "EU868", "US902", "US915", "AU915", "AS923-1", "KR920"]
)
def test_a_strict_station_knows_a_few_names(region: str) -> None:
    world = built(config=CONFIG._replace(region=region), is_strict=True)
    world.play(1.5)
    world.lns.say(dnmsg())
    world.play(4)
    assert world.sent() == [(2_000_000, 868_100_000)]


def test_a_strict_station_drops_rejoin_requests() -> None:
    world = built(is_strict=True)
    world.play(5)
    world.air.uplink(b"\xc0" + bytes(18))
    world.air.uplink(b"\xc0" + bytes(23))
    world.play(6)
    assert world.lns.of("propdf") == []


def test_before_its_configuration_it_takes_nothing() -> None:
    world = built(config=None)
    world.play(1)
    world.lns.say(dnmsg())
    world.play(4)
    assert world.sent() == []
    assert world.ignored() == ["before router_config"]


NONSENSE = [
    "", "nonsense", "[]", "{}", '{"msgtype":"dnmsg"}', '{"msgtype":"unheard of"}', '{"msgtype":1}',
    "{" * 2000, encode(RunCommand("reboot")), '{"msgtype":"rmtsh"}', '{"msgtype":"timesync"}',
]  # fmt: skip


@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_noted_and_changes_nothing(text: str) -> None:
    world = built()
    world.play(1)
    world.lns.say(text)
    world.play(1.5)
    world.lns.say(dnmsg())
    world.play(4)
    assert len(world.ignored()) == ("timesync" not in text)
    assert world.sent() == [(2_000_000, 868_100_000)]
    assert {"closed": "closed by the peer (code 1000)"} not in world.lns.said


def test_a_configuration_that_cannot_be_used_ends_the_connection() -> None:
    world = built()
    world.play(1)
    world.lns.say('{"msgtype":"router_config"}')
    world.play(1.5)
    assert world.lns.said[-1] == {"closed": "closed by the peer (code 1000)"}
    world.play(2.5)
    assert world.lns.of("version") == [world.lns.of("version")[0]] * 2


def connections(world: World) -> list[tuple[float, str]]:
    """When it asked for which connection."""
    events = world.notebook.events
    return [
        (at / 1e6, message["connection"])
        for at, _, _, channel, message in events
        if channel == "websocket" and "closed" in message
    ]


def test_a_lost_connection_comes_back_soon_then_from_the_beginning() -> None:
    """One second, then twice as long each time; after five it asks where to go again."""
    world = built(config=None)
    paths: list[tuple[float, str]] = []
    accept = world.lns.accept

    def cutting(request: Request) -> Handler | Refusal:
        paths.append((world.clock.now / 1e6, request.path))
        answer = accept(request)
        if request.path != "/router-info":
            later = world.clock.timeout(1)
            later.callbacks.append(lambda _: world.lns.socket and world.lns.socket.close())
        return answer

    world.network.serve(cutting)
    world.play(60)
    begins = [round(at) for at, path in paths if path == "/router-info"]
    again = [round(at) for at, path in paths if path != "/router-info"]
    assert again == [0, 1, 3, 7, 15, 31, 41, 45, 53]
    assert begins == [0, 41]


def test_a_server_that_is_not_there_is_asked_ever_less_often() -> None:
    world = built()
    world.network.stop()
    world.play(260)
    assert [at for at, _ in connections(world)] == [0, 0, 10, 30, 60, 100, 150, 210]
    told = world.notebook.messages("websocket")
    assert told[0]["closed"] == "could not connect: connection refused"


@pytest.mark.parametrize(
    "info", [RouterInfo(EUI, error="unknown router"), "{}", "nonsense", '{"uri":"http://lns"}']
)
def test_a_discovery_without_an_address_is_repeated(info: RouterInfo | str) -> None:
    world = built(lns=Lns(info=info))
    world.play(35)
    assert [request.path for request in world.lns.requests] == ["/router-info"] * 4
    assert world.lns.of("version") == []


def test_a_silent_server_is_given_up() -> None:
    world = built()
    world.network.serve(lambda request: Silent())
    world.play(61)
    assert connections(world) == [(60.0, "/router-info")]


class Silent:
    def opened(self, socket: WebSocket) -> None:
        pass

    def received(self, text: str) -> None:
        pass

    def closed(self, reason: str) -> None:
        pass
