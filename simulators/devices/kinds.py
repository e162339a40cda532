"""
The kinds of device that a fleet can have, and how each is built from its options.

A new kind is a new file and a line in ``KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.devices.behaviours import BEHAVIOURS, QUANTITIES, Behaviour
from simulators.devices.device import Device, Place
from simulators.devices.options import build, one_of, option_names, split
from simulators.devices.sensor import Period, Sensor
from simulators.devices.switch import Switch, SwitchHabits

Builder = Callable[[str, Place, Mapping[str, Any]], Device]


def build_sensor(name: str, place: Place, options: Mapping[str, Any]) -> Device:
    """A sensor: ``key`` and ``shape`` choose the quantity, ``Period`` has the pace."""
    timing, rest = split(options, option_names(Period))
    key = rest.pop("key", "temperature")
    behaviour = behaviour_of(name, place, key, rest)
    return Sensor(name, place, key=key, behaviour=behaviour, period=build(Period, timing))


def behaviour_of(name: str, place: Place, key: str, options: Mapping[str, Any]) -> Behaviour:
    """The behaviour that ``shape`` names, or the quantity's usual one; own options win."""
    usual_shape, usual = QUANTITIES.get(key, ("random-walk", {}))
    rest = dict(options)
    shape = one_of("shape", rest.pop("shape", usual_shape), BEHAVIOURS)
    merged = {**usual, **rest} if shape == usual_shape else rest
    rng = place.streams.stream("device", name, "behaviour")
    return build(BEHAVIOURS[shape], merged, rng)


def build_switch(name: str, place: Place, options: Mapping[str, Any]) -> Device:
    """A switch; its options are those of ``SwitchHabits``."""
    return Switch(name, place, habits=build(SwitchHabits, options))


KINDS: dict[str, Builder] = {
    "sensor": build_sensor,
    "switch": build_switch,
}
