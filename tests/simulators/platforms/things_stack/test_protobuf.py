"""Messages in binary: as another implementation has them, there and back, and what is none."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.platforms.effects import Post
from simulators.platforms.things_stack.protobuf import decoding, encoding
from simulators.platforms.things_stack.protobuf.numbers import fields
from simulators.platforms.things_stack.schema import message
from simulators.platforms.things_stack.tables import blocks
from tests.simulators.platforms.things_stack.traffic import add_device

UP, DOWNLINKS = message("ApplicationUp"), message("ApplicationDownlinks")
UPLINK = {
    "end_device_ids": {
        "device_id": "dev1",
        "application_ids": {"application_id": "app1"},
        "dev_eui": "70B3D57ED0000001",
        "dev_addr": "26001234",
    },
    "correlation_ids": ["gs:uplink:1"],
    "received_at": "2024-01-31T12:00:00.250Z",
    "simulated": True,
    "uplink_message": {
        "f_port": 1,
        "f_cnt": 300,
        "frm_payload": "AWcA+A==",
        # Entries of maps are sorted, as the other implementation wrote them.
        "decoded_payload": {
            "list": [1, "a", {"b": False}],
            "none": None,
            "ok": True,
            "temperature_1": 24.8,
        },
        "rx_metadata": [
            {
                "gateway_ids": {"gateway_id": "gtw1", "eui": "B827EBFFFE000001"},
                "time": "2024-01-31T11:59:59.999999Z",
                "timestamp": 4294967295,
                "rssi": -42,
                "snr": 9.5,
                "frequency_offset": "-1",
                "signal_rssi": -40.5,
                "location": {
                    "latitude": 52.37,
                    "longitude": -4.9,
                    "altitude": -12,
                    "source": "SOURCE_REGISTRY",
                },
            }
        ],
        "settings": {
            "data_rate": {
                "lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}
            },
            "frequency": "868100000",
        },
        "consumed_airtime": "0.051456s",
        "locations": {"user": {"latitude": 1.5}},
        "decoded_payload_warnings": ["w1", "w2"],
    },
}
# Both by Google's library for Python.
UPLINK_BYTES = bytes.fromhex(
    "0a1e0a046465763112060a0461707031220870b3d57ed0000001320426001234120b67733a75706c696e"
    "6b3a311a8702100118ac022204016700f82a5b0a270a046c697374121f321d0a0911000000000000f03f"
    "0a031a01610a0b2a090a070a0162120220000a0a0a046e6f6e65120208000a080a026f6b120220010a1a"
    "0a0d74656d70657261747572655f31120911cdcccccccccc384032640a100a04677477311208b827ebff"
    "fe0000011a0c08bfece8ad0610988cebdc0320ffffffff0f45000028c25d0000184160ffffffffffffff"
    "ffff016a1f098fc2f5285c2f4a40119a999999999913c018f4ffffffffffffffff0128038201050d0000"
    "22c23a150a0d0a0b08c8d00710071a03342f3520a0cff89d0362027731620277326a051080d0c4187211"
    "0a0475736572120909000000000000f83f620b08c0ece8ad061080e59a777001"
)
ITEMS = [
    {
        "f_port": 42,
        "frm_payload": "vu8=",
        "confirmed": True,
        "priority": "NORMAL",
        "correlation_ids": ["a", "b"],
        "confirmed_retry": {"max_attempts": 5},
    },
    {"f_port": 1, "decoded_payload": {"on": True}},
]
ITEMS_BYTES = bytes.fromhex(
    "0a16102a2202beef300140034a01614a01625a04120208050a0e10012a0a0a080a026f6e12022001"
)


def test_uplink_is_what_another_library_writes():
    assert encoding.encode(UP, UPLINK) == UPLINK_BYTES


def test_uplink_is_read_from_what_another_library_writes():
    assert decoding.decode(UP, UPLINK_BYTES) == UPLINK


def test_downlinks_are_read_from_what_another_library_writes():
    assert decoding.decode(DOWNLINKS, ITEMS_BYTES) == {"downlinks": ITEMS}


def test_how_many_uplinks_were_lost_is_a_plain_number():
    """Field 19 as four bytes: 0.25 in IEEE 754."""
    up = {"uplink_message": {"f_cnt": 1, "packet_error_rate": 0.25}}
    data = bytes.fromhex("1a0818019d010000803e")
    assert encoding.encode(UP, up) == data
    assert decoding.decode(UP, data) == up


def test_messages_of_other_networks_tell_their_way():
    """Field 18 of the metadata; the gateway's id is in a message of its own."""
    broker = {"forwarder_net_id": "000013", "forwarder_gateway_id": "gtw1"}
    up = {"uplink_message": {"rx_metadata": [{"packet_broker": broker}]}}
    data = bytes.fromhex("1a12 3210 92010d 1203000013 5206 0a0467747731")
    assert encoding.encode(UP, up) == data
    assert decoding.decode(UP, data) == up


def test_numbers_are_different_and_of_fields_that_there_are():
    for name, _ in blocks("protobuf.txt"):
        numbers = [one.number for one in fields(name)]
        assert numbers, name
        assert len(numbers) == len(set(numbers)), name


def test_every_message_in_a_message_has_numbers():
    known = {name for name, _ in blocks("protobuf.txt")}
    for name in known:
        inner = {one.field.of for one in fields(name) if one.field.kind == "message"}
        assert inner <= known, name


def test_unknown_fields_are_dropped():
    unknown = bytes.fromhex("f8070a f9070000000000000000 fa0703616263 fd0700000000")
    assert decoding.decode(DOWNLINKS, unknown + ITEMS_BYTES) == {"downlinks": ITEMS}


@pytest.mark.parametrize(
    "data",
    [
        "0a",  # no length
        "0a05",  # no content
        "00",  # field 0
        "08",  # no number
        "0aff",  # a length that does not end
        "0802",  # a number in place of a message
        "0a021001" + "0b",  # a group
        "0a03" + "220" + "5ab",  # a payload that is cut off
        "0a04" + "4a02ffff",  # a text that is none
        "0a" + "ffffffffffffffffffff01",  # a length of more than 64 bits
    ],
)
def test_what_is_no_message(data):
    with pytest.raises(decoding.ProtobufError):
        decoding.decode(DOWNLINKS, bytes.fromhex(data))


def test_messages_are_not_read_endlessly_deep():
    def within(key, data):
        return bytes((key,)) + encoding.varint(len(data)) + data

    value = b""
    for _ in range(2000):  # a list in a list in a list ...
        value = within(0x32, within(0x0A, value))
    decoded_payload = within(0x0A, within(0x0A, b"a") + within(0x12, value))
    with pytest.raises(decoding.ProtobufError):
        decoding.decode(DOWNLINKS, within(0x0A, within(0x2A, decoded_payload)))


@given(st.binary(max_size=200))
def test_any_bytes_are_downlinks_or_refused(data):
    try:
        decoded = decoding.decode(DOWNLINKS, data)
    except decoding.ProtobufError:
        return
    orjson.dumps(decoded)


@given(st.integers(0, len(ITEMS_BYTES) - 1), st.integers(0, 255))
def test_damaged_bytes_are_downlinks_or_refused(at, byte):
    data = ITEMS_BYTES[:at] + bytes((byte,)) + ITEMS_BYTES[at + 1 :]
    try:
        decoded = decoding.decode(DOWNLINKS, data)
    except decoding.ProtobufError:
        return
    orjson.dumps(decoded)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_values_are_read_as_they_were_written(values):
    document = {"service": "mine", "data": values}
    of = message("ApplicationServiceData")
    assert decoding.decode(of, encoding.encode(of, document)) == document


# --- with webhooks


@pytest.fixture
def hooked(bench, traffic):
    add_device(bench)
    webhook = {"base_url": "https://example.com", "format": "protobuf", "uplink_message": {}}
    body = {"webhook": webhook, "field_mask": {"paths": list(webhook)}}
    bench.made("/as/webhooks/app1/hook1", body, method="PUT")
    return traffic


def test_webhook_gets_binary(bench, hooked):
    body = {"uplink_message": UPLINK["uplink_message"]}
    hooked.ask("POST", "/as/applications/app1/devices/dev1/up/simulate", body)
    (post,) = [each for each in bench.core.stack.outbox if type(each) is Post]
    assert ("Content-Type", "application/octet-stream") in post.headers
    up = decoding.decode(UP, post.body)
    assert up["uplink_message"] == UPLINK["uplink_message"]
    assert up["received_at"] == "2024-01-31T12:00:00Z"


def test_webhook_pushes_binary(bench, hooked):
    target = "/as/applications/app1/webhooks/hook1/devices/dev1/down/push"
    item = bytes.fromhex("0a06" + "102a" + "2202beef")
    assert bench.post(target, item) == (200, None)
    assert hooked.queue.counters() == [(1, b"\xbe\xef")]
    expected = (400, "applicationserver/io/web:decode_body", {})
    assert bench.refused("POST", target, b"\x0a") == expected
    too_high = bytes.fromhex("0a03" + "10e001")
    expected = (400, "applicationserver/io/web:validate_body", {})
    assert bench.refused("POST", target, too_high) == expected
