"""
What every device does: activation by code, a description, writes that are accounted for.

A device is a SimPy process. It sees its channel, its clock and its own random stream, nothing
else; a kind of device adds ``live``. It never knows which clock or transport it runs on.

Source: thethings.iO developer center, "Activate a thing", "Thing write".
"""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy

from simulators.clock import Clock
from simulators.devices.account import Account, Sent, State
from simulators.devices.backoff import delays_s
from simulators.devices.identity import Identity
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpAnswer, HttpChannel, TransportError

Steps = Generator[simpy.Event, Any, Any]

ACKNOWLEDGED: tuple[State, None] = ("acknowledged", None)
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})  # the platform may well say yes later


@dataclass(frozen=True)
class Credentials:
    """A code to activate with, or the thing token of a thing that is active already."""

    activation_code: str | None = None
    thing_token: str | None = None
    product_id: str | None = None


@dataclass(frozen=True)
class Place:
    """What is handed to a device: its clock, its way to the platform, its luck."""

    clock: Clock
    channel: HttpChannel
    streams: RandomStreams
    identity: Identity
    credentials: Credentials


class Device:
    """One thing; ``account`` is its book, ``thing_token`` is None until it is active."""

    kind = "device"

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.clock = place.clock
        self.channel = place.channel
        self.identity = place.identity
        self.credentials = place.credentials
        self.account = Account()
        self.thing_token: str | None = None
        self.thing_id: str | None = None
        self.path = ""
        self._streams = place.streams
        self.use_token(place.credentials.thing_token)

    def rng(self, purpose: str) -> random.Random:
        """A generator of this device's own for one purpose."""
        return self._streams.stream("device", self.name, purpose)

    def use_token(self, thing_token: str | None) -> None:
        """Be the thing of that token."""
        self.thing_token = thing_token
        self.path = f"/v2/things/{thing_token}"

    def process(self) -> Steps:
        """The device's whole life; to be started with ``clock.process``."""
        yield from self.activate()
        if self.thing_token is not None:
            yield from self.describe()
            yield from self.live()

    def live(self) -> Steps:
        """What this kind of device does once it is active."""
        raise NotImplementedError

    def activate(self) -> Steps:
        """Trade the activation code for a thing token; tries again while the platform is away."""
        if self.thing_token is not None:
            return
        code = self.credentials.activation_code
        document = {"activationCode": code, "productId": self.credentials.product_id}
        if self.credentials.product_id is None:
            del document["productId"]
        answer = yield from self.persist("activation", "POST", "/v2/things", document)
        self._activated(answer)

    def _activated(self, answer: HttpAnswer) -> None:
        document = answer.document if isinstance(answer.document, dict) else {}
        token = document.get("thingToken")
        if answer.status not in (200, 201) or not isinstance(token, str):
            self.account.problem(self.clock.now_us(), "activation", refusal(answer))
            return
        self.thing_id = document.get("thingId")
        self.use_token(token)

    def describe(self) -> Steps:
        """Tell the platform who this is; a refusal is noted and changes nothing."""
        target = f"{self.path}/resources/description"
        answer = yield from self.attempt("description", "PUT", target, self.identity.document())
        if answer is not None and answer.status not in (200, 201):
            self.account.problem(self.clock.now_us(), "description", refusal(answer))

    def persist(self, what: str, method: str, target: str, document: Any) -> Steps:
        """The first answer that is not "come back later"; waits longer after each try."""
        for delay_s in delays_s(self.rng(f"{what} back-off")):
            answer = yield from self.attempt(what, method, target, document)
            if answer is not None and answer.status not in TRY_AGAIN:
                return answer
            yield self.clock.sleep(delay_s)
        return None

    def attempt(self, what: str, method: str, target: str, document: Any = None) -> Steps:
        """One exchange; None when there was no answer, which is noted as a problem."""
        try:
            answer = yield self.channel.request(method, target, document)
        except TransportError as error:
            self.account.problem(self.clock.now_us(), what, str(error))
            return None
        return answer

    def write(self, items: list[dict[str, Any]], due_us: int) -> Steps:
        """Account for ``items`` and send them in one write."""
        now_us = self.clock.now_us()
        sending = self.account.sending
        entries = [sending(item["key"], item["value"], due_us, now_us) for item in items]
        return self._exchange(entries, {"values": items})

    def send(self, entries: Sequence[Sent], items: list[dict[str, Any]]) -> Steps:
        """One more attempt for entries that were accounted for before."""
        now_us = self.clock.now_us()
        for entry in entries:
            entry.sent_us = now_us
            entry.attempts += 1
        return self._exchange(entries, {"values": items})

    def _exchange(self, entries: Sequence[Sent], document: dict[str, Any]) -> Steps:
        state: State
        reason: str | None
        try:
            answer = yield self.channel.request("POST", self.path, document)
        except TransportError as error:
            state, reason = "failed", str(error)
        else:
            state, reason = outcome(answer)
        now_us = self.clock.now_us()
        for entry in entries:
            entry.settled_us = now_us
            entry.state = state
            entry.reason = reason


def outcome(answer: HttpAnswer) -> tuple[State, str | None]:
    """What an answer means for a write: acknowledged by 200 or 201 without an error object."""
    status, document = answer
    if status in (200, 201) and not (
        isinstance(document, dict) and document.get("status") == "error"
    ):
        return ACKNOWLEDGED
    return "refused", refusal(answer)


def is_acknowledged(answer: HttpAnswer) -> bool:
    """Whether a write was accepted."""
    return outcome(answer)[0] == "acknowledged"


def refusal(answer: HttpAnswer) -> str:
    """An answer in one phrase: ``status 400: activation code not found``."""
    document = answer.document
    message = document.get("message") if isinstance(document, dict) else None
    return f"status {answer.status}: {message}" if message else f"status {answer.status}"
