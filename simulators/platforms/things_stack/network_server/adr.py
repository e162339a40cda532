"""
Adaptive data rate: from the last uplinks to the data rate, power and repetitions that are desired.

How it decides: the best SNR of at most 20 uplinks at the present data rate, against what that needs
and a margin. The data rate only rises; what is left of the margin lowers the power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.network_server.demodulation import floor_db
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac_settings import ADR_MARGIN
from simulators.platforms.things_stack.network_server.traffic import MOST_HEARD
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo

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


class Limits(NamedTuple):
    """
    What ADR may choose from.

    Attributes:
        fixed: the choice, when the device's settings make it.
        rates, powers: indices that its channels offer and that it has not rejected.
    """

    margin_db: float
    rates: list[int]
    powers: list[int]
    least_repeats: int
    most_repeats: int
    is_off: bool = False
    fixed: Choice | None = None


class View(NamedTuple):
    """What devices of the same traits start from, see ``Traits.adr``."""

    current: Choice
    desired: Choice
    limits: Limits


class _Heard(NamedTuple):
    """What is known of the uplinks since the last change, at the present data rate."""

    uplinks: int
    max_snr: float | None
    first_f_cnt: int


def note_uplink(stack: Stack, device: Device, info: UplinkInfo) -> None:
    """Look at an uplink that is not a repetition; it stands in ``device.traffic`` already."""
    view = device.traits.adr or _view(device)
    now = _followed(view.current, info.data_rate_index)
    choice = _choice(device, info, now, view.limits)
    if now != view.current:
        _put(device.mac_state["current_parameters"], now)
    if choice != view.desired:
        _put(device.mac_state["desired_parameters"], choice)
    if (now, choice) != view[:2]:
        device.save()


def _view(device: Device) -> View:
    state = device.mac_state
    current, desired = _of(state["current_parameters"]), _of(state["desired_parameters"])
    view = device.traits.adr = View(current, desired, _limits(device))
    return view


def _of(parameters: Document) -> Choice:
    get = parameters.get
    return Choice(get(RATE, 0), get(POWER, 0), get(REPEATS) or 1)


def _put(parameters: Document, choice: Choice) -> None:
    for name, value in zip((RATE, POWER, REPEATS), choice, strict=True):
        if value:
            parameters[name] = value
        else:
            parameters.pop(name, None)


def _followed(current: Choice, data_rate: int) -> Choice:
    """A device that has slowed down by itself has raised its power before."""
    if data_rate == current.data_rate:
        return current
    power = 0 if data_rate < current.data_rate else current.power
    return current._replace(data_rate=data_rate, power=power)


def _choice(device: Device, info: UplinkInfo, current: Choice, limits: Limits) -> Choice:
    if limits.is_off:
        return current
    if limits.fixed is not None:
        return limits.fixed  # whether the device lets the network choose or not
    if not info.frame.adr:
        return current
    heard = _since_change(device, current.data_rate)
    modulation = info.receptions[0].modulation
    if heard.max_snr is None or not isinstance(modulation, Lora):
        return current
    if not limits.rates or not limits.powers:
        return current
    margin = heard.max_snr - floor_db(modulation) - limits.margin_db
    if heard.uplinks < MOST_HEARD:
        margin -= _SAFETY_DB
    offsets = device.region.tx_power_offsets_db
    rate, margin = _rate(limits.rates, current.data_rate, margin, _lost_db(limits.powers, offsets))
    power = 0 if rate > current.data_rate else min(current.power, len(offsets) - 1)
    power = _power(limits.powers, power, margin, offsets)
    return Choice(rate, power, _repeats(device, heard, current.repeats, limits))


def _limits(device: Device) -> Limits:
    settings: Document = device.document.get("mac_settings", {})
    mode: Document = settings.get("adr", {})
    is_off = "disabled" in mode or settings.get("use_adr") is False
    static = mode.get("static")
    fixed = None
    if static is not None:
        repeats = static.get("nb_trans") or 1
        fixed = Choice(static.get("data_rate_index", 0), static.get("tx_power_index", 0), repeats)
    dynamic = mode.get("dynamic", {})
    return Limits(
        dynamic.get("margin", settings.get("adr_margin", ADR_MARGIN)),
        _rates(device, dynamic),
        _powers(device, dynamic),
        dynamic.get("min_nb_trans") or 1,
        min(dynamic.get("max_nb_trans") or _MOST_REPEATS, _MOST_REPEATS),
        is_off,
        fixed,
    )


def _since_change(device: Device, data_rate: int) -> _Heard:
    """The newest uplinks, back to the last change and at the present data rate."""
    changed = device.adr_changed_f_cnt
    count, max_snr, first = 0, None, 0
    for each in reversed(device.traffic.heard):
        if each.data_rate_index != data_rate or each.f_cnt <= changed:
            break
        count, first, snr = count + 1, each.f_cnt, each.max_snr
        if snr is not None and (max_snr is None or snr > max_snr):
            max_snr = snr
    return _Heard(count, max_snr, first)


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


def _lost_db(powers: list[int], offsets: tuple[int, ...]) -> int:
    """What the highest power that may be lies below the highest that there is."""
    return offsets[0] - offsets[powers[0]]


def _rate(rates: list[int], current: int, margin: float, lost_db: int) -> tuple[int, float]:
    """The fastest data rate that the margin allows, never a slower one; what is left of it."""
    rate = max(current, rates[0])
    for each in reversed(rates):
        if each <= rate:
            break
        if (each - current) * _STEP_DB <= margin - lost_db:
            rate = each
            break
    return rate, margin - (rate - current) * _STEP_DB


def _power(powers: list[int], current: int, margin: float, offsets: tuple[int, ...]) -> int:
    """
    The lowest power that the margin allows, a higher one where it is missed.

    An index that may not be gives way to the next; the highest power is not chosen to make up for
    a margin, and where no other is enough, all stays.
    """
    power = min(max(current, powers[0]), powers[-1])
    margin -= offsets[current] - offsets[power]
    for each in reversed(powers[1:]):
        if offsets[power] - offsets[each] <= margin:
            return each
    return power


def _repeats(device: Device, heard: _Heard, current: int, limits: Limits) -> int:
    """How often each frame is sent: more often the more of them never came."""
    repeats = min(current, _MOST_REPEATS)
    if heard.uplinks >= MOST_HEARD // 2:
        span = device.traffic.f_cnt_up - heard.first_f_cnt + 1
        lost = (span - heard.uplinks) / span
        if lost < _FEW_LOST:
            repeats = 1 + repeats // 3
        elif lost >= _MANY_LOST:
            repeats = _MOST_REPEATS
        elif lost >= _SOME_LOST:
            repeats = 2 + repeats // 2
    return max(limits.least_repeats, min(limits.most_repeats, repeats))
