"""
A LoRaWAN node that a script holds: it knows keys and counters, and decides nothing by itself.

Source: LoRaWAN 1.0.4, chapters 4 and 6; LoRaWAN 1.1, chapters 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.lorawan import frames, join
from simulators.lorawan.crypto import Session
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import (
    ACK,
    ADR,
    ADR_ACK_REQ,
    CLASS_B,
    DataFrame,
    JoinAccept,
    JoinRequest,
)
from simulators.lorawan.keys import Attempt, RootKeys, SessionKeys, derive_session_keys

NO_KEYS = RootKeys(b"")
FLAGS = {"adr": ADR, "adr_ack_req": ADR_ACK_REQ, "ack": ACK, "class_b": CLASS_B}


@dataclass
class Node:
    """
    One node.

    ``session`` is None until it has joined; ``f_cnt`` is what its next uplink carries; ``n_f_cnt``
    and ``a_f_cnt`` are the least counters that its next downlinks may carry (one in 1.0.x).
    """

    device_id: str
    dev_eui: str
    join_eui: str
    root: RootKeys = NO_KEYS
    is_1_1: bool = False
    session: Session | None = None
    f_cnt: int = 0
    counted: list[int] = field(default_factory=list)

    def activate(self, dev_addr: str, keys: SessionKeys) -> None:
        """Begin a session: counters at zero."""
        self.session = Session(dev_addr, keys, is_1_1=self.is_1_1)
        self.f_cnt, self.counted = 0, []

    def join_request(self, dev_nonce: int, *, is_wrong: bool = False) -> bytes:
        """A join request; a wrong one has another MIC than its bytes ask for."""
        request = JoinRequest(self.join_eui, self.dev_eui, dev_nonce)
        return _damaged(join.protect_request(request, self.root.join_key), is_wrong)

    def open_accept(self, phy: bytes, dev_nonce: int) -> JoinAccept | None:
        """The join accept if it answers this very request, as its MIC proves."""
        try:
            return join.open_accept(phy, self.root, self._attempt(dev_nonce))
        except LoRaWanError:
            return None

    def follow(self, accept: JoinAccept, dev_nonce: int) -> None:
        """Begin the session that a join accept offers."""
        keys = derive_session_keys(self.root, self._attempt(dev_nonce), accept)
        self.is_1_1 = bool(accept.opt_neg and self.root.nwk_key)
        self.activate(accept.dev_addr, keys)

    def _attempt(self, dev_nonce: int) -> Attempt:
        return Attempt(self.join_eui, self.dev_eui, dev_nonce)

    def uplink(
        self,
        payload: bytes = b"",
        *,
        f_port: int | None = 1,
        f_opts: bytes = b"",
        f_cnt: int | None = None,
        is_confirmed: bool = False,
        is_wrong: bool = False,
        conf_f_cnt: int = 0,
        tx_dr: int = 5,
        tx_ch: int = 0,
        **flags: bool,
    ) -> bytes:
        """
        The next uplink, or one with another counter.

        ``flags``: ``adr``, ``adr_ack_req``, ``ack``, ``class_b``. A frame without payload has no
        port.
        """
        assert self.session is not None
        number = self.f_cnt if f_cnt is None else f_cnt
        self.f_cnt = number + 1
        f_ctrl = sum(FLAGS[name] for name, is_set in flags.items() if is_set)
        phy = self.session.protect_uplink(
            number,
            f_port if payload else None,
            payload,
            f_opts=f_opts,
            is_confirmed=is_confirmed,
            f_ctrl=f_ctrl,
            conf_f_cnt=conf_f_cnt,
            tx_dr=tx_dr,
            tx_ch=tx_ch,
        )
        return _damaged(phy, is_wrong)

    def read(self, phy: bytes, *, conf_f_cnt: int = 0) -> DataFrame | None:
        """A downlink of this session in plain, or None: another address, or a wrong MIC."""
        if self.session is None:
            return None
        try:
            low = frames.decode(phy)
            if not isinstance(low, DataFrame) or low.dev_addr != self.session.dev_addr:
                return None
            return self.session.open_downlink(phy, low.f_cnt, conf_f_cnt=conf_f_cnt)
        except LoRaWanError:
            return None


def _damaged(phy: bytes, is_wrong: bool) -> bytes:
    """Another MIC where one is asked for."""
    return phy[:-1] + bytes((phy[-1] ^ 0xFF,)) if is_wrong else phy
