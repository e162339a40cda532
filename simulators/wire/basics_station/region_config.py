"""``router_config`` for a region, as a server makes it from what its gateways listen to."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions.region import Region
from simulators.wire.basics_station.router_config import (
    DATA_RATES,
    MULTI_SF_CHANNELS,
    Beaconing,
    Board,
    DataRate,
    RouterConfig,
)

CRC_BYTES, TIME_BYTES = 2, 4


def router_config_of(
    region: Region,
    *,
    multi_sf_hz: Sequence[int],
    standard: Sequence[tuple[int, Lora]] = (),
    fsk_hz: Sequence[int] = (),
    name: str | None = None,
    beacons: bool = False,
) -> RouterConfig:
    """
    A configuration; more than eight channels for all spreading factors need several boards.

    Args:
        name: of the region in this protocol; its usual name by default.
    """
    boards = max(1, -(-len(multi_sf_hz) // MULTI_SF_CHANNELS), len(standard), len(fsk_hz))
    return RouterConfig(
        region=name or region.name,
        data_rates=_data_rates(region),
        frequency_range_hz=(
            min(band.low_hz for band in region.sub_bands),
            max(band.high_hz for band in region.sub_bands),
        ),
        boards=tuple(
            _board(
                tuple(multi_sf_hz[number * MULTI_SF_CHANNELS :][:MULTI_SF_CHANNELS]),
                standard[number] if number < len(standard) else None,
                fsk_hz[number] if number < len(fsk_hz) else None,
            )
            for number in range(boards)
        ),
        hwspec=f"sx1301/{boards}",
        max_eirp_dbm=region.max_eirp_dbm,
        beaconing=_beaconing(region) if beacons else None,
    )


def _data_rates(region: Region) -> tuple[DataRate | None, ...]:
    rows = [
        None if row is None else DataRate(row.modulation, not row.is_uplink)
        for row in region.data_rates
    ]
    return (*rows, *[None] * (DATA_RATES - len(rows)))


def _board(
    multi_sf_hz: tuple[int, ...], standard: tuple[int, Lora] | None, fsk_hz: int | None
) -> Board:
    """Each radio in the middle of its half of the channels."""
    others = [hertz for hertz in (standard and standard[0], fsk_hz) if hertz]
    every = sorted(multi_sf_hz) or others
    half = -(-len(every) // 2)
    lower, upper = every[:half], every[half:] or every[-1:]
    radios = ((lower[0] + lower[-1]) // 2, (upper[0] + upper[-1]) // 2)
    return Board(radios, multi_sf_hz, standard, fsk_hz)


def _beaconing(region: Region) -> Beaconing:
    hops, layout = region.class_b.beacon, region.beacon_layout
    info_at = layout.before_time + TIME_BYTES + CRC_BYTES
    return Beaconing(
        hops.data_rate, (layout.before_time, info_at, layout.size), hops.frequencies_hz
    )
