"""The channels that a device may send in, and the data rates of its uplinks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions.region import Region

Document = dict[str, Any]


class UplinkChannel(NamedTuple):
    """An enabled channel of a device: its index, and the data rates that may be used in it."""

    number: int
    min_data_rate: int
    max_data_rate: int


def channels_of(mac_state: Document, *, is_asked: bool) -> dict[int, UplinkChannel]:
    """
    The enabled channels by frequency.

    A device that was asked to use others uses them from the uplink on that carries its answer.
    """
    found = _enabled(mac_state.get("current_parameters", {}))
    if is_asked:
        found = _enabled(mac_state.get("desired_parameters", {})) | found
    return found


def _enabled(parameters: Document) -> dict[int, UplinkChannel]:
    return _channel_table(orjson.dumps(parameters.get("channels", ())))


@lru_cache(maxsize=4096)  # many devices have the same
def _channel_table(channels: bytes) -> dict[int, UplinkChannel]:
    """Enabled channels by frequency; of two with the same, the first."""
    return {
        int(channel["uplink_frequency"]): UplinkChannel(
            number, channel.get("min_data_rate_index", 0), channel.get("max_data_rate_index", 0)
        )
        for number, channel in reversed(list(enumerate(orjson.loads(channels))))
        if channel.get("enable_uplink") and "uplink_frequency" in channel
    }


@lru_cache(maxsize=4096)
def uplink_data_rate(region: Region, modulation: Modulation) -> int | None:
    """The index of an uplink's data rate."""
    return region.find_data_rate(modulation, is_downlink=False)
