"""What several regions' tables are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.lorawan.regions.region import (
    Channel,
    DataRate,
    JoinChannel,
    Rx1Table,
    Rx2,
)

SF12_TO_7: tuple[Modulation, ...] = tuple(Lora(factor, 125_000) for factor in range(12, 6, -1))
EIGHT_RATES: tuple[Modulation, ...] = (*SF12_TO_7, Lora(7, 250_000), Fsk(50_000))
PAYLOADS = (51, 51, 51, 115, 242, 242, 242, 242)
OFFSETS = (0, 1, 2, 3, 4, 5)  # RX1DROffset: so many data rates lower
OFFSETS_OF_EIGHT = (*OFFSETS, -1, -2)  # 6 and 7 raise the data rate instead


def both_ways(
    modulations: Sequence[Modulation | None],
    payloads: Sequence[int],
    payloads_dwell: Sequence[int | None] | None = None,
) -> tuple[DataRate | None, ...]:
    """Data rates for uplinks and downlinks; without limits for a dwell time, both are the same."""
    dwell = payloads if payloads_dwell is None else payloads_dwell
    rows = zip(modulations, payloads, dwell, strict=False)
    return tuple(None if which is None else DataRate(which, n, short) for which, n, short in rows)


def rx1_table(
    uplinks: Iterable[int], offsets: Sequence[int], *, lowest: int = 0, highest: int = 15
) -> Rx1Table:
    """Rows of ``uplink - offset``, kept between the lowest and the highest data rate."""
    return tuple(
        tuple(min(highest, max(lowest, uplink - offset)) for offset in offsets)
        for uplink in uplinks
    )


def every_2_db(last: int) -> tuple[int, ...]:
    """TXPower 0 to ``last``, each 2 dB below the one before."""
    return tuple(-2 * index for index in range(last + 1))


def spaced(first_hz: int, step_hz: int, count: int) -> tuple[int, ...]:
    """Frequencies at equal distances."""
    return tuple(first_hz + step_hz * number for number in range(count))


def channels(
    frequencies_hz: Iterable[int], lowest: int = 0, highest: int = 5
) -> tuple[Channel, ...]:
    """Channels that share their data rates."""
    return tuple(Channel(frequency_hz, lowest, highest) for frequency_hz in frequencies_hz)


def join_in(
    uplink_channels: Sequence[Channel], rx2: Rx2, *, lowest: int = 0
) -> tuple[JoinChannel, ...]:
    """Joins in all channels of a dynamic plan, from the data rate ``lowest`` on."""
    return tuple(
        JoinChannel(index, frequency_hz, max(low, lowest), high, frequency_hz, rx2)
        for index, (frequency_hz, low, high) in enumerate(uplink_channels)
    )
