"""ADR back-off and retries, as tables per version."""

from __future__ import annotations

import pytest

from simulators.devices.lorawan.adr import Link, Manner, asks, give_up, usual_manner
from simulators.devices.lorawan.retries import data_rate_of_try, pause_us, transmissions
from simulators.lorawan.versions import MacVersion

DATA_RATES = range(6)


def a_silent_network(link: Link, manner: Manner, uplinks: int) -> list[tuple[int, bool, Link]]:
    """Each uplink, counted from 1, at which something changes: ADRACKReq or the link."""
    changes = []
    before: tuple[bool, Link] = (False, link)
    for number in range(1, uplinks + 1):
        link = give_up(number - 1, 64, 32, link, DATA_RATES, manner)
        now = (asks(number - 1, 64, link, 0), link)
        if now != before:
            changes.append((number, *now))
        before = now
    return changes


def test_power_comes_first_from_1_0_4_on() -> None:
    """As LoRaMac-node 4.7 was seen: SF8 at 129, SF9 161, SF10 193, SF11 225, SF12 257."""
    assert a_silent_network(Link(5, 3, False), Manner.POWER_FIRST, 400) == [
        (65, True, Link(5, 3, False)),
        (97, True, Link(5, 0, False)),
        (129, True, Link(4, 0, False)),
        (161, True, Link(3, 0, False)),
        (193, True, Link(2, 0, False)),
        (225, True, Link(1, 0, False)),
        (257, True, Link(0, 0, False)),
        (289, False, Link(0, 0, True)),
    ]


def test_full_power_leaves_the_first_step_empty_from_1_0_4_on() -> None:
    numbers = [
        number for number, _, _ in a_silent_network(Link(5, 0, True), Manner.POWER_FIRST, 300)
    ]

    assert numbers == [65, 129, 161, 193, 225, 257]


def test_full_power_takes_no_step_before_1_0_4() -> None:
    assert a_silent_network(Link(2, 0, True), Manner.TEXT, 400) == [
        (65, True, Link(2, 0, True)),
        (97, True, Link(1, 0, True)),
        (129, False, Link(0, 0, True)),
    ]


def test_lowered_power_is_raised_first_before_1_0_4_too() -> None:
    numbers_and_links = [
        (number, link) for number, _, link in a_silent_network(Link(1, 2, True), Manner.TEXT, 200)
    ]

    assert numbers_and_links == [
        (65, Link(1, 2, True)),
        (97, Link(1, 0, True)),
        (129, Link(0, 0, True)),
    ]


@pytest.mark.parametrize(
    ("version", "manner"),
    [
        (MacVersion.V1_0_2, Manner.TEXT),
        (MacVersion.V1_0_3, Manner.TEXT),
        (MacVersion.V1_0_4, Manner.POWER_FIRST),
        (MacVersion.V1_1, Manner.POWER_FIRST),
    ],
)
def test_each_version_has_its_manner(version: MacVersion, manner: Manner) -> None:
    assert usual_manner(version) is manner


@pytest.mark.parametrize(
    ("version", "is_confirmed", "expected"),
    [
        (MacVersion.V1_0_2, False, 3),
        (MacVersion.V1_0_2, True, 8),
        (MacVersion.V1_0_3, True, 8),
        (MacVersion.V1_0_4, True, 3),
        (MacVersion.V1_1, True, 3),
    ],
)
def test_how_often_a_frame_is_sent(version: MacVersion, is_confirmed: bool, expected: int) -> None:
    assert transmissions(version, 3, is_confirmed=is_confirmed) == expected


@pytest.mark.parametrize(
    ("version", "confirmed", "expected"),
    [
        (MacVersion.V1_0_3, True, [5, 5, 4, 4, 3, 3, 2, 2]),
        (MacVersion.V1_0_3, False, [5, 5, 5, 5, 5, 5, 5, 5]),
        (MacVersion.V1_0_4, True, [5, 5, 5, 5, 5, 5, 5, 5]),
    ],
)
def test_old_versions_lower_the_data_rate_every_second_try(
    version: MacVersion, confirmed: bool, expected: list[int]
) -> None:
    tries = [data_rate_of_try(version, n, 5, range(6), confirmed=confirmed) for n in range(8)]

    assert tries == expected


def test_a_data_rate_is_never_lowered_below_the_lowest() -> None:
    tries = [data_rate_of_try(MacVersion.V1_0_3, n, 3, (2, 3), confirmed=True) for n in range(8)]

    assert tries == [3, 3, 2, 2, 2, 2, 2, 2]


def test_a_try_waits_one_to_three_seconds() -> None:
    assert [pause_us(chance) for chance in (0.0, 0.5, 1.0)] == [1_000_000, 2_000_000, 3_000_000]
