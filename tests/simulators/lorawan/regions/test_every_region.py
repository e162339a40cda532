"""What must hold in every region, in every version of the regional parameters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions import REGIONS, region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import DWELL_TIME_US, DataRate, Region

EVERY = [
    pytest.param(region(name, version), id=f"{name} {version.name}")
    for name in REGIONS
    for version in PhyVersion
]
every = pytest.mark.parametrize("found", EVERY)
MHDR_AND_MIC = 5


def rows(found: Region) -> Iterator[tuple[int, DataRate]]:
    return ((index, row) for index, row in enumerate(found.data_rates) if row is not None)


def test_the_regions() -> None:
    assert list(REGIONS) == [
        "EU868",
        "US915",
        "AU915",
        "AS923-1",
        "AS923-1-JP",
        "AS923-2",
        "AS923-3",
        "AS923-4",
        "IN865",
        "KR920",
        "CN470",
        "CN470-20A",
        "CN470-20B",
        "CN470-26A",
        "CN470-26B",
        "EU433",
        "RU864",
    ]


@every
def test_rx1_answers_every_uplink_with_a_downlink_data_rate(found: Region) -> None:
    for table in (found.rx1_table, found.rx1_dwell_table):
        for index, row in rows(found):
            if row.is_uplink:
                assert len(table[index]) == found.max_rx1_offset + 1
                assert all(found.data_rate(answer).is_downlink for answer in table[index])


@every
def test_under_a_dwell_time_limit_rx1_keeps_to_it(found: Region) -> None:
    if found.has_tx_param_setup:
        answers = {answer for row in found.rx1_dwell_table for answer in row}
        assert all(found.data_rate(each).max_payload_dwell is not None for each in answers)


@every
def test_payloads_fit_into_255_bytes(found: Region) -> None:
    for _, row in rows(found):
        assert row.max_mac_payload == row.max_payload + 8
        assert 0 < row.max_mac_payload + MHDR_AND_MIC <= 255


@every
def test_uplinks_under_a_dwell_time_limit_keep_to_it(found: Region) -> None:
    if found.has_tx_param_setup:
        for rate in found.uplink_data_rates(dwell=True):
            payload = found.max_payload(rate, dwell=True)
            assert 0 < payload <= found.max_payload(rate)
            size = payload + 8 + MHDR_AND_MIC
            assert time_on_air_us(found.data_rate(rate).modulation, size) <= DWELL_TIME_US


@every
def test_no_frame_lasts_longer_than_the_region_allows(found: Region) -> None:
    """The first two versions allowed 410 ms at DR2, which is why the third one allows less."""
    if found.max_uplink_us is not None and found.version >= PhyVersion.PHY_V1_0_2_REV_A:
        for _, row in rows(found):
            if row.is_uplink:
                size = row.max_mac_payload + MHDR_AND_MIC
                assert time_on_air_us(row.modulation, size) <= found.max_uplink_us


@every
def test_channels_lie_in_sub_bands_and_have_uplink_data_rates(found: Region) -> None:
    assert len(found.uplink_channels) <= found.max_channels
    for channel in found.uplink_channels:
        assert found.sub_band(channel.frequency_hz)
        for rate in range(channel.min_data_rate, channel.max_data_rate + 1):
            assert found.data_rate(rate).is_uplink


@every
def test_channels_of_one_region_do_not_share_a_frequency(found: Region) -> None:
    frequencies = [channel.frequency_hz for channel in found.uplink_channels]
    assert len(set(frequencies)) == len(frequencies)


@every
def test_sub_bands_are_apart(found: Region) -> None:
    bands = sorted(found.sub_bands)
    assert all(band.low_hz < band.high_hz for band in bands)
    assert all(one.high_hz <= two.low_hz for one, two in pairwise(bands))


@every
def test_what_is_listened_to_may_be_listened_to(found: Region) -> None:
    beacon, ping_slots = found.class_b
    listened = [found.rx2.frequency_hz, *beacon.frequencies_hz, *ping_slots.frequencies_hz]
    assert all(found.accepts_frequency(frequency_hz) for frequency_hz in listened)
    assert all(found.sub_band(frequency_hz) for frequency_hz in listened)
    rates = {found.rx2.data_rate, beacon.data_rate, ping_slots.data_rate}
    assert all(found.data_rate(rate).is_downlink for rate in rates)
    assert found.beacon_layout.size in (17, 19, 23)


@every
def test_joins_use_channels_of_the_region(found: Region) -> None:
    assert found.join_channels
    for join in found.join_channels:
        channel = found.uplink_channels[join.channel]
        assert join.frequency_hz == channel.frequency_hz
        assert channel.min_data_rate <= join.min_data_rate <= join.max_data_rate
        assert join.max_data_rate <= channel.max_data_rate
        assert found.accepts_frequency(join.rx1_frequency_hz)
        assert found.joined(join.channel).rx2 == join.rx2


@every
def test_a_join_request_keeps_to_the_dwell_time(found: Region) -> None:
    if found.default_uplink_dwell or found.max_uplink_us:
        for join in found.join_channels:
            modulation = found.data_rate(join.min_data_rate).modulation
            assert time_on_air_us(modulation, 23) <= DWELL_TIME_US


@every
def test_powers_fall(found: Region) -> None:
    offsets = found.tx_power_offsets_db
    assert offsets[0] == 0
    assert all(one > two for one, two in pairwise(offsets))
    assert len(offsets) <= 15  # TXPower 15 means "keep" from 1.0.4 on


@every
def test_adr_ends_at_a_data_rate_of_125_khz(found: Region) -> None:
    row = found.data_rate(found.max_adr_data_rate)
    assert row.is_uplink
    assert row.modulation == Lora(7, 125_000)


@every
def test_a_modulation_has_one_index_in_each_direction(found: Region) -> None:
    for index, row in rows(found):
        if row.is_uplink:
            assert found.find_data_rate(row.modulation, is_downlink=False) == index
        if row.is_downlink:
            assert found.find_data_rate(row.modulation, is_downlink=True) == index


@every
def test_lists_of_channels_come_where_the_network_adds_channels(found: Region) -> None:
    if not found.is_fixed_plan:
        assert found.cf_list_type == 0
        assert found.max_channels == 16
        assert len(found.cf_list_channels([found.rx2.frequency_hz] * 5)) == 5


@given(
    name=st.sampled_from(list(REGIONS)),
    control=st.integers(0, 7),
    ch_mask=st.integers(0, 0xFFFF),
    chosen=st.integers(0, (1 << 96) - 1),
)
def test_no_request_enables_a_channel_that_does_not_exist(
    name: str, control: int, ch_mask: int, chosen: int
) -> None:
    found = REGIONS[name]
    defined = found.all_channels
    enabled = chosen & defined

    then = found.ch_mask(enabled, control, ch_mask, defined)

    assert then is None or then & ~defined == 0


@every
def test_every_version_says_which_it_is(found: Region) -> None:
    assert region(found.name, found.version) is found
    for join in found.join_channels:
        assert found.joined(join.channel).version == found.version
