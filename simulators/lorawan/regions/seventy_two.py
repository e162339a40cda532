"""The plan of 64 + 8 channels that US915 and AU915 share."""

from __future__ import annotations

from simulators.lorawan.modulation import Lora, Modulation
from simulators.lorawan.regions.region import (
    Channel,
    ClassB,
    DataRate,
    Hops,
    JoinChannel,
    Rx2,
)
from simulators.lorawan.regions.tables import channels, spaced

DOWNLINK_HZ = spaced(923_300_000, 600_000, 8)
RX2 = Rx2(923_300_000, 8)
CLASS_B = ClassB(Hops(8, DOWNLINK_HZ), Hops(8, DOWNLINK_HZ))


def data_rates(
    modulations: tuple[Modulation, ...], payloads: tuple[int, ...], dwell: tuple[int | None, ...]
) -> tuple[DataRate | None, ...]:
    """The uplinks from DR0 on; the downlinks are DR8 to DR13, SF12 to SF7 at 500 kHz."""
    rows = zip(modulations, payloads, dwell, strict=True)
    up = [DataRate(which, n, short, is_downlink=False) for which, n, short in rows]
    down = [
        DataRate(Lora(factor, 500_000), n, n, is_uplink=False)
        for factor, n in zip(range(12, 6, -1), (53, 129, 242, 242, 242, 242), strict=True)
    ]
    return (*up, *[None] * (8 - len(up)), *down)


def uplink_channels(narrow_hz: int, wide_hz: int, wide_data_rate: int) -> tuple[Channel, ...]:
    """64 channels of 125 kHz, 200 kHz apart; 8 of 500 kHz, 1.6 MHz apart."""
    narrow = channels(spaced(narrow_hz, 200_000, 64), 0, wide_data_rate - 1)
    wide = channels(spaced(wide_hz, 1_600_000, 8), wide_data_rate, wide_data_rate)
    return narrow + wide


def join_channels(uplinks: tuple[Channel, ...], narrow_data_rate: int) -> tuple[JoinChannel, ...]:
    """Joins in all 72, with one data rate in those of 125 kHz and the lowest in the others."""
    rates = [narrow_data_rate] * 64 + [each.min_data_rate for each in uplinks[64:]]
    return tuple(
        JoinChannel(number, each.frequency_hz, rate, rate, DOWNLINK_HZ[number % 8], RX2)
        for number, (each, rate) in enumerate(zip(uplinks, rates, strict=True))
    )
