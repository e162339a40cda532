"""PHY payloads as values and back: tables in both directions, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import (
    DataFrame,
    EncryptedJoinAccept,
    Frame,
    FType,
    JoinAccept,
    JoinRequest,
    Proprietary,
    RejoinRequest,
    decode,
    decode_join_accept,
    encode,
    encode_join_accept,
)

JOIN_EUI, DEV_EUI = "ffffffbb00000000", "ffffffaadeadbeef"

FRAMES: list[tuple[str, Frame]] = [
    (
        "0000000000bbffffffefbeaddeaaffffff02003122b6c0",
        JoinRequest(JOIN_EUI, DEV_EUI, 2, bytes.fromhex("3122b6c0")),
    ),
    (
        "206e2d4b19e9195240ea260881a8037f2a",
        EncryptedJoinAccept(bytes.fromhex("6e2d4b19e9195240ea260881a8037f2a")),
    ),
    (
        "c000010000efbeaddeaaffffff00009fd21c24",
        RejoinRequest(0, DEV_EUI, 0, net_id="000001", mic=bytes.fromhex("9fd21c24")),
    ),
    (
        "c00100000000bbffffffefbeaddeaaffffff0000bf3b7dc8",
        RejoinRequest(1, DEV_EUI, 0, join_eui=JOIN_EUI, mic=bytes.fromhex("bf3b7dc8")),
    ),
    (
        "c002130000efbeaddeaaffffff020100000000",
        RejoinRequest(2, DEV_EUI, 258, net_id="000013"),
    ),
    (
        "4002c3d4528000000fae02735368a5ef4fcc",
        DataFrame(
            FType.UNCONFIRMED_UP,
            "52d4c302",
            0,
            15,
            bytes.fromhex("ae02735368"),
            adr=True,
            mic=bytes.fromhex("a5ef4fcc"),
        ),
    ),
    (
        "6002c3d45222000086d7eda6760d",
        DataFrame(
            FType.UNCONFIRMED_DOWN,
            "52d4c302",
            0,
            f_opts=bytes.fromhex("86d7"),
            ack=True,
            mic=bytes.fromhex("eda6760d"),
        ),
    ),
    (
        "8004030201 70 ffff 00 0304 05060708",
        DataFrame(
            FType.CONFIRMED_UP,
            "01020304",
            65535,
            0,
            b"\x03\x04",
            adr_ack_req=True,
            ack=True,
            class_b=True,
            mic=b"\x05\x06\x07\x08",
        ),
    ),
    (
        "a004030201 90 0100 01 00000000",
        DataFrame(FType.CONFIRMED_DOWN, "01020304", 1, 1, adr=True, f_pending=True),
    ),
    ("4004030201 00 0000 00000000", DataFrame(FType.UNCONFIRMED_UP, "01020304", 0)),
    ("e0", Proprietary(b"")),
    ("e70102", Proprietary(b"\x01\x02", mhdr=0xE7)),
]


@pytest.mark.parametrize(("phy", "frame"), FRAMES)
def test_every_kind_of_frame_in_both_directions(phy: str, frame: Frame) -> None:
    assert decode(bytes.fromhex(phy)) == frame
    assert type(decode(bytes.fromhex(phy))) is type(frame)
    assert encode(frame) == bytes.fromhex(phy)


ACCEPTS = [
    (
        "2000000001000002c3d4520000cc322925",
        JoinAccept(0, "000001", "52d4c302", mic=bytes.fromhex("cc322925")),
    ),
    (
        "2001000001000002c3d4528305fb821ba0",
        JoinAccept(
            1,
            "000001",
            "52d4c302",
            rx2_data_rate_index=3,
            rx_delay=5,
            opt_neg=True,
            mic=bytes.fromhex("fb821ba0"),
        ),
    ),
    (
        "20563412 130000 0403022675 0f 000102030405060708090a0b0c0d0e01 00000000",
        JoinAccept(
            0x123456,
            "000013",
            "26020304",
            rx1_data_rate_offset=7,
            rx2_data_rate_index=5,
            rx_delay=15,
            cf_list=bytes.fromhex("000102030405060708090a0b0c0d0e01"),
        ),
    ),
]


@pytest.mark.parametrize(("plain", "frame"), ACCEPTS)
def test_join_accepts_in_both_directions(plain: str, frame: JoinAccept) -> None:
    assert decode_join_accept(bytes.fromhex(plain)) == frame
    assert encode_join_accept(frame) == bytes.fromhex(plain)


@pytest.mark.parametrize(("rx_delay", "seconds"), [(0, 1), (1, 1), (2, 2), (15, 15)])
def test_a_delay_of_zero_means_one_second(rx_delay: int, seconds: int) -> None:
    assert JoinAccept(0, "000000", "00000000", rx_delay=rx_delay).rx_delay_s == seconds


@pytest.mark.parametrize(
    ("phy", "offset", "reason"),
    [
        ("", 0, "expected a frame; got no bytes"),
        ("01" + 22 * "00", 0, "expected major version 0; got 1"),
        ("42" + 11 * "00", 0, "expected major version 0; got 2"),
        (22 * "00", 22, "expected a join request of at least 23 bytes; got 22"),
        (24 * "00", 23, "expected a join request of 23 bytes; got 24"),
        ("20" + 19 * "00", 17, "expected a join accept of 17 or 33 bytes; got 20"),
        ("20" + 33 * "00", 33, "expected a join accept of 17 or 33 bytes; got 34"),
        ("c0", 1, "expected the type of a rejoin request"),
        ("c003" + 20 * "00", 1, "expected a rejoin request of type 0, 1 or 2; got 3"),
        (
            "c001" + 17 * "00",
            19,
            "expected a rejoin request of type 1 of at least 24 bytes; got 19",
        ),
        ("40" + 10 * "00", 11, "expected a data frame of at least 12 bytes; got 11"),
        ("4004030201 02 0000 03 00000000", 9, "expected 2 bytes of FOpts before the MIC"),
        ("4004030201 01 0000 02 00 00000000", 9, "expected no FOpts in a frame with FPort 0"),
        ("40" + 255 * "00", 255, "expected at most 255 bytes; got 256"),
    ],
)
def test_what_is_no_frame_is_refused_with_offset_and_reason(
    phy: str, offset: int, reason: str
) -> None:
    with pytest.raises(LoRaWanError) as refused:
        decode(bytes.fromhex(phy))
    assert (refused.value.offset, refused.value.reason) == (offset, reason)


@pytest.mark.parametrize("phy", [*(bytes.fromhex(phy) for phy, _ in FRAMES)])
def test_every_prefix_is_read_or_refused(phy: bytes) -> None:
    for end in range(len(phy)):
        with suppress(LoRaWanError):
            assert encode(decode(phy[:end])) == phy[:end]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(phy: bytes) -> None:
    with suppress(LoRaWanError):
        frame = decode(phy)
        written = encode(frame)
        # Three reserved bits of the first byte may be set by a later version; they are not kept.
        assert written[1:] == phy[1:]
        assert written[0] | 0x1C == phy[0] | 0x1C


@given(st.sampled_from(FRAMES), st.data())
def test_a_frame_with_one_wrong_byte_is_read_or_refused(
    row: tuple[str, Frame], data: st.DataObject
) -> None:
    phy = bytearray.fromhex(row[0])
    phy[data.draw(st.integers(0, len(phy) - 1))] = data.draw(st.integers(0, 255))
    with suppress(LoRaWanError):
        assert encode(decode(bytes(phy)))[1:] == phy[1:]


@given(st.binary(max_size=40))
def test_no_bytes_break_the_reader_of_join_accepts(plain: bytes) -> None:
    with suppress(LoRaWanError):
        decode_join_accept(plain)


DATA = DataFrame(FType.UNCONFIRMED_UP, "01020304", 0, 1)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (DATA._replace(f_port=256), "expected a port between 0 and 255; got 256"),
        (DATA._replace(f_port=None, frm_payload=b"x"), "expected a port beside a payload"),
        (DATA._replace(f_cnt=1 << 32), "expected a frame counter between 0 and 4294967295"),
        (DATA._replace(f_opts=bytes(16)), "expected a number of bytes of FOpts between 0 and 15"),
        (DATA._replace(frm_payload=bytes(243)), "expected a number of bytes between 1 and 255"),
        (DATA._replace(mic=b""), "expected a MIC of 4 bytes; got 0"),
        (JoinRequest(JOIN_EUI, DEV_EUI, 65536), "expected a DevNonce between 0 and 65535"),
        (RejoinRequest(3, DEV_EUI, 0), "expected a type of rejoin request between 0 and 2; got 3"),
        (EncryptedJoinAccept(b""), "expected an encrypted join accept of 16 or 32 bytes; got 0"),
    ],
)
def test_values_that_do_not_fit_are_refused(frame: Frame, reason: str) -> None:
    with pytest.raises(LoRaWanError, match=reason) as refused:
        encode(frame)
    assert refused.value.offset is None


def test_only_the_low_half_of_the_counter_travels() -> None:
    frame = decode(encode(DATA._replace(f_cnt=0x12345678)))
    assert isinstance(frame, DataFrame)
    assert frame.f_cnt == 0x5678


@pytest.mark.parametrize(
    ("f_type", "is_uplink", "is_confirmed"),
    [
        (FType.UNCONFIRMED_UP, True, False),
        (FType.UNCONFIRMED_DOWN, False, False),
        (FType.CONFIRMED_UP, True, True),
        (FType.CONFIRMED_DOWN, False, True),
    ],
)
def test_direction_and_confirmation_follow_from_the_type(
    f_type: FType, is_uplink: bool, is_confirmed: bool
) -> None:
    frame = DATA._replace(f_type=f_type)
    assert (frame.is_uplink, frame.is_confirmed) == (is_uplink, is_confirmed)
