"""Which devices stay in memory, which for a short time only, and how long one was away."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simulators.platforms.things_stack.network_server.in_memory import InMemory
from simulators.platforms.things_stack.network_server.resting import Resting
from simulators.platforms.things_stack.network_server.traffic import Traffic, encode
from tests.simulators.platforms.things_stack.test_devices_at_rest import World


@pytest.fixture
def memory():
    """Two may stay, and one guest."""
    memory = InMemory(2)
    memory.most_guests = 1
    return memory


def _device(number):
    return SimpleNamespace(number=number)


def _left(memory):
    """The numbers of those whose time is over, who leave."""
    found = []
    for device in memory.too_many():
        memory.leave(device)
        found.append(device.number)
    return found


def test_the_one_that_was_not_used_for_longest_goes(memory):
    first, second, third = map(_device, (1, 2, 3))
    for device in (first, second, first, third):
        memory.stay(device)
    assert _left(memory) == [2]
    assert [each.number for each in memory] == [1, 3]


def test_guests_take_nobody_s_place_and_go_in_the_order_in_which_they_came(memory):
    for number in (1, 2):
        memory.stay(_device(number))
    for number in (3, 4, 5):
        memory.invite(_device(number))
    assert _left(memory) == [3, 4]
    assert sorted(each.number for each in memory) == [1, 2, 5]


def test_a_guest_that_is_used_again_stays(memory):
    guest = _device(1)
    memory.invite(guest)
    memory.stay(guest)
    for number in (2, 3):
        memory.invite(_device(number))
    assert _left(memory) == [2]
    assert memory.get(1) is guest
    assert not memory.is_guest(guest)


def test_who_stayed_was_not_used_for_longer_than_a_guest(memory):
    guest, resident = _device(1), _device(2)
    memory.invite(guest)
    memory.stay(resident)
    assert (memory.age(guest), memory.age(resident)) == (1, 2)


def test_others_are_counted_while_a_device_is_away():
    resting, traffic = Resting(), Traffic(7)
    resting.put("26000001", b"one", encode(traffic), age=5)
    resting.put("26000002", b"two", encode(traffic), age=0)
    assert resting.take("26000001") == (b"one", traffic, 6)
    assert resting.take("26000002") == (b"two", traffic, 0)
    assert resting.take("26000002") is None


def test_a_device_that_was_away_for_long_leaves_with_its_frame_unless_it_talks_again():
    world = World(1, guests=1)
    memory, number = world.devices.memory, world.devices.find("app1", "dev0").number
    for other in (1, 2, 1, 2):
        world.talk(other)
    world.talk(0)
    assert memory.get(number) is None
    world.talk(0)
    assert memory.get(number) is not None
    assert not memory.is_guest(memory.get(number))


def test_a_device_that_was_away_for_a_short_time_stays():
    world = World(3, guests=0)
    memory, number = world.devices.memory, world.devices.find("app1", "dev0").number
    device = memory.get(number)
    memory.leave(device)
    memory.invite(device)  # as if it had not been used for long
    world.talk(1)
    assert memory.get(number) is None
    world.talk(0)
    assert not memory.is_guest(memory.get(number))
