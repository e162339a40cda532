"""Basics Station's messages: literal JSON in both directions, and hostile JSON."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.lorawan.modulation import Fsk, Lora
from simulators.wire.basics_station.coding import (
    decode_discovery,
    decode_discovery_request,
    decode_from_server,
    decode_from_station,
    document,
    encode,
)
from simulators.wire.basics_station.messages import (
    Downlink,
    GetXTime,
    RemoteShell,
    RouterInfo,
    RouterInfoRequest,
    RunCommand,
    Schedule,
    Scheduled,
    TimeSync,
    Transmitted,
    UpInfo,
    Uplink,
    Version,
    Window,
    XTime,
    XTimes,
)
from simulators.wire.basics_station.router_config import (
    Beaconing,
    Board,
    DataRate,
    RouterConfig,
    UpChannel,
)
from simulators.wire.errors import WireError

INFO = UpInfo(
    xtime=23925373020405761, rssi_dbm=-35, snr_db=5.25, gpstime=1388102400000000,
    rxtime_s=1704067200.5,
)  # fmt: skip
INFO_JSON = {
    "rctx": 0, "xtime": 23925373020405761, "gpstime": 1388102400000000, "fts": -1, "rssi": -35,
    "snr": 5.25, "rxtime": 1704067200.5,
}  # fmt: skip
COMMON = {"RefTime": 0.0, "DR": 5, "Freq": 868100000, "upinfo": INFO_JSON}

# Frames of 1.0.x whose values are published, and one of FSK's full length.
UPLINKS: list[tuple[str, dict[str, Any]]] = [
    (
        "0000000000bbffffffefbeaddeaaffffff02003122b6c0",
        {
            "msgtype": "jreq", "MHdr": 0, "JoinEui": "FF-FF-FF-BB-00-00-00-00",
            "DevEui": "FF-FF-FF-AA-DE-AD-BE-EF", "DevNonce": 2, "MIC": -1061805519,
        },
    ),
    (
        "4002c3d4528000000fae02735368a5ef4fcc",
        {
            "msgtype": "updf", "MHdr": 64, "DevAddr": 1389675266, "FCtrl": 128, "FCnt": 0,
            "FOpts": "", "FPort": 15, "FRMPayload": "AE02735368", "MIC": -867176539,
        },
    ),
    (
        "80000000fa02ffff0306010000" + "00",
        {
            "msgtype": "updf", "MHdr": 128, "DevAddr": -100663296, "FCtrl": 2, "FCnt": 65535,
            "FOpts": "0306", "FPort": -1, "FRMPayload": "", "MIC": 1,
        },
    ),
    (
        "4001000000000000" + "0a" + "ffffffff",
        {
            "msgtype": "updf", "MHdr": 64, "DevAddr": 1, "FCtrl": 0, "FCnt": 0, "FOpts": "",
            "FPort": 10, "FRMPayload": "", "MIC": -1,
        },
    ),
    ("e00102", {"msgtype": "propdf", "FRMPayload": "E00102"}),
    # A rejoin request fits no other message; a join request of another length is none.
    ("c0" + "00" * 18, {"msgtype": "propdf", "FRMPayload": "C0" + "00" * 18}),
    ("00" * 22, {"msgtype": "propdf", "FRMPayload": "00" * 22}),
    # FOptsLen beyond the frame's end.
    (
        "40000000000f" + "00" * 7,
        {"msgtype": "propdf", "FRMPayload": "40000000000F" + "00" * 7},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("phy", "fields"), UPLINKS)
def test_a_frame_travels_in_its_fields(phy: str, fields: dict[str, Any]) -> None:
    uplink = Uplink(bytes.fromhex(phy), 5, 868_100_000, INFO)
    assert document(uplink) == fields | COMMON
    assert decode_from_station(json.dumps(fields | COMMON)) == uplink


FROM_STATION = [
    (
        Version("2.0.6(linux/std)", "fw 1", "pkg 1", "linux", 2, "rmtsh prod gps"),
        {
            "msgtype": "version", "station": "2.0.6(linux/std)", "firmware": "fw 1",
            "package": "pkg 1", "model": "linux", "protocol": 2, "features": "rmtsh prod gps",
        },
    ),
    (Version("x"), {"msgtype": "version", "station": "x", "protocol": 2, "features": ""}),
    (
        Transmitted(7, 3, 869_525_000, "0000000000000001", 281474976710657, 1, 1704067201.5, 99),
        {
            "msgtype": "dntxed", "seqno": 7, "diid": 7, "DR": 3, "Freq": 869525000,
            "DevEui": "00-00-00-00-00-00-00-01", "rctx": 1, "xtime": 281474976710657,
            "txtime": 1704067201.5, "gpstime": 99,
        },
    ),
    (TimeSync(txtime_us=1234), {"msgtype": "timesync", "txtime": 1234}),
    (
        XTimes((281474976710657, 0), 12.5, 1704067200.0, 3.0),
        {
            "msgtype": "getxtime", "MuxTime": 3.0, "ustime": 12.5, "UTCtime": 1704067200.0,
            "xtimes": [281474976710657, 0],
        },
    ),
    (RemoteShell({"msgtype": "rmtsh", "rmtsh": []}), {"msgtype": "rmtsh", "rmtsh": []}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "written"), FROM_STATION)
def test_what_a_station_says(value: Any, written: dict[str, Any]) -> None:
    assert json.loads(encode(value)) == written
    assert decode_from_station(encode(value)) == value


EU868_DRS = (
    *[DataRate(Lora(factor, 125_000)) for factor in (12, 11, 10, 9, 8, 7)],
    DataRate(Lora(7, 250_000)),
    DataRate(Fsk(50_000)),
    *[None] * 8,
)
EU868_BOARD = Board(
    (867_500_000, 868_500_000),
    (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000),
    (868_300_000, Lora(7, 250_000)),
    868_800_000,
)
EU868 = RouterConfig(
    "EU863",
    EU868_DRS,
    (863_000_000, 870_000_000),
    (EU868_BOARD,),
    max_eirp_dbm=16.15,
    mux_time_s=1704067200.25,
)
EU868_JSON: dict[str, Any] = {
    "msgtype": "router_config", "NetID": None, "JoinEui": None, "region": "EU863",
    "hwspec": "sx1301/1", "freq_range": [863000000, 870000000],
    "DRs": [
        [12, 125, 0], [11, 125, 0], [10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0],
        [7, 250, 0], [0, 0, 0], [-1, 0, 0], [-1, 0, 0], [-1, 0, 0], [-1, 0, 0], [-1, 0, 0],
        [-1, 0, 0], [-1, 0, 0], [-1, 0, 0],
    ],
    "sx1301_conf": [
        {
            "radio_0": {"enable": True, "freq": 867500000},
            "radio_1": {"enable": True, "freq": 868500000},
            "chan_multiSF_0": {"enable": True, "radio": 1, "if": -400000},
            "chan_multiSF_1": {"enable": True, "radio": 1, "if": -200000},
            "chan_multiSF_2": {"enable": True, "radio": 1, "if": 0},
            "chan_multiSF_3": {"enable": True, "radio": 0, "if": -400000},
            "chan_multiSF_4": {"enable": True, "radio": 0, "if": -200000},
            "chan_multiSF_5": {"enable": True, "radio": 0, "if": 0},
            "chan_multiSF_6": {"enable": True, "radio": 0, "if": 200000},
            "chan_multiSF_7": {"enable": False},
            "chan_Lora_std": {
                "enable": True, "radio": 1, "if": -200000, "bandwidth": 250000, "spread_factor": 7,
            },
            "chan_FSK": {"enable": True, "radio": 1, "if": 300000},
        }
    ],
    "nocca": False, "nodc": False, "nodwell": False, "max_eirp": 16.15, "MuxTime": 1704067200.25,
}  # fmt: skip
US915 = RouterConfig(
    "US902",
    (DataRate(Lora(10, 125_000)), DataRate(Lora(12, 500_000), True), *[None] * 14),
    (902_000_000, 928_000_000),
    (Board((904_300_000, 0)), Board((905_000_000, 0))),
    "sx1301/2",
    net_ids=(19, 0),
    join_euis=((0, 2**64 - 1), (1, 2)),
    up_channels=(UpChannel(904_300_000, 0, 3),),
    has_no_cca=True,
    has_no_duty_cycle=True,
    has_no_dwell=True,
    beaconing=Beaconing(8, (5, 11, 23), (923_300_000, 923_900_000)),
)
DOWNLINKS: list[tuple[Any, dict[str, Any]]] = [
    (EU868, EU868_JSON),
    (
        Downlink(
            "0000000000000001", 0, 5, b"\x20\x01", 1, Window(5, 868_100_000),
            Window(0, 869_525_000), xtime=281474976710657, priority=25, rctx=0,
            mux_time_s=1704067200.0,
        ),
        {
            "msgtype": "dnmsg", "DevEui": "00-00-00-00-00-00-00-01", "dC": 0, "diid": 5,
            "pdu": "2001", "priority": 25, "RxDelay": 1, "xtime": 281474976710657, "RX1DR": 5,
            "RX1Freq": 868100000, "RX2DR": 0, "RX2Freq": 869525000, "rctx": 0,
            "MuxTime": 1704067200.0,
        },
    ),
    (
        Downlink(
            "0000000000000001", 1, -5, b"\x60", rx1=Window(3, 869_525_000),
            gpstime=1388102400000000, preamble=10, adds_crc=True,
        ),
        {
            "msgtype": "dnmsg", "DevEui": "00-00-00-00-00-00-00-01", "dC": 1, "diid": -5,
            "pdu": "60", "priority": 0, "gpstime": 1388102400000000, "DR": 3, "Freq": 869525000,
            "preamble": 10, "addcrc": 1,
        },
    ),
    (
        Downlink("0000000000000001", 2, 6, b"\x60", 1, rx2=Window(0, 869_525_000)),
        {
            "msgtype": "dnmsg", "DevEui": "00-00-00-00-00-00-00-01", "dC": 2, "diid": 6,
            "pdu": "60", "priority": 0, "RxDelay": 1, "xtime": 0, "RX2DR": 0, "RX2Freq": 869525000,
        },
    ),
    (
        Schedule(
            (
                Scheduled(b"\x60", Window(3, 869_525_000), gpstime=1388102400000000, diid=3),
                Scheduled(b"\x61", Window(0, 869_525_000), xtime=281474976710657, priority=2),
            ),
            9.5,
        ),
        {
            "msgtype": "dnsched",
            "schedule": [
                {
                    "diid": 3, "DR": 3, "Freq": 869525000, "pdu": "60", "priority": 0,
                    "gpstime": 1388102400000000, "rctx": 0,
                },
                {
                    "diid": 0, "DR": 0, "Freq": 869525000, "pdu": "61", "priority": 2,
                    "xtime": 281474976710657, "rctx": 0,
                },
            ],
            "MuxTime": 9.5,
        },
    ),
    (
        TimeSync(txtime_us=7, gpstime=1388102400000000, mux_time_s=9.5),
        {"msgtype": "timesync", "txtime": 7, "gpstime": 1388102400000000, "MuxTime": 9.5},
    ),
    (
        TimeSync(xtime=281474976710657, gpstime=1388102400000000),
        {"msgtype": "timesync", "xtime": 281474976710657, "gpstime": 1388102400000000},
    ),
    (GetXTime(), {"msgtype": "getxtime"}),
    (
        RunCommand("reboot", ("now",)),
        {"msgtype": "runcmd", "command": "reboot", "arguments": ["now"]},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "written"), DOWNLINKS)
def test_what_a_server_says(value: Any, written: dict[str, Any]) -> None:
    assert json.loads(encode(value)) == written
    assert decode_from_server(json.dumps(written)) == value


def test_a_configuration_with_everything_survives() -> None:
    assert decode_from_server(encode(US915)) == US915
    written = json.loads(encode(US915))
    assert written["bcning"] == {"DR": 8, "layout": [5, 11, 23], "freqs": [923300000, 923900000]}
    assert written["upchannels"] == [[904300000, 0, 3]]
    assert written["JoinEui"] == [[0, 18446744073709551615], [1, 2]]
    assert written["DRs"][1] == [12, 500, 1]
    assert (written["nocca"], written["nodc"], written["nodwell"]) == (True, True, True)
    assert written["sx1301_conf"][0]["radio_1"] == {"enable": False, "freq": 0}


def test_discovery() -> None:
    assert encode(RouterInfoRequest("b827ebfffe000001")) == '{"router":"b827:ebff:fe00:1"}'
    for form in ('"b827:ebff:fe00:1"', '"b8-27-eb-ff-fe-00-00-01"', "13269834311781056513"):
        asked = decode_discovery_request(f'{{"router":{form}}}')
        assert asked == RouterInfoRequest("b827ebfffe000001")
    answers = [
        RouterInfo("b827ebfffe000001", "::1", "wss://host:8887/traffic/eui-B827EBFFFE000001"),
        RouterInfo("0000000000000000", error="unknown router"),
    ]
    assert [json.loads(encode(answer)) for answer in answers] == [
        {
            "router": "b827:ebff:fe00:1",
            "muxs": "::1",
            "uri": "wss://host:8887/traffic/eui-B827EBFFFE000001",
        },
        {"router": "::0", "muxs": "::0", "error": "unknown router"},
    ]
    assert [decode_discovery(encode(answer)) for answer in answers] == answers


@pytest.mark.parametrize("text", ["{}", '{"uri":"http://host"}', "[]", '{"uri":3}', "", "null"])
def test_a_discovery_that_leads_nowhere_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="expected "):
        decode_discovery(text)


def test_an_xtime_is_unit_session_and_time() -> None:
    assert XTime.of(0x01_55_000000000007) == XTime(1, 0x55, 7)
    assert XTime(127, 255, 2**48 - 1).value() == 2**63 - 1
    assert XTime(0, 1, 2**48 + 3).value() == 2**48 + 3


DNMSG = DOWNLINKS[1][1]


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"RxDelay": 0}, {"rx_delay_s": 1}),
        ({"RxDelay": None}, {"rx_delay_s": 1}),
        ({"RxDelay": 15}, {"rx_delay_s": 15}),
        ({"diid": None, "seqno": 9}, {}),
        ({"DevEui": None, "DevEUI": 1}, {}),
        ({"RX2DR": None, "RX2Freq": None}, {"rx2": None}),
        ({"RX1DR": None, "RX1Freq": None}, {"rx1": None}),
        ({"preamble": 0}, {}),
        ({"unknown": [1]}, {}),
    ],
)
def test_what_servers_leave_out(change: dict[str, Any], result: dict[str, Any]) -> None:
    told = {key: value for key, value in {**DNMSG, **change}.items() if value is not None}
    diid = told.get("diid", told.get("seqno"))
    expected = DOWNLINKS[1][0]._replace(diid=diid, **result)
    assert decode_from_server(json.dumps(told)) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"msgtype": "dnmessage"}, "expected msgtype among router_config, dnmsg, "),
        ({"msgtype": 3}, "expected msgtype to be text; got 3"),
        ({"DevEui": None}, "expected an EUI; got None"),
        ({"DevEui": "::x"}, "expected an EUI; got '::x'"),
        ({"dC": 3}, "expected dC from 0 to 2; got 3"),
        ({"dC": None}, "expected dC; got none"),
        ({"diid": None}, "expected seqno; got none"),
        ({"pdu": ""}, "expected a pdu of at least one byte; got none"),
        ({"pdu": "2"}, "expected pdu in hexadecimal; got '2'"),
        ({"pdu": "00" * 256}, "expected pdu of at most 255 bytes; got 256"),
        ({"RxDelay": 16}, "expected RxDelay from 0 to 15; got 16"),
        ({"RX1DR": None}, "expected RX1DR and RX1Freq together; got one"),
        ({"RX1DR": 16}, "expected RX1DR from 0 to 15; got 16"),
        ({"RX2Freq": 0}, "expected RX2Freq from 1 to 10000000000; got 0"),
        ({"xtime": 2**63}, "expected xtime from 0 to 9223372036854775807; got 9223372036854775808"),
        ({"priority": 256}, "expected priority from 0 to 255; got 256"),
        ({"dC": 1, "RX1DR": None, "RX1Freq": None}, "expected DR and Freq of a window; got none"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], message: str) -> None:
    told = {key: value for key, value in {**DNMSG, **change}.items() if value is not None}
    with pytest.raises(WireError) as caught:
        decode_from_server(json.dumps(told))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hwspec": None}, "expected hwspec; got none"),
        ({"hwspec": "sx1301"}, "expected hwspec such as 'sx1301/1'; got 'sx1301'"),
        ({"hwspec": "sx1301/2"}, "expected sx1301_conf of 2 boards, as hwspec; got 1"),
        ({"sx1301_conf": None}, "expected sx1301_conf; got none"),
        ({"sx1301_conf": {}}, "expected sx1301_conf to be a list; got an object"),
        ({"sx1301_conf": [1]}, "expected sx1301_conf to be an object; got 1"),
        (
            {"sx1301_conf": [{"chan_FSK": {"enable": True, "radio": 0, "if": 1}}]},
            "expected chan_FSK on a radio that is enabled; got one that is not",
        ),
        ({"DRs": None}, "expected DRs; got none"),
        ({"DRs": [[7, 125]]}, "expected DRs of 3 numbers; got a list"),
        ({"DRs": [[13, 125, 0]]}, "expected DRs such as [7,125,0]; got [13,125,0]"),
        ({"DRs": [[-1, 0, 0]] * 17}, "expected DRs of at most 16 lines; got 17"),
        ({"freq_range": [1]}, "expected freq_range of 2 numbers; got a list"),
        ({"NetID": [2**24]}, "expected NetID from 0 to 16777215; got 16777216"),
        ({"JoinEui": [[1]]}, "expected JoinEui of 2 numbers; got a list"),
        ({"bcning": []}, "expected bcning to be an object; got a list"),
        (
            {"bcning": {"DR": 3, "layout": [2, 7, 17], "freqs": [1]}},
            "expected a layout with room for a beacon; got [2, 7, 17]",
        ),
    ],
)
def test_a_wrong_configuration_is_named(change: dict[str, Any], message: str) -> None:
    told = {key: value for key, value in {**EU868_JSON, **change}.items() if value is not None}
    with pytest.raises(WireError) as caught:
        decode_from_server(json.dumps(told))
    assert str(caught.value).startswith(message)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
SAID = [each[1] for each in DOWNLINKS] + [json.loads(encode(US915))]
TOLD = [each[1] for each in FROM_STATION] + [each[1] | COMMON for each in UPLINKS]


@settings(deadline=None)
@given(st.data())
def test_no_json_does_more_than_raise_one_error(data: st.DataObject) -> None:
    """Right messages with some members replaced by anything, and noise."""
    for decode, messages in ((decode_from_server, SAID), (decode_from_station, TOLD)):
        message = data.draw(st.sampled_from(messages))
        names = st.sampled_from([*message, "xtime", "bcning", "upchannels", "msgtype"])
        change = data.draw(st.dictionaries(names, values, max_size=3))
        try:
            read = decode(json.dumps({**message, **change}))
        except WireError:
            continue
        assert encode(read)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_text_does_more_than_raise_one_error(noise: bytes | str) -> None:
    for decode in (
        decode_from_server, decode_from_station, decode_discovery, decode_discovery_request,
    ):  # fmt: skip
        with contextlib.suppress(WireError):
            decode(noise)
