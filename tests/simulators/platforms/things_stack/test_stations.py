"""LoRa Basics Station's protocol at the Gateway Server."""

from __future__ import annotations

import orjson
import pytest

from simulators.platforms.things_stack import plans
from simulators.platforms.things_stack.gateway_server.station_config import region_name
from simulators.transports.websocket import Refusal
from tests.simulators.platforms.things_stack.conftest import OTHER_KEY, USER_KEY
from tests.simulators.platforms.things_stack.gateways import EUI, Forwarder, names, told

ROUTER = "58a0:cbff:fe00:1"
TRAFFIC = f"/traffic/eui-{EUI}"
SESSION = 0x2A << 48
UPDF = {
    "msgtype": "updf", "MHdr": 0x40, "DevAddr": 0x26001234, "FCtrl": 0, "FCnt": 1, "FOpts": "",
    "FPort": 1, "FRMPayload": "AA", "MIC": -0x22334455, "DR": 5, "Freq": 868_100_000,
    "RefTime": 0, "upinfo": {"rctx": 3, "xtime": SESSION | 1_000_000, "gpstime": 0, "rssi": -60,
                             "snr": 9.5, "rxtime": 0},
}  # fmt: skip


class Station(Forwarder):
    """A station by hand."""

    key = USER_KEY

    def open(self, path=TRAFFIC, socket_id=1, key=USER_KEY, prefix="Bearer "):
        headers = {"host": "lns.example:1887"}
        if key is not None:
            headers["authorization"] = prefix + key
        answer = self.bench.core.socket_opened(socket_id, path, headers, self.bench.now_us)
        return answer if isinstance(answer, Refusal) else told(answer)

    def say(self, message, socket_id=1):
        text = message if isinstance(message, str) else orjson.dumps(message).decode()
        return told(self.bench.core.socket_text(socket_id, text, self.bench.now_us))

    def up(self, count_us=1_000_000, **more):
        info = UPDF["upinfo"] | {"xtime": SESSION | count_us}
        return self.say(UPDF | {"upinfo": info} | more)

    def token(self):
        return self.uplinks[-1].metadata["uplink_token"]


@pytest.fixture
def station(bench):
    """A registered gateway whose data connection is open."""
    station = Station(bench)
    station.register()
    station.open()
    return station


def listen(station):
    station.bench.listen({"identifiers": [{"gateway_ids": {"gateway_id": "gtw1"}}]})


# --- discovery and who may connect


@pytest.mark.parametrize("router", [ROUTER, "58-A0-CB-FF-FE-00-00-01", int(EUI, 16)])
def test_discovery(station, router):
    assert station.open("/router-info", 2) == []
    answer, closed = station.say({"router": router}, 2)
    assert answer == {
        "router": ROUTER, "muxs": "muxs-::0", "uri": f"ws://lns.example:1887{TRAFFIC}",
    }  # fmt: skip
    assert closed == "closed"


def test_discovery_over_tls(station):
    station.bench.core.located("https://lns.example:8885")
    station.open("/router-info", 2)
    assert station.say({"router": ROUTER}, 2)[0]["uri"].startswith("wss://lns.example:1887/")


def test_discovery_of_a_stranger_leads_to_where_it_is_refused(station):
    station.open("/router-info", 2)
    answer, closed = station.say({"router": "58a0:cbff:fe00:2"}, 2)
    path = "/traffic/eui-58A0CBFFFE000002"
    assert (answer["uri"], closed) == (f"ws://lns.example:1887{path}", "closed")
    assert station.open(path, 2).status == 404


@pytest.mark.parametrize(
    "message", [{"router": "58a0:cbff:fe00:2"}, {"router": "nobody"}, {}, "[]", "{"]
)
def test_discovery_of_a_stranger_where_gateways_must_be_registered(with_policy, message):
    station = Station(with_policy(requires_registered_gateways=True))
    station.open("/router-info", 2)
    answer, closed = station.say(message, 2)
    assert answer.keys() == {"router", "muxs", "error"}
    assert (answer["router"], answer["muxs"], closed) == ("::0", "::0", "closed")


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"key": None}, 401),
        ({"key": OTHER_KEY}, 403),
        ({"key": "NNSXS.A.B"}, 401),
        ({"key": "nonsense"}, 400),
        ({"path": "/traffic/eui-0000000000000001"}, 404),
        ({"path": "/traffic/nobody"}, 404),
        ({"path": "/"}, 404),
        ({"path": "/router-info", "key": None}, 401),
    ],
)
def test_who_may_not_connect(station, options, status):
    answer = station.open(socket_id=2, **options)
    assert answer.status == status
    assert station.say(UPDF, 2) == []


def test_a_key_of_the_gateway_with_the_right_to_link(station):
    weak = station.bench.key("gateways/gtw1", "RIGHT_GATEWAY_INFO")
    strong = station.bench.key("gateways/gtw1", "RIGHT_GATEWAY_LINK")
    assert station.open(socket_id=2, key=weak).status == 403
    assert station.open("/traffic/gtw1", 2, key=strong, prefix="") == ["closed"]


def test_a_listener_may_admit_those_without_a_key(with_policy):
    station = Station(with_policy(admits_unauthenticated_stations=True))
    station.register()
    assert station.open(key=None) == []
    strict = Station(with_policy(admits_unauthenticated_stations=True))
    strict.register(require_authenticated_connection=True)
    assert strict.open(key=None).status == 401


def test_a_new_connection_replaces_the_old_one(station):
    listen(station)
    found = station.open(socket_id=2)
    assert "closed" in found
    assert names(found) == ["gs.gateway.disconnect", "gs.gateway.connect"]
    assert station.up() == []
    station.say(UPDF, 2)
    assert len(station.uplinks) == 1


def test_a_connection_ends_with_its_socket(station):
    listen(station)
    effects = station.bench.core.socket_closed(1, station.bench.now_us)
    assert names(told(effects)) == ["gs.gateway.disconnect"]
    assert "disconnected_at" in station.bench.get("/gs/gateways/gtw1/connection/stats")[1]


# --- configuration


def test_a_configuration_answers_the_version(station):
    listen(station)
    version = {"msgtype": "version", "station": "2.0.6", "firmware": "f", "package": "p",
               "model": "m", "protocol": 2, "features": "rmtsh"}  # fmt: skip
    config, status = station.say(version)
    assert config.pop("DRs")[:6] == [[sf, 125, 0] for sf in (12, 11, 10, 9, 8, 7)]
    boards = config.pop("sx1301_conf")
    assert config.pop("bcning")["DR"] == 3
    assert config == {
        "msgtype": "router_config", "NetID": None, "JoinEui": None, "region": "EU863",
        "hwspec": "sx1301/1", "freq_range": [863_000_000, 870_000_000], "nocca": True,
        "nodc": True, "nodwell": True, "max_eirp": 16.0, "MuxTime": 1706702400.0,
    }  # fmt: skip
    assert boards[0]["chan_Lora_std"]["spread_factor"] == 7
    assert status["data"]["versions"] == {
        "station": "2.0.6", "firmware": "f", "package": "p",
        "platform": "m - Firmware f - Protocol 2",
    }  # fmt: skip
    assert status["data"]["advanced"] == {"model": "m", "features": "rmtsh"}


def test_a_production_build_keeps_its_limits(station):
    config = station.say({"msgtype": "version", "protocol": 2, "features": "prod"})[0]
    assert (config["nocca"], config["nodc"], config["nodwell"]) == (False, False, False)


def test_region_names():
    """One for every plan: those that a station knows, wherever it knows one."""
    found = {region_name(plan) for plan in plans.plans().values()}
    assert found == {
        "EU863", "US902", "AU915", "AS923-1", "AS923JP", "KR920", "IL915",
        "AS923", "CN470", "EU433", "IN865", "RU864",
    }  # fmt: skip


# --- uplinks


def test_an_uplink(station):
    station.up()
    (uplink,) = station.uplinks
    assert uplink.phy == bytes.fromhex("403412002600010001AAABBBCCDD")
    assert uplink.settings == {
        "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}},
        "frequency": "868100000",
        "timestamp": 1_000_000,
    }
    assert isinstance(uplink.metadata.pop("uplink_token"), str)
    assert uplink.metadata == {
        "gateway_ids": {"gateway_id": "gtw1", "eui": EUI},
        "timestamp": 1_000_000,
        "rssi": -60,
        "channel_rssi": -60,
        "snr": 9.5,
        "received_at": "2024-01-31T12:00:00Z",
    }


def test_a_join_request(station):
    jreq = {"msgtype": "jreq", "MHdr": 0, "JoinEui": "70-B3-D5-7E-D0-00-00-00",
            "DevEui": "70-B3-D5-7E-D0-00-00-01", "DevNonce": 258, "MIC": -1}  # fmt: skip
    station.say(UPDF | jreq)
    assert station.uplinks[0].phy == bytes.fromhex("00000000D07ED5B370010000D07ED5B3700201FFFFFFFF")


@pytest.mark.parametrize(
    "change",
    [
        {"upinfo": UPDF["upinfo"] | {"xtime": 0}},
        {"DR": 15},
        {"Freq": 0},
        {"MIC": "x"},
        {"upinfo": []},
        {"msgtype": "propdf", "FRMPayload": "E001"},
        {"msgtype": "unheard"},
    ],
)
def test_what_is_wrong_is_ignored(station, change):
    assert station.say(UPDF | change) == []
    assert station.uplinks == []
    station.up()
    assert len(station.uplinks) == 1


def test_gps_time(station):
    gpstime = 1_390_737_618_000_000  # 2024-01-31T12:00:00Z
    station.up(upinfo=UPDF["upinfo"] | {"gpstime": gpstime})
    assert station.uplinks[0].metadata["gps_time"] == "2024-01-31T12:00:00Z"
    assert station.uplinks[0].settings["time"] == "2024-01-31T12:00:00Z"


def test_round_trips_are_told_by_ref_time(station):
    station.wait(10)
    station.up(RefTime=1706702409.75)
    stats = station.bench.get("/gs/gateways/gtw1/connection/stats")[1]
    assert stats["protocol"] == "ws"
    assert stats["round_trip_times"] == {
        "min": "0.250s", "max": "0.250s", "median": "0.250s", "count": 1,
    }  # fmt: skip
    assert station.uplinks[0].metadata["received_at"] == "2024-01-31T12:00:09.875Z"


# --- downlinks


def test_a_class_a_downlink_names_one_window(station):
    station.up()
    _, (message,) = station.schedule(station.token())
    assert message == {
        "msgtype": "dnmsg", "DevEui": "00-00-00-00-00-00-00-01", "dC": 0, "diid": 1,
        "pdu": "60" * 20, "priority": 25, "RxDelay": 1, "xtime": SESSION | 1_000_000,
        "RX1DR": 5, "RX1Freq": 868_100_000, "rctx": 0, "MuxTime": 1706702400.0,
    }  # fmt: skip


def test_the_second_window_comes_in_the_fields_of_the_first(station):
    station.up()
    station.wait(0.9)
    scheduled, (message,) = station.schedule(station.token())
    assert scheduled.is_rx2
    assert (message["RX1DR"], message["RX1Freq"]) == (3, 869_525_000)
    assert (message["RxDelay"], message["xtime"]) == (1, SESSION | 2_000_000)


def test_class_c(station):
    station.up()
    path = [{"fixed": {"gateway_ids": {"gateway_id": "gtw1"}}}]
    _, (message,) = station.schedule(**{"class": "CLASS_C"}, downlink_paths=path, rx1_frequency="0")
    assert (message["dC"], message["xtime"]) == (0, SESSION | 530_000)


def test_an_absolute_time(station):
    station.up(upinfo=UPDF["upinfo"] | {"gpstime": 1_390_737_618_000_000})
    path = [{"fixed": {"gateway_ids": {"gateway_id": "gtw1"}}}]
    _, (message,) = station.schedule(
        **{"class": "CLASS_C"}, downlink_paths=path, rx1_frequency="0",
        absolute_time="2024-01-31T12:00:10Z",
    )  # fmt: skip
    assert (message["dC"], message["DR"], message["Freq"]) == (1, 3, 869_525_000)
    assert message["gpstime"] == 1_390_737_628_000_000


def test_what_is_on_air_is_acknowledged(station):
    listen(station)
    station.up()
    station.schedule(station.token())
    done = {"msgtype": "dntxed", "diid": 1, "DevEui": "00-00-00-00-00-00-00-01"}
    assert names(station.say(done)) == [
        "gs.txack.receive", "gs.down.tx.success", "gs.txack.forward",
    ]  # fmt: skip
    assert station.say(done) == []
    assert station.acks == [("dev1", "SUCCESS")]


# --- time


def test_time_sync(station):
    (answer,) = station.say({"msgtype": "timesync", "txtime": 123})
    assert answer == {
        "msgtype": "timesync", "txtime": 123, "gpstime": 1_390_737_618_000_000,
        "MuxTime": 1706702400.0,
    }  # fmt: skip


def test_time_is_told_every_200_seconds(station):
    station.up()
    assert station.wait(199.9) == []
    (transfer,) = station.wait(0.1)
    assert transfer == {
        "msgtype": "timesync", "gpstime": 1_390_737_818_000_000,
        "xtime": SESSION | 201_000_000, "MuxTime": 1706702600.0,
    }  # fmt: skip
    assert len(station.wait(200)) == 1


def test_class_c_by_a_token_of_a_session_that_is_over(station):
    station.up()
    old = station.token()
    station.up(upinfo=UPDF["upinfo"] | {"xtime": 0x2B << 48 | 600_000})
    _, (message,) = station.schedule(old, **{"class": "CLASS_C"}, rx1_frequency="0")
    assert message["xtime"] == 0x2B << 48 | 130_000
