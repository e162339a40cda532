"""What a run leaves to be judged: who did what, which faults there were, what was read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scenarios.faults import Fault, Faults
from scenarios.load import Load
from scenarios.readback import Stored
from scenarios.steps import Operator
from simulators.apps.actor import Command
from simulators.apps.household import Household
from simulators.apps.phone import Phone
from simulators.devices.account import Sent
from simulators.devices.device import Device
from simulators.devices.switch import Switch


class Commander(Protocol):
    """Somebody who tells switches what to do."""

    commands: list[Command]


@dataclass
class Evidence:
    """
    All that expectations see. ``end_us`` is when the scenario ended, in microseconds since its
    start; what was settled later, while the run was being judged, does not count.
    """

    devices: Sequence[Device]
    actors: Sequence[Commander]
    operator: Operator
    faults: Faults
    fleet_of: Mapping[str, str]
    end_us: int
    load: Load | None = None
    households: Sequence[Household] = ()
    stored: dict[tuple[str, str], Stored] = field(default_factory=dict)
    inactive: dict[int | None, list[str]] = field(default_factory=dict)
    _commands_to: dict[str, list[Command]] = field(default_factory=dict)
    _grouped: int = -1

    @property
    def commands(self) -> list[Command]:
        """What switches were told, by actors and by steps."""
        return [*self.operator.commands, *(c for actor in self.actors for c in actor.commands)]

    def commands_to(self, device: Device) -> list[Command]:
        """What one device was told; grouped anew when more commands have come since."""
        commands = self.commands
        if len(commands) != self._grouped:
            self._grouped = len(commands)
            self._commands_to = {}
            for command in commands:
                self._commands_to.setdefault(command.switch.name, []).append(command)
        return self._commands_to.get(device.name, [])

    def chosen(self, on: str | None) -> list[Device]:
        """The devices that ``on`` names: a fleet, a device, or all."""
        return [d for d in self.devices if on in (None, d.name, self.fleet_of[d.name])]

    def switches(self, on: str | None) -> list[Switch]:
        """The chosen devices that are switches."""
        return [device for device in self.chosen(on) if isinstance(device, Switch)]

    def phones(self, on: str | None) -> list[Phone]:
        """The phones that ``on`` names: a fleet of households, a household, a phone, or all."""
        return [
            phone
            for home in self.households
            for phone in home.phones
            if on is None or self.faults.belongs(phone.name, on)
        ]

    def id_of(self, device: Device) -> str:
        """The id under which a household has a thing; empty when none has."""
        found = (home.ids[device.name] for home in self.households if device.name in home.ids)
        return next(found, "")

    def things(self) -> dict[str, Device]:
        """The households' things by the id that apps see."""
        ids = self._ids()
        return {ids[each.name]: each for each in self.devices if each.name in ids}

    def _ids(self) -> dict[str, str]:
        return {name: id for home in self.households for name, id in home.ids.items()}

    def due(self, fleet: str) -> Iterator[Sent]:
        """Everything that fell due at the devices of a fleet, whatever became of it."""
        for device in self.chosen(fleet):
            yield from device.account.sent

    def settled(self, device: Device) -> Iterator[Sent]:
        """What a device sent and heard the outcome of before the end."""
        for entry in device.account.sent:
            if entry.state != "pending" and entry.settled_us <= self.end_us:
                yield entry

    def written(self, device: Device) -> Iterator[Sent]:
        """Everything that was sent to a device's thing, by itself and by those who turn it."""
        yield from device.account.sent
        for command in self.commands_to(device):
            yield command.entry

    def acknowledged(self, device: Device) -> Iterator[Sent]:
        """What the platform acknowledged to anybody about that thing before the end."""
        for entry in self.written(device):
            if entry.state == "acknowledged" and entry.settled_us <= self.end_us:
                yield entry

    def suffered(self, name: str, from_us: int, to_us: int, *, recovery_us: int) -> bool:
        """Whether a fault, or the recovery after it, touched a device within a span of time."""
        return any(
            fault.at_us <= to_us and from_us <= fault.end_us + recovery_us
            for fault in self.faults.all
            if self.faults.concern(fault, name)
        )

    def outages(self, name: str) -> list[Fault]:
        """The outages of one device."""
        return [f for f in self.faults.all if f.kind == "outage" and self.faults.concern(f, name)]
