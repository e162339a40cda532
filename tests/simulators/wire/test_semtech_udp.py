"""Semtech's UDP datagrams: literal bytes in both directions, every prefix, and hostile ones."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.lorawan.modulation import Fsk, Lora
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import RxPk, Stat, TxPk, read_txpk, rxpk_json, txpk_json
from simulators.wire.semtech_udp import (
    TX_ERRORS,
    Datagram,
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    TxAck,
    decode,
    encode,
)

EUI = "b827ebfffe000001"
SF7 = Lora(7, 125_000)

RXPK = RxPk(3512348611, 868_100_000, SF7, bytes.fromhex("40f17dbe490002"), -35, 5.1, channel=2)
RXPK_JSON = (
    b'{"tmst":3512348611,"chan":2,"rfch":0,"freq":868.100000,"stat":1,"modu":"LORA",'
    b'"datr":"SF7BW125","codr":"4/5","lsnr":5.1,"rssi":-35,"size":7,"data":"QPF9vkkAAg=="}'
)
FULL_RXPK = RxPk(
    0, 903_900_000, Lora(10, 500_000, "4/8"), b"\x00", -119, -20.5, 7, 1, -1,
    unix_us=1_704_067_200_000_001, gps_ms=1_388_102_418_000, modem=9, frequency_offset_hz=-742,
    signal_rssi_dbm=-121,
)  # fmt: skip
FULL_RXPK_JSON = (
    b'{"tmst":0,"time":"2024-01-01T00:00:00.000001Z","tmms":1388102418000,"mid":9,"foff":-742,'
    b'"rssis":-121,"chan":7,"rfch":1,"freq":903.900000,"stat":-1,"modu":"LORA",'
    b'"datr":"SF10BW500","codr":"4/8","lsnr":-20.5,"rssi":-119,"size":1,"data":"AA=="}'
)
FSK_RXPK = RxPk(512, 868_800_000, Fsk(50_000), b"\xff\xfe", -75)
FSK_RXPK_JSON = (
    b'{"tmst":512,"chan":0,"rfch":0,"freq":868.800000,"stat":1,"modu":"FSK","datr":50000,'
    b'"codr":"OFF","rssi":-75,"size":2,"data":"//4="}'
)
STAT = Stat(1_389_517_139, 46.24, 3.2523, 145, 2, 2, 2, 100.0, 2, 2, 31.5)
STAT_JSON = (
    b'{"time":"2014-01-12 08:58:59 GMT","lati":46.24000,"long":3.25230,"alti":145,"temp":31.5,'
    b'"rxnb":2,"rxok":2,"rxfw":2,"ackr":100.0,"dwnb":2,"txnb":2}'
)
BARE_STAT_JSON = b'{"rxnb":0,"rxok":0,"rxfw":0,"ackr":0.0,"dwnb":0,"txnb":0}'
TXPK = TxPk(
    869_525_000, Lora(9, 125_000), b"\x20\x01", tmst=4_294_967_295, power_dbm=14,
    inverts_polarity=True, has_crc=False,
)  # fmt: skip
TXPK_JSON = (
    b'{"tmst":4294967295,"freq":869.525000,"rfch":0,"powe":14,"modu":"LORA","datr":"SF9BW125",'
    b'"codr":"4/5","ipol":true,"ncrc":true,"size":2,"data":"IAE="}'
)
BEACON_TXPK = TxPk(
    869_525_000, Lora(9, 125_000), b"\x00", gps_ms=1_388_102_528_000, power_dbm=27,
    has_crc=False, has_header=False, preamble=10,
)  # fmt: skip
BEACON_TXPK_JSON = (
    b'{"tmms":1388102528000,"freq":869.525000,"rfch":0,"powe":27,"modu":"LORA","datr":"SF9BW125",'
    b'"codr":"4/5","ipol":false,"prea":10,"ncrc":true,"nhdr":true,"size":1,"data":"AA=="}'
)
FSK_TXPK = TxPk(
    868_800_000, Fsk(50_000), b"\x60", is_immediate=True, power_dbm=14, deviation_hz=25_000
)
FSK_TXPK_JSON = (
    b'{"imme":true,"freq":868.800000,"rfch":0,"powe":14,"modu":"FSK","datr":50000,"fdev":25000,'
    b'"size":1,"data":"YA=="}'
)
HEAD = "b827ebfffe000001"

DATAGRAMS: list[tuple[Datagram, bytes]] = [
    (PushData(0x1234, EUI, (RXPK,)), b'\x02\x12\x34\x00@{"rxpk":[' + RXPK_JSON + b"]}"),
    (
        PushData(1, EUI, (FULL_RXPK, FSK_RXPK), STAT),
        b'\x02\x00\x01\x00@{"rxpk":[' + FULL_RXPK_JSON + b"," + FSK_RXPK_JSON + b'],"stat":'
        + STAT_JSON + b"}",
    ),
    (PushData(1, EUI, (), Stat()), b'\x02\x00\x01\x00@{"stat":' + BARE_STAT_JSON + b"}"),
    (PushData(2, EUI), b"\x02\x00\x02\x00@{}"),
    (PushAck(0xFFFF), b"\x02\xff\xff\x01"),
    (PushAck(0x10, version=1), b"\x01\x00\x10\x01"),
    (PullData(0xBEEF, EUI), b"\x02\xbe\xef\x02@"),
    (PullResp(0x0102, TXPK), b'\x02\x01\x02\x03{"txpk":' + TXPK_JSON + b"}"),
    (PullResp(0, BEACON_TXPK), b'\x02\x00\x00\x03{"txpk":' + BEACON_TXPK_JSON + b"}"),
    (PullResp(0, FSK_TXPK), b'\x02\x00\x00\x03{"txpk":' + FSK_TXPK_JSON + b"}"),
    (PullAck(0xBEEF), b"\x02\xbe\xef\x04"),
    (TxAck(0x0102, EUI), b"\x02\x01\x02\x05@"),
    *[
        (TxAck(7, EUI, error), b'\x02\x00\x07\x05@{"txpk_ack":{"error":"%s"}}' % error.encode())
        for error in TX_ERRORS
    ],
    (
        TxAck(7, EUI, warning="TX_POWER", value=20),
        b'\x02\x00\x07\x05@{"txpk_ack":{"warn":"TX_POWER","value":20}}',
    ),
]  # fmt: skip
CASES = [
    pytest.param(value, data.replace(b"@", bytes.fromhex(HEAD), 1), id=f"{number}")
    for number, (value, data) in enumerate(DATAGRAMS)
]


@pytest.mark.parametrize(("value", "data"), CASES)
def test_values_are_these_bytes(value: Datagram, data: bytes) -> None:
    assert encode(value) == data
    assert decode(data) == value


@pytest.mark.parametrize(("value", "data"), CASES)
def test_a_cut_datagram_is_refused_or_a_shorter_one(value: Datagram, data: bytes) -> None:
    """What is cut off is missed, unless nothing but the head is needed."""
    for size in range(len(data)):
        try:
            cut = decode(data[:size])
        except WireError:
            continue
        assert isinstance(cut, TxAck)
        assert cut == TxAck(value.token, EUI)


def test_bodies_are_json_as_any_reader_sees_it() -> None:
    """The templates write what an encoder would have written."""
    assert json.loads(rxpk_json(FULL_RXPK)) == {
        "tmst": 0, "time": "2024-01-01T00:00:00.000001Z", "tmms": 1388102418000, "mid": 9,
        "foff": -742, "rssis": -121, "lsnr": -20.5, "chan": 7, "rfch": 1, "freq": 903.9,
        "stat": -1, "modu": "LORA", "datr": "SF10BW500", "codr": "4/8", "rssi": -119, "size": 1,
        "data": "AA==",
    }  # fmt: skip
    assert json.loads(txpk_json(FSK_TXPK))["fdev"] == 25_000


@pytest.mark.parametrize(
    ("body", "acknowledgement"),
    [
        (b"", TxAck(7, EUI)),
        (b"\0", TxAck(7, EUI)),
        (b" \n", TxAck(7, EUI)),
        (b"{}", TxAck(7, EUI)),
        (b'{"txpk_ack":{}}', TxAck(7, EUI)),
        (b'{"txpk_ack":{"error":"NONE"}}', TxAck(7, EUI)),
        (b'{"txpk_ack":{"error":""}}', TxAck(7, EUI)),
        (b'{"txpk_ack":{"error":"TOO_LATE","more":1}}', TxAck(7, EUI, "TOO_LATE")),
        (b'{"txpk_ack":{"error":"SOMETHING"}}', TxAck(7, EUI, "SOMETHING")),
    ],
)
def test_success_has_many_spellings(body: bytes, acknowledgement: TxAck) -> None:
    assert decode(b"\x02\x00\x07\x05" + bytes.fromhex(HEAD) + body) == acknowledgement


TXPK_FIELDS = {
    "imme": True, "freq": 868.1, "rfch": 0, "powe": 14, "modu": "LORA", "datr": "SF7BW125",
    "codr": "4/5", "size": 2, "data": "IAE=",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"data": "IAE"}, {"data": b"\x20\x01"}),  # padding is optional
        ({"size": None}, {}),
        ({"imme": 1}, {}),
        ({"imme": False, "tmst": 17.0}, {"is_immediate": False, "tmst": 17}),
        ({"powe": 13.85}, {"power_dbm": 14}),
        ({"powe": None}, {"power_dbm": 0}),
        ({"freq": 868.0999999}, {"frequency_hz": 868_100_000}),
        ({"codr": None}, {}),
        ({"unknown": {}}, {}),
    ],
)
def test_what_servers_leave_out_or_round(
    change: dict[str, object], result: dict[str, object]
) -> None:
    read = read_txpk({**TXPK_FIELDS, **change})
    plain = TxPk(868_100_000, SF7, b"\x20\x01", is_immediate=True, power_dbm=14)
    assert read == plain._replace(**result)  # type: ignore[arg-type]  # members by name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imme": None}, "expected one of imme, tmst, tmms; got none"),
        ({"imme": "yes"}, "expected imme to be true or false; got 'yes'"),
        ({"freq": None}, "expected freq; got none"),
        ({"freq": "868.1"}, "expected freq from 0 to 10000; got '868.1'"),
        ({"freq": 1e999}, "expected freq from 0 to 10000; got inf"),
        ({"freq": 0.5}, "expected freq in MHz; got 0.5"),
        ({"freq": -868.1}, "expected freq from 0 to 10000; got -868.1"),
        ({"rfch": None}, "expected rfch; got none"),
        ({"tmst": -1}, "expected tmst from 0 to 4294967295; got -1"),
        ({"tmst": 2**32}, "expected tmst from 0 to 4294967295; got 4294967296"),
        ({"tmst": True}, "expected tmst from 0 to 4294967295; got True"),
        ({"tmst": 0.5}, "expected tmst from 0 to 4294967295; got 0.5"),
        ({"powe": 1000}, "expected powe from -128 to 127; got 1000"),
        ({"modu": "FSK"}, "expected modu and datr to agree; got 'FSK' and"),
        ({"modu": "OOK"}, "expected modu and datr to agree; got 'OOK' and"),
        ({"modu": None}, "expected modu; got none"),
        ({"datr": "SF13BW125"}, "expected datr SF7 to SF12, BW125, 250 or 500; got SF13BW125"),
        ({"datr": "SF7BW126"}, "expected datr SF7 to SF12, BW125, 250 or 500; got SF7BW126"),
        ({"datr": 50000}, "expected modu and datr to agree; got 'LORA' and"),
        ({"modu": "FSK", "datr": 1}, "expected datr from 500 to 250000 bit/s; got 1"),
        ({"datr": []}, "expected a data rate"),
        ({"codr": "4/9"}, "expected codr 4/5 to 4/8; got '4/9'"),
        ({"codr": "OFF"}, "expected codr 4/5 to 4/8; got 'OFF'"),
        ({"size": 3}, "expected data of 3 bytes, as size says; got 2"),
        ({"data": "I AE="}, "expected data in base64; got 'I AE='"),
        ({"data": "é"}, "expected data in base64; got '\\xe9'"),
        ({"data": "\ud800"}, "expected data to be text; got '\\ud800'"),
        ({"data": "A" * 344, "size": None}, "expected data of at most 255 bytes; got 258"),
        ({"data": 7}, "expected data to be text; got 7"),
    ],
)
def test_a_wrong_member_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(WireError) as caught:
        read_txpk({**TXPK_FIELDS, **change})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a header of 4 bytes; got 0"),
        (b"\x02\x00\x00", "expected a header of 4 bytes; got 3"),
        (b"\x03\x00\x00\x01", "expected protocol version 2; got 3"),
        (b"\x02\x00\x00\x06", "expected a kind from 0 to 5; got 6"),
        (b"\x02\x00\x00\x02\x01", "expected a gateway EUI of 8 bytes; got 1"),
        (b"\x02\x00\x00\x03", "expected JSON; got b''"),
        (b"\x02\x00\x00\x03[]", "expected a JSON object; got a list"),
        (b"\x02\x00\x00\x03\xff{}", "expected JSON; got b'\\xff{}'"),
        (b'\x02\x00\x00\x03{"txpk":NaN}', "expected JSON; got b'{\"txpk\":NaN}'"),
        (b"\x02\x00\x00\x03{}", "expected txpk to be an object; got None"),
        (b"\x02\x00\x00\x03" + b'{"txpk":' * 60_000, 'expected JSON; got b\'{"txpk":'),
        (b"\x02\x00\x00\x00" + bytes(8) + b'{"rxpk":{}}', "expected rxpk to be a list; got an"),
        (b"\x02\x00\x00\x00" + bytes(8) + b'{"rxpk":[1]}', "expected rxpk to be an object; got 1"),
        (b"\x02\x00\x00\x00" + bytes(8) + b'{"stat":[]}', "expected stat to be an object; got a"),
    ],
)
def test_a_wrong_datagram_is_one_error(data: bytes, message: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(data)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
NAMES = sorted({*json.loads(TXPK_JSON), *json.loads(FULL_RXPK_JSON), *json.loads(STAT_JSON)})
members = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)


@settings(deadline=None)
@given(members, members, members)
def test_no_member_does_more_than_raise_one_error(
    txpk: dict[str, object], rxpk: dict[str, object], stat: dict[str, object]
) -> None:
    """Whole objects with some members replaced by anything that JSON can hold."""
    bodies = {
        0: {"rxpk": [{**json.loads(RXPK_JSON), **rxpk}], "stat": {**json.loads(STAT_JSON), **stat}},
        3: {"txpk": {**TXPK_FIELDS, **txpk}},
        5: {"txpk_ack": txpk},
    }
    for kind, body in bodies.items():
        eui = b"" if kind == 3 else bytes(8)
        data = bytes((2, 0, 0, kind)) + eui + json.dumps(body).encode()
        try:
            read = decode(data)
        except WireError:
            continue
        assert decode(encode(read)) is not None


@settings(deadline=None)
@given(st.binary(max_size=64), st.sampled_from(CASES), st.integers(0, 400), st.integers(0, 400))
def test_no_bytes_do_more_than_raise_one_error(
    noise: bytes, case: object, begin: int, end: int
) -> None:
    """Noise alone, and noise in place of a part of a right datagram."""
    data = case.values[1]  # type: ignore[attr-defined]  # pytest's parameter set
    for hostile in (noise, data[:begin] + noise + data[end:]):
        with contextlib.suppress(WireError):
            decode(hostile)
