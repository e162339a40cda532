"""
From the name or path of a scenario to the scenario: found, changed by settings, checked, read.

Mistakes are FileErrors: wrong usage, told with file and line, or with the setting that caused them.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.durations import microseconds
from scenarios.expectations import ABOUT_PHONES
from scenarios.files import FileError, TomlFile, open_toml
from scenarios.lorawan.checks import NoRadio, wrong_parts
from scenarios.lorawan.formatters import read_scripts
from scenarios.lorawan.network_checks import wrong_network
from scenarios.mistakes import expected
from scenarios.model import PEOPLE, Scenario, from_document
from scenarios.run import KINDS_OF
from scenarios.toml_lines import Where
from simulators.clock import VirtualClock
from simulators.devices.fleet import FleetSpec, build_fleet
from simulators.devices.lorawan.building import NodePlace, build_node
from simulators.devices.options import FleetError
from simulators.randomness import RandomStreams


class Speaks(NamedTuple):
    """What scenarios of one platform may hold, and what they must."""

    fleets: Sequence[str]
    expectations: Sequence[str]
    refused: Sequence[str]
    required: Sequence[str] = ()


SPEAKS = {
    "thethings-io": Speaks(
        ("sensor", "switch", "tracker", "actor", "household"),
        tuple(KINDS_OF["thethings-io"]),
        ("radio", "gateway", "network"),
    ),
    "things-stack": Speaks(
        ("node", "actor"),
        tuple(KINDS_OF["things-stack"]),
        ("load", "step", "fault"),
        ("gateway",),
    ),
}
LIBRARY = Path(__file__).resolve().parent / "library"


def library(platform: str | None = None) -> list[str]:
    """Names of the scenarios that come with ThingRig: all, or those for one platform."""
    paths = sorted(LIBRARY.glob("*.toml"))
    return [path.stem for path in paths if platform in (None, _platform_of(path))]


def _platform_of(path: Path) -> Any:
    return open_toml(path).document["scenario"]["platform"]


class Setting(NamedTuple):
    """A value that replaces one of the file's: ``fleet.light.count``, ``5``, and who said so."""

    path: str
    value: str
    origin: str


def read_scenario(name_or_path: str, settings: Iterable[Setting] = ()) -> Scenario:
    """
    Read a scenario of the library, or a file.

    Raises:
        FileError: not found, or wrong.
    """
    file = open_toml(find_scenario(name_or_path))
    for setting in settings:
        apply_setting(file, setting)
    file.check("scenario")
    _count_by_steps(file)
    _find_replayed_files(file)
    check_meaning(file)
    read_scripts(file)
    return from_document(file.document)


def _count_by_steps(file: TomlFile) -> None:
    """The fleet that carries the load is as large as the last step."""
    load = file.document.get("load")
    for fleet in file.document["fleet"]:
        if load is not None and fleet["name"] == load["on"]:
            fleet["count"] = max(load["steps"])


def _find_replayed_files(file: TomlFile) -> None:
    """Recorded rows lie beside the scenario that replays them."""
    for fleet in file.document["fleet"]:
        behaviour = fleet.get("behaviour", {})
        if isinstance(behaviour.get("file"), str):
            behaviour["file"] = str(Path(file.path).parent / behaviour["file"])


def find_scenario(name_or_path: str) -> Path:
    """The file of a scenario; what has no slash and no ``.toml`` is a name of the library."""
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return Path(name_or_path)
    if name_or_path in library():
        return LIBRARY / f"{name_or_path}.toml"
    what = f"a path or one of {', '.join(library())}"
    raise FileError("scenario", None, expected(what, name_or_path, library()))


def apply_setting(file: TomlFile, setting: Setting) -> None:
    """
    Replace one value; list items are named by position or by their ``name`` or ``kind``.

    ``*`` stands for all items of a list.

    Raises:
        FileError: the path leads nowhere.
    """
    for where in _places(file.document, (), setting.path.split("."), setting.origin):
        file.override(where, _value(setting.value), origin=setting.origin)


def _places(at: Any, where: Where, parts: list[str], origin: str) -> Iterator[Where]:
    if not parts:
        yield where
        return
    first, rest = parts[0], parts[1:]
    is_all = first == "*" and isinstance(at, list)
    for item in range(len(at)) if is_all else (_item(at, first, origin),):
        inside = at.get(item) if isinstance(at, dict) else None if at is None else at[item]
        yield from _places(inside, (*where, item), rest, origin)


def _item(table: Any, part: str, origin: str) -> str | int:
    if isinstance(table, dict) or table is None:
        return part
    if not isinstance(table, list):
        raise FileError(origin, None, f"expected a table or list before '{part}'")
    if part.isdecimal() and int(part) < len(table):
        return int(part)
    names = [str(item.get("name", item.get("kind"))) for item in table if isinstance(item, dict)]
    if part in names:
        return names.index(part)
    raise FileError(origin, None, expected(f"one of {', '.join(names)}", part, names))


def _value(text: str) -> Any:
    """A TOML value, or plain text when it is none: ``5``, ``true``, ``1h``."""
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return document["value"] if list(document) == ["value"] else text


def check_meaning(file: TomlFile) -> None:
    """
    What no schema can say: names are unique and known, behaviours fit their kind.

    Raises:
        FileError: the first mistake by line.
    """
    found = [
        *_foreign_tables(file),
        *_impossible_times(file),
        *_impossible_loads(file),
        *_repeated_names(file),
        *_unknown_names(file),
        *_shared_households(file),
        *_wrong_behaviours(file),
        *wrong_parts(file),
        *wrong_network(file),
    ]
    if found:
        raise min(found, key=lambda error: error.line or 0)


def _foreign_tables(file: TomlFile) -> Iterator[FileError]:
    """What one platform's scenarios have, and the other's do not."""
    document = file.document
    platform = document["scenario"]["platform"]
    speaks = SPEAKS[platform]
    for name in speaks.required:
        if name not in document:
            yield file.error((), f"expected a table [[{name}]] for platform {platform}; got none")
    for name in speaks.refused:
        if name in document:
            yield file.error((name,), f"expected no '{name}' for platform {platform}; got some")
    for table, kinds in (("fleet", speaks.fleets), ("expect", speaks.expectations)):
        for position, item in enumerate(document.get(table, ())):
            if item["kind"] not in kinds:
                what = f"kind to be one of {', '.join(kinds)} for platform {platform}"
                message = expected(what, item["kind"], kinds)
                yield file.error((table, position, "kind"), message)


def _impossible_times(file: TomlFile) -> Iterator[FileError]:
    about = file.document["scenario"]
    for name in ("duration", "latency"):
        if microseconds(about.get(name, "1s")) == 0:
            what = f"{name} to be longer than nothing"
            yield file.error(("scenario", name), expected(what, about[name]))
    try:
        datetime.fromisoformat(about.get("start", "2024-01-01T00:00:00Z"))
    except ValueError:
        message = expected("start to be a day that exists", about["start"])
        yield file.error(("scenario", "start"), message)


def _impossible_loads(file: TomlFile) -> Iterator[FileError]:
    load = file.document.get("load")
    if load is None:
        carries = [each["kind"] for each in file.document.get("expect", ())]
        if "carries" in carries:
            where: Where = ("expect", carries.index("carries"))
            yield file.error(where, "expected a table [load] for 'carries'; got none")
        return
    steps = load["steps"]
    if any(later <= earlier for earlier, later in itertools.pairwise(steps)):
        yield file.error(("load", "steps"), expected("steps that grow", str(steps)))
    if microseconds(load["every"]) == 0:
        yield file.error(("load", "every"), expected("every to be longer than nothing", "0s"))
    duration_us = microseconds(file.document["scenario"]["duration"])
    if microseconds(load["every"]) * (len(steps) - 1) >= duration_us > 0:
        what = f"a duration in which all {len(steps)} steps begin"
        got = file.document["scenario"]["duration"]
        yield file.error(("scenario", "duration"), expected(what, got))
    measuring = [
        fleet["name"] for fleet in file.document["fleet"] if fleet["kind"] in ("sensor", "tracker")
    ]
    if load["on"] not in measuring:
        what = f"on to be a fleet that measures ({', '.join(measuring) or 'none does'})"
        yield file.error(("load", "on"), expected(what, load["on"], measuring))


def _repeated_names(file: TomlFile) -> Iterator[FileError]:
    seen = {"platform"}
    for position, fleet in enumerate(file.document["fleet"]):
        if fleet["name"] in seen:
            message = expected("a name that no other fleet has", fleet["name"])
            yield file.error(("fleet", position, "name"), message)
        seen.add(fleet["name"])
    taken = set()
    for position, expectation in enumerate(file.document.get("expect", ())):
        name = expectation.get("name")
        if name in taken:
            message = expected("a name that no other expectation has", name)
            yield file.error(("expect", position, "name"), message)
        taken.update({name} - {None})


def _unknown_names(file: TomlFile) -> Iterator[FileError]:
    fleets = file.document["fleet"]
    for where, name in _references(file.document):
        valid = _valid_names(file.document, where, fleets)
        if name not in valid:
            fleets_only = [word for word in valid if not word[-1:].isdecimal()]
            key = next(part for part in reversed(where) if isinstance(part, str))
            what = f"{key} to be a fleet or device ({', '.join(fleets_only) or 'none fits'})"
            yield file.error(where, expected(what, name, valid))


def _valid_names(
    document: Mapping[str, Any], where: Where, fleets: list[Mapping[str, Any]]
) -> list[str]:
    table: Mapping[str, Any] = document[str(where[0])][where[1]]
    if where[0] == "fleet":
        can_be = {"actor": _can_be_turned, "household": _is_device}[table["kind"]]
        return [fleet["name"] for fleet in fleets if can_be(fleet)]
    if where[0] == "fault":
        return [*_names(fleets), "platform"]
    if where[0] == "expect" and table["kind"] in ABOUT_PHONES:
        return _names(fleet for fleet in fleets if fleet["kind"] == "household")
    can_be = _can_be_turned if table.get("do") == "turn" else _is_device
    return _names(fleet for fleet in fleets if can_be(fleet))


def _is_device(fleet: Mapping[str, Any]) -> bool:
    return fleet["kind"] not in PEOPLE


def _can_be_turned(fleet: Mapping[str, Any]) -> bool:
    return fleet["kind"] == "switch" or "relay" in fleet.get("behaviour", {})


def _names(fleets: Iterable[Mapping[str, Any]]) -> list[str]:
    found = []
    for fleet in fleets:
        found.append(fleet["name"])
        for number in range(1, fleet.get("count", 1) + 1):
            found.append(f"{fleet['name']}-{number}")
            if fleet["kind"] == "household":
                found += [f"{fleet['name']}-{number}-{user}" for user in (1, 2)]
    return found


def _references(document: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    for position, fleet in enumerate(document["fleet"]):
        option = PEOPLE.get(fleet["kind"])
        if option == "things":
            for number, name in enumerate(fleet["behaviour"][option]):
                yield ("fleet", position, "behaviour", option, number), name
        elif option is not None:
            yield ("fleet", position, "behaviour", option), fleet["behaviour"][option]
    for table in ("step", "fault", "expect"):
        for position, item in enumerate(document.get(table, ())):
            if "on" in item:
                yield (table, position, "on"), item["on"]


def _shared_households(file: TomlFile) -> Iterator[FileError]:
    """Phones and their diaries live in one process; a thing belongs to one household."""
    owned: dict[str, str] = {}
    for position, fleet in enumerate(file.document["fleet"]):
        if fleet["kind"] != "household":
            continue
        workers = file.document["scenario"].get("workers", 1)
        if workers > 1:
            message = expected("workers to be 1 with a fleet of kind 'household'", workers)
            yield file.error(("scenario", "workers"), message)
        for number, name in enumerate(fleet["behaviour"]["things"]):
            if name in owned:
                where: Where = ("fleet", position, "behaviour", "things", number)
                yield file.error(where, expected("a fleet that belongs to no household yet", name))
            owned[name] = fleet["name"]


class _NoTransport:
    """For fleets that are built to see whether they can be, and never run."""

    def channel(self, device: str) -> Any:
        return None

    def close(self) -> None:
        pass


def _wrong_behaviours(file: TomlFile) -> Iterator[FileError]:
    for position, table in enumerate(file.document["fleet"]):
        try_out = _TRY_OUT.get(table["kind"], _try_out)
        try:
            try_out(FleetSpec(table["kind"], 1, table["name"], table.get("behaviour", {})))
        except FleetError as problem:
            inside = ("behaviour", problem.option) if problem.option else ()
            yield file.error(("fleet", position, *inside), str(problem))


def _take_as_it_is(spec: FleetSpec) -> None:
    """The schema has said all there is to say about people."""


def _try_out_node(spec: FleetSpec) -> None:
    build_node("none", NodePlace(VirtualClock(), NoRadio(), RandomStreams(0)), spec.behaviour)


def _try_out(spec: FleetSpec) -> None:
    build_fleet(
        [spec],
        clock=VirtualClock(),
        streams=RandomStreams(0),
        transport=_NoTransport(),
        thing_tokens=iter(["none"]),
    )


_TRY_OUT: dict[str, Callable[[FleetSpec], None]] = {
    "actor": _take_as_it_is,
    "household": _take_as_it_is,
    "node": _try_out_node,
}
