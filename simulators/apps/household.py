"""
Households: a few things, one or two people with phones, and a friend in another household.

The first person links the things; the second one and the friend see what was shared with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.apps.person import DEFAULT_ADDRESS, Person, person_of
from simulators.apps.phone import Listening, Phone
from simulators.apps.user import Letters, User, switches_of
from simulators.clock import Clock
from simulators.devices.device import Device, Steps
from simulators.devices.options import FleetError
from simulators.devices.switch import Switch
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpChannel

SHARED_WITH_RESIDENTS = ("get", "post")


@dataclass(frozen=True)
class HouseholdHabits:
    """
    What people do and how often; means of exponentially distributed times, 0 for never.

    ``couples`` and ``by_mail`` are shares of the households: those with a second person, and those
    that share with their friend through an app that is not official.
    """

    watch: tuple[str, ...] = ("temperature", "state")
    couples: float = 0.5
    by_mail: float = 0.25
    arrive_s: float = 600.0
    turn_every_s: float = 3600.0
    read_every_s: float = 3600.0
    share_every_s: float = 14_400.0
    share_for_s: float = 7_200.0
    mail_every_s: float = 600.0
    keep_alive_s: float = 60.0
    grace_s: float = 2.0


@dataclass(frozen=True)
class Town:
    """What is handed to people: clock, chance, a way to the platform, and what it gives out."""

    clock: Clock
    streams: RandomStreams
    channel: Callable[[str], HttpChannel]
    app_id: str
    accounts: Iterator[Person]
    unofficial_app_id: str | None = None
    letters: Letters | None = None
    address: str = DEFAULT_ADDRESS
    can_register: bool = True
    secret: Callable[[str, str], None] = lambda kind, value: None


@dataclass
class Household:
    """``ids`` of the things that are linked, by device; ``keys`` what each of them has."""

    name: str
    devices: list[Device]
    habits: HouseholdHabits
    users: list[User] = field(default_factory=list)
    friend: User | None = None
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def linked(self, device: Device, thing_id: str) -> None:
        """A thing belongs to the first user from now on."""
        self.ids[device.name] = thing_id
        self.keys[thing_id] = keys_of(device)

    def linked_switches(self) -> list[Switch]:
        """Switches that can be turned by phone."""
        return [each for each in switches_of(self.devices) if each.name in self.ids]

    @property
    def phones(self) -> Iterator[Phone]:
        """Every app of every user."""
        for user in self.users:
            yield user.phone
            if user.other is not None:
                yield user.other

    def process(self) -> Steps:
        """The household's whole life; to be started with ``clock.process``."""
        owner, *others = self.users
        clock = owner.phone.clock
        arrivals = [clock.process(other.arrive()) for other in others]
        if not (yield from owner.arrive()):
            return
        yield from owner.link_all()
        if not self.ids:
            return
        owner.live()
        if self.friend is not None and self.habits.share_every_s > 0:
            clock.process(owner.share_with(self.friend))
        for other, arrival in zip(others, arrivals, strict=True):
            if (yield arrival):
                yield from owner.give(other, self.keys, SHARED_WITH_RESIDENTS)
                other.live()


def keys_of(device: Device) -> tuple[str, ...]:
    """The resources that a device of that kind has."""
    return _KEYS[device.kind](device)


_KEYS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "sensor": lambda sensor: (sensor.key,),
    "switch": lambda switch: ("state", "turn"),
    "tracker": lambda tracker: ("$geo", "speed"),
}


def build_households(
    names: Sequence[str], devices: Sequence[Device], habits: HouseholdHabits, town: Town
) -> list[Household]:
    """
    As many households as names; devices are dealt out in turn.

    Raises:
        FleetError: fewer accounts than people where nobody can register.
    """
    homes = [
        Household(name, list(devices[number :: len(names)]), habits)
        for number, name in enumerate(names)
    ]
    for home in homes:
        rng = town.streams.stream("household", home.name)
        count = 2 if rng.random() < habits.couples else 1
        by_mail = rng.random() < habits.by_mail
        home.users = [
            _user(home, number, town, has_other=by_mail and number == 1)
            for number in range(1, count + 1)
        ]
    for number, home in enumerate(homes):
        if len(homes) > 1:
            step = town.streams.stream("friend", home.name).randrange(1, len(homes))
            home.friend = homes[(number + step) % len(homes)].users[0]
    return homes


def _user(home: Household, number: int, town: Town, *, has_other: bool) -> User:
    name = f"{home.name}-{number}"
    account = next(town.accounts, None)
    if account is None and not town.can_register:
        raise FleetError("people need as many users of the target file where nobody can register")
    person = account or person_of(name, town.streams, address=town.address)
    town.secret("password", person.password)
    other = None
    if has_other and town.unofficial_app_id is not None and town.letters is not None:
        other = _phone(f"{name}-other", person, town.unofficial_app_id, home.habits, town)
    return User(
        _phone(name, person, town.app_id, home.habits, town),
        home,
        other=other,
        letters=town.letters,
        secret=town.secret,
        is_known=account is not None,
    )


def _phone(name: str, person: Person, app_id: str, habits: HouseholdHabits, town: Town) -> Phone:
    return Phone(
        name,
        person,
        app_id=app_id,
        clock=town.clock,
        channel=town.channel(name),
        streams=town.streams,
        listening=Listening(habits.keep_alive_s, habits.grace_s),
    )
