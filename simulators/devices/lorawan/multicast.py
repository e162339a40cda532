"""
Multicast groups: sessions that many devices share, downlinks alone, in class B or C.

Source: LoRaWAN 1.0.4, sections 15.1 and 17.3: unconfirmed, no MAC commands, no acknowledgement.
"""

from __future__ import annotations

from typing import Protocol

from simulators.lorawan.crypto import MAX_F_CNT, Session, full_f_cnt
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.keys import SessionKeys


class MulticastGroup:
    """
    One group as a member knows it.

    ``device_class`` is B or C; ``periodicity`` is that of its ping slots (class B). ``last_f_cnt``
    is the last counter accepted.
    """

    __slots__ = (
        "crypto", "data_rate", "dev_addr", "device_class", "frequency_hz", "last_f_cnt",
        "max_f_cnt", "periodicity",
    )  # fmt: skip

    def __init__(
        self,
        dev_addr: str,
        keys: SessionKeys,
        *,
        device_class: str,
        frequency_hz: int,
        data_rate: int,
        periodicity: int = 7,
        min_f_cnt: int = 0,
        max_f_cnt: int = MAX_F_CNT,
    ) -> None:
        self.dev_addr = dev_addr
        self.crypto = Session(dev_addr, keys)
        self.device_class = device_class
        self.frequency_hz = frequency_hz
        self.data_rate = data_rate
        self.periodicity = periodicity
        self.last_f_cnt = min_f_cnt - 1
        self.max_f_cnt = max_f_cnt

    def open(self, phy: bytes, frame: DataFrame) -> DataFrame:
        """
        A frame of the group, in plain and with its full counter; it counts as accepted.

        Raises:
            LoRaWanError: an old counter, one beyond the group's last, a wrong MIC, or what a
                multicast frame must not have. Nothing has changed.
        """
        f_cnt = full_f_cnt(frame.f_cnt, at_least=self.last_f_cnt + 1)
        if f_cnt > self.max_f_cnt:
            raise LoRaWanError(f"expected a counter of at most {self.max_f_cnt}; got {f_cnt}")
        if frame.is_confirmed or frame.ack or frame.f_opts or not frame.f_port:
            raise LoRaWanError("expected nothing but a payload in a multicast frame")
        plain = self.crypto.open_downlink(phy, f_cnt)
        self.last_f_cnt = f_cnt
        return plain


class Member(Protocol):
    """A device with its groups."""

    groups: tuple[MulticastGroup, ...]


def group_of(node: Member, dev_addr: str) -> MulticastGroup | None:
    """The group of that address."""
    for group in node.groups:
        if group.dev_addr == dev_addr:
            return group
    return None
