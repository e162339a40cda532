"""
What every uplink changes of a device, apart from the rest of its state because it is written often.

Stored in a compact form of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

Document = dict[str, Any]

MOST_HEARD = 20


class Heard(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """An accepted uplink as ADR looks at it: the best SNR in dB, None when no gateway told one."""

    f_cnt: int
    data_rate_index: int
    max_snr: float | None
    gateways: int


class Traffic(msgspec.Struct, array_like=True):
    """
    The last uplinks of a session.

    Attributes:
        f_cnt_up: the last accepted counter.
        heard: up to 20 uplinks of different counters, the newest last; empty before the first.
        check: a checksum of the last uplink's bytes before its MIC.
        transmissions: how often that one was sent.
        received_us: when it came, the last time.
        paths: its receptions: what is needed of RxMetadata to answer through the same gateways.
        settled_until: nothing is to be asked of the device before that counter and that time; None:
            it has to be looked at.
    """

    f_cnt_up: int = 0
    heard: list[Heard] = []
    check: int = 0
    transmissions: int = 0
    received_us: int = 0
    paths: list[Document] = []
    settled_until: tuple[int, int] | None = None

    def note(self, heard: Heard) -> None:
        """One more uplink was accepted."""
        self.f_cnt_up = heard.f_cnt
        if len(self.heard) >= MOST_HEARD:
            del self.heard[0]
        self.heard.append(heard)

    def loss_rate(self) -> float:
        """The part of the last uplinks that never came, 0 to 1, by the gaps of their counters."""
        if len(self.heard) < 2:
            return 0.0
        span = self.heard[-1].f_cnt - self.heard[0].f_cnt
        lost = span + 1 - len(self.heard)
        return lost / (span + 1) if lost > 0 else 0.0


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Traffic).decode
