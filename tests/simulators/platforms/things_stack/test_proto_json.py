"""Input in its many spellings, and the one form it becomes."""

from __future__ import annotations

import pytest

from simulators.platforms.things_stack.errors import GatewayError
from simulators.platforms.things_stack.proto_json import decode, parse
from simulators.platforms.things_stack.schema import message

DEVICE = message("EndDevice")


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        pytest.param({"lorawan_version": "1.0.2"}, {"lorawan_version": "MAC_V1_0_2"}, id="alias"),
        pytest.param({"lorawanVersion": "V1_1"}, {"lorawan_version": "MAC_V1_1"}, id="short name"),
        pytest.param({"lorawan_version": 5}, {"lorawan_version": "MAC_V1_0_3"}, id="number"),
        pytest.param(
            {"lorawan_phy_version": "1.0.2-b"},
            {"lorawan_phy_version": "PHY_V1_0_2_REV_B"},
            id="PHY alias",
        ),
        pytest.param(
            {"lorawan_phy_version": "RP001_V1_0_2_REV_B"},
            {"lorawan_phy_version": "PHY_V1_0_2_REV_B"},
            id="second name of a number",
        ),
        pytest.param({"lorawan_version": "MAC_UNKNOWN"}, {}, id="zero enum"),
        pytest.param({"lorawan_version": 99}, {"lorawan_version": 99}, id="unknown number"),
        pytest.param({"min_frequency": 868100000}, {"min_frequency": "868100000"}, id="u64"),
        pytest.param({"min_frequency": "868100000"}, {"min_frequency": "868100000"}, id="text"),
        pytest.param({"min_frequency": 0, "supports_join": False, "name": ""}, {}, id="zeros"),
        pytest.param({"name": None, "surprise": {"a": 1}}, {}, id="null and unknown"),
        pytest.param({"downlink_margin": "-7"}, {"downlink_margin": -7}, id="negative as text"),
        pytest.param({"created_at": "2026-03-01T12:00:00.5+02:00"},
                     {"created_at": "2026-03-01T10:00:00.500Z"}, id="time with offset"),
        pytest.param({"attributes": {}}, {}, id="empty map"),
        pytest.param({"ids": {}}, {"ids": {}}, id="an empty message is there"),
        pytest.param({"net_id": "aBcDeF"}, {"net_id": "ABCDEF"}, id="hex in capitals"),
        pytest.param({"net_id": "AAAT"}, {"net_id": "000013"}, id="base64 for hex"),
        pytest.param({"net_id": ""}, {}, id="empty hex"),
        pytest.param({"mac_settings": {"resets_f_cnt": False}},
                     {"mac_settings": {"resets_f_cnt": False}}, id="wrapped false"),
        pytest.param({"mac_settings": {"resets_f_cnt": {"value": True}}},
                     {"mac_settings": {"resets_f_cnt": True}}, id="wrapper not bare"),
        pytest.param({"mac_settings": {"rx1_delay": "RX_DELAY_5", "rx2_data_rate_index": 0}},
                     {"mac_settings": {"rx1_delay": 5, "rx2_data_rate_index": 0}}, id="numeric"),
        pytest.param({"mac_settings": {"class_b_timeout": "1.5s", "adr_margin": 15}},
                     {"mac_settings": {"class_b_timeout": "1.500s", "adr_margin": 15}},
                     id="duration"),
        pytest.param({"mac_settings": {"adr": {"mode": 1, "static": {"nb_trans": 1},
                                               "disabled": {}}}},
                     {"mac_settings": {"adr": {"disabled": {}}}}, id="the last of a oneof"),
        pytest.param({"locations": {"user": {"latitude": 52.37, "altitude": 2}}},
                     {"locations": {"user": {"latitude": 52.37, "altitude": 2}}}, id="map"),
        pytest.param({"picture": {"embedded": {"data": "-_8"}}},
                     {"picture": {"embedded": {"data": "+/8="}}}, id="URL-safe base64"),
    ],
)  # fmt: skip
def test_canonical_form(given, canonical):
    assert decode(DEVICE, given) == canonical


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"ids": {"dev_eui": "0004A30B001C053"}}, "ids.dev_eui",
         "error:pkg/types:invalid_length (invalid length: want 8 bytes, got 15 runes)"),
        ({"ids": {"dev_eui": "XXXXXXXXXXXXXXXX"}}, "ids.dev_eui",
         "encoding/hex: invalid byte: U+0058 'X'"),
        ({"ids": {"dev_eui": 5}}, "ids.dev_eui", "expected a string, got a number"),
        ({"lorawan_version": "1.9"}, "lorawan_version",
         "unknown value for enum MACVersion: '1.9'"),
        ({"supports_join": "true"}, "supports_join", "expected a bool, got a string"),
        ({"last_dev_nonce": -1}, "last_dev_nonce", "value out of range: -1"),
        ({"last_dev_nonce": 1 << 32}, "last_dev_nonce", "value out of range: 4294967296"),
        ({"attributes": []}, "attributes", "expected an object, got an array"),
        ({"used_dev_nonces": {}}, "used_dev_nonces", "expected an array, got an object"),
        ({"ids": []}, "ids", "expected an object, got an array"),
        ({"created_at": "yesterday"}, "created_at",
         "expected a time as RFC 3339; got 'yesterday'"),
        ({"picture": {"embedded": {"data": "A"}}}, "picture.embedded.data", None),
    ],
)  # fmt: skip
def test_wrong_values_are_told_with_their_path(given, path, reason):
    with pytest.raises(GatewayError) as error:
        decode(DEVICE, given)
    assert error.value.code == 3
    assert error.value.message.startswith(f'unmarshal error at path "{path}": ')
    assert reason is None or error.value.message.endswith(f": {reason}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"downlinks": [{"f_port": 42,}]}',
         "invalid character '}' looking for beginning of object key string"),
        ('{"a": 1', "unexpected EOF"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a": 1 "b"}', "invalid character '\"' after object key:value pair"),
        ('{"a": [1 2]}', "invalid character '2' after array element"),
        ("{'a': 1}",
         "invalid character '\\'' looking for beginning of object key string"),
        ("hello", "invalid character 'h' looking for beginning of value"),
        ("tru3", "invalid character '3' in literal true (expecting 'e')"),
        ('"\t"', "invalid character '\\t' in string literal"),
        (r'"\x"', "invalid character 'x' in string escape code"),
        (r'"\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("[" * 200, "exceeded max depth"),
    ],
)  # fmt: skip
def test_no_json_is_told_in_the_words_of_the_decoder(text, message):
    with pytest.raises(GatewayError) as error:
        parse(text.encode())
    assert (error.value.code, error.value.message) == (3, message)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}),
        (b"  \n", {}),
        (b'{"a":1} rest', {"a": 1}),
        (b'{"a":1}{"b":2}', {"a": 1}),
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
        (b"[" + b"1," * 200 + b"1]", [1] * 201),
        (b'[' + b'{"a":1},' * 200 + b"1]", [{"a": 1}] * 200 + [1]),
    ],
)  # fmt: skip
def test_what_the_decoder_lets_pass(body, value):
    """An empty body, text after the first value, bytes that are no UTF-8."""
    assert parse(body) == value
