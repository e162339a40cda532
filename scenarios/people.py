"""The people of a run: actors who turn switches, households with phones, and the mail they get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scenarios.model import ActorSpec, HouseholdSpec, Scenario
from simulators.apps.actor import Actor
from simulators.apps.household import Household, Town, build_households
from simulators.apps.person import DEFAULT_ADDRESS, Person
from simulators.apps.phone import Phone
from simulators.apps.user import Letters
from simulators.clock import Clock
from simulators.devices.device import Device, Steps
from simulators.devices.options import FleetError
from simulators.devices.switch import Switch
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpChannel


@dataclass(frozen=True)
class AppAccess:
    """
    What people need of a platform: apps, accounts that there are, and where mail can be read.

    ``accounts`` are (e-mail address, password); ``address`` has ``{name}`` in the place of a name.
    """

    app_id: str
    unofficial_app_id: str | None = None
    accounts: tuple[tuple[str, str], ...] = ()
    can_register: bool = True
    letters: Letters | None = None
    address: str = DEFAULT_ADDRESS


@dataclass(frozen=True)
class Surroundings:
    """What people are built with; ``secret`` is told every password."""

    clock: Clock
    streams: RandomStreams
    channel: Callable[[str], HttpChannel]
    secret: Callable[[str, str], None]
    app: AppAccess | None


class People:
    """Everybody in a scenario, built and not yet started."""

    def __init__(self, scenario: Scenario, devices: list[Device], around: Surroundings) -> None:
        """
        Raises:
            FleetError: households, and no app or too few accounts for them.
        """
        self._around = around
        self._devices = devices
        self._fleets = {spec.name: set(spec.names()) for spec in scenario.fleets}
        self._groups: list[tuple[str, str]] = []
        self.actors = [self._actor(s, name) for s in scenario.actors for name in s.names()]
        self.households: list[Household] = []
        if scenario.households:
            town = self._town()
            for spec in scenario.households:
                self.households += self._build_households(spec, town)

    @property
    def phones(self) -> list[Phone]:
        """Every app on every phone."""
        return [phone for home in self.households for phone in home.phones]

    def groups(self) -> Iterator[tuple[str, str]]:
        """Names of channels, and each name under which faults may reach them."""
        return iter(self._groups)

    def processes(self) -> Iterator[Steps]:
        """Everybody's life."""
        for actor in self.actors:
            yield actor.process()
        for home in self.households:
            yield home.process()

    def _actor(self, spec: ActorSpec, name: str) -> Actor:
        self._groups.append((name, spec.name))
        around = self._around
        return Actor(
            name,
            clock=around.clock,
            channel=around.channel(name),
            rng=around.streams.stream("actor", name),
            switches=[each for each in self._of([spec.turns]) if isinstance(each, Switch)],
            habits=spec.habits,
        )

    def _build_households(self, spec: HouseholdSpec, town: Town) -> list[Household]:
        found = build_households(spec.names(), self._of(spec.things), spec.habits, town)
        for home in found:
            for user in home.users:
                for phone in filter(None, (user.phone, user.other)):
                    names = (spec.name, home.name, user.phone.name)
                    self._groups += [(phone.name, name) for name in names]
        return found

    def _of(self, fleets: list[str]) -> list[Device]:
        return [
            device
            for fleet in fleets
            for device in self._devices
            if device.name in self._fleets[fleet]
        ]

    def _town(self) -> Town:
        around = self._around
        if around.app is None:
            raise FleetError("people with phones need credentials.app_id; the target has none")
        return Town(
            clock=around.clock,
            streams=around.streams,
            channel=around.channel,
            app_id=around.app.app_id,
            unofficial_app_id=around.app.unofficial_app_id,
            letters=around.app.letters,
            address=around.app.address,
            accounts=(Person(email, email, word) for email, word in around.app.accounts),
            can_register=around.app.can_register,
            secret=around.secret,
        )
