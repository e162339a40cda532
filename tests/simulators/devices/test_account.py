"""Loss, duplication, reordering and latency, told from a device's own account."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.devices.account import Account, Totals
from simulators.devices.backoff import delays_s
from simulators.devices.comparison import Comparison, compare


def account_of(*values: Any, state: Any = "acknowledged") -> Account:
    account = Account()
    for number, value in enumerate(values):
        account.sending("t", value, number * 100, number * 100).settle(number * 100 + 7, state)
    return account


def test_totals_loss_and_latency() -> None:
    account = account_of(1, 2, 3)
    account.sent[1].settle(150, "refused", "status 400")
    account.sending("t", 4, 400, 400)

    assert account.totals() == Totals(4, 2, 1, 0, 1)
    assert account.loss() == pytest.approx(1 / 3)
    assert account.latencies_us() == [7, 7]
    assert [entry.latency_us for entry in account.sent] == [7, None, 7, None]
    assert [entry.sequence for entry in account.sent] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("sent", "arrived", "expected"),
    [
        pytest.param([1, 2, 3], [1, 2, 3], Comparison(3, [], [], 0), id="all is well"),
        pytest.param([1, 2, 3], [1, 3], Comparison(2, [2], [], 0), id="one lost"),
        pytest.param([1, 2, 3], [1, 2, 2, 3], Comparison(3, [], [2], 0), id="one twice"),
        pytest.param([1, 2, 3, 4], [4, 1, 2, 3], Comparison(4, [], [], 1), id="one too early"),
        pytest.param([3, 2, 1], [1, 2, 3], Comparison(3, [], [], 2), id="backwards"),
        pytest.param([5, 5, 5], [5, 5], Comparison(2, [5], [], 0), id="equal values"),
        pytest.param([21.0], [21], Comparison(1, [], [], 0), id="21.0 is 21"),
    ],
)
def test_comparison(sent: list[Any], arrived: list[Any], expected: Comparison) -> None:
    assert compare(account_of(*sent).sent, arrived) == expected


def test_a_write_without_answer_may_have_arrived_or_not() -> None:
    unanswered = account_of(1, 2, state="failed").sent

    assert compare(unanswered, [1]) == Comparison(1, [], [], 0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_the_same_values_loses_and_doubles_nothing(
    values: list[int], rng: random.Random
) -> None:
    shuffled = list(values)
    rng.shuffle(shuffled)

    found = compare(account_of(*values).sent, shuffled)

    assert (found.arrived, found.lost, found.duplicated) == (len(values), [], [])
    assert found.reordered <= max(0, len(values) - 1)


def test_waits_double_up_to_the_longest_and_differ_by_chance() -> None:
    delays = delays_s(random.Random(1), first_s=1, longest_s=10)

    waits = [next(delays) for _ in range(7)]

    for wait, most in zip(waits, [1, 2, 4, 8, 10, 10, 10], strict=True):
        assert most / 2 <= wait <= most
    assert waits[5] != waits[6]
