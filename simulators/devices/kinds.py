"""
The kinds of device that a fleet can have, and how each is built from its options.

A new kind is a new file and a line in ``KINDS``; a new behaviour is a factory and a line in
``BEHAVIOURS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.devices.behaviours import (
    Behaviour,
    Factory,
    constant,
    counter,
    diurnal,
    random_walk,
    steps,
)
from simulators.devices.device import Device, Place
from simulators.devices.options import build, one_of, option_names, split
from simulators.devices.outbox import Batches
from simulators.devices.periodic import Period
from simulators.devices.replay import replay
from simulators.devices.sensor import Sensor
from simulators.devices.switch import Switch, SwitchHabits
from simulators.devices.tracker import Journey, Tracker
from simulators.randomness import FullChance

Builder = Callable[[str, Place, Mapping[str, Any]], Device]

BEHAVIOURS: dict[str, Factory] = {
    "constant": constant,
    "diurnal": diurnal,
    "random-walk": random_walk,
    "steps": steps,
    "counter": counter,
    "replay": replay,
}

# What a quantity does when its fleet says nothing: the shape and its options.
QUANTITIES: dict[str, tuple[str, dict[str, Any]]] = {
    "temperature": ("diurnal", {"mean": 21.0, "amplitude": 3.0, "noise": 0.2}),
    "humidity": ("random-walk", {"start": 45.0, "step": 1.5, "low": 20.0, "high": 80.0}),
    "power-consumption": ("steps", {"levels": [4, 60, 150, 900], "hold_s": 900.0}),
    "steps": ("counter", {"most": 40}),
}


def build_sensor(name: str, place: Place, options: Mapping[str, Any]) -> Device:
    """A sensor: ``key`` and ``shape`` choose the quantity, Period and Batches have the rest."""
    timing, rest = _timing(options)
    key = rest.pop("key", "temperature")
    behaviour = behaviour_of(place.streams.stream("device", name, "behaviour"), key, rest)
    return Sensor(name, place, key=key, behaviour=behaviour, **timing)


def behaviour_of(rng: FullChance, key: str, options: Mapping[str, Any]) -> Behaviour:
    """The behaviour that ``shape`` names, or the quantity's usual one; own options win."""
    usual_shape, usual = QUANTITIES.get(key, ("random-walk", {}))
    rest = dict(options)
    shape = one_of("shape", rest.pop("shape", usual_shape), BEHAVIOURS)
    merged = {**usual, **rest} if shape == usual_shape else rest
    known = option_names(Period) + option_names(Batches) + ["key", "shape"]
    return build(BEHAVIOURS[shape], merged, rng, also=known)


def build_switch(name: str, place: Place, options: Mapping[str, Any]) -> Device:
    """A switch; its options are those of SwitchHabits."""
    return Switch(name, place, habits=build(SwitchHabits, options))


def build_tracker(name: str, place: Place, options: Mapping[str, Any]) -> Device:
    """A tracker; its options are those of Journey, Period and Batches."""
    timing, rest = _timing(options)
    known = option_names(Period) + option_names(Batches)
    return Tracker(name, place, journey=build(Journey, rest, also=known), **timing)


def _timing(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Period and Batches from the options, and what is left of these."""
    period, rest = split(options, option_names(Period))
    batches, rest = split(rest, option_names(Batches))
    return {"period": build(Period, period), "batches": build(Batches, batches)}, rest


KINDS: dict[str, Builder] = {
    "sensor": build_sensor,
    "switch": build_switch,
    "tracker": build_tracker,
}
