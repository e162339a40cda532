"""Frequency plans and bands: which there are, and the region that a device of a plan lives in."""

from __future__ import annotations

from functools import cache
from typing import Any

from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region
from simulators.platforms.things_stack import tables
from simulators.platforms.things_stack.bands import as_served
from simulators.platforms.things_stack.errors import StackError

Plan = dict[str, Any]


@cache
def bands() -> dict[str, tuple[str, ...]]:
    """Versions of the regional parameters by band."""
    rows = (line.split() for line in tables.lines("bands.txt"))
    return {band: tuple(versions) for band, *versions in rows}


@cache
def plans() -> dict[str, Plan]:
    """Plans by id: those whose bands are served."""
    return {
        plan_id: plan
        for plan_id, plan in tables.frequency_plans().items()
        if plan["band_id"] in bands()
    }


def plan(plan_id: str) -> Plan:
    """
    The plan of an id.

    Raises:
        StackError: ``pkg/frequencyplans:not_found``.
    """
    found = plans().get(plan_id)
    if found is None:
        raise StackError("pkg/frequencyplans:not_found", {"id": plan_id})
    return found


@cache
def region_of(band_id: str, phy_version: str) -> Region:
    """
    The regional parameters of a band in a version.

    Raises:
        StackError: ``no_band_version``.
    """
    if phy_version not in bands().get(band_id, ()):
        attributes = {"ver": phy_version, "id": band_id}
        raise StackError("pkg/networkserver/internal:no_band_version", attributes)
    return as_served(region(band_id, PhyVersion[phy_version]))
