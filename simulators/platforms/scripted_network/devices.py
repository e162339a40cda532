"""What a network knows of a device: from a list, and since its last join."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import RootKeys, SessionKeys
from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion

NEVER = -1


@dataclass(frozen=True, slots=True)
class Registration:
    """A line of the list; with ``dev_addr`` and ``keys`` there is a session from the start."""

    dev_eui: str
    join_eui: str
    root: RootKeys
    version: MacVersion
    region: Region
    dev_addr: str = ""
    keys: SessionKeys | None = None


class Queued(NamedTuple):
    """A downlink that waits for an uplink."""

    f_port: int
    payload: bytes
    is_confirmed: bool = False


class Member:
    """A registered device, and what it has used up."""

    __slots__ = ("dev_nonces", "join_nonce", "link", "queue", "registration", "uplinks")

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self.dev_nonces: tuple[int, ...] = ()
        self.join_nonce = 0
        self.uplinks = 0
        self.link: Link | None = None
        self.queue: deque[Queued] | None = None


class Link:
    """The session with a device; ``f_cnt_up`` is the last counter that came."""

    __slots__ = (
        "a_f_cnt_down", "acknowledges", "best_snr_db", "crypto", "enabled", "f_cnt_up",
        "is_adr_off", "member", "n_f_cnt_down", "region", "since_adr", "tx_power", "version",
    )  # fmt: skip

    def __init__(
        self, member: Member, crypto: Session, region: Region, version: MacVersion, enabled: int
    ) -> None:
        self.member = member
        self.crypto = crypto
        self.region = region
        self.version = version
        self.enabled = enabled
        self.f_cnt_up = NEVER
        self.n_f_cnt_down = 0
        self.a_f_cnt_down = 0
        self.acknowledges = 0  # the counter of the last confirmed downlink
        self.tx_power = 0
        self.best_snr_db = -100.0
        self.since_adr = 0
        self.is_adr_off = False

    def next_f_cnt(self, f_port: int | None) -> int:
        """The counter of the next downlink: 1.1 has one for applications and one for the rest."""
        if self.crypto.is_1_1 and f_port:
            self.a_f_cnt_down += 1
            return self.a_f_cnt_down - 1
        self.n_f_cnt_down += 1
        return self.n_f_cnt_down - 1
