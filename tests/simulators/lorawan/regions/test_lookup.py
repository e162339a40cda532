"""A region and a version are found by the names that people and servers use."""

from __future__ import annotations

import pytest

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.regions import REGIONS, region
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.versions import MacVersion


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("EU868", "EU868"),
        ("eu868", "EU868"),
        ("EU863-870", "EU868"),
        ("EU_863_870", "EU868"),
        ("EU863", "EU868"),
        ("US902", "US915"),
        ("US_902_928", "US915"),
        ("AU_915_928", "AU915"),
        ("AS923", "AS923-1"),
        ("AS_923", "AS923-1"),
        ("AS923_2", "AS923-2"),
        ("AS_923_3", "AS923-3"),
        ("AS923JP", "AS923-1-JP"),
        ("IN865-867", "IN865"),
        ("KR_920_923", "KR920"),
        ("CN470-510", "CN470"),
        ("CN_470_510_20_A", "CN470-20A"),
        ("cn470-26b", "CN470-26B"),
        ("EU_433", "EU433"),
        ("RU864-870", "RU864"),
    ],
)
def test_names(name: str, found: str) -> None:
    assert region(name) is REGIONS[found]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("EU686", "'EU868'"),
        ("US951", "'US915'"),
        ("eu 863 to 870", "'EU868'"),
        ("AS932", "'AS923-"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(name: str, hint: str) -> None:
    with pytest.raises(LoRaWanError, match=rf"expected a region \(EU868, .*\); got .* mean {hint}"):
        region(name)


def test_a_name_that_resembles_nothing_gets_the_list_alone() -> None:
    with pytest.raises(LoRaWanError, match=r"expected a region \(EU868, [^;]*\); got 'moon'$"):
        region("moon")


def test_a_region_is_built_once_for_each_version() -> None:
    old = region("EU868", PhyVersion.PHY_V1_0)

    assert old is region("EU863", PhyVersion.PHY_V1_0)
    assert old is not REGIONS["EU868"]
    assert old.version == PhyVersion.PHY_V1_0
    assert REGIONS["EU868"].version == PhyVersion.RP002_V1_0_4


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("RP002_V1_0_3", PhyVersion.RP002_V1_0_3),
        ("RP002-1.0.3", PhyVersion.RP002_V1_0_3),
        ("PHY_V1_0_2_REV_B", PhyVersion.PHY_V1_0_2_REV_B),
        ("1.0.3-a", PhyVersion.PHY_V1_0_3_REV_A),
        ("1.1 rev B", PhyVersion.PHY_V1_1_REV_B),
        ("1.0", PhyVersion.PHY_V1_0),
    ],
)
def test_versions(text: str, version: PhyVersion) -> None:
    assert PhyVersion.parse(text) is version


def test_an_unknown_version_gets_the_nearest_one() -> None:
    with pytest.raises(LoRaWanError, match=r"got 'RP002-1\.0\.9'; did you mean 'RP002_V1_0_"):
        PhyVersion.parse("RP002-1.0.9")


def test_versions_stand_in_the_order_of_publication() -> None:
    assert PhyVersion.PHY_V1_1_REV_B < PhyVersion.PHY_V1_0_3_REV_A < PhyVersion.RP002_V1_0_0


@pytest.mark.parametrize("mac_version", MacVersion)
def test_every_link_layer_has_regional_parameters(mac_version: MacVersion) -> None:
    assert PhyVersion.of(mac_version) in PhyVersion


def test_a_value_holds_from_its_version_on_and_the_first_one_always() -> None:
    steps = {PhyVersion.PHY_V1_0_2_REV_B: "old", PhyVersion.RP002_V1_0_0: "new"}

    assert since(PhyVersion.PHY_V1_0, steps) == "old"
    assert since(PhyVersion.PHY_V1_0_3_REV_A, steps) == "old"
    assert since(PhyVersion.RP002_V1_0_0, steps) == "new"
    assert since(PhyVersion.RP002_V1_0_4, steps) == "new"
