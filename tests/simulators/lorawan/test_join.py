"""Joining: published vectors in both directions, and what does not belong together is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.errors import LoRaWanError, MicError
from simulators.lorawan.frames import (
    JoinAccept,
    JoinRequest,
    RejoinRequest,
    decode_join_accept,
    encode_join_accept,
)
from simulators.lorawan.join import (
    decrypt_accept,
    open_accept,
    open_request,
    protect_accept,
    protect_request,
)
from simulators.lorawan.keys import (
    Attempt,
    JoinKeys,
    RootKeys,
    SessionKeys,
    derive_join_keys,
    derive_session_keys,
)
from tests.simulators.lorawan.vectors import (
    APP_KEY,
    ATTEMPT_1_0,
    ATTEMPT_1_1,
    DEV_EUI,
    JOIN_ACCEPT_1_0,
    JOIN_ACCEPT_1_0_PLAIN,
    JOIN_ACCEPT_1_1,
    JOIN_ACCEPT_1_1_PLAIN,
    JOIN_EUI,
    JOIN_REQUEST_1_0,
    JOIN_REQUEST_1_1,
    JS_ENC_KEY,
    JS_INT_KEY,
    NWK_KEY,
    REJOIN_TYPE_0,
    REJOIN_TYPE_1,
    ROOT_1_0,
    ROOT_1_1,
    SESSION_1_0,
    SESSION_1_1,
)

REQUESTS: list[tuple[bytes, JoinRequest | RejoinRequest, bytes]] = [
    (JOIN_REQUEST_1_0, JoinRequest(JOIN_EUI, DEV_EUI, 2), APP_KEY),
    (JOIN_REQUEST_1_1, JoinRequest(JOIN_EUI, DEV_EUI, 3), NWK_KEY),
    (
        REJOIN_TYPE_0,
        RejoinRequest(0, DEV_EUI, 0, net_id="000001"),
        SESSION_1_1.s_nwk_s_int_key,
    ),
    (REJOIN_TYPE_1, RejoinRequest(1, DEV_EUI, 0, join_eui=JOIN_EUI), JS_INT_KEY),
]


@pytest.mark.parametrize(("phy", "frame", "key"), REQUESTS)
def test_requests_in_both_directions(
    phy: bytes, frame: JoinRequest | RejoinRequest, key: bytes
) -> None:
    assert protect_request(frame, key) == phy
    assert open_request(phy, key) == frame._replace(mic=phy[-4:])


@pytest.mark.parametrize(("phy", "frame", "key"), REQUESTS)
def test_a_request_under_another_key_is_refused(
    phy: bytes, frame: JoinRequest | RejoinRequest, key: bytes
) -> None:
    with pytest.raises(MicError, match=f"got {phy[-4:].hex()}") as refused:
        open_request(phy, bytes(16))
    assert refused.value.offset == len(phy) - 4


ACCEPTS = [
    pytest.param(JOIN_ACCEPT_1_0, JOIN_ACCEPT_1_0_PLAIN, ROOT_1_0, ATTEMPT_1_0, id="1.0"),
    pytest.param(JOIN_ACCEPT_1_1, JOIN_ACCEPT_1_1_PLAIN, ROOT_1_1, ATTEMPT_1_1, id="1.1"),
]


@pytest.mark.parametrize(("phy", "plain", "root", "attempt"), ACCEPTS)
def test_accepts_in_both_directions(
    phy: bytes, plain: bytes, root: RootKeys, attempt: Attempt
) -> None:
    accept = decode_join_accept(plain)
    assert protect_accept(accept, root, attempt) == phy
    assert open_accept(phy, root, attempt) == accept
    assert decrypt_accept(phy, root.join_key) == plain


@pytest.mark.parametrize(
    "changed",
    [
        ATTEMPT_1_1._replace(nonce=4),
        ATTEMPT_1_1._replace(join_eui="0000000000000000"),
        ATTEMPT_1_1._replace(dev_eui="0000000000000000"),
    ],
)
def test_an_accept_of_1_1_answers_one_attempt_alone(changed: Attempt) -> None:
    with pytest.raises(MicError):
        open_accept(JOIN_ACCEPT_1_1, ROOT_1_1, changed)


def test_an_accept_of_1_0_does_not_tell_which_attempt_it_answers() -> None:
    assert open_accept(JOIN_ACCEPT_1_0, ROOT_1_0, ATTEMPT_1_1).dev_addr == "52d4c302"


def test_an_accept_under_another_key_is_refused() -> None:
    with pytest.raises(MicError):
        open_accept(JOIN_ACCEPT_1_0, RootKeys(NWK_KEY), ATTEMPT_1_0)


@pytest.mark.parametrize("phy", [JOIN_REQUEST_1_0, b"", JOIN_ACCEPT_1_0[:-1]])
def test_other_bytes_are_no_accept(phy: bytes) -> None:
    with pytest.raises(LoRaWanError):
        open_accept(phy, ROOT_1_0, ATTEMPT_1_0)


def test_an_accept_is_no_request() -> None:
    with pytest.raises(LoRaWanError, match="expected a join or rejoin request"):
        open_request(JOIN_ACCEPT_1_0, APP_KEY)


@pytest.mark.parametrize("cf_list", [b"", bytes(range(16))])
@pytest.mark.parametrize("join_req_type", [0, 1, 2, 255])
def test_an_accept_answers_each_kind_of_request(cf_list: bytes, join_req_type: int) -> None:
    attempt = Attempt(JOIN_EUI, DEV_EUI, 77, join_req_type)
    accept = JoinAccept(5, "000013", "26000001", opt_neg=True, cf_list=cf_list)
    phy = protect_accept(accept, ROOT_1_1, attempt)
    assert open_accept(phy, ROOT_1_1, attempt)._replace(mic=bytes(4)) == accept
    for other in {0, 1, 2, 255} - {join_req_type}:
        with pytest.raises(MicError):
            open_accept(phy, ROOT_1_1, attempt._replace(join_req_type=other))


def test_an_accept_after_a_rejoin_is_encrypted_with_the_join_servers_key() -> None:
    accept = JoinAccept(1, "000001", "52d4c302", opt_neg=True)
    phy = protect_accept(accept, ROOT_1_1, Attempt(JOIN_EUI, DEV_EUI, 0, 0))
    assert decrypt_accept(phy, JS_ENC_KEY)[:-4] == encode_join_accept(accept)[:-4]


def test_session_keys_of_both_generations() -> None:
    accept_1_0 = decode_join_accept(JOIN_ACCEPT_1_0_PLAIN)
    accept_1_1 = decode_join_accept(JOIN_ACCEPT_1_1_PLAIN)
    assert derive_session_keys(ROOT_1_0, ATTEMPT_1_0, accept_1_0) == SESSION_1_0
    assert derive_session_keys(ROOT_1_1, ATTEMPT_1_1, accept_1_1) == SESSION_1_1


def test_join_keys() -> None:
    assert derive_join_keys(NWK_KEY, DEV_EUI) == JoinKeys(JS_INT_KEY, JS_ENC_KEY)


def test_a_device_of_1_1_falls_back_to_its_network_key_for_everything() -> None:
    """OptNeg 0: MIC, encryption and both session keys as in 1.0.x, under the NwkKey."""
    accept = JoinAccept(1, "000001", "52d4c302")
    phy = protect_accept(accept, ROOT_1_1, ATTEMPT_1_1)
    assert phy == protect_accept(accept, RootKeys(NWK_KEY), ATTEMPT_1_1)
    assert open_accept(phy, ROOT_1_1, ATTEMPT_1_1)._replace(mic=bytes(4)) == accept

    keys = derive_session_keys(ROOT_1_1, ATTEMPT_1_1, accept)
    assert keys == derive_session_keys(RootKeys(NWK_KEY), ATTEMPT_1_1, accept)
    assert keys == SessionKeys.legacy(keys.f_nwk_s_int_key, keys.app_s_key)


def test_a_device_of_1_0_does_not_look_at_opt_neg() -> None:
    accept = JoinAccept(0, "000001", "52d4c302", opt_neg=True)
    phy = protect_accept(accept, ROOT_1_0, ATTEMPT_1_0)
    assert open_accept(phy, ROOT_1_0, ATTEMPT_1_0).opt_neg
    assert derive_session_keys(ROOT_1_0, ATTEMPT_1_0, accept) == SESSION_1_0


@given(st.one_of(st.binary(max_size=40), st.binary(min_size=33, max_size=33)), st.integers(0, 3))
def test_no_bytes_break_joining(phy: bytes, kind: int) -> None:
    """Requests and accepts alike; a right MIC by chance is once in 2^32."""
    phy = bytes([(0x00, 0x20, 0xC0, 0xE0)[kind]]) + phy[1:]
    for attempt in (ATTEMPT_1_1, ATTEMPT_1_1._replace(join_req_type=0)):
        with pytest.raises(LoRaWanError):
            open_accept(phy, ROOT_1_1, attempt)
    with pytest.raises(LoRaWanError):
        open_request(phy, APP_KEY)
