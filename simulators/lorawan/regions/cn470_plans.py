"""
What the four plans of CN470-510 since RP002 share: all but their channels.

A device may try the join channels of every plan; the one that is answered chooses the plan. Each
plan is a region here, with its own join channels.

Source: RP002, "CN470-510", and LoRaMac-node, which agree; payload limits by version: ChirpStack.
Since RP002-1.0.1 DR0 carries no data and nothing falls below DR1.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions.channel_mask import Rule
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import (
    Channel,
    ClassB,
    DataRate,
    Hops,
    JoinChannel,
    Region,
    Rx1Table,
    Rx2,
    SubBand,
)
from simulators.lorawan.regions.tables import (
    OFFSETS,
    PAYLOADS,
    SF12_TO_7,
    both_ways,
    channels,
    every_2_db,
    rx1_table,
    spaced,
)

STEP_HZ = 200_000
MODULATIONS = (None, *SF12_TO_7[1:], Lora(7, 500_000), Fsk(50_000))
PAYLOADS_1_0_1 = (0, 23, 86, 164, 242, 242, 242, 242)
PAYLOADS_1_0_2 = (0, 23, 86, 184, 242, 242, 242, 242)


def lowest_data_rate(version: PhyVersion) -> int:
    """DR0 was used in RP002-1.0.0 only."""
    return 0 if version <= PhyVersion.RP002_V1_0_0 else 1


def groups(*first_and_count: tuple[int, int]) -> tuple[int, ...]:
    """Channels in groups, 200 kHz apart within each: (first frequency, count), …"""
    return tuple(hz for first, count in first_and_count for hz in spaced(first, STEP_HZ, count))


def class_b(beacon_hz: tuple[int, ...], ping_hz: tuple[int, ...]) -> ClassB:
    """Beacons with SF10 in 19 bytes."""
    return ClassB(Hops(2, beacon_hz), Hops(2, ping_hz))


def build(
    version: PhyVersion,
    *,
    plan: str,
    uplink_hz: tuple[int, ...],
    downlink_hz: tuple[int, ...],
    joins: Mapping[int, tuple[int, int]],
    rx2_hz: int,
    ch_mask_rules: Mapping[int, Rule],
    class_b: ClassB,
    after_join: Mapping[int, Region] | None = None,
) -> Region:
    """
    One of the plans.

    Args:
        plan: width and letter, such as "20A".
        joins: for each join channel its RX1 and RX2 frequency.
        rx2_hz: for a device that never joined.
        after_join: the same plan as it holds after a join through each of its channels.
    """
    lowest = lowest_data_rate(version)
    plan_channels = channels(uplink_hz, lowest)
    table = _rx1_table(lowest)
    return Region(
        name=f"CN470-{plan}",
        band_id=f"CN_470_510_{plan[:2]}_{plan[2]}",
        aliases=(f"CN470-510-{plan}",),
        version=version,
        data_rates=_data_rates(version),
        uplink_channels=plan_channels,
        max_channels=len(plan_channels),
        downlink_hz=downlink_hz,
        join_channels=_join_channels(plan_channels, joins, lowest),
        rx2=Rx2(rx2_hz, lowest),
        rx1_table=table,
        rx1_dwell_table=table,
        max_eirp_dbm=19.15,
        tx_power_offsets_db=every_2_db(7),
        max_adr_data_rate=5,
        sub_bands=(SubBand(470_000_000, 510_000_000, 1, 19.15),),
        ch_mask_rules=ch_mask_rules,
        cf_list_type=1,
        class_b=class_b,
        after_join=after_join or {},
    )


def _data_rates(version: PhyVersion) -> tuple[DataRate | None, ...]:
    if version <= PhyVersion.RP002_V1_0_0:
        return both_ways(SF12_TO_7, PAYLOADS)
    payloads = since(
        version,
        {PhyVersion.RP002_V1_0_1: PAYLOADS_1_0_1, PhyVersion.RP002_V1_0_2: PAYLOADS_1_0_2},
    )
    return both_ways(MODULATIONS, payloads)


def _rx1_table(lowest: int) -> Rx1Table:
    if lowest == 0:
        return rx1_table(range(6), OFFSETS)
    return ((), *rx1_table(range(1, 8), OFFSETS, lowest=1))


def _join_channels(
    plan: tuple[Channel, ...], joins: Mapping[int, tuple[int, int]], lowest: int
) -> tuple[JoinChannel, ...]:
    return tuple(
        JoinChannel(number, *plan[number], rx1_hz, Rx2(rx2_hz, lowest))
        for number, (rx1_hz, rx2_hz) in joins.items()
    )
