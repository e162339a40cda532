"""Our own simulated nodes join and talk, in every region and version."""

from __future__ import annotations

import pytest

from simulators.devices.lorawan.state import Abp, Otaa
from simulators.devices.lorawan.windows import LORAMAC_NODE, PICKY
from simulators.lorawan.keys import RootKeys, SessionKeys
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.plans import bands, plans
from tests.simulators.platforms.things_stack.field import Field
from tests.simulators.platforms.things_stack.radio import (
    ADDRESS,
    APP_KEY,
    DEV_EUI,
    JOIN_EUI,
    NETWORK_ROOT_KEY,
    NWK_KEY,
    ROOT_KEY,
    add_abp,
    add_otaa,
    state_of,
)

# One plan of each band; the community's where there is one.
_PLANS = {each["band_id"]: name for name, each in sorted(plans().items())} | {
    "EU_863_870": "EU_863_870_TTN",
    "US_902_928": "US_902_928_FSB_2",
    "AU_915_928": "AU_915_928_FSB_2",
    "CN_470_510": "CN_470_510_FSB_11",
}
MAC = {
    "1.0.2": ("MAC_V1_0_2", MacVersion.V1_0_2, "PHY_V1_0_2_REV_B"),
    "1.0.3": ("MAC_V1_0_3", MacVersion.V1_0_3, "PHY_V1_0_3_REV_A"),
    "1.0.4": ("MAC_V1_0_4", MacVersion.V1_0_4, "RP002_V1_0_3"),
    "1.1": ("MAC_V1_1", MacVersion.V1_1, "RP002_V1_0_3"),
}
EVERYWHERE = [
    pytest.param(band, version, id=f"{band}-{version}")
    for band in sorted(_PLANS)
    for version, (_, _, phy) in MAC.items()
    if phy in bands()[band]
]
# One kind of node starts at 0 and takes only what comes on time, the other starts at 1.
_KINDS = {"picky": {"timing": PICKY}, "from-1": {"timing": LORAMAC_NODE, "first_f_cnt": 1}}


@pytest.fixture
def field(bench):
    """An application without devices, on the virtual clock."""
    bench.application()
    return Field(bench)


def talk(node, count):
    for number in range(count):
        yield from node.uplink(bytes([number]), f_port=1)
        yield from node.rest(node.clock.now_us() + 20_000_000)


def channels_of(plan_id, node):
    """A node in a plan of fixed channels is set up for those of the plan."""
    known = {frequency for frequency, _, _ in plans()[plan_id]["uplink_channels"]}
    found = tuple(
        number
        for number, channel in enumerate(node.region.uplink_channels)
        if channel.frequency_hz in known
    )
    return found if node.region.is_fixed_plan else None


def joining_node(field, band, version, kind):
    mac_name, mac_version, phy = MAC[version]
    add_otaa(field.bench, plan=_PLANS[band], version=mac_name, phy_version=phy)
    root = RootKeys(ROOT_KEY, NETWORK_ROOT_KEY if version == "1.1" else b"")
    identity = Otaa(DEV_EUI, JOIN_EUI, root)
    plain, _ = field.node(identity, band, phy)
    channels = channels_of(_PLANS[band], plain)
    return field.node(identity, band, phy, version=mac_version, channels=channels, **kind)


@pytest.mark.parametrize("kind", _KINDS.values(), ids=_KINDS)
@pytest.mark.parametrize(("band", "version"), EVERYWHERE)
def test_a_node_joins_and_talks(field, band, version, kind):
    node, _ = joining_node(field, band, version, kind)

    report = field.do(node.join(most=3))
    assert report.is_joined, report.explain()
    field.do(talk(node, 4))

    first = kind.get("first_f_cnt", 0)
    assert field.refusals == []
    kinds = [up.kind for up in field.ups]
    assert kinds == ["join_accept"] + ["uplink_message"] * 4
    counters = [up.message.get("f_cnt", 0) for up in field.ups[1:]]
    assert counters == list(range(first, first + 4))
    assert state_of(field.bench)["session"]["last_f_cnt_up"] == first + 3


@pytest.mark.parametrize("version", ["1.0.2", "1.0.3", "1.0.4", "1.1"])
def test_a_node_that_does_not_join_talks(field, version):
    mac_name, mac_version, phy = MAC[version]
    add_abp(field.bench, version=mac_name, phy_version=phy)
    keys = SessionKeys.legacy(NWK_KEY, APP_KEY)
    if version == "1.1":
        keys = SessionKeys(NWK_KEY, bytes([1] * 16), bytes([2] * 16), APP_KEY)
    node, _ = field.node(Abp(ADDRESS, keys), "EU868", phy, version=mac_version)

    field.do(talk(node, 4))

    assert field.refusals == []
    assert [up.message.get("f_cnt", 0) for up in field.ups] == [0, 1, 2, 3]


def test_a_node_that_joins_again_goes_on(field):
    node, _ = joining_node(field, "EU_863_870", "1.0.4", {})
    for _ in range(3):
        field.do(node.join(most=3))
        field.do(talk(node, 2))
    kinds = [up.kind for up in field.ups]
    assert kinds == ["join_accept", "uplink_message", "uplink_message"] * 3
    assert field.refusals == []
