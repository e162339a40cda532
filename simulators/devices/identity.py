"""Who a device is: a name, a place and a firmware version, from the device's own random stream."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from faker import Faker

from simulators.randomness import RandomStreams


@dataclass(frozen=True)
class Identity:
    """What stands on a device's label; latitude and longitude in degrees."""

    label: str
    place: str
    latitude: float
    longitude: float
    firmware: str

    def document(self) -> dict[str, Any]:
        """The label as the platform's description resource holds it."""
        return {"name": self.label, "place": self.place, "firmware": self.firmware}


@cache
def _faker() -> Faker:
    # One locale and one generator for all: building one takes longer than the rest of a device.
    return Faker("en_US")


def identity_of(name: str, streams: RandomStreams) -> Identity:
    """The identity of the device called ``name``: the same for the same seed and name."""
    faker = _faker()
    faker.seed_instance(streams.integer("identity", name))
    latitude, longitude, city, country, _ = faker.location_on_land()
    return Identity(
        label=f"{faker.first_name()}'s {name}",
        place=f"{city}, {country}",
        latitude=float(latitude),
        longitude=float(longitude),
        firmware=faker.numerify("#.#.##"),
    )
