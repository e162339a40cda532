"""
Many devices from one seed.

A device's name decides its random streams, its identity and its behaviour; the position in the
fleet decides nothing, so that adding a device leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from simulators.clock import Clock
from simulators.devices.device import Credentials, Device, Place
from simulators.devices.identity import identity_of
from simulators.devices.kinds import KINDS
from simulators.devices.observation import Observer, observed
from simulators.devices.options import FleetError, one_of
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpTransport

D = TypeVar("D", bound=Device)


@dataclass(frozen=True)
class FleetSpec:
    """``count`` devices of one kind, called ``name-1`` … ``name-count``."""

    kind: str
    count: int
    name: str
    behaviour: dict[str, Any] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The devices' names."""
        return [f"{self.name}-{number}" for number in range(1, self.count + 1)]


class Fleet:
    """The devices in the order of their specs, found by name or by kind."""

    def __init__(self, devices: Sequence[Device], clock: Clock) -> None:
        self.devices = list(devices)
        self.by_name = {device.name: device for device in devices}
        self._clock = clock

    def start(self) -> None:
        """Start every device's process; they run when the clock plays."""
        for device in self.devices:
            self._clock.process(device.process())

    def of_type(self, kind: type[D]) -> list[D]:
        """The devices of one class."""
        return [device for device in self.devices if isinstance(device, kind)]

    def close(self) -> None:
        """Close every device's channel."""
        for device in self.devices:
            device.channel.close()


def build_fleet(
    specs: Sequence[FleetSpec],
    *,
    clock: Clock,
    streams: RandomStreams,
    transport: HttpTransport,
    activation_codes: Iterator[str] | None = None,
    thing_tokens: Iterator[str] | None = None,
    product_id: str | None = None,
    observe: Observer | None = None,
) -> Fleet:
    """
    Build every device of ``specs``; nothing is sent before ``Fleet.start`` and a playing clock.

    Each device takes the next activation code, or the next thing token when the codes are used up.

    Raises:
        FleetError: an unknown kind or option, a name given twice, or too few credentials.
    """
    check_names(specs)
    purse = _credentials(activation_codes, thing_tokens, product_id)
    devices: list[Device] = []
    for spec in specs:
        builder = KINDS[one_of("kind", spec.kind, KINDS)]
        for name in spec.names():
            credentials = next(purse, None)
            if credentials is None:
                raise FleetError(_too_few(specs, len(devices)))
            channel = observed(transport.channel(name), name, credentials, observe)
            identity = identity_of(name, streams)
            place = Place(clock, channel, streams, identity, credentials)
            devices.append(builder(name, place, spec.behaviour))
    return Fleet(devices, clock)


def check_names(specs: Sequence[FleetSpec]) -> None:
    """A FleetError when two specs share a name: their devices would be the same."""
    seen: set[str] = set()
    for spec in specs:
        if spec.name in seen:
            raise FleetError(f"name must be given to one fleet only; got {spec.name!r} twice")
        seen.add(spec.name)


def _credentials(
    codes: Iterator[str] | None, tokens: Iterator[str] | None, product_id: str | None
) -> Iterator[Credentials]:
    for code in codes or ():
        yield Credentials(activation_code=code, product_id=product_id)
    for token in tokens or ():
        yield Credentials(thing_token=token)


def _too_few(specs: Sequence[FleetSpec], found: int) -> str:
    wanted = sum(spec.count for spec in specs)
    return f"{wanted} devices need as many activation codes or thing tokens; got {found}"
