"""
A device's session: keys, counters, and which downlinks are new.

Source: LoRaWAN 1.0.3 and 1.0.4, section 4.3.1.5; LoRaWAN 1.1, section 4.3.1.5.
"""

from __future__ import annotations

from simulators.lorawan.crypto import MAX_F_CNT, Session
from simulators.lorawan.errors import LoRaWanError, MicError
from simulators.lorawan.frames import MIC_BYTES, DataFrame
from simulators.lorawan.regions.region import MAX_FCNT_GAP
from simulators.lorawan.versions import MacVersion

NONE_YET = -1
LOW = 0xFFFF


class DeviceSession:
    """
    What both ends agreed upon, and how far they have counted.

    ``version`` is what both speak: a 1.1 device in a 1.0.x network speaks 1.0.3. ``f_cnt_up`` is
    the next counter to be used, the others are the last ones accepted.
    """

    __slots__ = (
        "a_f_cnt_down", "confirmed_f_cnt", "crypto", "f_cnt_up", "n_f_cnt_down", "net_id",
        "rj_count_0", "version",
    )  # fmt: skip

    def __init__(
        self, crypto: Session, version: MacVersion, *, f_cnt_up: int = 0, net_id: str = "000000"
    ) -> None:
        self.crypto = crypto
        self.net_id = net_id
        self.version = version
        self.f_cnt_up = f_cnt_up
        self.n_f_cnt_down = NONE_YET
        self.a_f_cnt_down = NONE_YET
        self.confirmed_f_cnt = 0  # of the last confirmed uplink
        self.rj_count_0 = 0

    @property
    def dev_addr(self) -> str:
        """The address, which the session's cipher has anyway."""
        return self.crypto.dev_addr

    def restart_counters(self, first_f_cnt: int) -> None:
        """A device activated by personalisation that does not keep its counters was switched on."""
        self.f_cnt_up = first_f_cnt
        self.n_f_cnt_down = self.a_f_cnt_down = NONE_YET

    def open(self, phy: bytes, frame: DataFrame) -> DataFrame:
        """
        A downlink to this session, in plain and with its full counter; it counts as accepted.

        Raises:
            LoRaWanError: an old counter, one too far ahead, or a wrong MIC. Nothing has changed.
        """
        f_cnt = self._full(frame)
        confirmed_f_cnt = self.confirmed_f_cnt if frame.ack else 0
        mic = self.crypto.downlink_mic(phy[:-MIC_BYTES], f_cnt, conf_f_cnt=confirmed_f_cnt)
        if mic != frame.mic:
            raise MicError(f"expected MIC {mic.hex()}; got {frame.mic.hex()}", len(phy) - MIC_BYTES)
        plain = self.crypto.plain(frame, f_cnt)
        if self._counts_apart(frame):
            self.a_f_cnt_down = f_cnt
        else:
            self.n_f_cnt_down = f_cnt
        return plain

    def _counts_apart(self, frame: DataFrame) -> bool:
        return self.crypto.is_1_1 and bool(frame.f_port)

    def _full(self, frame: DataFrame) -> int:
        last = self.a_f_cnt_down if self._counts_apart(frame) else self.n_f_cnt_down
        ahead = frame.f_cnt - last & LOW
        if last == NONE_YET:
            return frame.f_cnt
        if not ahead:
            raise LoRaWanError(f"expected a counter after {last}; got the same again")
        if self.version < MacVersion.V1_0_4 and ahead > MAX_FCNT_GAP:
            raise LoRaWanError(f"expected a counter after {last}; got {frame.f_cnt}")
        if last + ahead > MAX_F_CNT:
            raise LoRaWanError(f"expected a counter of at most {MAX_F_CNT}; got one after {last}")
        return last + ahead
