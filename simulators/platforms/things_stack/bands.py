"""
Where The Things Stack's bands differ from the regional parameters that devices here have.

Its network answers as its own tables say. The four bands of CN470 that RP002 brought are left as
they are: no frequency plan is for one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import FHDR_AND_PORT, ClassB, DataRate, Hops, Region

Changes = dict[str, Any]  # fields of a Region

_WIDE_TX_POWERS = tuple(-2 * index for index in range(16))
_BEFORE_DWELL = (
    PhyVersion.PHY_V1_0_1,
    PhyVersion.PHY_V1_0_2_REV_A,
    PhyVersion.PHY_V1_0_2_REV_B,
    PhyVersion.PHY_V1_1_REV_A,
    PhyVersion.PHY_V1_1_REV_B,
    PhyVersion.PHY_V1_0_3_REV_A,
)
# Bands and versions whose devices begin with a limit, uplinks and downlinks; others do not tell.
_BOOT_DWELL: dict[tuple[str, PhyVersion], tuple[bool, bool]] = {
    ("AS_923", PhyVersion.PHY_V1_0_2_REV_B): (True, True),
    ("AS_923", PhyVersion.PHY_V1_0_3_REV_A): (True, False),
    ("AS_923", PhyVersion.RP002_V1_0_1): (True, False),
    ("AS_923_2", PhyVersion.RP002_V1_0_1): (True, False),
    ("AS_923_3", PhyVersion.RP002_V1_0_1): (True, False),
    ("AU_915_928", PhyVersion.PHY_V1_1_REV_B): (True, False),
    ("AU_915_928", PhyVersion.PHY_V1_0_3_REV_A): (True, False),
    ("AU_915_928", PhyVersion.RP002_V1_0_0): (True, False),
    ("AU_915_928", PhyVersion.RP002_V1_0_1): (True, False),
    ("AU_915_928", PhyVersion.RP002_V1_0_2): (True, False),
    ("AU_915_928", PhyVersion.RP002_V1_0_3): (True, False),
    ("AU_915_928", PhyVersion.RP002_V1_0_4): (True, False),
}


def boot_dwell(region: Region) -> tuple[bool, bool] | None:
    """Whether uplinks and downlinks are limited before a command says so; None: not known."""
    return _BOOT_DWELL.get((region.band_id, region.version))


def as_served(region: Region) -> Region:
    """The region as the network has it."""
    change = _CHANGES.get(region.band_id)
    changes = change(region) if change else {}
    return replace(region, **changes) if changes else region


def _in865(region: Region) -> Changes:
    """RX1 in DR6, which is RFU; beacons and ping slots on 866.5 MHz."""
    changes: Changes = {"class_b": _on(region, 866_500_000)}
    if region.version >= PhyVersion.RP002_V1_0_0:
        rows = [list(row) for row in region.rx1_table]
        rows[4][7] = rows[5][6] = rows[7][1] = 6
        table = tuple(tuple(row) for row in rows)
        changes |= {"rx1_table": table, "rx1_dwell_table": table}
    return changes


def _eu433(region: Region) -> Changes:
    return {"class_b": _on(region, 434_655_000)}


def _on(region: Region, frequency_hz: int) -> ClassB:
    hops = region.class_b.beacon
    return ClassB(Hops(hops.data_rate, (frequency_hz,)), Hops(hops.data_rate, (frequency_hz,)))


def _beacons_in(region: Region, data_rate: int) -> ClassB:
    return region.class_b._replace(beacon=region.class_b.beacon._replace(data_rate=data_rate))


def _us915(region: Region) -> Changes:
    version, changes = region.version, Changes()
    if version <= PhyVersion.PHY_V1_0_1:
        changes["data_rates"] = _limited(region, {2: (133, 133)})
    if version <= PhyVersion.PHY_V1_0_2_REV_A:
        changes["class_b"] = _beacons_in(region, 3)
    if version == PhyVersion.PHY_V1_0_3_REV_A:
        changes["tx_power_offsets_db"] = _WIDE_TX_POWERS
    return changes


def _au915(region: Region) -> Changes:
    version, changes = region.version, Changes()
    if version <= PhyVersion.PHY_V1_0_2_REV_A:
        limits = {0: (59, 59), 1: (123, 123), 2: (250, 250)}
        changes["data_rates"] = _limited(region, limits)
    elif version in _BEFORE_DWELL:
        sizes = {0: 59, 1: 59, 2: 59, 3: 123, 4: 250}
        changes["data_rates"] = _limited(region, {n: (m, m) for n, m in sizes.items()})
    if version <= PhyVersion.PHY_V1_1_REV_A:
        changes["class_b"] = _beacons_in(region, 10)
    if version in (PhyVersion.PHY_V1_1_REV_B, PhyVersion.PHY_V1_0_3_REV_A):
        changes["tx_power_offsets_db"] = _WIDE_TX_POWERS
    return changes


def _limited(region: Region, sizes: dict[int, tuple[int, int]]) -> tuple[DataRate | None, ...]:
    """The data rates, some with another M: without and with a limit of 400 ms."""
    rates = list(region.data_rates)
    for index, (free, dwell) in sizes.items():
        row = rates[index]
        assert row is not None
        rates[index] = row._replace(
            max_payload=free - FHDR_AND_PORT, max_payload_dwell=dwell - FHDR_AND_PORT
        )
    return tuple(rates)


_CHANGES: dict[str, Callable[[Region], Changes]] = {
    "IN_865_867": _in865,
    "EU_433": _eu433,
    "US_902_928": _us915,
    "AU_915_928": _au915,
}
