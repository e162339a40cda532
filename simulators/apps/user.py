"""
A person with a phone: sets it up, turns switches, looks at values, shares with others.

What happens to a right is noted with the person who gets it: they are the one who may see values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from simulators.apps.phone import Phone
from simulators.apps.seen import NEVER_US, Hold
from simulators.devices.backoff import delays_s
from simulators.devices.device import Device, Steps
from simulators.devices.switch import Switch
from simulators.wire.thethings_io_app import link_path

if TYPE_CHECKING:
    from simulators.apps.household import Household

Keys = Mapping[str, tuple[str, ...]]
LOOK_S = 5.0  # between two looks at what somebody else is about to do
ALL_RIGHTS = ("get", "post", "grant")


class Letters(Protocol):
    """Where people find what was sent to them by e-mail."""

    def texts(self, address: str) -> list[str]:
        """The text of every mail that has come for an address so far, in this order for ever."""


class User:
    """
    Somebody who lives in a household.

    ``other`` is a second app on the same phone, one that is not official: what it asks for has to
    be confirmed by e-mail.
    """

    def __init__(
        self,
        phone: Phone,
        household: Household,
        *,
        other: Phone | None,
        letters: Letters | None,
        secret: Callable[[str, str], None],
        is_known: bool,
    ) -> None:
        """``secret`` is told of every link that confirms something."""
        self.phone = phone
        self.other = other
        self.household = household
        self.unconfirmed: list[Hold] = []
        self._clock = phone.clock
        self._letters = letters
        self._secret = secret
        self._is_known = is_known
        self._read = 0  # so many mails
        self._last: dict[str, str] = {}

    @property
    def email(self) -> str:
        """Where others reach this person."""
        return self.phone.person.email

    def arrive(self) -> Steps:
        """Get a phone some time after the start, and a session; whether that worked."""
        rng = self.phone.rng("arrival")
        yield self._clock.sleep(rng.random() * self.household.habits.arrive_s)
        letters = self._letters
        if letters is not None:  # what came before is about an earlier run
            self._read = len(letters.texts(self.email))
        is_in = yield from self.phone.enter(is_known=self._is_known)
        if is_in and letters is not None and self.household.habits.mail_every_s > 0:
            self._clock.process(self._read_mail(letters))
        return is_in

    def live(self) -> None:
        """Begin with what goes on from day to day."""
        habits = self.household.habits
        for key in habits.watch:
            self._clock.process(self.phone.watch(key))
        if habits.turn_every_s > 0:
            self._clock.process(self._turn_switches(habits.turn_every_s))
        if habits.read_every_s > 0:
            self._clock.process(self._look(habits.read_every_s))

    def link_all(self) -> Steps:
        """Make every thing of the household one's own, as soon as it is active."""
        waiting = list(self.household.devices)
        rng = self.phone.rng("links")
        while waiting:
            active = [device for device in waiting if device.thing_token is not None]
            for device in active:
                waiting.remove(device)
                yield from self._link(
                    device, by_id=device.thing_id is not None and rng.random() < 0.5
                )
            if waiting:
                yield self._clock.sleep(LOOK_S)

    def give(
        self, to: User, keys: Keys, rights: tuple[str, ...], *, by: Phone | None = None
    ) -> Steps:
        """Share; the holds that this makes, or may have made. ``by`` another app than usual."""
        app = by or self.phone
        now_us = self._clock.now_us()
        holds = [Hold(thing_id, names, rights, now_us) for thing_id, names in keys.items()]
        if app is self.other:  # nothing holds before the link in the mail was opened
            for hold in holds:
                hold.may_from_us = NEVER_US
            to.unconfirmed += holds
        to.phone.diary.holds += holds
        result = yield from app.grant(keys, rights, email=to.email)
        for hold in holds:
            if result == "refused":
                hold.may_to_us = hold.must_to_us = hold.may_from_us
            elif result == "done" and app is not self.other:
                hold.must_from_us = self._clock.now_us()
        return holds

    def take(self, from_: User, holds: list[Hold]) -> Steps:
        """Take back what was shared; tries until the platform has said something."""
        for hold in holds:
            hold.must_to_us = self._clock.now_us()
        keys = {hold.thing_id: hold.keys or () for hold in holds}
        for delay_s in delays_s(self.phone.rng(f"taking from {from_.email}")):
            # A confirmation that is under way may come after this, and give the right once more.
            over = [h for h in holds if h.may_from_us != NEVER_US and not h.is_under_way]
            result = yield from self.phone.grant(keys, (), email=from_.email)
            if result != "unknown":
                break
            yield self._clock.sleep(delay_s)
        for hold in over if result == "done" else ():
            hold.may_to_us = self._clock.now_us()

    def share_with(self, friend: User) -> Steps:
        """Let a friend see one resource for a while, again and again."""
        habits = self.household.habits
        rng = self.phone.rng("sharing")
        by = None if self.other is None else (yield from self._set_up_other(self.other))
        while True:
            yield self._clock.sleep(rng.expovariate(1.0) * habits.share_every_s)
            thing_id = rng.choice(list(self.household.ids.values()))
            keys = {thing_id: (rng.choice(self.household.keys[thing_id]),)}
            if friend.phone.token is None:
                continue
            holds = yield from self.give(friend, keys, ("get",), by=by)
            yield self._clock.sleep(rng.expovariate(1.0) * habits.share_for_s)
            yield from self.take(friend, holds)

    def _set_up_other(self, other: Phone) -> Steps:
        """Let the second app have what it is to share; None when the platform will not have it."""
        if not (yield from other.enter(is_known=self._is_known)):
            return None
        result = yield from other.grant(self.household.keys, ALL_RIGHTS)
        return other if result == "done" else None

    def _link(self, device: Device, *, by_id: bool) -> Steps:
        sent_us = self._clock.now_us()
        thing_id = yield from self.phone.link(device, by_id=by_id)
        if thing_id is None:
            return
        hold = Hold(thing_id, None, ALL_RIGHTS, sent_us, must_from_us=self._clock.now_us())
        self.phone.diary.holds.append(hold)
        self.household.linked(device, thing_id)

    def _turn_switches(self, every_s: float) -> Steps:
        rng = self.phone.rng("turning")
        while True:
            yield self._clock.sleep(rng.expovariate(1.0) * every_s)
            switches = self.household.linked_switches()
            if switches:
                switch = rng.choice(switches)
                position = "off" if self._last.get(switch.name) == "on" else "on"
                self._last[switch.name] = position
                yield from self.phone.turn(switch, self.household.ids[switch.name], position)

    def _look(self, every_s: float) -> Steps:
        rng = self.phone.rng("looking")
        while True:
            yield self._clock.sleep(rng.expovariate(1.0) * every_s)
            yield from self.phone.read(rng.choice(self.household.habits.watch))

    def _read_mail(self, letters: Letters) -> Steps:
        """Open every link that comes, each once."""
        while True:
            yield self._clock.sleep(self.household.habits.mail_every_s)
            texts = letters.texts(self.email)
            fresh, self._read = texts[self._read :], len(texts)
            for text in fresh:
                target = link_path(text)
                if target is not None:
                    self._secret("confirmation", target.rpartition("/")[2])
                    yield from self._confirm(target, text)

    def _confirm(self, target: str, text: str) -> Steps:
        """A right may hold from now on; it does when the platform says so."""
        meant = self._meant(text)
        self.unconfirmed = [hold for hold in self.unconfirmed if hold not in meant]
        for hold in meant:
            hold.may_from_us = self._clock.now_us()
            hold.is_under_way = True
        result = yield from self.phone.open_link(target)
        for hold in meant:
            hold.is_under_way = result == "unknown"
            if result == "done" and hold.thing_id in text and hold.must_to_us == NEVER_US:
                hold.must_from_us = self._clock.now_us()

    def _meant(self, text: str) -> list[Hold]:
        """What a mail is about: what it names, or anything when it names no thing that we know."""
        named = [hold for hold in self.unconfirmed if hold.thing_id in text]
        is_ours = any(thing_id in text for thing_id in self.household.keys)
        return named if named or is_ours else list(self.unconfirmed)


def switches_of(devices: list[Device]) -> list[Switch]:
    """Those of them that can be turned."""
    return [device for device in devices if isinstance(device, Switch)]
