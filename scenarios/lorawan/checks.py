"""What no schema can say about radio and gateways: words that have to be known, names, places."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import simpy

from scenarios.durations import microseconds
from scenarios.files import FileError, TomlFile
from scenarios.mistakes import expected
from scenarios.toml_lines import Where
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions import region
from simulators.radio.interference import INTERFERENCE_MODELS
from simulators.radio.path_loss import PATH_LOSSES


class NoRadio:
    """For nodes that are built to see whether they can be, and never run."""

    def transmit(
        self, payload: bytes, *, frequency_hz: int, modulation: Modulation, power_dbm: float
    ) -> int:
        raise NotImplementedError

    def listen(
        self, *, frequency_hz: int, modulation: Modulation, open_us: int, close_us: int
    ) -> simpy.Event:
        raise NotImplementedError


def wrong_parts(file: TomlFile) -> Iterator[FileError]:
    """Every mistake in ``[radio]``, ``[[gateway]]`` and the places of fleets."""
    radio = file.document.get("radio", {})
    yield from _wrong_region(file, radio)
    yield from _wrong_word(file, ("radio", "path_loss"), radio, PATH_LOSSES)
    yield from _wrong_word(file, ("radio", "interference"), radio, INTERFERENCE_MODELS)
    seen = {fleet["name"] for fleet in file.document["fleet"]}
    for position, gateway in enumerate(file.document.get("gateway", ())):
        if gateway["name"] in seen:
            message = expected("a name that nobody else has", gateway["name"])
            yield file.error(("gateway", position, "name"), message)
        seen.add(gateway["name"])
    for position, fleet in enumerate(file.document["fleet"]):
        yield from _wrong_place(file, ("fleet", position), fleet)


def _wrong_region(file: TomlFile, radio: dict[str, Any]) -> Iterator[FileError]:
    try:
        region(radio.get("region", "EU868"))
    except LoRaWanError as problem:
        yield file.error(("radio", "region"), str(problem))


def _wrong_word(
    file: TomlFile, where: Where, table: dict[str, Any], known: Iterable[str]
) -> Iterator[FileError]:
    name, words = str(where[-1]), sorted(known)
    if name in table and table[name] not in words:
        what = f"{name} to be one of {', '.join(words)}"
        yield file.error(where, expected(what, table[name], words))


def _wrong_place(file: TomlFile, where: Where, fleet: dict[str, Any]) -> Iterator[FileError]:
    given = [name for name in ("position", "radius_m", "walk", "route") if name in fleet]
    if fleet["kind"] != "node" and given:
        yield file.error((*where, given[0]), f"expected '{given[0]}' for nodes alone; got it here")
    if "walk" in fleet and fleet["walk"]["speed_m_per_s"] != sorted(fleet["walk"]["speed_m_per_s"]):
        message = expected("two speeds that ascend", str(fleet["walk"]["speed_m_per_s"]))
        yield file.error((*where, "walk", "speed_m_per_s"), message)
    if "walk" in fleet and "route" in fleet:
        yield file.error((*where, "route"), "expected 'walk' or 'route'; got both")
    times = [microseconds(stop["at"]) for stop in fleet.get("route", ())]
    if any(later <= earlier for earlier, later in itertools.pairwise(times)):
        yield file.error((*where, "route"), "expected stops in ascending order of time")
