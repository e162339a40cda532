"""
MAC commands of classes A, B and C, in both directions: one table, a row for each identifier.

A new command is a structure or two and a row in ``COMMANDS``. Names of fields are those of The
Things Stack; reserved bits are ignored when read and zero when written.
Source: LoRaWAN 1.0.4, chapter 5; LoRaWAN 1.1, chapters 5, 12 and 18.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from simulators.lorawan.bit_fields import (
    U3,
    U4,
    U8,
    U16,
    U32,
    Bits,
    Flag,
    FrequencyHz,
    Layout,
    Signed6,
)
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.versions import MacVersion


@dataclass(frozen=True, slots=True)
class MacCommand:
    """A request, answer, indication or confirmation; its class says which."""

    @property
    def name(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class ResetInd(MacCommand):
    """A device with a fixed session has lost its state and speaks 1.x."""

    minor_version: U4 = 1


@dataclass(frozen=True, slots=True)
class ResetConf(MacCommand):
    minor_version: U4 = 1


@dataclass(frozen=True, slots=True)
class LinkCheckReq(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class LinkCheckAns(MacCommand):
    """Margin in dB above the demodulation floor; how many gateways heard the request."""

    margin: U8
    gateway_count: U8


@dataclass(frozen=True, slots=True)
class LinkADRReq(MacCommand):
    """From 1.0.4 on, 15 as data rate or power keeps what there is."""

    tx_power_index: U4
    data_rate_index: U4
    channel_mask: U16
    nb_trans: U4
    channel_mask_control: U3


@dataclass(frozen=True, slots=True)
class LinkADRAns(MacCommand):
    channel_mask_ack: Flag
    data_rate_index_ack: Flag
    tx_power_index_ack: Flag


@dataclass(frozen=True, slots=True)
class DutyCycleReq(MacCommand):
    """A device may use 1/2^``max_duty_cycle`` of the time, over all channels."""

    max_duty_cycle: U4


@dataclass(frozen=True, slots=True)
class DutyCycleAns(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class RXParamSetupReq(MacCommand):
    rx2_data_rate_index: U4
    rx1_data_rate_offset: Annotated[int, Bits(3, gap=1)]
    rx2_frequency_hz: FrequencyHz


@dataclass(frozen=True, slots=True)
class RXParamSetupAns(MacCommand):
    rx2_frequency_ack: Flag
    rx2_data_rate_index_ack: Flag
    rx1_data_rate_offset_ack: Flag


@dataclass(frozen=True, slots=True)
class DevStatusReq(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class DevStatusAns(MacCommand):
    """
    Battery (0 external, 1 to 254 its charge, 255 unknown) and SNR of the last downlink in dB.

    The margin is in two's complement, as LoRaMac-node and ChirpStack have it. The Things Stack
    reads -1 as -32 and -20 as -13: it takes the lower bits for inverted.
    """

    battery: U8
    margin: Signed6


@dataclass(frozen=True, slots=True)
class NewChannelReq(MacCommand):
    """A frequency of 0 switches the channel off."""

    channel_index: U8
    frequency_hz: FrequencyHz
    min_data_rate_index: U4
    max_data_rate_index: U4


@dataclass(frozen=True, slots=True)
class NewChannelAns(MacCommand):
    frequency_ack: Flag
    data_rate_ack: Flag


@dataclass(frozen=True, slots=True)
class RXTimingSetupReq(MacCommand):
    """Seconds from the end of an uplink to RX1; 0 means 1."""

    delay: U4


@dataclass(frozen=True, slots=True)
class RXTimingSetupAns(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class TxParamSetupReq(MacCommand):
    max_eirp_index: U4
    uplink_dwell_time: Flag
    downlink_dwell_time: Flag

    @property
    def max_eirp_dbm(self) -> int:
        """The greatest radiated power that the index stands for."""
        return MAX_EIRP_DBM[self.max_eirp_index]


MAX_EIRP_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)


@dataclass(frozen=True, slots=True)
class TxParamSetupAns(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class DlChannelReq(MacCommand):
    channel_index: U8
    frequency_hz: FrequencyHz


@dataclass(frozen=True, slots=True)
class DlChannelAns(MacCommand):
    """The Things Stack calls the first ``channel_index_ack`` and the second ``frequency_ack``."""

    frequency_ack: Flag
    uplink_frequency_ack: Flag


@dataclass(frozen=True, slots=True)
class RekeyInd(MacCommand):
    """A device has joined and uses the new keys."""

    minor_version: U4 = 1


@dataclass(frozen=True, slots=True)
class RekeyConf(MacCommand):
    minor_version: U4 = 1


@dataclass(frozen=True, slots=True)
class ADRParamSetupReq(MacCommand):
    """ADR_ACK_LIMIT and ADR_ACK_DELAY as exponents of two."""

    adr_ack_delay_exponent: U4
    adr_ack_limit_exponent: U4


@dataclass(frozen=True, slots=True)
class ADRParamSetupAns(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class DeviceTimeReq(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class DeviceTimeAns(MacCommand):
    """GPS time of the end of the uplink that asked; the fraction in 1/256 s."""

    gps_s: U32
    fraction: U8


@dataclass(frozen=True, slots=True)
class ForceRejoinReq(MacCommand):
    max_retries: U3
    period_exponent: Annotated[int, Bits(3, gap=2)]
    data_rate_index: U4
    rejoin_type: U3


@dataclass(frozen=True, slots=True)
class RejoinParamSetupReq(MacCommand):
    """A device rejoins after 2^(``max_time_exponent`` + 10) s or 2^(``…count…`` + 4) uplinks."""

    max_count_exponent: U4
    max_time_exponent: U4


@dataclass(frozen=True, slots=True)
class RejoinParamSetupAns(MacCommand):
    max_time_exponent_ack: Flag


@dataclass(frozen=True, slots=True)
class PingSlotInfoReq(MacCommand):
    periodicity: U3


@dataclass(frozen=True, slots=True)
class PingSlotInfoAns(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class PingSlotChannelReq(MacCommand):
    """A frequency of 0 means the region's own."""

    frequency_hz: FrequencyHz
    data_rate_index: U4


@dataclass(frozen=True, slots=True)
class PingSlotChannelAns(MacCommand):
    frequency_ack: Flag
    data_rate_index_ack: Flag


@dataclass(frozen=True, slots=True)
class BeaconTimingReq(MacCommand):
    pass


@dataclass(frozen=True, slots=True)
class BeaconTimingAns(MacCommand):
    """The next beacon begins between ``delay`` and ``delay`` + 1 times 30 ms from now."""

    delay: U16
    channel_index: U8


@dataclass(frozen=True, slots=True)
class BeaconFreqReq(MacCommand):
    """A frequency of 0 means the region's own."""

    frequency_hz: FrequencyHz


@dataclass(frozen=True, slots=True)
class BeaconFreqAns(MacCommand):
    frequency_ack: Flag


@dataclass(frozen=True, slots=True)
class DeviceModeInd(MacCommand):
    """The class that the device now has: 0 A, 1 B, 2 C."""

    device_class: U8


@dataclass(frozen=True, slots=True)
class DeviceModeConf(MacCommand):
    device_class: U8


class Row(NamedTuple):
    """One identifier: what it carries up and down, None where it does not travel."""

    cid: int
    since: MacVersion
    uplink: type[MacCommand] | None
    downlink: type[MacCommand] | None


_1_0, _1_0_2, _1_0_3, _1_1 = (
    MacVersion.V1_0_0,
    MacVersion.V1_0_2,
    MacVersion.V1_0_3,
    MacVersion.V1_1,
)

COMMANDS = (
    Row(0x01, _1_1, ResetInd, ResetConf),
    Row(0x02, _1_0, LinkCheckReq, LinkCheckAns),
    Row(0x03, _1_0, LinkADRAns, LinkADRReq),
    Row(0x04, _1_0, DutyCycleAns, DutyCycleReq),
    Row(0x05, _1_0, RXParamSetupAns, RXParamSetupReq),
    Row(0x06, _1_0, DevStatusAns, DevStatusReq),
    Row(0x07, _1_0, NewChannelAns, NewChannelReq),
    Row(0x08, _1_0, RXTimingSetupAns, RXTimingSetupReq),
    Row(0x09, _1_0_2, TxParamSetupAns, TxParamSetupReq),
    Row(0x0A, _1_0_2, DlChannelAns, DlChannelReq),
    Row(0x0B, _1_1, RekeyInd, RekeyConf),
    Row(0x0C, _1_1, ADRParamSetupAns, ADRParamSetupReq),
    Row(0x0D, _1_0_3, DeviceTimeReq, DeviceTimeAns),
    Row(0x0E, _1_1, None, ForceRejoinReq),
    Row(0x0F, _1_1, RejoinParamSetupAns, RejoinParamSetupReq),
    Row(0x10, _1_0, PingSlotInfoReq, PingSlotInfoAns),
    Row(0x11, _1_0, PingSlotChannelAns, PingSlotChannelReq),
    Row(0x12, _1_0, BeaconTimingReq, BeaconTimingAns),
    Row(0x13, _1_0, BeaconFreqAns, BeaconFreqReq),
    Row(0x20, _1_1, DeviceModeInd, DeviceModeConf),
)


class _Entry(NamedTuple):
    cid: int
    since: MacVersion
    layout: Layout


_BY_CID: tuple[dict[int, _Entry], dict[int, _Entry]] = (
    {row.cid: _Entry(row.cid, row.since, Layout(row.downlink)) for row in COMMANDS if row.downlink},
    {row.cid: _Entry(row.cid, row.since, Layout(row.uplink)) for row in COMMANDS if row.uplink},
)
_BY_TYPE = {entry.layout.structure: entry for each in _BY_CID for entry in each.values()}


class Parsed(NamedTuple):
    """The commands that could be read; the bytes from the first that could not, and why not."""

    commands: list[MacCommand]
    rest: bytes = b""
    problem: LoRaWanError | None = None


def parse(
    data: bytes,
    *,
    is_uplink: bool,
    version: MacVersion = MacVersion.V1_1,
    force_rejoin_reversed: bool = False,
) -> Parsed:
    """
    Read the commands in FOpts, or in the payload of port 0.

    An unknown identifier says nothing of its length, so reading stops there, and so it does at a
    command that is cut off. What stands before is carried out all the same: this never raises.

    Args:
        version: identifiers that came later are unknown.
        force_rejoin_reversed: ForceRejoinReq with its second byte first, as ChirpStack's library
            has it; The Things Stack and LoRaMac-node agree on the other order.
    """
    known, at = _BY_CID[is_uplink], 0
    commands: list[MacCommand] = []
    while at < len(data):
        entry = known.get(data[at])
        if entry is None or entry.since > version:
            problem = LoRaWanError(f"expected a MAC command; got {data[at]:02x}", at)
            return Parsed(commands, data[at:], problem)
        layout = entry.layout
        body = data[at + 1 : at + 1 + layout.size]
        if len(body) < layout.size:
            name = layout.structure.__name__
            reason = f"expected {name} of {layout.size} bytes; got {len(body)}"
            return Parsed(commands, data[at:], LoRaWanError(reason, at))
        if force_rejoin_reversed and layout.structure is ForceRejoinReq:
            body = body[::-1]
        commands.append(layout.read(body))
        at += 1 + layout.size
    return Parsed(commands)


def cid_of(command: MacCommand) -> int:
    """The identifier of a command."""
    return _BY_TYPE[type(command)].cid


def encode(command: MacCommand, *, force_rejoin_reversed: bool = False) -> bytes:
    """Identifier and bytes of one command; raises LoRaWanError for a value that does not fit."""
    entry = _BY_TYPE[type(command)]
    body = entry.layout.write(command)
    if force_rejoin_reversed and isinstance(command, ForceRejoinReq):
        body = body[::-1]
    return bytes((entry.cid,)) + body


def encode_fitting(commands: Iterable[MacCommand], room: int) -> bytes:
    """As many commands as fit into ``room`` bytes, whole and in their order."""
    data = b""
    for command in commands:
        encoded = encode(command)
        if len(data) + len(encoded) > room:
            break
        data += encoded
    return data
