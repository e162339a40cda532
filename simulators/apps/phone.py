"""
A phone with an app: logs in, links and shares things, turns switches, reads and watches resources.

It sees its channel and its clock alone, works on both clocks, and keeps a diary. What the platform
does not answer is noted as unknown: it may have happened.

Source: app development guide, chapters "Register", "Link a thing", "Resources", "Grant".
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.apps.actor import Command
from simulators.apps.person import Person
from simulators.apps.seen import Diary, Outcome, Seen, Span, Watched
from simulators.clock import Clock
from simulators.devices.account import Account
from simulators.devices.backoff import delays_s
from simulators.devices.device import TRY_AGAIN, Device, Steps, outcome, refusal
from simulators.devices.listening import Ears, Listener
from simulators.devices.switch import Switch
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpAnswer, HttpChannel, TransportError
from simulators.wire import thethings_io_app as wire


@dataclass(frozen=True)
class Listening:
    """How a phone watches over its streams, in seconds."""

    keep_alive_s: float = 60.0
    grace_s: float = 2.0


class Phone:
    """One person's phone, with one app on it; ``token`` is None until it has logged in."""

    kind = "phone"

    def __init__(
        self,
        name: str,
        person: Person,
        *,
        app_id: str,
        clock: Clock,
        channel: HttpChannel,
        streams: RandomStreams,
        listening: Listening,
    ) -> None:
        self.name = name
        self.person = person
        self.clock = clock
        self.channel = channel
        self.account = Account()
        self.commands: list[Command] = []
        self.diary = Diary()
        self.token: str | None = None
        self._app_id = app_id
        self._streams = streams
        self._listening = listening
        self._is_logging_in = False

    def rng(self, purpose: str) -> random.Random:
        """A generator of this phone's own for one purpose."""
        return self._streams.stream("phone", self.name, purpose)

    def enter(self, *, is_known: bool) -> Steps:
        """
        Get a session, however long it takes: register, or log in when there is an account already.

        Whether it worked; a platform that refuses both will not have this person.
        """
        ways = ["login", "register"] if is_known else ["register", "login"]
        body = wire.credentials(self.person.email, self.person.password, self._app_id)
        for way in ways:
            answer = yield from self._persist(way, "POST", f"/v2/{way}", body)
            if self._use_session(answer):
                return True
        return False

    def link(self, device: Device, *, by_id: bool) -> Steps:
        """Make a thing this user's own; answers its id, or None."""
        body = {"thingId": device.thing_id} if by_id else {"thingToken": device.thing_token}
        answer = yield from self._persist("link", "POST", "/v2/me/things", body)
        if answer is None or answer.status not in (200, 201):
            return None
        document = answer.document if isinstance(answer.document, dict) else {}
        thing_id = document.get("thingId", device.thing_id)
        return thing_id if isinstance(thing_id, str) else None

    def grant(
        self,
        keys: Mapping[str, tuple[str, ...]],
        rights: tuple[str, ...],
        *,
        email: str | None = None,
    ) -> Steps:
        """Share resources of things with somebody, or ask for them for the app itself."""
        body = wire.permissions(keys, rights, email=email)
        answer = yield from self.ask("grant", "PUT", "/v2/me/grant", body)
        return _outcome(answer)

    def open_link(self, target: str) -> Steps:
        """Open the link of a mail."""
        answer = yield from self.ask("confirmation", "GET", target)
        result = _outcome(answer)
        self.diary.confirmed += result == "done"
        return result

    def turn(self, switch: Switch, thing_id: str, position: str) -> Steps:
        """Write ``turn`` to a switch and wait for the answer."""
        now_us = self.clock.now_us()
        entry = self.account.sending("turn", position, now_us, now_us)
        self.commands.append(Command(switch, entry))
        target = wire.resource_target("turn", thing_id)
        try:
            answer = yield self.channel.request("POST", target, {"values": [{"value": position}]})
        except TransportError as error:
            entry.settle(self.clock.now_us(), "failed", str(error))
        else:
            entry.settle(self.clock.now_us(), *outcome(answer))
            yield from self._renew_session(answer)

    def read(self, key: str) -> Steps:
        """Look at the latest values of a resource of all things."""
        answer = yield from self.ask("read", "GET", wire.resource_target(key))
        if answer is not None and answer.status == 200:
            self._note(wire.read(answer.document), is_told=False)

    def watch(self, key: str) -> Steps:
        """Listen to a resource of all things for ever; after each gap look at what was missed."""
        listening = self._listening
        watched = self.diary.watched[key] = Watched(key)
        listener = Listener(
            self.clock,
            self.channel,
            self.rng(f"{key} back-off"),
            Ears(
                lambda: self._opened(watched),
                lambda items: self._note(wire.told(items), is_told=True),
                lambda reason: self._lost(watched, reason),
            ),
            keep_alive_s=listening.keep_alive_s,
            grace_s=listening.grace_s,
        )
        keep_alive_ms = round(listening.keep_alive_s * 1000)
        yield from listener.listen(wire.stream_target(key, keep_alive_ms))

    def ask(self, what: str, method: str, target: str, document: Any = None) -> Steps:
        """One exchange; None when there was no answer. A session that is over is renewed."""
        try:
            answer = yield self.channel.request(method, target, document)
        except TransportError as error:
            self.account.problem(self.clock.now_us(), what, str(error))
            return None
        if answer.status >= 400:
            self.account.problem(self.clock.now_us(), what, refusal(answer))
        else:
            self.diary.asked[what] = self.diary.asked.get(what, 0) + 1
        yield from self._renew_session(answer)
        return answer

    def _persist(self, what: str, method: str, target: str, document: Any) -> Steps:
        """The first answer that is not "come back later"; waits longer after each try."""
        for delay_s in delays_s(self.rng(f"{what} back-off")):
            answer = yield from self.ask(what, method, target, document)
            if answer is not None and answer.status not in TRY_AGAIN:
                return answer
            yield self.clock.sleep(delay_s)
        return None

    def _use_session(self, answer: HttpAnswer | None) -> bool:
        document = answer.document if answer and isinstance(answer.document, dict) else {}
        token = document.get("token")
        if answer is None or answer.status not in (200, 201) or not isinstance(token, str):
            return False
        if self.token is None:
            self.diary.known_before = wire.thing_ids(document.get("roles"))
        self.token = token
        self.channel.authorize(token)
        return True

    def _renew_session(self, answer: HttpAnswer) -> Steps:
        if answer.status != 401 or self.token is None or self._is_logging_in:
            return
        self._is_logging_in = True
        yield from self.enter(is_known=True)
        self._is_logging_in = False

    def _note(self, values: Any, *, is_told: bool) -> None:
        now_us = self.clock.now_us()
        seen = self.diary.seen
        for key, value, thing_id in values:
            seen.append(Seen(now_us, key, value, thing_id, is_told))

    def _opened(self, watched: Watched) -> None:
        watched.open_us = self.clock.now_us()
        self.account.subscribed_us.append(watched.open_us)
        if watched.spans:
            self.clock.process(self.read(watched.key))

    def _lost(self, watched: Watched, reason: str) -> None:
        now_us = self.clock.now_us()
        self.account.problem(now_us, f"stream of {watched.key}", reason)
        if watched.open_us is None:
            watched.refused += 1
            # Perhaps the session is over: any question tells, and renews it.
            self.clock.process(self.ask("things", "GET", "/v2/me/things"))
        else:
            watched.spans.append(Span(watched.open_us, now_us))
        watched.open_us = None


def _outcome(answer: HttpAnswer | None) -> Outcome:
    if answer is None or answer.status in TRY_AGAIN:
        return "unknown"
    return "done" if answer.status in (200, 201) else "refused"
