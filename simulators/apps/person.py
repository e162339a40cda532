"""Who uses an app: a name, an e-mail address and a password, from a random stream of their own."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cache

from faker import Faker

from simulators.randomness import RandomStreams

DEFAULT_ADDRESS = "{name}@thingrig.example"  # can be nobody else's


@dataclass(frozen=True)
class Person:
    """Somebody, and what they log in with."""

    label: str
    email: str
    password: str = field(repr=False)


@cache
def _faker() -> Faker:
    return Faker("en_US")


def person_of(name: str, streams: RandomStreams, *, address: str = DEFAULT_ADDRESS) -> Person:
    """
    The person called ``name`` in a scenario: the same for the same seed and name.

    The address ends in digits of the seed's own, so that another seed on the same server is
    somebody else and the same seed is the same person again.
    """
    faker = _faker()
    faker.seed_instance(streams.integer("person", name))
    first, last = faker.first_name(), faker.last_name()
    local = f"{first}.{last}.{streams.integer('address', name) % 16**8:08x}".lower()
    password = base64.urlsafe_b64encode(streams.stream("password", name).randbytes(18)).decode()
    return Person(f"{first} {last}", address.replace("{name}", local), password)
