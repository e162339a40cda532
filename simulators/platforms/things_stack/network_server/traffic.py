"""
What every uplink changes of a device, apart from the rest of its state because it is written often.

In a compact form, also in memory: most of it is looked at far less often than it changes.
"""

from __future__ import annotations

import math
from struct import Struct
from typing import Any, NamedTuple

import msgspec
import orjson

Document = dict[str, Any]

MOST_HEARD = 20
_HEARD = Struct("<IBBf")  # single precision: as the API's messages have SNRs
_MOST_BYTES = MOST_HEARD * _HEARD.size
_MOST_SNR = 1e38  # dB, of those that a gateway makes up


class Heard(NamedTuple):
    """An accepted uplink as ADR looks at it: the best SNR in dB, None when no gateway told one."""

    f_cnt: int
    data_rate_index: int
    max_snr: float | None
    gateways: int


class Traffic(msgspec.Struct, array_like=True, gc=False):
    """
    The last uplinks of a session.

    Attributes:
        f_cnt_up: the last accepted counter.
        packed: see ``heard``.
        check: a checksum of the last uplink's bytes before its MIC.
        transmissions: how often that one was sent.
        received_us: when it came, the last time.
        packed_paths: see ``paths``.
        settled_until: nothing is to be asked of the device before that counter and that time; None:
            it has to be looked at.
    """

    f_cnt_up: int = 0
    packed: bytes = b""
    check: int = 0
    transmissions: int = 0
    received_us: int = 0
    packed_paths: bytes = b"[]"
    settled_until: tuple[int, int] | None = None

    @property
    def heard(self) -> list[Heard]:
        """Up to 20 uplinks of different counters, the newest last; empty before the first."""
        return [
            Heard(f_cnt, rate, None if math.isnan(snr) else _decimal(snr), gateways)
            for f_cnt, rate, gateways, snr in _HEARD.iter_unpack(self.packed)
        ]

    @property
    def paths(self) -> list[Document]:
        """What is needed of the last uplink's RxMetadata to answer through the same gateways."""
        found: list[Document] = orjson.loads(self.packed_paths)
        return found

    @paths.setter
    def paths(self, paths: list[Document]) -> None:
        self.packed_paths = orjson.dumps(paths)

    def note(self, heard: Heard) -> None:
        """One more uplink was accepted."""
        f_cnt, rate, snr, gateways = heard
        self.f_cnt_up = f_cnt
        snr = math.nan if snr is None else snr
        try:
            packed = _HEARD.pack(f_cnt, rate, gateways, snr)
        except OverflowError:
            packed = _HEARD.pack(f_cnt, rate, gateways, math.copysign(_MOST_SNR, snr))
        self.packed = (self.packed + packed)[-_MOST_BYTES:]

    def loss_rate(self) -> float:
        """The part of the last uplinks that never came, 0 to 1, by the gaps of their counters."""
        packed = self.packed
        count = len(packed) // _HEARD.size
        if count < 2:
            return 0.0
        first: int = _HEARD.unpack_from(packed)[0]
        last: int = _HEARD.unpack_from(packed, len(packed) - _HEARD.size)[0]
        span = last - first
        lost = span + 1 - count
        return lost / (span + 1) if lost > 0 else 0.0


def _decimal(single: float) -> float:
    """The number that was made one of single precision: it had seven digits at most."""
    return float(f"{single:.7g}")


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Traffic).decode
