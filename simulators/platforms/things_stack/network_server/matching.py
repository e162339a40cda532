"""
Whose an uplink is: by address, then counter, then integrity.

Several devices may share an address, and a device may have two sessions. Only a MIC that is right
tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from simulators.lorawan.crypto import MAX_F_CNT
from simulators.lorawan.frames import MIC_BYTES, DataFrame
from simulators.lorawan.regions.region import FHDR_AND_PORT, MAX_FCNT_GAP
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.messages import Uplink
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.uplink_channels import (
    UplinkChannel,
    uplink_data_rate,
)

_SECOND_US = 1_000_000
# Between the second window and the last moment at which a device repeats a frame.
_RETRANSMISSION_US = 10 * _SECOND_US
_AROUND_MAC_PAYLOAD = 5  # MHDR and MIC
_CONFIRMED_TRANSMISSIONS = 5  # before 1.0.4, where NbTrans does not limit them


class Match(NamedTuple):
    """
    A device whose keys made this MIC.

    Attributes:
        transmission: 1 for a new counter, more for a repetition.
        is_reset: the device has begun to count anew.
        channel, data_rate_index: None where the device may not send like that.
        serial: the device's when this was found.
    """

    device: Device
    is_pending: bool
    f_cnt: int
    transmission: int
    is_reset: bool
    channel: UplinkChannel | None
    data_rate_index: int | None
    serial: int


class _Candidate(NamedTuple):
    f_cnt: int
    transmission: int = 1
    is_reset: bool = False


def find(devices: list[Device], uplink: Uplink, frame: DataFrame, dev_addr: str) -> Match | None:
    """The device among those of an address that has sent a frame."""
    for device in devices:
        if device.traits.is_multicast:
            continue
        for is_pending in device.sessions(dev_addr):
            for candidate in _candidates(device, uplink, frame, is_pending):
                match = _matching(device, uplink, frame, candidate, is_pending)
                if match is not None:
                    return match
    return None


def _matching(
    device: Device, uplink: Uplink, frame: DataFrame, candidate: _Candidate, is_pending: bool
) -> Match | None:
    """The match, if the MIC is right; in 1.1 half of it depends on channel and data rate."""
    crypto = device.crypto(is_pending=is_pending)
    channel = device.channel(uplink.frequency_hz, is_pending=is_pending)
    data_rate = uplink_data_rate(device.region, uplink.modulation)
    if channel and data_rate is not None:
        is_allowed = channel.min_data_rate <= data_rate <= channel.max_data_rate
        data_rate = data_rate if is_allowed else None
    if data_rate is not None and _is_too_long(device, data_rate, uplink.phy, is_pending):
        return None
    message = uplink.phy[:-MIC_BYTES]
    if not crypto.is_1_1:
        if crypto.uplink_mic(message, candidate.f_cnt) != frame.mic:
            return None
    else:
        conf_f_cnt = 0
        if frame.ack and not is_pending:
            conf_f_cnt = device.state["session"].get("last_conf_f_cnt_down", 0)
        mic = crypto.uplink_mic(
            message,
            candidate.f_cnt,
            conf_f_cnt=conf_f_cnt,
            tx_dr=data_rate or 0,
            tx_ch=channel.number if channel else 0,
        )
        is_known = channel is not None and data_rate is not None
        if mic[2:] != frame.mic[2:] or (is_known and mic != frame.mic):
            return None
    return Match(device, is_pending, *candidate, channel, data_rate, device.serial)


def _is_too_long(device: Device, data_rate: int, phy: bytes, is_pending: bool) -> bool:
    """Whether a data rate does not allow so long a frame: 1.0.4 has such frames ignored."""
    if device.version(is_pending=is_pending) != MacVersion.V1_0_4:
        return False
    dwell = device.traits.has_uplink_dwell_time
    if is_pending:
        parameters = device.state["pending_mac_state"]["current_parameters"]
        dwell = bool(parameters.get("uplink_dwell_time"))
    longest = device.region.max_payload(data_rate, dwell=dwell) + FHDR_AND_PORT
    return len(phy) - _AROUND_MAC_PAYLOAD > longest


def _candidates(
    device: Device, uplink: Uplink, frame: DataFrame, is_pending: bool
) -> Iterator[_Candidate]:
    """Full counters that a frame may have."""
    low = frame.f_cnt
    if is_pending:
        # A frame of a session that nobody has confirmed acknowledges nothing.
        if not frame.ack and _is_next(0, low, device.version(is_pending=True)):
            yield _Candidate(low)
        return
    traffic = device.traffic
    last = traffic.f_cnt_up
    is_first = not last and not traffic.packed
    f_cnt = _full(device, last, low, is_first=is_first)
    version = device.version()
    if f_cnt == last and not is_first:
        transmission = _transmission(device, uplink, frame, version)
        if transmission:
            yield _Candidate(last, transmission)
    elif _is_next(last, f_cnt, version):
        yield _Candidate(f_cnt)
    if not is_first and low <= last and not frame.ack and device.traits.resets:
        yield _Candidate(low, is_reset=True)


def _is_next(last: int, f_cnt: int, version: MacVersion) -> bool:
    """Whether a new counter may follow the last one; before 1.0.4 not too many may be missing."""
    is_near = f_cnt - last <= MAX_FCNT_GAP or version >= MacVersion.V1_0_4
    return is_near and last <= f_cnt <= MAX_F_CNT


def _full(device: Device, last: int, low: int, *, is_first: bool) -> int:
    """The counter that follows the last one and ends in these 16 bits."""
    if is_first or device.traits.counts_in_16_bits:
        return low
    f_cnt = last & ~0xFFFF | low
    return f_cnt if f_cnt >= last else f_cnt + 0x1_0000


def _transmission(device: Device, uplink: Uplink, frame: DataFrame, version: MacVersion) -> int:
    """Which repetition of its last frame a device sends; 0 when it is none, or one too many."""
    traffic = device.traffic
    if check(uplink.phy) != traffic.check:
        return 0
    most = device.traits.transmissions
    if frame.is_confirmed and version < MacVersion.V1_0_4:
        most = _CONFIRMED_TRANSMISSIONS
    delay_us = (device.traits.rx1_delay_s + 1) * _SECOND_US + _RETRANSMISSION_US
    if traffic.transmissions >= most or uplink.received_us - traffic.received_us > delay_us:
        return 0
    return traffic.transmissions + 1


def check(phy: bytes) -> int:
    """A checksum of a frame before its MIC, which in 1.1 is another in each channel."""
    return crc32(phy[:-MIC_BYTES])
