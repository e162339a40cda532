"""
Adaptive data rate: from the last uplinks to the data rate, power and repetitions that are desired.

How it decides: the best SNR of at most 20 uplinks at the present data rate, against what that needs
and a margin. The data rate only rises; what is left of the margin lowers the power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.network_server.demodulation import floor_db
from simulators.platforms.things_stack.network_server.device import Device, UplinkInfo
from simulators.platforms.things_stack.network_server.mac_settings import ADR_MARGIN
from simulators.platforms.things_stack.network_server.traffic import MOST_HEARD, Heard

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

RATE, POWER, REPEATS = "adr_data_rate_index", "adr_tx_power_index", "adr_nb_trans"
_STEP_DB = 2.5  # from one data rate to the next
_SAFETY_DB = 2.5  # while fewer uplinks are known than could be
_MOST_REPEATS = 3
_FEW_LOST, _SOME_LOST, _MANY_LOST = 0.05, 0.10, 0.30


class Choice(NamedTuple):
    """What ADR sets."""

    data_rate: int
    power: int
    repeats: int


def note_uplink(stack: Stack, device: Device, info: UplinkInfo) -> None:
    """Look at an uplink that is not a repetition; it stands in ``device.traffic`` already."""
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    is_changed = _follow(current, info.data_rate_index)
    choice = _choice(device, info, _of(current))
    if choice != _of(desired):
        _put(desired, choice)
        is_changed = True
    if is_changed:
        device.save()


def _of(parameters: Document) -> Choice:
    get = parameters.get
    return Choice(get(RATE, 0), get(POWER, 0), get(REPEATS) or 1)


def _put(parameters: Document, choice: Choice) -> None:
    for name, value in zip((RATE, POWER, REPEATS), choice, strict=True):
        if value:
            parameters[name] = value
        else:
            parameters.pop(name, None)


def _follow(current: Document, data_rate: int) -> bool:
    """A device that has slowed down by itself has raised its power before."""
    known = current.get(RATE, 0)
    if known == data_rate:
        return False
    _put(current, _of(current)._replace(data_rate=data_rate))
    if data_rate < known:
        current.pop(POWER, None)
    return True


def _choice(device: Device, info: UplinkInfo, current: Choice) -> Choice:
    settings: Document = device.document.get("mac_settings", {})
    mode: Document = settings.get("adr", {})
    if not info.adr or "disabled" in mode or settings.get("use_adr") is False:
        return current
    if "static" in mode:
        static = mode["static"]
        return Choice(
            static.get("data_rate_index", 0),
            static.get("tx_power_index", 0),
            static.get("nb_trans") or 1,
        )
    dynamic = mode.get("dynamic", {})
    margin = dynamic.get("margin", settings.get("adr_margin", ADR_MARGIN))
    return _dynamic(device, info, current, dynamic, margin)


def _dynamic(
    device: Device, info: UplinkInfo, current: Choice, limits: Document, margin_db: float
) -> Choice:
    heard = _since_change(device, current.data_rate)
    known = [each.max_snr for each in heard if each.max_snr is not None]
    rates = _rates(device, limits)
    powers = _powers(device, limits)
    modulation = info.receptions[0].modulation
    if not known or not rates or not powers or not isinstance(modulation, Lora):
        return current
    margin = max(known) - floor_db(modulation) - margin_db
    if len(heard) < MOST_HEARD:
        margin -= _SAFETY_DB
    offsets = device.region.tx_power_offsets_db
    rate, margin = _rate(rates, current.data_rate, margin)
    power = 0 if rate > current.data_rate else min(current.power, len(offsets) - 1)
    power = _power(powers, power, margin, offsets)
    return Choice(rate, power, _repeats(heard, current.repeats, limits))


def _since_change(device: Device, data_rate: int) -> list[Heard]:
    """The newest uplinks, back to the last change and at the present data rate."""
    all_heard = device.traffic.heard
    changed = device.mac_state.get("last_adr_change_f_cnt_up", 0)
    for at in range(len(all_heard) - 1, -1, -1):
        each = all_heard[at]
        if each.data_rate_index != data_rate or (changed and each.f_cnt <= changed):
            return all_heard[at + 1 :]
    return all_heard


def _rates(device: Device, limits: Document) -> list[int]:
    """Data rates that the device's channels offer and that it has not rejected."""
    state = device.mac_state
    on = [each for each in state["current_parameters"]["channels"] if each.get("enable_uplink")]
    if not on:
        return []
    region = device.region
    lowest = min(each.get("min_data_rate_index", 0) for each in on)
    highest = max(each.get("max_data_rate_index", 0) for each in on)
    highest = min(highest, region.max_adr_data_rate, limits.get("max_data_rate_index", 15))
    lowest = max(lowest, limits.get("min_data_rate_index", 0))
    rejected = state.get("rejected_adr_data_rate_indexes", ())
    return [each for each in range(lowest, highest + 1) if each not in rejected]


def _powers(device: Device, limits: Document) -> list[int]:
    last = min(len(device.region.tx_power_offsets_db) - 1, limits.get("max_tx_power_index", 15))
    rejected = device.mac_state.get("rejected_adr_tx_power_indexes", ())
    first = limits.get("min_tx_power_index", 0)
    return [each for each in range(first, last + 1) if each not in rejected]


def _rate(rates: list[int], current: int, margin: float) -> tuple[int, float]:
    """The fastest data rate that the margin allows, never a slower one; what is left of it."""
    least = max(current, rates[0])
    faster = [each for each in rates if each > least and (each - current) * _STEP_DB <= margin]
    rate = faster[-1] if faster else least
    return rate, margin - (rate - current) * _STEP_DB


def _power(powers: list[int], current: int, margin: float, offsets: tuple[int, ...]) -> int:
    """The lowest power that the margin allows; an index that may not be gives way to the next."""
    power = min(max(current, powers[0]), powers[-1])
    margin -= offsets[current] - offsets[power]
    lower = [each for each in powers if each > power and offsets[power] - offsets[each] <= margin]
    return lower[-1] if lower else power


def _repeats(heard: list[Heard], current: int, limits: Document) -> int:
    """How often each frame is sent: more often the more of them never came."""
    repeats = min(current, _MOST_REPEATS)
    if len(heard) >= MOST_HEARD // 2:
        lost = _loss_rate(heard)
        if lost < _FEW_LOST:
            repeats = 1 + repeats // 3
        elif lost >= _MANY_LOST:
            repeats = _MOST_REPEATS
        elif lost >= _SOME_LOST:
            repeats = 2 + repeats // 2
    least, most = limits.get("min_nb_trans") or 1, limits.get("max_nb_trans") or _MOST_REPEATS
    return int(max(least, min(most, repeats, _MOST_REPEATS)))


def _loss_rate(heard: list[Heard]) -> float:
    span = heard[-1].f_cnt - heard[0].f_cnt + 1
    return max(0.0, (span - len(heard)) / span)
