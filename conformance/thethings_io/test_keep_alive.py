"""
The empty object that a stream sends when nothing else was sent.

Two streams live through one quiet time, which the tests then judge: waiting is shared.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest

from conformance.clients.stream import Stream, StreamDocument
from conformance.fixtures import Thing, stream_factory
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.run import Run

FAST_S = 1.5
SLOW_S = 2.5
LATE_S = 1.0
"""How much later than keepAlive the empty object may come."""
EARLY_S = 0.25
"""What the way through the network may take off the time between two documents."""


class Quiet(NamedTuple):
    """
    Seconds of silence before an empty object came; infinite when none came in time.

    ``first`` and ``second`` follow the start of the fast stream, ``slow`` that of the slow one;
    ``restarted`` follows a message sent a second after the second empty object; it is None when
    the message did not come.
    """

    first: float
    second: float
    restarted: float | None
    slow: float


@pytest.fixture(scope="module")
def quiet(run: Run, thing: Thing) -> Quiet:
    """One quiet time of some six seconds on two streams."""
    with stream_factory(run, thing) as open_stream:
        fast, slow = (open_stream(keep_alive=round(1000 * each)) for each in (FAST_S, SLOW_S))
        for each in (fast, slow):
            if each.status != 200 or not each.wait_for(1, 3.0):
                raise Inconclusive(f"the subscription did not open: {each.response.summary()}")
        fast.wait_for(3, 2 * (FAST_S + LATE_S))
        slow.wait_for(2, SLOW_S + LATE_S - (time.monotonic() - slow.documents[0].at))
        calm, calm_slow = list(fast.documents), list(slow.documents)
        restarted = silence_after_a_message(thing, fast)
    if any(isinstance(each.value, list) for each in (*calm, *calm_slow)):
        raise Inconclusive("somebody else writes to the thing")
    return Quiet(silence(calm, 1), silence(calm, 2), restarted, silence(calm_slow, 1))


def silence(documents: list[StreamDocument], number: int) -> float:
    """Seconds before an empty object; infinite when there is none at this place."""
    if len(documents) <= number or documents[number].value != {}:
        return float("inf")
    return documents[number].at - documents[number - 1].at


def silence_after_a_message(thing: Thing, stream: Stream) -> float | None:
    """Write a second after the last document, in the middle of keepAlive; the silence after."""
    time.sleep(max(0.0, stream.documents[-1].at + 1.0 - time.monotonic()))
    count = len(stream.documents)
    key = thing.key("message")
    thing.given([{"key": key, "value": 1}])
    stream.wait_for(count + 2, FAST_S + LATE_S + 1.0)
    found = list(stream.documents)[count:]
    at = next((n for n, each in enumerate(found) if key in str(each.value)), None)
    return None if at is None else silence(found[at:], 1)


def judge_silence(requirement: Judge, silence_s: float, keep_alive_s: float) -> None:
    """Not before keepAlive, and not more than a second later."""
    requirement.check_that(
        keep_alive_s - EARLY_S <= silence_s <= keep_alive_s + LATE_S,
        expected=f"an empty object after {keep_alive_s} s to {keep_alive_s + LATE_S} s",
        actual=f"after {silence_s:.3f} s",
    )


@pytest.mark.requirement("TIO-SUB-016")
def test_empty_object_comes_after_keep_alive(quiet: Quiet, requirement: Judge) -> None:
    judge_silence(requirement, quiet.first, 1.5)


@pytest.mark.requirement("TIO-SUB-017")
def test_empty_object_comes_again(quiet: Quiet, requirement: Judge) -> None:
    judge_silence(requirement, quiet.second, 1.5)


@pytest.mark.requirement("TIO-SUB-018")
def test_message_starts_keep_alive_anew(quiet: Quiet, requirement: Judge) -> None:
    if quiet.restarted is None:
        raise Inconclusive("the message did not come")
    judge_silence(requirement, quiet.restarted, 1.5)


@pytest.mark.requirement("TIO-SUB-019")
def test_each_subscriber_has_its_own_keep_alive(quiet: Quiet, requirement: Judge) -> None:
    judge_silence(requirement, quiet.slow, 2.5)
