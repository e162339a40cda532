"""The Things Stack's own bands, where they differ from the regional parameters."""

from __future__ import annotations

import pytest

from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.platforms.things_stack.bands import boot_dwell
from simulators.platforms.things_stack.plans import region_of


def test_in865_answers_in_dr6():
    served = region_of("IN_865_867", "RP002_V1_0_3")
    assert [served.rx1_data_rate(*where) for where in ((4, 7), (5, 6), (7, 1))] == [6, 6, 6]
    assert served.rx1_data_rate(5, 0) == 5
    assert region("IN865", PhyVersion.RP002_V1_0_3).rx1_data_rate(5, 6) == 5


@pytest.mark.parametrize(
    ("band", "version", "frequencies"),
    [
        ("IN_865_867", "PHY_V1_0_3_REV_A", (866_500_000,)),
        ("EU_433", "RP002_V1_0_3", (434_655_000,)),
        ("EU_863_870", "RP002_V1_0_3", (869_525_000,)),
    ],
)
def test_beacons(band, version, frequencies):
    class_b = region_of(band, version).class_b
    assert class_b.beacon.frequencies_hz == frequencies
    assert class_b.ping_slots.frequencies_hz == frequencies


@pytest.mark.parametrize(
    ("band", "version", "sizes"),
    [
        ("AU_915_928", "PHY_V1_0_1", [59, 123, 250, 250, 250]),
        ("AU_915_928", "PHY_V1_0_2_REV_B", [59, 59, 59, 123, 250, 250, 250]),
        ("AU_915_928", "PHY_V1_0_3_REV_A", [59, 59, 59, 123, 250, 250, 250]),
        ("AU_915_928", "RP002_V1_0_3", [59, 59, 59, 123, 250, 250, 250]),
        ("US_902_928", "PHY_V1_0", [19, 61, 133, 250, 250]),
    ],
)
def test_largest_payloads_of_uplinks(band, version, sizes):
    rates = region_of(band, version).data_rates[:7]
    found = [row.max_mac_payload for row in rates if row is not None and row.is_uplink]
    assert found[: len(sizes)] == sizes


def test_limits_of_400_ms_that_devices_begin_with():
    assert boot_dwell(region_of("AS_923", "PHY_V1_0_2_REV_B")) == (True, True)
    assert boot_dwell(region_of("AU_915_928", "RP002_V1_0_3")) == (True, False)
    assert boot_dwell(region_of("AS_923", "RP002_V1_0_3")) is None
    assert boot_dwell(region_of("EU_863_870", "RP002_V1_0_3")) is None
