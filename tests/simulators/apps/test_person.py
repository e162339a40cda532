"""People: the same for the same seed and name, with addresses that can be nobody else's."""

from __future__ import annotations

from simulators.apps.person import person_of
from simulators.randomness import RandomStreams
from simulators.wire.thethings_io import is_email


def test_a_person_depends_on_seed_and_name_alone() -> None:
    first = person_of("home-1-1", RandomStreams(1))
    assert person_of("home-1-1", RandomStreams(1)) == first
    assert person_of("home-1-2", RandomStreams(1)) != first
    assert person_of("home-1-1", RandomStreams(2)).email != first.email


def test_a_thousand_people_have_a_thousand_valid_addresses() -> None:
    people = [
        person_of(f"home-{n}-1", RandomStreams(1), address="x+{name}@y.example")
        for n in range(1000)
    ]
    assert len({person.email for person in people}) == 1000
    assert all(is_email(person.email) and person.email.islower() for person in people)


def test_a_password_is_not_shown() -> None:
    person = person_of("home-1-1", RandomStreams(1))
    assert person.password not in repr(person)
