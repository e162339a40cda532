"""Sessions: published vectors in both directions, forms of encryption, counters, bounds."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.contexts import Contexts
from simulators.lorawan.crypto import FOptsCipher, Session, full_f_cnt
from simulators.lorawan.errors import LoRaWanError, MicError
from simulators.lorawan.frames import (
    ACK,
    ADR,
    ADR_ACK_REQ,
    CLASS_B,
    F_PENDING,
    DataFrame,
    FType,
    decode,
)
from simulators.lorawan.keys import SessionKeys
from tests.simulators.lorawan.vectors import (
    DEV_ADDR,
    DOWNLINK_1_0,
    DOWNLINK_1_1_APPLICATION,
    DOWNLINK_1_1_NETWORK,
    SESSION_1_0,
    SESSION_1_1,
    UPLINK_1_0,
    UPLINK_1_1,
)

OLD = Session(DEV_ADDR, SESSION_1_0)
NEW = Session(DEV_ADDR, SESSION_1_1, is_1_1=True)
FIRST = Session(DEV_ADDR, SESSION_1_1, is_1_1=True, f_opts_cipher=FOptsCipher.FIRST)


def mic_of(phy: bytes) -> bytes:
    return phy[-4:]


def test_an_uplink_of_1_0() -> None:
    frame = DataFrame(
        FType.UNCONFIRMED_UP, DEV_ADDR, 0, 15, b"hello", adr=True, mic=mic_of(UPLINK_1_0)
    )
    assert OLD.protect_uplink(0, 15, b"hello", f_ctrl=ADR) == UPLINK_1_0
    assert OLD.open_uplink(UPLINK_1_0, 0) == frame


def test_a_downlink_of_1_0() -> None:
    frame = DataFrame(
        FType.UNCONFIRMED_DOWN, DEV_ADDR, 0, 15, b"hi there!", mic=mic_of(DOWNLINK_1_0)
    )
    assert OLD.protect_downlink(0, 15, b"hi there!") == DOWNLINK_1_0
    assert OLD.open_downlink(DOWNLINK_1_0, 0) == frame


def test_an_uplink_of_1_1() -> None:
    frame = DataFrame(
        FType.UNCONFIRMED_UP, DEV_ADDR, 1, 1, b"hi", b"\x0b\x01", adr=True, mic=mic_of(UPLINK_1_1)
    )
    uplink = NEW.protect_uplink(1, 1, b"hi", f_ctrl=ADR, f_opts=b"\x0b\x01", tx_dr=5, tx_ch=2)
    assert uplink == UPLINK_1_1
    assert NEW.open_uplink(UPLINK_1_1, 1, tx_dr=5, tx_ch=2) == frame


def test_a_downlink_of_1_1_from_the_network() -> None:
    frame = DataFrame(
        FType.UNCONFIRMED_DOWN,
        DEV_ADDR,
        0,
        f_opts=b"\x0b\x01",
        ack=True,
        mic=mic_of(DOWNLINK_1_1_NETWORK),
    )
    downlink = NEW.protect_downlink(0, f_ctrl=ACK, f_opts=b"\x0b\x01", conf_f_cnt=1)
    assert downlink == DOWNLINK_1_1_NETWORK
    assert NEW.open_downlink(DOWNLINK_1_1_NETWORK, 0, conf_f_cnt=1) == frame


def test_a_downlink_of_1_1_from_the_application() -> None:
    frame = DataFrame(
        FType.UNCONFIRMED_DOWN,
        DEV_ADDR,
        7,
        10,
        b"ok",
        b"\x06",
        mic=mic_of(DOWNLINK_1_1_APPLICATION),
    )
    assert NEW.protect_downlink(7, 10, b"ok", f_opts=b"\x06") == DOWNLINK_1_1_APPLICATION
    assert NEW.open_downlink(DOWNLINK_1_1_APPLICATION, 7) == frame


@pytest.mark.parametrize(
    "changed", [{"tx_dr": 4}, {"tx_ch": 3}, {"f_cnt": 2}, {"f_cnt": 0x10001}], ids=str
)
def test_an_uplink_of_1_1_belongs_to_its_counter_channel_and_data_rate(
    changed: dict[str, int],
) -> None:
    with pytest.raises(MicError) as refused:
        NEW.open_uplink(UPLINK_1_1, **{"f_cnt": 1, "tx_dr": 5, "tx_ch": 2, **changed})
    assert refused.value.offset == len(UPLINK_1_1) - 4


def test_an_acknowledgement_of_1_1_belongs_to_what_it_acknowledges() -> None:
    with pytest.raises(MicError):
        NEW.open_downlink(DOWNLINK_1_1_NETWORK, 0, conf_f_cnt=2)
    uplink = NEW.protect_uplink(5, 1, b"x", f_ctrl=ACK, conf_f_cnt=9)
    with pytest.raises(MicError):
        NEW.open_uplink(uplink, 5)
    assert NEW.open_uplink(uplink, 5, conf_f_cnt=9).ack


def test_what_acknowledges_nothing_has_no_other_counter_in_its_mic() -> None:
    assert NEW.protect_uplink(5, 1, conf_f_cnt=9) == NEW.protect_uplink(5, 1)
    assert NEW.protect_downlink(5, 1, conf_f_cnt=9) == NEW.protect_downlink(5, 1)


def test_the_counter_acknowledged_counts_by_its_lower_half() -> None:
    acknowledgement = NEW.protect_downlink(5, f_ctrl=ACK, conf_f_cnt=0x20007)
    assert acknowledgement == NEW.protect_downlink(5, f_ctrl=ACK, conf_f_cnt=7)


@pytest.mark.parametrize("changed", [bytes(16), SESSION_1_0.app_s_key])
def test_another_key_is_noticed(changed: bytes) -> None:
    wrong = Session(DEV_ADDR, SessionKeys.legacy(changed, SESSION_1_0.app_s_key))
    with pytest.raises(MicError, match="got a5ef4fcc"):
        wrong.open_uplink(UPLINK_1_0, 0)


def test_the_upper_half_of_a_counter_is_in_mic_and_payload() -> None:
    low, high = OLD.protect_uplink(1, 1, b"same"), OLD.protect_uplink(0x10001, 1, b"same")
    assert low[:9] == high[:9]
    assert low[9:13] != high[9:13]
    assert low[13:] != high[13:]
    assert OLD.open_uplink(high, 0x10001).frm_payload == b"same"


F_OPTS = b"\x02\x03\x05\x06\x07"


def test_f_opts_of_1_0_are_plain() -> None:
    uplink = decode(OLD.protect_uplink(1, f_opts=F_OPTS))
    assert isinstance(uplink, DataFrame)
    assert uplink.f_opts == F_OPTS


def test_the_first_form_of_f_opts_has_one_keystream_for_both_kinds_of_downlink() -> None:
    """Its block names no counter and no number; computed here with AES alone."""
    from simulators.lorawan.aes import encryptor

    block = bytes.fromhex("01 00000000 00 02c3d452 07000000 00 00")
    keystream = encryptor(SESSION_1_1.nwk_s_enc_key)(block)
    expected = bytes(a ^ b for a, b in zip(F_OPTS, keystream, strict=False))
    uplink = FIRST.protect_uplink(7, 10, b"ok", f_opts=F_OPTS)
    assert uplink[8:13] == expected
    network = FIRST.protect_downlink(7, f_opts=F_OPTS)
    application = FIRST.protect_downlink(7, 10, b"ok", f_opts=F_OPTS)
    assert network[8:13] == application[8:13] != expected


def test_the_erratum_has_a_keystream_for_each_counter() -> None:
    found = {
        NEW.protect_uplink(7, 10, f_opts=F_OPTS)[8:13],
        NEW.protect_downlink(7, f_opts=F_OPTS)[8:13],
        NEW.protect_downlink(7, 10, f_opts=F_OPTS)[8:13],
        FIRST.protect_uplink(7, 10, f_opts=F_OPTS)[8:13],
        FIRST.protect_downlink(7, f_opts=F_OPTS)[8:13],
    }
    assert len(found) == 5


@pytest.mark.parametrize("ours", [NEW, FIRST])
def test_both_ends_need_the_same_form(ours: Session) -> None:
    other = FIRST if ours is NEW else NEW
    uplink = ours.protect_uplink(1, f_opts=F_OPTS)
    assert ours.open_uplink(uplink, 1).f_opts == F_OPTS
    # The MIC is over what travels, so the network's MAC layer sees rubbish with a good MIC.
    assert other.open_uplink(uplink, 1).f_opts != F_OPTS


def test_commands_on_port_0_are_encrypted_with_the_networks_key() -> None:
    session = Session(DEV_ADDR, SESSION_1_1._replace(app_s_key=bytes(16)), is_1_1=True)
    assert session.protect_uplink(3, 0, F_OPTS) == NEW.protect_uplink(3, 0, F_OPTS)
    assert NEW.open_uplink(NEW.protect_uplink(3, 0, F_OPTS), 3).frm_payload == F_OPTS
    assert OLD.open_downlink(OLD.protect_downlink(3, 0, F_OPTS), 3).frm_payload == F_OPTS


UPLINKS = st.fixed_dictionaries(
    {"f_cnt": st.integers(0, 0xFFFF_FFFF)},
    optional={
        "f_port": st.integers(1, 255),
        "f_ctrl": st.sets(st.sampled_from([ADR, ADR_ACK_REQ, ACK, CLASS_B])).map(sum),
        "f_opts": st.binary(max_size=15),
        "is_confirmed": st.booleans(),
    },
)
SESSIONS = st.sampled_from([OLD, NEW, FIRST])


@given(SESSIONS, UPLINKS, st.binary(max_size=227))
def test_uplinks_come_back_as_they_went(
    session: Session, fields: dict[str, int], payload: bytes
) -> None:
    payload = payload if "f_port" in fields else b""
    frame = session.open_uplink(session.protect_uplink(payload=payload, **fields), fields["f_cnt"])
    assert frame.is_uplink
    assert frame.is_confirmed == fields.get("is_confirmed", False)
    assert (frame.f_cnt, frame.f_port) == (fields["f_cnt"], fields.get("f_port"))
    assert (frame.frm_payload, frame.f_opts) == (payload, fields.get("f_opts", b""))
    f_ctrl = fields.get("f_ctrl", 0)
    assert (frame.adr, frame.adr_ack_req) == (bool(f_ctrl & ADR), bool(f_ctrl & ADR_ACK_REQ))
    assert (frame.ack, frame.class_b) == (bool(f_ctrl & ACK), bool(f_ctrl & CLASS_B))
    assert not frame.f_pending


@given(SESSIONS, st.integers(0, 0xFFFF_FFFF), st.integers(0, 255), st.binary(max_size=242))
def test_downlinks_come_back_as_they_went(
    session: Session, f_cnt: int, f_port: int, payload: bytes
) -> None:
    phy = session.protect_downlink(f_cnt, f_port, payload, f_ctrl=F_PENDING, is_confirmed=True)
    assert session.open_downlink(phy, f_cnt) == DataFrame(
        FType.CONFIRMED_DOWN, DEV_ADDR, f_cnt, f_port, payload, f_pending=True, mic=phy[-4:]
    )


@given(st.integers(0, 0xFFFF_FFFF), st.integers(1, 255), st.binary(max_size=242))
def test_the_short_way_of_an_uplink_leads_to_the_same_bytes(
    f_cnt: int, f_port: int, payload: bytes
) -> None:
    """What is built in one piece equals what the separate functions give."""
    phy = OLD.protect_uplink(f_cnt, f_port, payload, f_ctrl=ADR | ACK)
    assert phy[-4:] == OLD.uplink_mic(phy[:-4], f_cnt)
    encrypted = OLD.encrypt_payload(payload, f_cnt, is_uplink=True, f_port=f_port)
    assert phy[:-4] == (
        bytes.fromhex("4002c3d452a0")
        + f_cnt.to_bytes(4, "little")[:2]
        + bytes([f_port])
        + encrypted
    )


@given(SESSIONS, st.binary(max_size=60), st.integers(0, 0xFFFF_FFFF))
def test_no_bytes_break_a_session(session: Session, phy: bytes, f_cnt: int) -> None:
    with suppress(LoRaWanError):
        session.open_uplink(phy, f_cnt)
    with suppress(LoRaWanError):
        session.open_downlink(phy, f_cnt)


def test_a_frame_of_the_other_direction_is_refused() -> None:
    with pytest.raises(LoRaWanError, match="expected an uplink"):
        OLD.open_uplink(DOWNLINK_1_0, 0)
    with pytest.raises(LoRaWanError, match="expected a downlink"):
        OLD.open_downlink(UPLINK_1_0, 0)


@pytest.mark.parametrize("session", [OLD, NEW])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"f_cnt": 1 << 32}, "expected a frame counter between 0 and 4294967295"),
        ({"f_cnt": -1, "f_port": 1}, "expected a frame counter between 0 and 4294967295"),
        ({"f_cnt": 0, "f_port": 256}, "expected a port between 0 and 255"),
        ({"f_cnt": 0, "f_port": -1}, "expected a port between 0 and 255"),
        ({"f_cnt": 0, "payload": b"x"}, "expected a port beside a payload"),
        ({"f_cnt": 0, "f_port": 1, "payload": bytes(243)}, "expected a number of bytes before"),
        ({"f_cnt": 0, "f_opts": bytes(16)}, "expected a number of bytes of FOpts between 0"),
        ({"f_cnt": 0, "f_opts": b"\x02", "f_port": 0}, "expected no FOpts in a frame with FPort 0"),
        ({"f_cnt": 0, "f_port": 1, "f_ctrl": 1}, "expected no length of FOpts in the bits of"),
        ({"f_cnt": 0, "f_port": 1, "f_ctrl": 256}, "expected the bits of FCtrl between 0 and 255"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(session: Session, fields: dict, reason: str) -> None:
    with pytest.raises(LoRaWanError, match=reason):
        session.protect_uplink(**fields)


def test_a_channel_that_does_not_fit_is_refused() -> None:
    with pytest.raises(LoRaWanError, match="data rate and channel of 8"):
        NEW.protect_uplink(0, 1, tx_ch=256)


@pytest.mark.parametrize(
    ("low", "at_least", "full"),
    [
        (0, 0, 0),
        (5, 0, 5),
        (5, 5, 5),
        (4, 5, 0x10004),
        (0, 0xFFFF, 0x10000),
        (0xFFFF, 0x10000, 0x1FFFF),
        (1, 0x1FFFE, 0x20001),
        (0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF),
    ],
)
def test_a_full_counter_is_found_from_its_lower_half(low: int, at_least: int, full: int) -> None:
    assert full_f_cnt(low, at_least=at_least) == full


def test_a_counter_that_is_used_up_is_told() -> None:
    with pytest.raises(LoRaWanError, match="expected a frame counter between 0 and 4294967295"):
        full_f_cnt(0, at_least=0xFFFF_FFFF)


def test_no_more_sessions_than_the_limit_keep_what_they_set_up() -> None:
    contexts = Contexts(limit=3)
    sessions = [Session(f"{n:08x}", SESSION_1_0, contexts=contexts) for n in range(10)]
    first = [session.protect_uplink(0, 1, b"x") for session in sessions]
    for session in sessions:
        session.protect_uplink(1, 1, b"x")
    assert len(contexts) == 3
    kept = [session for session in sessions if session.has_contexts]
    assert kept == sessions[-3:]
    assert [session.protect_uplink(0, 1, b"x") for session in sessions] == first
    assert len(contexts) == 3


@pytest.mark.parametrize("kept", [OLD, NEW, FIRST])
def test_the_first_use_of_a_session_makes_the_frame_that_later_ones_make(kept: Session) -> None:
    for frame in (
        {"payload": bytes(40)},
        {"f_opts": b"\x02"},
        {"payload": b"x", "f_opts": b"\x02"},
    ):
        cipher = kept.f_opts_cipher
        new = Session(DEV_ADDR, kept.keys, is_1_1=kept.is_1_1, f_opts_cipher=cipher)
        made = [new.protect_uplink(7, 1, **frame) for _ in range(3)]
        assert made == [kept.protect_uplink(7, 1, **frame)] * 3
        assert new.has_contexts


@pytest.mark.parametrize("is_uplink", [True, False])
def test_the_first_payload_of_a_session_is_encrypted_as_later_ones_are(is_uplink: bool) -> None:
    for size in (*range(1, 256), 4000):
        session = Session(DEV_ADDR, SESSION_1_0)
        payload, f_cnt = bytes(range(256)) * 16, size * 0x10001
        made = [
            session.encrypt_payload(payload[:size], f_cnt, is_uplink=is_uplink, f_port=1)
            for _ in range(3)
        ]
        assert made == [made[0]] * 3
        assert len(made[0]) == size


def test_the_first_payload_of_a_session_is_that_of_a_published_frame() -> None:
    """The example of npm lora-packet: 40F17DBE4900020001954378762B11FF0D, payload "test"."""
    key = bytes.fromhex("EC925802AE430CA77FD3DD73CB2CC588")
    session = Session("49BE7DF1", SessionKeys.legacy(b"", key))
    payload = bytes.fromhex("95437876")
    assert session.encrypt_payload(payload, 2, is_uplink=True, f_port=1) == b"test"


def test_the_first_payload_needs_a_counter_and_a_key_as_later_ones_do() -> None:
    session = Session(DEV_ADDR, SESSION_1_0)
    with pytest.raises(LoRaWanError, match="expected a frame counter between"):
        session.encrypt_payload(b"x", 1 << 32, is_uplink=True, f_port=1)
    without = Session(DEV_ADDR, SESSION_1_0._replace(app_s_key=b""))
    for _ in range(2):
        with pytest.raises(LoRaWanError, match="expected the application's session key"):
            without.encrypt_payload(b"x", 1, is_uplink=True, f_port=1)


def test_keys_are_set_up_when_a_session_is_used_again() -> None:
    contexts = Contexts()
    session = Session(DEV_ADDR, SESSION_1_0, contexts=contexts)
    first = session.protect_uplink(0, 1, b"x")
    assert (session.has_contexts, len(contexts)) == (False, 0)
    assert session.protect_uplink(0, 1, b"x") == first
    assert (session.has_contexts, len(contexts)) == (True, 1)
    session.forget_contexts()
    assert session.protect_uplink(0, 1, b"x") == first
    assert not session.has_contexts


def test_a_session_that_is_used_again_is_not_counted_twice() -> None:
    contexts = Contexts(limit=3)
    session = Session(DEV_ADDR, SESSION_1_1, is_1_1=True, contexts=contexts)
    for f_cnt in range(5):
        session.open_uplink(session.protect_uplink(f_cnt, 1, b"x"), f_cnt)
    assert len(contexts) == 1
