"""An uplink once its device is known: what the rest of the Network Server works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.lorawan.frames import DataFrame
from simulators.platforms.things_stack.messages import Uplink

Document = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class UplinkInfo:
    """
    An uplink that was found to be a device's.

    Attributes:
        frame: FOpts and network payload decrypted, the application's payload not; with ``f_cnt``
            in full.
        receptions: what each gateway told of it, in the order they came.
        settings: TxSettings of the first one.
        received_us: when the first gateway's message came.
        channel_index: the device's own index.
        transmission: 1, or more when the device sends the same frame again.
        is_pending_session: it has confirmed the session that was pending.
    """

    frame: DataFrame
    f_cnt: int
    receptions: list[Uplink]
    settings: Document
    received_us: int
    data_rate_index: int
    channel_index: int
    is_pending_session: bool
    transmission: int
    correlation_ids: list[str]

    @property
    def is_confirmed(self) -> bool:
        """The device wants an acknowledgement."""
        return self.frame.is_confirmed

    @property
    def has_ack(self) -> bool:
        """The device acknowledges a confirmed downlink."""
        return self.frame.ack

    @property
    def adr(self) -> bool:
        """The device lets the network set its data rate."""
        return self.frame.adr

    @property
    def adr_ack_req(self) -> bool:
        """The device has heard nothing for long."""
        return self.frame.adr_ack_req

    @property
    def max_snr(self) -> float | None:
        """The best SNR in dB that a gateway told; zero is left out of messages."""
        found = [
            each.metadata.get("snr", 0.0)
            for each in self.receptions
            if "snr" in each.metadata or "rssi" in each.metadata
        ]
        return max(found, default=None)
