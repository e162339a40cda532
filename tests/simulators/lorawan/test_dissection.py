"""What is told about a frame: fields, MIC, payload, commands, and never a key."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.crypto import FOptsCipher, Session
from simulators.lorawan.dissection import dissect
from simulators.lorawan.dissection.known import Known, NetworkKeys
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import ACK, JoinAccept, RejoinRequest
from simulators.lorawan.join import protect_accept, protect_request
from simulators.lorawan.keys import Attempt, RootKeys
from tests.simulators.lorawan.vectors import (
    APP_KEY,
    DEV_ADDR,
    DEV_EUI,
    DOWNLINK_1_0,
    DOWNLINK_1_1_APPLICATION,
    DOWNLINK_1_1_NETWORK,
    JOIN_ACCEPT_1_0,
    JOIN_ACCEPT_1_1,
    JOIN_EUI,
    JOIN_REQUEST_1_0,
    JOIN_REQUEST_1_1,
    NWK_KEY,
    REJOIN_TYPE_0,
    REJOIN_TYPE_1,
    ROOT_1_1,
    SESSION_1_0,
    SESSION_1_1,
    UPLINK_1_0,
    UPLINK_1_1,
)

NOTHING = Known()
OLD = Known(network=NetworkKeys(*SESSION_1_0[:3]), app_s_key=SESSION_1_0.app_s_key)
NEW = Known(network=NetworkKeys(*SESSION_1_1[:3]), app_s_key=SESSION_1_1.app_s_key, is_1_1=True)
JOINING = Known(APP_KEY, NWK_KEY, JOIN_EUI, DEV_EUI, 3)


def test_an_uplink_of_1_0_as_a_whole() -> None:
    assert dissect(UPLINK_1_0, OLD) == {
        "phy_payload": "4002c3d4528000000fae02735368a5ef4fcc",
        "f_type": "UNCONFIRMED_UP",
        "dev_addr": "52d4c302",
        "f_ctrl": {"adr": True, "adr_ack_req": False, "ack": False, "class_b": False},
        "f_cnt": 0,
        "f_opts": "",
        "f_port": 15,
        "frm_payload": "ae02735368",
        "decrypted_payload": "68656c6c6f",
        "mac_commands": [],
        "mic": "a5ef4fcc",
        "mic_status": "good",
        "notes": [],
    }


def test_a_downlink_of_1_1_as_a_whole() -> None:
    assert dissect(DOWNLINK_1_1_NETWORK, NEW._replace(conf_f_cnt=1)) == {
        "phy_payload": "6002c3d45222000086d7eda6760d",
        "f_type": "UNCONFIRMED_DOWN",
        "dev_addr": "52d4c302",
        "f_ctrl": {"adr": False, "ack": True, "f_pending": False},
        "f_cnt": 0,
        "f_opts": "86d7",
        "f_port": None,
        "frm_payload": "",
        "decrypted_payload": None,
        "mac_commands": [{"cid": "0b", "name": "RekeyConf", "fields": {"minor_version": 1}}],
        "mic": "eda6760d",
        "mic_status": "good",
        "notes": [],
    }


@pytest.mark.parametrize(
    ("phy", "known", "status", "notes"),
    [
        (UPLINK_1_0, NOTHING, "unknown", ["the MIC needs the keys of the network session"]),
        (DOWNLINK_1_0, OLD, "good", []),
        (DOWNLINK_1_0[:-1] + b"\0", OLD, "bad", ["judged with counter 0: past 65535 the full"]),
        (DOWNLINK_1_0, OLD._replace(f_cnt=0x10000), "bad", []),
        (UPLINK_1_1, NEW, "unknown", ["the MIC of 1.1 needs data rate and channel of this"]),
        (UPLINK_1_1, NEW._replace(tx_dr=5, tx_ch=2), "good", []),
        (UPLINK_1_1, NEW._replace(tx_dr=5, tx_ch=3, f_cnt=1), "bad", []),
        (UPLINK_1_1[:-1] + b"\0", NEW._replace(f_cnt=1), "bad", []),
        (DOWNLINK_1_1_NETWORK, NEW, "unknown", ["the MIC of 1.1 needs the counter of the frame"]),
        (DOWNLINK_1_1_APPLICATION, NEW, "good", []),
        (JOIN_REQUEST_1_0, NOTHING, "unknown", ["the MIC needs the AppKey, or the NwkKey of"]),
        (JOIN_REQUEST_1_0, Known(APP_KEY), "good", []),
        (JOIN_REQUEST_1_0, Known(NWK_KEY), "bad", []),
        (JOIN_REQUEST_1_0, Known(APP_KEY, NWK_KEY), "bad", ["the MIC is right under the AppKey"]),
        (JOIN_REQUEST_1_1, Known(APP_KEY, NWK_KEY), "good", []),
        (JOIN_ACCEPT_1_0, NOTHING, "unknown", ["the content needs the AppKey, or the NwkKey of"]),
        (JOIN_ACCEPT_1_0, Known(APP_KEY), "good", []),
        (JOIN_ACCEPT_1_0, Known(NWK_KEY), "bad", ["the fields are what this key makes of the"]),
        (JOIN_ACCEPT_1_0, Known(APP_KEY, NWK_KEY), "bad", ["the MIC is right under the AppKey"]),
        (JOIN_ACCEPT_1_1, Known(nwk_key=NWK_KEY), "unknown", ["the MIC of a join accept of 1.1"]),
        (JOIN_ACCEPT_1_1, JOINING, "good", []),
        (REJOIN_TYPE_0, NOTHING, "unknown", ["the MIC needs the SNwkSIntKey"]),
        (REJOIN_TYPE_0, NEW, "good", []),
        (REJOIN_TYPE_0, OLD, "bad", []),
        (REJOIN_TYPE_1, NOTHING, "unknown", ["the MIC needs the NwkKey"]),
        (REJOIN_TYPE_1, Known(nwk_key=NWK_KEY), "good", []),
        (REJOIN_TYPE_1, Known(nwk_key=APP_KEY), "bad", []),
        (b"\xe0\x01", NOTHING, "unknown", ["nothing is known of a proprietary frame"]),
    ],
)
def test_a_mic_is_good_bad_or_unknown_and_why(
    phy: bytes, known: Known, status: str, notes: list[str]
) -> None:
    document = dissect(phy, known)
    assert document["mic_status"] == status
    assert len(document["notes"]) == len(notes)
    for told, expected in zip(document["notes"], notes, strict=True):
        assert told.startswith(expected)


def test_a_join_accept_tells_its_session_keys_by_their_ends() -> None:
    document = dissect(JOIN_ACCEPT_1_0, Known(APP_KEY, dev_nonce=2))
    assert document["session_keys"] == {"nwk_s_key": "…d6fb", "app_s_key": "…6708"}
    assert dissect(JOIN_ACCEPT_1_1, JOINING)["session_keys"] == {
        "f_nwk_s_int_key": "…822a",
        "s_nwk_s_int_key": "…c7ae",
        "nwk_s_enc_key": "…0cd8",
        "app_s_key": "…ee38",
    }


@pytest.mark.parametrize(
    ("cf_list", "told"),
    [
        ("", None),
        (
            "184f84e85684b85e84886684586e8400",
            {
                "type": 0,
                "frequencies_hz": [
                    867_100_000,
                    867_300_000,
                    867_500_000,
                    867_700_000,
                    867_900_000,
                ],
            },
        ),
        (
            "00ff0000000000000200000000000001",
            {"type": 1, "channels": [8, 9, 10, 11, 12, 13, 14, 15, 65]},
        ),
        ("00" * 15 + "07", {"raw": "00" * 15 + "07"}),
    ],
)
def test_a_channel_list_is_told(cf_list: str, told: dict[str, Any] | None) -> None:
    accept = JoinAccept(1, "000013", DEV_ADDR, cf_list=bytes.fromhex(cf_list))
    phy = protect_accept(accept, RootKeys(APP_KEY), Attempt(JOIN_EUI, DEV_EUI, 2))
    document = dissect(phy, Known(APP_KEY))
    assert (document["cf_list"], document["mic_status"]) == (told, "good")


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_an_answer_to_a_rejoin_request_is_found_to_be_one(rejoin_type: int) -> None:
    attempt = Attempt(JOIN_EUI, DEV_EUI, 3, rejoin_type)
    phy = protect_accept(JoinAccept(9, "000001", DEV_ADDR, opt_neg=True), ROOT_1_1, attempt)
    document = dissect(phy, JOINING)
    assert document["mic_status"] == "good"
    assert document["answers_rejoin_type"] == rejoin_type
    assert document["join_nonce"] == 9


def test_a_rejoin_request_tells_its_fields() -> None:
    frame = RejoinRequest(2, DEV_EUI, 7, net_id="000013")
    document = dissect(protect_request(frame, SESSION_1_1.s_nwk_s_int_key), NEW)
    assert document["rejoin_type"] == 2
    assert (document["net_id"], document["dev_eui"]) == ("000013", DEV_EUI)
    assert (document["rj_count"], document["mic_status"]) == (7, "good")


COMMANDS = bytes.fromhex("06ff3f0307")
TOLD = [
    {"cid": "06", "name": "DevStatusAns", "fields": {"battery": 255, "margin": -1}},
    {
        "cid": "03",
        "name": "LinkADRAns",
        "fields": {
            "channel_mask_ack": True,
            "data_rate_index_ack": True,
            "tx_power_index_ack": True,
        },
    },
]


def test_commands_are_told_from_port_0_and_from_f_opts() -> None:
    session = Session(DEV_ADDR, SESSION_1_0)
    assert dissect(session.protect_uplink(1, 0, COMMANDS), OLD)["mac_commands"] == TOLD
    assert dissect(session.protect_uplink(1, f_opts=COMMANDS), OLD)["mac_commands"] == TOLD
    assert dissect(session.protect_uplink(1, 0, COMMANDS), NOTHING)["mac_commands"] == []


def test_f_opts_without_keys_are_read_as_they_stand() -> None:
    session = Session(DEV_ADDR, SESSION_1_0)
    document = dissect(session.protect_uplink(1, f_opts=COMMANDS), NOTHING)
    assert document["mac_commands"] == TOLD
    assert "FOpts are read as they stand" in document["notes"][1]


def test_commands_that_cannot_be_read_are_told() -> None:
    session = Session(DEV_ADDR, SESSION_1_0)
    document = dissect(session.protect_uplink(1, f_opts=COMMANDS + b"\x80\x01"), OLD)
    assert document["mac_commands"] == TOLD
    assert document["notes"] == [
        "MAC commands: byte 5: expected a MAC command; got 80; left unread: 8001"
    ]


def test_the_first_form_of_encrypted_f_opts_is_found_out() -> None:
    session = Session(DEV_ADDR, SESSION_1_1, is_1_1=True, f_opts_cipher=FOptsCipher.FIRST)
    phy = session.protect_uplink(1, f_opts=COMMANDS, tx_dr=5, tx_ch=2)
    document = dissect(phy, NEW._replace(tx_dr=5, tx_ch=2))
    assert document["mac_commands"] == TOLD
    assert document["notes"] == [
        "FOpts are encrypted as in the first text of 1.1, without its erratum"
    ]


def test_a_full_counter_is_used_and_has_to_fit() -> None:
    phy = Session(DEV_ADDR, SESSION_1_0).protect_uplink(0x10005, 1, b"x")
    document = dissect(phy, OLD._replace(f_cnt=0x10005))
    assert (document["f_cnt"], document["mic_status"]) == (0x10005, "good")
    with pytest.raises(LoRaWanError, match="expected a full counter of the frame's 5, such as"):
        dissect(phy, OLD._replace(f_cnt=6))


EVERYTHING = NEW._replace(
    app_key=APP_KEY,
    nwk_key=NWK_KEY,
    join_eui=JOIN_EUI,
    dev_eui=DEV_EUI,
    dev_nonce=3,
    conf_f_cnt=0,
    tx_dr=5,
    tx_ch=2,
)
ALL_FRAMES = [
    UPLINK_1_0,
    UPLINK_1_1,
    DOWNLINK_1_0,
    DOWNLINK_1_1_APPLICATION,
    DOWNLINK_1_1_NETWORK,
    JOIN_ACCEPT_1_0,
    JOIN_ACCEPT_1_1,
    JOIN_REQUEST_1_0,
    JOIN_REQUEST_1_1,
    REJOIN_TYPE_0,
    REJOIN_TYPE_1,
    Session(DEV_ADDR, SESSION_1_1, is_1_1=True).protect_uplink(1, 0, COMMANDS, f_ctrl=ACK),
]


@given(
    st.sampled_from([NOTHING, OLD, NEW, JOINING, EVERYTHING]),
    st.one_of(st.binary(max_size=260), st.sampled_from(ALL_FRAMES)),
    st.integers(0, 40),
    st.integers(0, 255),
)
def test_no_bytes_break_it_and_no_key_is_told(
    known: Known, phy: bytes, at: int, value: int
) -> None:
    """Any bytes, and right ones with one of them changed."""
    changed = bytearray(phy)
    if at < len(changed):
        changed[at] = value
    for each in (phy, bytes(changed)):
        with suppress(LoRaWanError):
            text = json.dumps(dissect(each, known))
            for key in (APP_KEY, NWK_KEY, *SESSION_1_0, *SESSION_1_1):
                assert key.hex() not in text
