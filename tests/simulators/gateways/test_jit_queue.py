"""What the just-in-time queue takes and refuses, to the microsecond."""

from __future__ import annotations

import pytest

from simulators.gateways.counter import WRAP
from simulators.gateways.jit_queue import CAPACITY, HAL, PACKET_FORWARDER, JitQueue, Kind, Slot

NOW = 50_000_000
AIRTIME_US = 46_336


def put(queue: JitQueue, ahead_us: int, kind: Kind = Kind.TIMED, present: int = NOW) -> str:
    """``OK at +TIME``, or the refusal."""
    result = queue.put(kind, (present + ahead_us) % WRAP, AIRTIME_US, present)
    if isinstance(result, Slot):
        return f"at {(result.tmst - present) % WRAP}"
    return result


@pytest.mark.parametrize("present", [NOW, WRAP - 1, WRAP - 20_000])
@pytest.mark.parametrize("kind", [Kind.TIMED, Kind.GPS])
def test_a_frame_comes_early_enough_and_not_too_early(kind: Kind, present: int) -> None:
    """1.5 ms to start, 1 ms to spare, 30 ms to be programmed; four beacon periods at most."""
    cases = {
        32_500: "TOO_LATE",
        32_501: "at 32501",
        512_000_000: "at 512000000",
        512_000_001: "TOO_EARLY",
        0: "TOO_LATE",
        -1_000_000: "TOO_EARLY",
    }
    assert {each: put(JitQueue(), each, kind, present) for each in cases} == cases


def test_newer_forwarders_want_more_time() -> None:
    cases = {52_500: "TOO_LATE", 52_501: "at 52501", 1024_000_000: "at 1024000000"}
    assert {each: put(JitQueue(HAL), each) for each in cases} == cases


@pytest.mark.parametrize(
    ("ahead_us", "result"),
    [
        # Behind: 1.5 ms to start and 1 ms to spare after the other's end.
        (1_000_000 + AIRTIME_US + 2_500, "COLLISION_PACKET"),
        (1_000_000 + AIRTIME_US + 2_501, f"at {1_000_000 + AIRTIME_US + 2_501}"),
        # Before: the same before the other's start.
        (1_000_000 - AIRTIME_US - 2_500, "COLLISION_PACKET"),
        (1_000_000 - AIRTIME_US - 2_501, f"at {1_000_000 - AIRTIME_US - 2_501}"),
        (1_000_000, "COLLISION_PACKET"),
    ],
)
@pytest.mark.parametrize("present", [NOW, WRAP - 1_000_000])
def test_frames_keep_their_distance(ahead_us: int, result: str, present: int) -> None:
    queue = JitQueue()
    put(queue, 1_000_000, present=present)
    assert put(queue, ahead_us, present=present) == result


@pytest.mark.parametrize(
    ("kind", "ahead_us", "result"),
    [
        # Answers to uplinks may be as near to the beacon as to any frame.
        (Kind.TIMED, 10_000_000 - AIRTIME_US - 2_501, "at 9951163"),
        (Kind.TIMED, 10_000_000 - AIRTIME_US - 2_500, "COLLISION_BEACON"),
        # Ping slots keep out of its guard time of three seconds.
        (Kind.GPS, 7_000_000 - AIRTIME_US - 2_501, "at 6951163"),
        (Kind.GPS, 7_000_000 - AIRTIME_US - 2_500, "COLLISION_BEACON"),
        # Behind it, its time is reserved: 2.12 s.
        (Kind.TIMED, 12_120_000 + 2_500, "COLLISION_BEACON"),
        (Kind.TIMED, 12_120_000 + 2_501, "at 12122501"),
    ],
)
def test_a_beacon_has_its_time(kind: Kind, ahead_us: int, result: str) -> None:
    queue = JitQueue()
    assert put(queue, 10_000_000, Kind.BEACON) == "at 10000000"
    assert put(queue, ahead_us, kind) == result


def test_a_beacon_may_be_far_ahead_and_does_not_push_a_frame_away() -> None:
    queue = JitQueue()
    assert put(queue, 600_000_000, Kind.BEACON) == "at 600000000"
    assert put(queue, 10_000_000) == "at 10000000"
    assert put(queue, 13_000_000, Kind.BEACON) == "COLLISION_PACKET"


def test_at_once_means_one_second_or_behind_the_others() -> None:
    queue = JitQueue()
    put(queue, 1_000_000)
    behind_us = 1_000_000 + AIRTIME_US + 1_500 + 30_000 + 1_000
    assert put(JitQueue(), 0, Kind.IMMEDIATE) == "at 1000000"
    assert put(queue, 0, Kind.IMMEDIATE) == f"at {behind_us}"
    second_us = behind_us + AIRTIME_US + 32_500
    assert put(queue, 0, Kind.IMMEDIATE) == f"at {second_us}"


def test_at_once_fits_between_two_frames() -> None:
    queue = JitQueue()
    put(queue, 1_000_000)
    put(queue, 5_000_000)
    assert put(queue, 0, Kind.IMMEDIATE) == f"at {1_000_000 + AIRTIME_US + 32_500}"


def test_a_full_queue_refuses() -> None:
    queue = JitQueue()
    for number in range(CAPACITY):
        put(queue, (number + 1) * 1_000_000)
    assert put(queue, 100_000_000) == "COLLISION_PACKET"
    queue.remove(queue.slots[0])
    assert put(queue, 100_000_000) == "at 100000000"


def test_a_frame_that_was_sent_is_in_nobodys_way() -> None:
    queue = JitQueue(PACKET_FORWARDER)
    put(queue, 1_000_000)
    queue.remove(queue.slots[0])
    assert put(queue, 1_000_000) == "at 1000000"
