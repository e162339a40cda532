"""
Join requests, rejoin requests and join accepts with their integrity and encryption.

Source: LoRaWAN 1.0.4, sections 6.2.5 and 6.2.6; LoRaWAN 1.1, sections 6.2.2 to 6.2.4.
"""

from __future__ import annotations

from simulators.lorawan.aes import cmac, decrypt, encryptor
from simulators.lorawan.errors import LoRaWanError, MicError
from simulators.lorawan.frames import (
    MIC_BYTES,
    FType,
    JoinAccept,
    JoinRequest,
    RejoinRequest,
    decode,
    decode_join_accept,
    encode,
    encode_join_accept,
)
from simulators.lorawan.identifiers import to_air
from simulators.lorawan.keys import JOIN_REQUEST, Attempt, RootKeys, derive_join_keys

_MHDR = bytes((FType.JOIN_ACCEPT << 5,))


def protect_request(frame: JoinRequest | RejoinRequest, key: bytes) -> bytes:
    """
    The PHY payload of a join or rejoin request, with its MIC.

    Args:
        key: AppKey, or NwkKey of a 1.1 device, for a join request; SNwkSIntKey for rejoin types 0
            and 2; JSIntKey for rejoin type 1.
    """
    message = encode(frame)[:-MIC_BYTES]
    return message + request_mic(message, key)


def request_mic(message: bytes, key: bytes) -> bytes:
    """MIC of a join or rejoin request; ``message`` is everything before it."""
    return cmac(key, message)[:MIC_BYTES]


def open_request(phy: bytes, key: bytes) -> JoinRequest | RejoinRequest:
    """
    Read a join or rejoin request whose MIC is right.

    Raises:
        MicError: it is not.
        LoRaWanError: no such frame.
    """
    frame = decode(phy)
    if not isinstance(frame, JoinRequest | RejoinRequest):
        raise LoRaWanError("expected a join or rejoin request", 0)
    _check(request_mic(phy[:-MIC_BYTES], key), frame.mic, len(phy))
    return frame


def protect_accept(accept: JoinAccept, root: RootKeys, attempt: Attempt) -> bytes:
    """
    The PHY payload of a join accept as it travels, as the answer to ``attempt``.

    With ``opt_neg`` set and a NwkKey it is one of 1.1, else one of 1.0.x.
    """
    message = encode_join_accept(accept)[:-MIC_BYTES]
    body = message[1:] + _accept_mic(message, accept.opt_neg, root, attempt)
    # The network deciphers, so that a device needs no more than the enciphering half of AES.
    return _MHDR + decrypt(_accept_key(root, attempt), body)


def decrypt_accept(phy: bytes, key: bytes) -> bytes:
    """MHDR and plain body of a join accept; ``key`` is the root key, or JSEncKey after a rejoin."""
    decode(phy)
    if phy[0] >> 5 != FType.JOIN_ACCEPT:
        raise LoRaWanError("expected a join accept", 0)
    return phy[:1] + encryptor(key)(phy[1:])


def open_accept(phy: bytes, root: RootKeys, attempt: Attempt) -> JoinAccept:
    """
    Read a join accept that answers ``attempt``.

    Raises:
        MicError: it answers another request, or another device, or it is damaged.
        LoRaWanError: no join accept.
    """
    plain = decrypt_accept(phy, _accept_key(root, attempt))
    accept = decode_join_accept(plain)
    _check(accept_mic(plain, root, attempt), accept.mic, len(phy))
    return accept


def accept_mic(plain: bytes, root: RootKeys, attempt: Attempt) -> bytes:
    """MIC that the join accept ``plain``, MHDR to MIC, must have."""
    accept = decode_join_accept(plain)
    return _accept_mic(plain[:-MIC_BYTES], accept.opt_neg, root, attempt)


def _accept_mic(message: bytes, opt_neg: bool, root: RootKeys, attempt: Attempt) -> bytes:
    # The bit is reserved in 1.0.x: a device without NwkKey does not look at it.
    if not (opt_neg and root.nwk_key):
        return cmac(root.join_key, message)[:MIC_BYTES]
    answered = (
        bytes((attempt.join_req_type,))
        + to_air(attempt.join_eui)
        + attempt.nonce.to_bytes(2, "little")
    )
    js_int_key = derive_join_keys(root.nwk_key, attempt.dev_eui).js_int_key
    return cmac(js_int_key, answered + message)[:MIC_BYTES]


def _accept_key(root: RootKeys, attempt: Attempt) -> bytes:
    if attempt.join_req_type == JOIN_REQUEST:
        return root.join_key
    return derive_join_keys(root.nwk_key, attempt.dev_eui).js_enc_key


def _check(expected: bytes, mic: bytes, size: int) -> None:
    if expected != mic:
        raise MicError(f"expected MIC {expected.hex()}; got {mic.hex()}", size - MIC_BYTES)
