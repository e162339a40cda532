"""Which devices the Application Server has at hand."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from simulators.platforms.things_stack.application_server.at_hand import AtHand
from simulators.platforms.things_stack.application_server.device import Device


def used(at_hand: AtHand, *keys: str) -> list[str]:
    """Use devices, all of which were here before; those that leave."""
    gone = []
    for key in keys:
        if at_hand.get(key) is None:
            device = cast("Device", object())
            gone += [left for left, _ in at_hand.add(key, device, is_back=True)]
    return gone


def new(at_hand: AtHand, *keys: str) -> list[str]:
    """Use devices that were never here; those that leave."""
    gone = []
    for key in keys:
        device = cast("Device", object())
        gone += [left for left, _ in at_hand.add(key, device, is_back=False)]
    return gone


def test_the_one_that_was_not_used_for_longest_goes() -> None:
    at_hand = AtHand(2, 1)
    assert new(at_hand, "a", "b") == []
    assert at_hand.get("a") is not None
    assert new(at_hand, "c") == ["b"]
    assert at_hand.get("b") is None


def test_who_comes_back_after_long_takes_nobody_s_place() -> None:
    at_hand = AtHand(2, 1)
    new(at_hand, "a", "b")
    assert used(at_hand, "c", "d", "e") == ["c", "d"]
    assert at_hand.get("a") is not None
    assert at_hand.get("b") is not None


def test_who_comes_again_soon_stays() -> None:
    at_hand = AtHand(2, 1)
    new(at_hand, "a", "b")
    used(at_hand, "c", "d")
    assert used(at_hand, "c") == ["a"]
    assert used(at_hand, "d", "e") == ["d"]
    assert used(at_hand, "d") == ["b"]
    assert [at_hand.get(key) is not None for key in "cde"] == [True, True, True]


def test_who_was_a_guest_too_long_ago_is_one_again() -> None:
    at_hand = AtHand(2, 1)
    new(at_hand, "a", "b")
    used(at_hand, "c", "d", "e", "f")
    assert used(at_hand, "c") == ["f"]  # it has left as the first of three, of whom two count
    assert at_hand.get("a") is not None


def test_devices_that_talk_in_turn_leave_what_stays_alone() -> None:
    at_hand = AtHand(10, 2)
    names = [f"d{number}" for number in range(100)]
    new(at_hand, *names)
    stayed = {name: at_hand.peek(name) for name in names[-10:]}
    for _ in range(3):
        used(at_hand, *names[:-10])
    assert {name: at_hand.peek(name) for name in names[-10:]} == stayed


def test_nothing_is_left_of_those_that_are_dropped() -> None:
    at_hand = AtHand(2, 2)
    new(at_hand, "a")
    used(at_hand, "b")
    at_hand.drop("a")
    at_hand.drop("b")
    at_hand.drop("c")
    assert at_hand.get("a") is at_hand.get("b") is None
    used(at_hand, "d")
    at_hand.clear()
    assert at_hand.get("d") is None


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())), st.integers(0, 3), st.integers(0, 3))
def test_each_that_came_is_here_or_has_left(
    uses: list[tuple[int, bool]], limit: int, most_guests: int
) -> None:
    at_hand = AtHand(limit, most_guests)
    here: dict[str, Any] = {}
    for number, is_back in uses:
        key = str(number)
        if at_hand.get(key) is None:
            assert key not in here
            here[key] = cast("Device", object())
            for left, device in at_hand.add(key, here[key], is_back=is_back):
                assert here.pop(left) is device
        assert len(here) <= limit + most_guests
    assert {key: at_hand.peek(key) for key in here} == here
