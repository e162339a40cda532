"""
Keys with a meaning of their own: ``$geo``, ``$settings`` with its paths, ``description``.

They are states, not timelines: the last value counts, and no datetime is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.thethings_io.arguments import json_text
from simulators.platforms.thethings_io.refusals import NO_RESOURCE, Refused
from simulators.platforms.thethings_io.store import Thing
from simulators.wire.thethings_io import WireError, is_magic_key, read_geo, read_point

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

States = dict[str, Any]
_DEEPEST_PATH = 64


def accept(core: Core, thing: Thing, key: Any, item: dict[str, Any], states: States) -> bool:
    """
    Put a write to a key with its own meaning into ``states`` (state name → new value).

    Returns:
        False when the key has none; an unknown ``$`` name is accepted and ignored.
    Raises:
        Refused: the value does not fit the key.
    """
    if key == "description":
        states["description"] = description(item["value"])
        return True
    if not is_magic_key(key):
        return False
    writer = _WRITERS.get(key.partition(".")[0])
    if writer is not None:
        writer(core, thing, key, item, states)
    return True


def read(core: Core, thing: Thing, key: str) -> Any:
    """
    The value of a ``$`` key.

    Raises:
        Refused: no such key, or a position that was never written.
    """
    if key == "$geo":
        text = core.store.state(thing, "$geo")
        if text is not None:
            return core.store.show(text)
    name, *path = key.split(".")
    if name == "$settings":
        return core.store.show(json_text(_at(_settings(core, thing, {}), path)))
    raise Refused(404, NO_RESOURCE)


def description(value: Any) -> dict[str, Any]:
    """A description is an object; it is replaced as a whole."""
    if not isinstance(value, dict):
        raise Refused(400, "description must be an object")
    return value


def _write_geo(core: Core, thing: Thing, key: str, item: dict[str, Any], states: States) -> None:
    if key != "$geo":
        return
    try:
        longitude, latitude = _position(item)
    except WireError as error:
        raise Refused(400, f"$geo: {error}") from error
    states["$geo"] = {"type": "Point", "coordinates": [longitude, latitude]}


def _position(item: dict[str, Any]) -> tuple[float, float]:
    if item["value"] is not None:
        return read_point(item["value"])
    latitude, longitude = read_geo(item.get("geo"))
    return longitude, latitude


def _write_settings(
    core: Core, thing: Thing, key: str, item: dict[str, Any], states: States
) -> None:
    path = key.split(".")[1:]
    if not all(path) or len(path) > _DEEPEST_PATH:
        raise Refused(400, "a path in $settings must consist of names joined by single dots")
    settings = states["$settings"] = _settings(core, thing, states)
    if path:
        _set_at(settings, path, item["value"])
    else:
        _merge(core, settings, item["value"])


def _settings(core: Core, thing: Thing, states: States) -> dict[str, Any]:
    if "$settings" in states:
        settings: dict[str, Any] = states["$settings"]
        return settings
    text = core.store.state(thing, "$settings")
    return {} if text is None else dict(orjson.loads(text))


def _merge(core: Core, settings: dict[str, Any], value: Any) -> None:
    if not isinstance(value, dict):
        raise Refused(400, "$settings must be an object")
    if not core.policy.settings_merge:
        settings.clear()
    settings.update(value)


def _set_at(settings: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        # A copy: the request's own document must not change with the settings.
        child = settings.get(name, {})
        if not isinstance(child, dict):
            raise Refused(400, "a path in $settings leads through a value that is no object")
        settings[name] = child = dict(child)
        settings = child
    settings[path[-1]] = value


def _at(settings: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(settings, dict) or name not in settings:
            return None
        settings = settings[name]
    return settings


_WRITERS: dict[str, Callable[[Core, Thing, str, dict[str, Any], States], None]] = {
    "$geo": _write_geo,
    "$settings": _write_settings,
}
