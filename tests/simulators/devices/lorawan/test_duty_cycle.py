"""Both manners of keeping the duty cycle, and the budget of joins."""

from __future__ import annotations

import pytest

from simulators.devices.lorawan.duty_cycle import FOREVER, HourlyCredit, OffTime, Unlimited
from simulators.devices.lorawan.join_budget import JoinBudget, Period, period_at

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
EU868 = (1000, 100, 10)


@pytest.mark.parametrize(("band", "free_s"), [pytest.param(0, 1000, id="0.1 %"), (1, 100), (2, 10)])
def test_off_time_counts_from_the_beginning_of_the_frame(band: int, free_s: int) -> None:
    off_time = OffTime(EU868)

    off_time.spend(band, SECOND_US, 5 * SECOND_US)

    assert off_time.wait_us(band, SECOND_US, 6 * SECOND_US) == (free_s - 1) * SECOND_US
    assert off_time.wait_us(band, SECOND_US, (5 + free_s) * SECOND_US) == 0
    others = [each for each in range(3) if each != band]
    assert [off_time.wait_us(each, SECOND_US, 6 * SECOND_US) for each in others] == [0, 0]


def test_credit_lets_a_device_send_36_s_in_a_row_at_one_per_cent() -> None:
    credit = HourlyCredit(EU868)
    for second in range(36):
        assert credit.wait_us(1, SECOND_US, second * SECOND_US) == 0
        credit.spend(1, SECOND_US, second * SECOND_US)

    # 3600 s were spent, 35 s have come back since the first frame.
    assert credit.wait_us(1, SECOND_US, 36 * SECOND_US) == (100 - 36) * SECOND_US


def test_credit_never_grows_beyond_an_hour() -> None:
    credit = HourlyCredit(EU868)

    credit.spend(1, 36 * SECOND_US, 100 * HOUR_US)

    assert credit.wait_us(1, SECOND_US, 100 * HOUR_US) == 100 * SECOND_US


def test_credit_of_a_device_activated_by_personalisation_starts_empty() -> None:
    credit = HourlyCredit(EU868, now_us=0, credit_us=0)

    assert credit.wait_us(1, SECOND_US, 0) == 100 * SECOND_US
    assert credit.wait_us(1, SECOND_US, 100 * SECOND_US) == 0


def test_a_frame_that_costs_more_than_an_hour_is_never_sent() -> None:
    assert HourlyCredit(EU868).wait_us(0, 4 * SECOND_US, 0) == FOREVER


def test_hours_on_credit_stay_near_one_per_cent() -> None:
    """
    20 bytes every 8 s with the data rate falling as nobody answers, as LoRaMac-node 4.7 was run.

    It was measured to send 37.9, 36.9 and 34.4 s in its first three hours; SF12 takes 1.8 s.
    """
    airtimes_us = [71_936] * 128 + [133_632] * 32 + [246_784] * 32 + [452_608] * 32 + [905_216] * 32
    credit = HourlyCredit((100,), credit_us=0)
    spent_us = [0, 0, 0]
    sent = 0
    for now_us in range(0, 3 * HOUR_US, 8 * SECOND_US):
        airtime_us = airtimes_us[sent] if sent < len(airtimes_us) else 1_810_432
        if not credit.wait_us(0, airtime_us, now_us):
            credit.spend(0, airtime_us, now_us)
            spent_us[now_us // HOUR_US] += airtime_us
            sent += 1

    measured_s = (37.9, 36.9, 34.4)
    for ours_us, theirs_s in zip(spent_us, measured_s, strict=True):
        assert abs(ours_us / SECOND_US - theirs_s) < 2 * 1.81


def test_without_a_duty_cycle_nothing_waits() -> None:
    unlimited = Unlimited()

    unlimited.spend(0, HOUR_US, 0)

    assert unlimited.wait_us(0, HOUR_US, 0) == 0


def test_24_join_requests_at_sf12_use_up_the_first_hour() -> None:
    budget = JoinBudget(0)
    airtime_us = 1_482_752
    for number in range(24):
        assert budget.wait_us(airtime_us, number * SECOND_US) == 0
        budget.spend(airtime_us, number * SECOND_US)

    assert budget.wait_us(airtime_us, 600 * SECOND_US) == 3000 * SECOND_US
    assert budget.wait_us(airtime_us, HOUR_US) == 0


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (0, Period(0, HOUR_US, 36_000_000)),
        (1, Period(HOUR_US, 11 * HOUR_US, 36_000_000)),
        (10.9, Period(HOUR_US, 11 * HOUR_US, 36_000_000)),
        (11, Period(11 * HOUR_US, 35 * HOUR_US, 8_700_000)),
        (36, Period(35 * HOUR_US, 59 * HOUR_US, 8_700_000)),
    ],
)
def test_the_budget_shrinks_with_time(hour: float, expected: Period) -> None:
    assert period_at(round(hour * HOUR_US)) == expected


def test_the_budget_counts_from_when_the_device_was_switched_on() -> None:
    budget = JoinBudget(5 * HOUR_US)
    budget.spend(36 * SECOND_US, 5 * HOUR_US)

    assert budget.wait_us(1, 5 * HOUR_US + SECOND_US) == 3599 * SECOND_US
