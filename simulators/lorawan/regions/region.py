"""
What a region is: a table, and the few questions that devices, gateways and servers ask it.

Knows no state of a device: enabled channels, dwell times and power limits that a network sets are
arguments. Data rates are indices (``data_rate``), frequencies are Hz, powers are dBm EIRP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.lorawan.class_b import (
    BEACON_LAYOUTS,
    BeaconLayout,
    beacon_channel,
    ping_channel,
)
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.modulation import Fsk, Modulation
from simulators.lorawan.regions.channel_mask import Rule
from simulators.lorawan.regions.phy_version import PhyVersion

DWELL_TIME_US = 400_000
RECEIVE_DELAY1_US = 1_000_000  # RX2 opens one second after RX1, here and after a join
JOIN_ACCEPT_DELAY1_US = 5_000_000
MAX_FCNT_GAP = 16_384
ADR_ACK_LIMIT = 64
ADR_ACK_DELAY = 32
FHDR_AND_PORT = 8  # M - N: FHDR without FOpts, and FPort


class DataRate(NamedTuple):
    """
    One row of a region's table of data rates.

    ``max_payload`` is N: application bytes without FOpts, for devices that need no repeater.
    ``max_payload_dwell`` is N while transmissions are limited to 400 ms; None: not to be used then.
    """

    modulation: Modulation
    max_payload: int
    max_payload_dwell: int | None
    is_uplink: bool = True
    is_downlink: bool = True

    @property
    def max_mac_payload(self) -> int:
        """M: FHDR, FPort and FRMPayload; the PHY payload has 5 bytes more."""
        return self.max_payload + FHDR_AND_PORT


class Channel(NamedTuple):
    """An uplink channel and the data rates that may be used in it."""

    frequency_hz: int
    min_data_rate: int
    max_data_rate: int


class Rx2(NamedTuple):
    """Where the second receive window listens."""

    frequency_hz: int
    data_rate: int


class JoinChannel(NamedTuple):
    """A channel for join requests, and where their answers are listened for."""

    channel: int  # its index
    frequency_hz: int
    min_data_rate: int
    max_data_rate: int
    rx1_frequency_hz: int
    rx2: Rx2


class SubBand(NamedTuple):
    """Frequencies from ``low_hz`` to below ``high_hz`` share one budget of air time."""

    low_hz: int
    high_hz: int
    duty_cycle_divisor: int  # 100: one hundredth of the time; 1: no limit
    max_eirp_dbm: float


class ListenBeforeTalk(NamedTuple):
    """A channel is free when nothing above ``threshold_dbm`` was heard for ``listen_us``."""

    threshold_dbm: int
    listen_us: int


class Hops(NamedTuple):
    """A data rate, and the frequencies that take turns in using it; often only one."""

    data_rate: int
    frequencies_hz: tuple[int, ...]


class ClassB(NamedTuple):
    """Where beacons are sent, and where the downlinks in ping slots."""

    beacon: Hops
    ping_slots: Hops


Rx1Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Region:
    """
    The regional parameters of one region in one version; compared by identity.

    A fixed plan (US915, AU915, CN470) has all its channels from the start and answers in channels
    of its own (``downlink_hz``); elsewhere the network adds channels to the ``uplink_channels``.
    """

    name: str
    band_id: str  # as The Things Stack spells it
    aliases: tuple[str, ...]
    version: PhyVersion
    data_rates: tuple[DataRate | None, ...]
    uplink_channels: tuple[Channel, ...]
    max_channels: int
    downlink_hz: tuple[int, ...] = ()
    join_channels: tuple[JoinChannel, ...]
    rx2: Rx2
    rx1_table: Rx1Table  # row: uplink data rate; column: RX1DROffset
    rx1_dwell_table: Rx1Table  # the same while downlinks are limited to 400 ms
    max_eirp_dbm: float
    tx_power_offsets_db: tuple[int, ...]  # index: TXPower
    max_adr_data_rate: int
    sub_bands: tuple[SubBand, ...]
    ch_mask_rules: Mapping[int, Rule]  # key: ChMaskCntl
    cf_list_type: int | None  # 0: frequencies, 1: channel masks, None: not in this version
    class_b: ClassB
    has_tx_param_setup: bool = False
    default_uplink_dwell: bool = False
    default_downlink_dwell: bool = False
    max_uplink_us: int | None = None  # a limit that no command lifts
    min_hopping_channels: int = 1  # so many enabled channels have to offer the data rate
    listen_before_talk: ListenBeforeTalk | None = None
    after_join: Mapping[int, Region] = field(default_factory=dict)  # key: join channel's index

    def __repr__(self) -> str:
        return f"<Region {self.name} {self.version.name}>"

    @property
    def is_fixed_plan(self) -> bool:
        """Whether all channels are given and CFList and LinkADRReq only choose among them."""
        return bool(self.downlink_hz)

    @property
    def all_channels(self) -> int:
        """The set of channels that exist from the start, bit i for channel i."""
        return (1 << len(self.uplink_channels)) - 1

    def joined(self, join_channel: int) -> Region:
        """What holds after a join through this channel: in CN470 it chooses RX2 and class B."""
        return self.after_join.get(join_channel, self)

    def data_rate(self, data_rate: int) -> DataRate:
        """
        The row of a data rate.

        Raises:
            LoRaWanError: the region has none of this index.
        """
        found = self.data_rates[data_rate] if 0 <= data_rate < len(self.data_rates) else None
        if found is None:
            raise LoRaWanError(f"expected a data rate of {self.name}; got DR{data_rate}")
        return found

    def find_data_rate(self, modulation: Modulation, *, is_downlink: bool) -> int | None:
        """The index of a modulation; US915's SF8 at 500 kHz is DR4 up and DR12 down."""
        for index, row in enumerate(self.data_rates):
            if row is None or row.modulation != modulation:
                continue
            if row.is_downlink if is_downlink else row.is_uplink:
                return index
        return None

    def uplink_data_rates(self, *, dwell: bool = False) -> tuple[int, ...]:
        """Indices of all data rates for uplinks; with ``dwell`` those that keep to 400 ms."""
        return tuple(
            index
            for index, row in enumerate(self.data_rates)
            if row is not None and row.is_uplink and not (dwell and row.max_payload_dwell is None)
        )

    def max_payload(self, data_rate: int, *, dwell: bool = False) -> int:
        """N, the application bytes of a frame without FOpts; 0 where ``dwell`` forbids any."""
        row = self.data_rate(data_rate)
        return (row.max_payload_dwell or 0) if dwell else row.max_payload

    def rx1_frequency_hz(self, channel: int, frequency_hz: int) -> int:
        """Where the answer to an uplink in this channel is sent, unless a DlChannelReq moved it."""
        if not self.downlink_hz:
            return frequency_hz
        return self.downlink_hz[channel % len(self.downlink_hz)]

    def rx1_data_rate(self, uplink: int, offset: int, *, downlink_dwell: bool = False) -> int:
        """
        The data rate of RX1 after an uplink with data rate ``uplink``.

        Raises:
            LoRaWanError: the region has no such uplink data rate or RX1DROffset.
        """
        table = self.rx1_dwell_table if downlink_dwell else self.rx1_table
        if not (0 <= uplink < len(table) and 0 <= offset < len(table[uplink])):
            raise LoRaWanError(
                f"expected an uplink data rate and an RX1DROffset of {self.name};"
                f" got DR{uplink} and {offset}"
            )
        return table[uplink][offset]

    @property
    def max_rx1_offset(self) -> int:
        """The largest RX1DROffset."""
        return max(len(row) for row in self.rx1_table) - 1

    def tx_power_dbm(
        self, index: int, *, max_eirp_dbm: float | None = None, frequency_hz: int | None = None
    ) -> float:
        """
        EIRP of a TXPower index.

        Args:
            max_eirp_dbm: what the network or the maker set instead of the region's own limit.
            frequency_hz: where the frame is sent; its sub-band may allow less.
        Raises:
            LoRaWanError: the region has no such index, or no sub-band there.
        """
        if not 0 <= index < len(self.tx_power_offsets_db):
            last = len(self.tx_power_offsets_db) - 1
            raise LoRaWanError(f"expected a TXPower of 0 to {last} in {self.name}; got {index}")
        limit = self.max_eirp_dbm if max_eirp_dbm is None else max_eirp_dbm
        power = limit + self.tx_power_offsets_db[index]
        if frequency_hz is None:
            return power
        return min(power, self.sub_band(frequency_hz).max_eirp_dbm)

    def sub_band(self, frequency_hz: int) -> SubBand:
        """
        The sub-band whose air time a transmission uses up.

        Raises:
            LoRaWanError: the frequency lies in none.
        """
        for band in self.sub_bands:
            if band.low_hz <= frequency_hz < band.high_hz:
                return band
        raise LoRaWanError(f"expected a frequency of {self.name}; got {frequency_hz} Hz")

    def accepts_frequency(self, frequency_hz: int) -> bool:
        """Whether a network may set it, for RX2, beacons, ping slots or a new channel."""
        if self.is_fixed_plan:
            return frequency_hz in self.downlink_hz or frequency_hz in self._class_b_hz()
        return any(band.low_hz <= frequency_hz < band.high_hz for band in self.sub_bands)

    def ch_mask(self, enabled: int, control: int, ch_mask: int, defined: int) -> int | None:
        """
        The set of enabled channels after one LinkADRReq, bit i for channel i.

        Args:
            control: ChMaskCntl.
            defined: the channels that exist: ``all_channels`` and what the network added.
        Returns:
            None where "channel mask ACK" has to be 0.
        """
        rule = self.ch_mask_rules.get(control)
        return rule(enabled, ch_mask, defined) if rule else None

    def cf_list_channels(self, frequencies_hz: Sequence[int]) -> dict[int, Channel]:
        """Channels that a CFList of type 0 adds after the default ones; 0 and strangers do not."""
        first = len(self.uplink_channels)
        return {
            first + number: Channel(frequency_hz, 0, 5)
            for number, frequency_hz in enumerate(frequencies_hz)
            if self.accepts_frequency(frequency_hz)
        }

    @property
    def beacon_layout(self) -> BeaconLayout:
        """How a beacon's bytes are laid out; its spreading factor decides."""
        modulation = self.data_rate(self.class_b.beacon.data_rate).modulation
        assert not isinstance(modulation, Fsk)
        return BEACON_LAYOUTS[modulation.spreading_factor]

    def beacon_frequency_hz(self, beacon_time_s: int) -> int:
        """Where the beacon of this GPS time is sent."""
        hops = self.class_b.beacon.frequencies_hz
        return hops[beacon_channel(beacon_time_s, len(hops))]

    def ping_slot_frequency_hz(self, dev_addr: str, beacon_time_s: int) -> int:
        """Where a device (hex text) listens in the ping slots after the beacon of this GPS time."""
        hops = self.class_b.ping_slots.frequencies_hz
        return hops[ping_channel(beacon_time_s, dev_addr, len(hops))]

    def _class_b_hz(self) -> tuple[int, ...]:
        return self.class_b.beacon.frequencies_hz + self.class_b.ping_slots.frequencies_hz
