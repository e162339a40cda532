"""
The empty object that subscriptions of apps get when nothing else was sent.

A subscription to a resource and one to a collection live through the same quiet time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from conformance.clients.stream import Stream
from conformance.judge import Judge
from conformance.outcomes import Inconclusive, NotRun
from conformance.people import Home, User
from conformance.run import Run
from conformance.thethings_io.app_shapes import mentions, opened
from conformance.thethings_io.stored import new_collection

KEEP_ALIVE_S = 1.5
LATE_S = 1.0
"""How much later than keepAlive the empty object may come."""
EARLY_S = 0.25
"""What the way through the network may take off the time between two documents."""
WORD = "spoken-in-between"


class Silence(NamedTuple):
    """
    Seconds before an empty object came, as long and as short as they may have been.

    ``longest`` is counted from when the message before it was asked for, ``shortest`` from when
    that was read here: a busy machine reads late.
    """

    longest: float
    shortest: float


NEVER = Silence(float("inf"), float("inf"))


class Listening(NamedTuple):
    """A subscription, and what makes it tell of WORD."""

    stream: Stream
    speak: Callable[[], object]

    def empty(self) -> list[int]:
        """The places of empty objects among the documents so far."""
        return [n for n, each in enumerate(list(self.stream.documents)) if each.value == {}]

    def silence(self, number: int) -> Silence:
        """Before an empty object, counted from 0."""
        places = self.empty()
        if len(places) <= number:
            return NEVER
        before = self._at(places[number] - 1)
        seconds = self._at(places[number]) - before
        return Silence(seconds, seconds)

    def silence_after_word(self, spoken_at: float) -> Silence | None:
        """Before the empty object that follows WORD; None when WORD has not come."""
        documents = list(self.stream.documents)
        found = [n for n, each in enumerate(documents) if mentions(each.value, WORD)]
        later = [n for n in self.empty() if found and n > found[-1]]
        if not found or not later:
            return NEVER if found else None
        at = self._at(later[0])
        return Silence(at - spoken_at, at - self._at(later[0] - 1))

    def _at(self, place: int) -> float:
        """When a document was read; before the first one, when the subscription was opened."""
        return self.stream.documents[place].at if place >= 0 else self.stream.opened_at


class Quiet(NamedTuple):
    """
    Silences of one subscription.

    ``restarted`` follows a message sent a second after the second empty object; it is None when
    the message did not come.
    """

    first: Silence
    second: Silence
    restarted: Silence | None


Found = dict[str, Quiet | Inconclusive | NotRun]


@pytest.fixture(scope="module")
def quiet(run: Run, owner: User, request: pytest.FixtureRequest) -> Found:
    """One quiet time of some seven seconds; what could not be arranged stands in its place."""
    ways: dict[str, Callable[[], Listening]] = {
        "collection": lambda: of_collection(run, owner),
        "resource": lambda: of_resource(request.getfixturevalue("home")),
    }
    found: Found = {}
    open_now: dict[str, Listening] = {}
    with ExitStack() as closing:
        for name, way in ways.items():
            try:
                open_now[name] = way()
                closing.callback(open_now[name].stream.close)
            except (Inconclusive, NotRun) as problem:
                found[name] = problem
        return found | live_through(open_now)


def of_collection(run: Run, owner: User) -> Listening:
    """A subscription to a collection in which an object is stored."""
    songs = new_collection(run, owner, "me")
    stream = opened(songs.subscribe(keep_alive_ms=round(1000 * KEEP_ALIVE_S)))
    return Listening(stream, lambda: songs.add({"title": "One"}, WORD))


def of_resource(home: Home) -> Listening:
    """A subscription to a resource to which the device writes."""
    key = home.given("before")
    stream = opened(home.owner.subscribe(key, keep_alive_ms=round(1000 * KEEP_ALIVE_S)))
    return Listening(stream, lambda: home.thing.given([{"key": key, "value": WORD}]))


def live_through(all_of_them: dict[str, Listening]) -> dict[str, Quiet]:
    """Wait for two empty objects of each, speak a second later, wait for the next."""
    deadline = time.monotonic() + 2 * (KEEP_ALIVE_S + LATE_S)
    while time.monotonic() < deadline and any(len(e.empty()) < 2 for e in all_of_them.values()):
        time.sleep(0.02)
    calm = {name: (each.silence(0), each.silence(1)) for name, each in all_of_them.items()}
    time.sleep(1.0)
    spoken: dict[str, float] = {}
    for name, each in all_of_them.items():
        spoken[name] = time.monotonic()
        each.speak()
    time.sleep(KEEP_ALIVE_S + LATE_S + 0.2)
    return {
        name: Quiet(*calm[name], each.silence_after_word(spoken[name]))
        for name, each in all_of_them.items()
    }


def quiet_of(found: Found, name: str) -> Quiet:
    """One of the quiet times; raises why there is none."""
    result = found[name]
    if not isinstance(result, Quiet):
        raise result
    return result


def judge_silence(requirement: Judge, silence: Silence | None) -> None:
    """Not before keepAlive, and not more than a second later."""
    if silence is None:
        raise Inconclusive("the message in between did not come")
    requirement.check_that(
        silence.longest >= KEEP_ALIVE_S - EARLY_S and silence.shortest <= KEEP_ALIVE_S + LATE_S,
        expected=f"an empty object after {KEEP_ALIVE_S} s to {KEEP_ALIVE_S + LATE_S} s",
        actual=f"after {silence.shortest:.3f} s to {silence.longest:.3f} s",
    )


@pytest.mark.requirement("TIO-MESUB-021")
def test_empty_object_comes_on_a_resource(quiet: Found, requirement: Judge) -> None:
    judge_silence(requirement, quiet_of(quiet, "resource").first)


@pytest.mark.requirement("TIO-MESUB-022")
def test_empty_object_comes_again_on_a_resource(quiet: Found, requirement: Judge) -> None:
    judge_silence(requirement, quiet_of(quiet, "resource").second)


@pytest.mark.requirement("TIO-MESUB-023")
def test_value_starts_keep_alive_anew(quiet: Found, requirement: Judge) -> None:
    judge_silence(requirement, quiet_of(quiet, "resource").restarted)


@pytest.mark.requirement("TIO-CLSUB-021")
def test_empty_object_comes_on_a_collection(quiet: Found, requirement: Judge) -> None:
    judge_silence(requirement, quiet_of(quiet, "collection").first)


@pytest.mark.requirement("TIO-CLSUB-022")
def test_empty_object_comes_again_on_a_collection(quiet: Found, requirement: Judge) -> None:
    judge_silence(requirement, quiet_of(quiet, "collection").second)


@pytest.mark.requirement("TIO-CLSUB-023")
def test_change_starts_keep_alive_anew(quiet: Found, requirement: Judge) -> None:
    judge_silence(requirement, quiet_of(quiet, "collection").restarted)
