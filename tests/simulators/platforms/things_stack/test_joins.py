"""Joining: nonces, keys, what the join accept says, when it is sent, what it begins."""

from __future__ import annotations

import pytest

from simulators.lorawan.cf_list import ChannelMasks, Frequencies, decode_cf_list
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import ACK, JoinRequest, RejoinRequest, encode
from simulators.lorawan.join import open_accept, protect_request
from simulators.lorawan.keys import Attempt, RootKeys, derive_session_keys
from simulators.lorawan.mac_commands import RekeyInd
from simulators.lorawan.mac_commands import encode as command
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.plans import bands, plan, plans, region_of
from tests.simulators.platforms.things_stack.radio import (
    DEV_EUI,
    EU_HZ,
    JOIN_EUI,
    NETWORK_ROOT_KEY,
    ROOT_KEY,
    Air,
    add_otaa,
    lowest_uplink,
    state_of,
)

SF12 = Lora(12, 125_000)
OLD, NEW = RootKeys(ROOT_KEY), RootKeys(ROOT_KEY, NETWORK_ROOT_KEY)


@pytest.fixture
def air(bench):
    """An application without devices, and what stands around the Network Server."""
    bench.application()
    return Air(bench)


def request(nonce: int, root: RootKeys = OLD, *, join_eui: str = JOIN_EUI) -> bytes:
    return protect_request(JoinRequest(join_eui, DEV_EUI, nonce), root.join_key)


def joined(air, nonce=1, root=OLD, *where):
    """The join accept that a device reads, and the session that it has from then on."""
    assert air.hear(request(nonce, root), *where) is None
    air.wait(2)
    attempt = Attempt(JOIN_EUI, DEV_EUI, nonce)
    accept = open_accept(air.downlinks[-1].phy, root, attempt)
    keys = derive_session_keys(root, attempt, accept)
    return accept, Session(accept.dev_addr, keys, is_1_1=accept.opt_neg)


def test_a_device_joins_and_talks(bench, air):
    add_otaa(bench, plan="EU_863_870_TTN")

    accept, session = joined(air)

    assert accept.join_nonce == 1
    assert accept.net_id == "000013"
    assert int(accept.dev_addr, 16) >> 25 == 0x26 >> 1
    assert (accept.rx1_data_rate_offset, accept.rx2_data_rate_index, accept.rx_delay) == (0, 3, 5)
    assert decode_cf_list(accept.cf_list) == Frequencies(
        (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
    )
    assert air.send(session.protect_uplink(0, 1, b"x"), 867_900_000) is None
    assert [up.kind for up in air.ups] == ["join_accept", "uplink_message"]
    assert {up.ids["dev_addr"] for up in air.ups} == {accept.dev_addr.upper()}
    first, second = (up.message["session_key_id"] for up in air.ups)
    assert first == second
    kept = bench.core.stack.join.app_s_key("", DEV_EUI.upper(), first)
    assert kept == session.keys.app_s_key


def test_the_join_accept_is_asked_for_1_8_s_after_the_request(bench, air):
    """RX1 five seconds after it, RX2 one later at the band's default."""
    add_otaa(bench, plan="EU_863_870_TTN")
    air.hear(request(1), EU_HZ[1], SF12)
    air.wait(1.799)
    assert air.downlinks == []
    air.wait(0.002)
    (downlink,) = air.downlinks
    assert downlink.request == {
        "class": "CLASS_A",
        "downlink_paths": [{"uplink_token": "Z3R3MQ=="}],
        "rx1_delay": 5,
        "rx1_data_rate": {
            "lora": {"bandwidth": 125000, "spreading_factor": 12, "coding_rate": "4/5"}
        },
        "rx1_frequency": "868300000",
        "rx2_data_rate": {
            "lora": {"bandwidth": 125000, "spreading_factor": 12, "coding_rate": "4/5"}
        },
        "rx2_frequency": "869525000",
        "priority": "HIGHEST",
        "frequency_plan_id": "EU_863_870_TTN",
    }


def test_every_gateway_is_a_path_the_best_one_first(bench, air):
    add_otaa(bench)
    phy = request(1)
    air.hear(phy, gateway="gtw1", snr=-3)
    air.hear(phy, gateway="gtw2", snr=8)
    air.wait(2)
    paths = air.downlinks[0].request["downlink_paths"]
    assert paths == [{"uplink_token": "Z3R3Mg=="}, {"uplink_token": "Z3R3MQ=="}]


def test_the_application_hears_nothing_when_no_gateway_can_send(bench, air):
    add_otaa(bench)
    air.refusal = StackError("pkg/gatewayserver:schedule")
    air.hear(request(1))
    air.wait(3)
    assert air.ups == []
    assert "pending_session" not in state_of(bench)


@pytest.mark.parametrize("version", ["MAC_V1_0", "MAC_V1_0_1", "MAC_V1_0_2", "MAC_V1_0_3"])
def test_before_1_0_4_ten_nonces_are_remembered(bench, air, version):
    add_otaa(bench, version=version)
    for nonce in range(100, 110):
        joined(air, nonce)
    assert air.hear(request(105)) == "joinserver:reuse_dev_nonce"
    joined(air, 110)
    joined(air, 100)


def test_a_used_nonce_is_refused_whatever_its_mic(bench, air):
    """The nonce is looked at first."""
    add_otaa(bench)
    joined(air, 7)
    air.wait(3)
    assert air.hear(request(7)) == "joinserver:reuse_dev_nonce"
    wrong = request(7)[:-1] + b"\0"
    assert air.hear(wrong) == "joinserver:reuse_dev_nonce"


def test_a_wrong_mic_uses_up_no_nonce(bench, air):
    add_otaa(bench)
    wrong = bytearray(request(7))
    wrong[-1] ^= 1
    assert air.hear(bytes(wrong)) == "joinserver:mic_mismatch"
    accept, _ = joined(air, 7)
    assert accept.join_nonce == 1


@pytest.mark.parametrize(("version", "root"), [("MAC_V1_0_4", OLD), ("MAC_V1_1", NEW)])
def test_from_1_0_4_on_nonces_grow(bench, air, version, root):
    add_otaa(bench, version=version)
    joined(air, 0, root)
    joined(air, 5, root)
    air.wait(3)
    for nonce in (5, 4, 0):
        assert air.hear(request(nonce, root)) == "joinserver:dev_nonce_too_small"
    accept, _ = joined(air, 6, root)
    assert accept.join_nonce == 3


def test_nonces_may_be_reset(bench, air):
    add_otaa(bench, version="MAC_V1_0_4", join_server={"resets_join_nonces": True})
    joined(air, 5)
    air.wait(3)
    joined(air, 0)


def test_the_join_nonce_ends(bench, air):
    add_otaa(bench, join_server={"last_join_nonce": 0xFFFFFF})
    assert air.hear(request(1)) == "joinserver:join_nonce_too_high"


@pytest.mark.parametrize(
    ("version", "keys", "error"),
    [
        ("MAC_V1_0_3", {"nwk_key": {"key": "b0" * 16}}, "joinserver:no_app_key"),
        ("MAC_V1_1", {"app_key": {"key": "a0" * 16}}, "joinserver:no_nwk_key"),
        ("MAC_V1_1", {"nwk_key": {"key": "b0" * 16}}, "joinserver:no_app_key"),
    ],
)
def test_keys_that_are_missing(bench, air, version, keys, error):
    add_otaa(bench, version=version, root_keys=keys)
    assert air.hear(request(1, NEW)) == error


def test_a_nwk_key_before_1_1_is_the_network_s(bench, air):
    """MIC and NwkSKey come from it, the AppSKey from the AppKey."""
    keys = {"app_key": {"key": ROOT_KEY.hex()}, "nwk_key": {"key": NETWORK_ROOT_KEY.hex()}}
    add_otaa(bench, root_keys=keys)
    root = RootKeys(NETWORK_ROOT_KEY)
    accept, session = joined(air, 1, root)
    assert air.send(session.protect_uplink(0, 1, b"x")) is None
    app = derive_session_keys(OLD, Attempt(JOIN_EUI, DEV_EUI, 1), accept).app_s_key
    key_id = air.ups[0].message["session_key_id"]
    assert bench.core.stack.join.app_s_key("", DEV_EUI.upper(), key_id) == app


def test_the_own_network_need_not_be_the_one_that_is_named(bench, air):
    """These two are looked at when a Network Server of somebody else asks."""
    named = {"net_id": "000001", "network_server_address": "elsewhere.example.com"}
    add_otaa(bench, join_server=named)
    accept, _ = joined(air)
    assert accept.net_id == "000013"


def test_a_join_eui_of_others(with_policy):
    bench = with_policy(join_eui_prefix="70B3D57ED0000000/40")
    bench.application()
    air = Air(bench)
    add_otaa(bench)
    assert air.hear(request(1)) == "joinserver:unknown_join_eui"


def test_a_device_that_nobody_knows(bench, air):
    assert air.hear(request(1)) == "networkserver:device_not_found"
    add_otaa(bench)
    assert air.hear(request(1, join_eui="00000000000000ff")) == "networkserver:device_not_found"


def test_a_device_that_the_join_server_does_not_know(bench, air):
    add_otaa(bench)
    bench.delete("/js/applications/app1/devices/dev1")
    assert air.hear(request(1)) == "joinserver:device_not_found"


def test_a_device_that_does_not_join(bench, air):
    session = {"dev_addr": "26000001", "keys": {"f_nwk_s_int_key": {"key": "01" * 16}}}
    add_otaa(bench, supports_join=False, session=session)
    assert air.hear(request(1)) == "networkserver:abp_join_request"


def test_rejoin_requests_are_not_served(bench, air):
    phy = encode(RejoinRequest(0, DEV_EUI, 0, net_id="000013"))
    assert air.hear(phy) == "networkserver:rejoin_request"


def test_the_old_session_lives_until_the_new_one_is_used(bench, air):
    add_otaa(bench)
    _, first = joined(air, 1)
    air.send(first.protect_uplink(0, 1, b"x"))
    _, second = joined(air, 2)
    assert air.send(second.protect_uplink(0, 1, b"x")) is None
    assert air.send(first.protect_uplink(2, 1, b"x")) == "networkserver:device_not_found"
    assert [up.kind for up in air.ups].count("uplink_message") == 2
    assert "pending_session" not in state_of(bench)


def test_an_uplink_of_the_old_session_voids_the_new_one(bench, air):
    add_otaa(bench)
    _, first = joined(air, 1)
    air.send(first.protect_uplink(0, 1, b"x"))
    _, second = joined(air, 2)
    assert air.send(first.protect_uplink(1, 1, b"x")) is None
    assert "pending_session" not in state_of(bench)
    assert air.send(second.protect_uplink(0, 1, b"x")) == "networkserver:device_not_found"


def test_another_join_replaces_what_is_pending(bench, air):
    add_otaa(bench)
    _, first = joined(air, 1)
    _, second = joined(air, 2)
    assert air.send(first.protect_uplink(0, 1, b"x")) == "networkserver:device_not_found"
    assert air.send(second.protect_uplink(0, 1, b"x")) is None


def test_the_first_uplink_acknowledges_nothing(bench, air):
    add_otaa(bench)
    _, session = joined(air)
    phy = session.protect_uplink(0, 1, b"x", f_ctrl=ACK)
    assert air.send(phy) == "networkserver:device_not_found"


def test_in_1_1_a_command_confirms_the_session(bench, air):
    add_otaa(bench, version="MAC_V1_1")
    accept, session = joined(air, 1, NEW)
    assert accept.opt_neg
    air.send(session.protect_uplink(0, 1, b"x", tx_dr=5))
    assert [up.kind for up in air.ups] == ["join_accept"]
    rekey = command(RekeyInd())
    assert air.send(session.protect_uplink(1, 1, b"x", f_opts=rekey, tx_dr=5)) is None
    assert [up.kind for up in air.ups] == ["join_accept", "uplink_message"]


_PLANS = {each["band_id"]: name for name, each in sorted(plans().items(), reverse=True)}
_BANDS = [
    (plan_id, version)
    for band, plan_id in sorted(_PLANS.items())
    for version in ("PHY_V1_0_2_REV_B", "PHY_V1_0_3_REV_A", "RP002_V1_0_3")
    if version in bands()[band]
]


@pytest.mark.parametrize(("plan_id", "version"), _BANDS)
def test_in_every_band(bench, air, plan_id, version):
    """The accept is answered in the windows of the band, and the session works at once."""
    region = region_of(plan(plan_id)["band_id"], version)
    add_otaa(bench, plan=plan_id, phy_version=version)

    accept, session = joined(air, 1, OLD, *lowest_uplink(region))

    downlink = air.downlinks[0].request
    assert downlink["rx2_frequency"] == str(region.rx2.frequency_hz)
    state = state_of(bench)["pending_mac_state"]
    channels = state["current_parameters"]["channels"]
    enabled = [each for each in channels if each.get("enable_uplink")]
    assert len(enabled) >= len(region.uplink_channels[:2])
    if accept.cf_list and region.cf_list_type == 1:
        masks = decode_cf_list(accept.cf_list)
        assert isinstance(masks, ChannelMasks)
        assert masks.channels == [
            at for at, each in enumerate(channels) if each.get("enable_uplink")
        ]
    where = (int(enabled[0]["uplink_frequency"]), lowest_uplink(region)[1])
    assert air.send(session.protect_uplink(0, 1, b"x"), *where) is None


@pytest.mark.parametrize(
    ("plan_id", "version", "has_masks"),
    [
        ("US_902_928_FSB_2", "PHY_V1_0_2_REV_B", False),
        ("US_902_928_FSB_2", "PHY_V1_0_3_REV_A", True),
        ("US_902_928_FSB_2", "PHY_V1_1_REV_B", True),
        ("US_902_928_FSB_2", "RP002_V1_0_3", True),
        ("AU_915_928_FSB_2", "PHY_V1_0_2_REV_B", False),
        ("AU_915_928_FSB_2", "PHY_V1_0_3_REV_A", True),
    ],
)
def test_us915_and_au915(bench, air, plan_id, version, has_masks):
    """RX2 at DR8; channel masks came with 1.0.3 and 1.1."""
    add_otaa(bench, plan=plan_id, phy_version=version)
    region = region_of(plan(plan_id)["band_id"], version)
    channel = region.uplink_channels[8]
    where = (channel.frequency_hz, region.data_rate(channel.max_data_rate).modulation)
    accept, _ = joined(air, 1, OLD, *where)
    assert accept.rx2_data_rate_index == 8
    assert bool(accept.cf_list) == has_masks
    if has_masks:
        assert decode_cf_list(accept.cf_list).channels == [8, 9, 10, 11, 12, 13, 14, 15, 65]
    assert air.downlinks[0].request["rx1_frequency"] == "923300000"
