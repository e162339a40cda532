"""
Why a join failed, as far as the device itself can know.

It knows what it sent, when its windows were open, and what was in them. It cannot tell a request
that nobody heard from one that the network did not like: the gateway's view stands beside this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache
from typing import NamedTuple

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.join import open_accept
from simulators.lorawan.keys import Attempt, RootKeys
from simulators.lorawan.modulation import Modulation, datr

KEPT_ATTEMPTS = 8


class Outcome(Enum):
    """How one attempt ended; the later in this list, the more it tells."""

    NOT_SENT = "not sent"
    NO_ANSWER = "no answer"
    NOT_READABLE = "not a join accept"
    OUTSIDE_WINDOW = "answer outside the window"
    WRONG_MIC = "MIC wrong"
    OLD_NONCE = "join nonce not greater"
    SETTINGS_REFUSED = "settings refused"
    JOINED = "joined"


class JoinAttempt(NamedTuple):
    """
    One join request and what came of it.

    ``detail`` is one phrase for people; ``off_us`` is how much later than due the answer began,
    negative: earlier, for the window ``window`` (RX1 or RX2).
    """

    at_us: int
    dev_nonce: int
    frequency_hz: int
    modulation: Modulation
    airtime_us: int
    outcome: Outcome
    detail: str = ""
    window: str = ""
    off_us: int | None = None

    def document(self) -> dict[str, int | str | None]:
        """As plain values, for a trace or a report."""
        return {
            "at_us": self.at_us,
            "dev_nonce": self.dev_nonce,
            "frequency_hz": self.frequency_hz,
            "data_rate": datr(self.modulation),
            "airtime_us": self.airtime_us,
            "outcome": self.outcome.value,
            "detail": self.detail,
            "window": self.window,
            "off_us": self.off_us,
        }


class JoinReport(NamedTuple):
    """One join: how many requests, and, while none has worked, the last attempts."""

    is_joined: bool
    requests: int
    attempts: tuple[JoinAttempt, ...]

    @property
    def most_telling(self) -> JoinAttempt | None:
        """The newest attempt with the outcome that says most."""
        order = list(Outcome)
        return max(
            reversed(self.attempts), key=lambda each: order.index(each.outcome), default=None
        )

    def explain(self) -> str:
        """One sentence, for people."""
        told = self.most_telling
        requests = "1 request" if self.requests == 1 else f"{self.requests} requests"
        if self.is_joined:
            return f"joined after {requests}"
        if told is None:
            return "no join request was sent"
        detail = f": {told.detail}" if told.detail else ""
        return f"{told.outcome.value} after {requests}{detail}"

    def with_attempt(self, attempt: JoinAttempt) -> JoinReport:
        """The report after one more attempt; only the last ones are kept."""
        if attempt.outcome is Outcome.JOINED:
            return joined_after(self.requests + 1)
        kept = (*self.attempts, attempt)[-KEPT_ATTEMPTS:]
        return JoinReport(False, self.requests + (attempt.outcome is not Outcome.NOT_SENT), kept)


@cache
def joined_after(requests: int) -> JoinReport:
    """The report of a join that worked; one for all devices that needed so many requests."""
    return JoinReport(True, requests, ())


NOTHING_TRIED = JoinReport(False, 0, ())


def mistaken_keys(phy: bytes, root: RootKeys, attempt: Attempt, earlier: Sequence[int]) -> str:
    """
    The mistake under which a join accept with a wrong MIC would have been right.

    Args:
        earlier: DevNonces of earlier requests, newest last.
    Returns:
        One phrase; without a mistake that fits, that the key differs or another device was meant.
    """
    for mistake, other_root, other_attempt in _mistakes(root, attempt, earlier):
        try:
            open_accept(phy, other_root, other_attempt)
        except LoRaWanError:
            continue
        return mistake
    return "the network has another root key, or the answer was for another device"


def _mistakes(
    root: RootKeys, attempt: Attempt, earlier: Sequence[int]
) -> Iterator[tuple[str, RootKeys, Attempt]]:
    app_key, nwk_key = root
    if nwk_key:
        yield "the network signs with the AppKey, as 1.0.x does", RootKeys(app_key), attempt
        yield "AppKey and NwkKey are swapped in the network", RootKeys(nwk_key, app_key), attempt
        reversed_join_eui = attempt._replace(join_eui=_turned(attempt.join_eui))
        yield "the JoinEUI is byte-reversed in the network", root, reversed_join_eui
        reversed_dev_eui = attempt._replace(dev_eui=_turned(attempt.dev_eui))
        yield "the DevEUI is byte-reversed in the network", root, reversed_dev_eui
        for nonce in reversed(earlier):
            late = attempt._replace(nonce=nonce)
            yield f"it answers an earlier request, with DevNonce {nonce}", root, late
    else:
        yield "the network answers as 1.1, the device is 1.0.x", RootKeys(app_key, app_key), attempt
    backward = RootKeys(app_key[::-1], nwk_key[::-1])
    yield "the key is byte-reversed in the network", backward, attempt


def _turned(eui: str) -> str:
    return bytes.fromhex(eui)[::-1].hex()
