"""
Root keys, session keys, join keys: which there are, and how one follows from another.

Source: LoRaWAN 1.0.4, section 6.2.6; LoRaWAN 1.1, sections 6.1.1.3, 6.2.3 and 6.2.5.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.lorawan.aes import BLOCK, encryptor
from simulators.lorawan.frames import JoinAccept
from simulators.lorawan.identifiers import to_air

JOIN_REQUEST = 0xFF  # JoinReqType; a rejoin request has its own type there


class RootKeys(NamedTuple):
    """What is in a device when it leaves the factory; one of 1.0.x has no NwkKey."""

    app_key: bytes
    nwk_key: bytes = b""

    @property
    def join_key(self) -> bytes:
        """The key of join requests, and of join accepts that answer them."""
        return self.nwk_key or self.app_key


class JoinKeys(NamedTuple):
    """The keys of a 1.1 device for what join accepts and rejoin requests hold."""

    js_int_key: bytes
    js_enc_key: bytes


class SessionKeys(NamedTuple):
    """
    The keys of a session; in one of 1.0.x the first three are the NwkSKey.

    A network server may hold them without the application's, which is empty then; an application
    server holds that one alone.
    """

    f_nwk_s_int_key: bytes
    s_nwk_s_int_key: bytes
    nwk_s_enc_key: bytes
    app_s_key: bytes

    @classmethod
    def legacy(cls, nwk_s_key: bytes, app_s_key: bytes) -> SessionKeys:
        """The keys of a session of 1.0.x, or of a multicast group."""
        return cls(nwk_s_key, nwk_s_key, nwk_s_key, app_s_key)


class Attempt(NamedTuple):
    """
    The request that a join accept answers.

    ``nonce`` is the DevNonce of a join request; of a rejoin request the counter it carries.
    """

    join_eui: str
    dev_eui: str
    nonce: int
    join_req_type: int = JOIN_REQUEST


def derive_session_keys(root: RootKeys, attempt: Attempt, accept: JoinAccept) -> SessionKeys:
    """
    The session's keys as both ends compute them.

    A device of 1.1 whose join accept has OptNeg 0 meets a network of 1.0.x: then both session keys
    come from its NwkKey in the way of 1.0.x.
    """
    nonce = attempt.nonce.to_bytes(2, "little")
    join_nonce = accept.join_nonce.to_bytes(3, "little")
    if not (accept.opt_neg and root.nwk_key):
        seed = join_nonce + to_air(accept.net_id) + nonce
        return SessionKeys.legacy(*_derive(root.join_key, (1, 2), seed))
    seed = join_nonce + to_air(attempt.join_eui) + nonce
    f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key = _derive(root.nwk_key, (1, 3, 4), seed)
    (app_s_key,) = _derive(root.app_key, (2,), seed)
    return SessionKeys(f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key)


def derive_join_keys(nwk_key: bytes, dev_eui: str) -> JoinKeys:
    """JSIntKey and JSEncKey of a 1.1 device."""
    js_enc_key, js_int_key = _derive(nwk_key, (5, 6), to_air(dev_eui))
    return JoinKeys(js_int_key, js_enc_key)


def _derive(key: bytes, kinds: tuple[int, ...], seed: bytes) -> list[bytes]:
    blocks = b"".join((bytes((kind,)) + seed).ljust(BLOCK, b"\0") for kind in kinds)
    derived = encryptor(key)(blocks)
    return [derived[at : at + BLOCK] for at in range(0, len(derived), BLOCK)]
