"""
What a device's MAC settings come to: its own, then the plan's, the server's, the band's.

Current parameters are what a device starts with, desired ones what the network brings it to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulators.lorawan.regions.region import ADR_ACK_DELAY, ADR_ACK_LIMIT, Region
from simulators.platforms.things_stack.bands import boot_dwell
from simulators.platforms.things_stack.plans import Plan

Document = dict[str, Any]

# Of the server; times as messages carry them.
CLASS_B_TIMEOUT, CLASS_C_TIMEOUT = "600s", "300s"
STATUS_TIME_PERIODICITY, STATUS_COUNT_PERIODICITY = "86400s", 200
ADR_MARGIN = 15
RX1_DELAY, DESIRED_RX1_DELAY = 1, 5
_DWELL_TIMES = ("uplink_dwell_time", "downlink_dwell_time")


def default_settings(region: Region, plan: Plan) -> Document:
    """What holds for a device that says nothing."""
    rx2_frequency, rx2_data_rate = _plan_rx2(region, plan)
    settings: Document = {
        "class_b_timeout": CLASS_B_TIMEOUT,
        "class_c_timeout": CLASS_C_TIMEOUT,
        "rx1_delay": RX1_DELAY,
        "rx1_data_rate_offset": 0,
        "rx2_data_rate_index": region.rx2.data_rate,
        "rx2_frequency": str(region.rx2.frequency_hz),
        "max_duty_cycle": "DUTY_CYCLE_1",
        "supports_32_bit_f_cnt": True,
        "resets_f_cnt": False,
        "status_time_periodicity": STATUS_TIME_PERIODICITY,
        "status_count_periodicity": STATUS_COUNT_PERIODICITY,
        "desired_rx1_delay": DESIRED_RX1_DELAY,
        "desired_rx1_data_rate_offset": 0,
        "desired_rx2_data_rate_index": rx2_data_rate,
        "desired_rx2_frequency": str(rx2_frequency),
        "desired_max_duty_cycle": "DUTY_CYCLE_1",
        "desired_adr_ack_limit_exponent": f"ADR_ACK_LIMIT_{ADR_ACK_LIMIT}",
        "desired_adr_ack_delay_exponent": f"ADR_ACK_DELAY_{ADR_ACK_DELAY}",
        "adr": {"dynamic": {"margin": ADR_MARGIN}},
        "schedule_downlinks": True,
    }
    for prefix in ("", "desired_"):
        settings |= {
            f"{prefix}ping_slot_data_rate_index": region.class_b.ping_slots.data_rate,
            f"{prefix}ping_slot_frequency": str(_single(region.class_b.ping_slots.frequencies_hz)),
            f"{prefix}beacon_frequency": str(_single(region.class_b.beacon.frequencies_hz)),
        }
    if region.has_tx_param_setup:
        settings |= _dwell_times({}, region)
    return settings


def mac_state(device: Document, region: Region, plan: Plan) -> Document:
    """The MAC state of a device whose session begins now."""
    is_class_c = device.get("supports_class_c") and not device.get("supports_class_b")
    state: Document = {
        "current_parameters": current_parameters(device, region),
        "desired_parameters": desired_parameters(device, region, plan),
        "lorawan_version": device["lorawan_version"],
    }
    if is_class_c and not _starts_in_class_a(device):
        state["device_class"] = "CLASS_C"
    if device.get("multicast") and device.get("supports_class_b"):
        state["device_class"] = "CLASS_B"
    periodicity = device.get("mac_settings", {}).get("ping_slot_periodicity")
    return state | ({"ping_slot_periodicity": periodicity} if periodicity else {})


def _starts_in_class_a(device: Document) -> bool:
    """From 1.1 on a device tells that it changes to class C."""
    return bool(device["lorawan_version"] == "MAC_V1_1" and not device.get("multicast"))


def current_parameters(device: Document, region: Region) -> Document:
    """What a device starts with."""
    settings = device.get("mac_settings", {})
    parameters = _parameters(settings, region, prefix="")
    parameters |= _numbers(
        rx1_delay=settings.get("rx1_delay", RX1_DELAY),
        rx1_data_rate_offset=settings.get("rx1_data_rate_offset", 0),
        rx2_data_rate_index=settings.get("rx2_data_rate_index", region.rx2.data_rate),
    )
    parameters["rx2_frequency"] = settings.get("rx2_frequency", str(region.rx2.frequency_hz))
    parameters["channels"] = list(_current_channels(settings, region))
    parameters["adr_ack_limit_exponent"] = f"ADR_ACK_LIMIT_{ADR_ACK_LIMIT}"
    parameters["adr_ack_delay_exponent"] = f"ADR_ACK_DELAY_{ADR_ACK_DELAY}"
    if region.has_tx_param_setup:
        parameters |= _dwell_times(settings, region)
    return parameters


def desired_parameters(device: Document, region: Region, plan: Plan) -> Document:
    """What the network brings a device to."""
    settings = device.get("mac_settings", {})
    rx2_frequency, rx2_data_rate = _plan_rx2(region, plan)
    parameters = _parameters(settings, region, prefix="desired_")
    limit = plan.get("max_eirp")
    if limit is not None and "desired_max_eirp" not in settings:
        parameters["max_eirp"] = min(limit, region.max_eirp_dbm)
    parameters |= _numbers(
        rx1_delay=settings.get("desired_rx1_delay", DESIRED_RX1_DELAY),
        rx1_data_rate_offset=_first(settings, "rx1_data_rate_offset", 0),
        rx2_data_rate_index=settings.get("desired_rx2_data_rate_index", rx2_data_rate),
    )
    parameters["rx2_frequency"] = settings.get("desired_rx2_frequency", str(rx2_frequency))
    parameters["channels"] = list(_desired_channels(settings, region, plan))
    for name in ("limit", "delay"):
        key = f"adr_ack_{name}_exponent"
        default = f"ADR_ACK_{name.upper()}_{ADR_ACK_LIMIT if name == 'limit' else ADR_ACK_DELAY}"
        parameters[key] = settings.get(f"desired_{key}", default)
    if region.has_tx_param_setup:
        dwell = plan.get("dwell_time", {})
        planned = {f"{way}_dwell_time": dwell.get(f"{way}s") for way in ("uplink", "downlink")}
        known = {name: value for name, value in planned.items() if value is not None}
        parameters |= _dwell_times(known, region)
    return parameters


def _dwell_times(known: Document, region: Region) -> Document:
    """Limits of 400 ms that are known, else those that devices of the band begin with."""
    boot = boot_dwell(region)
    defaults = dict(zip(_DWELL_TIMES, boot, strict=True)) if boot else {}
    return {name: {**defaults, **known}[name] for name in _DWELL_TIMES if name in defaults | known}


def _parameters(settings: Document, region: Region, *, prefix: str) -> Document:
    """What both kinds of parameters take from settings of their own or from the band."""
    eirp = settings.get("desired_max_eirp") if prefix else None
    parameters: Document = {
        "max_eirp": int(eirp.rpartition("_")[2]) if eirp else region.max_eirp_dbm,
        "adr_nb_trans": 1,
    }
    duty_cycle = _first(settings, "max_duty_cycle", "DUTY_CYCLE_1", prefix=prefix)
    if duty_cycle != "DUTY_CYCLE_1":
        parameters["max_duty_cycle"] = duty_cycle
    class_b = region.class_b
    frequencies = {
        "ping_slot_frequency": _single(class_b.ping_slots.frequencies_hz),
        "beacon_frequency": _single(class_b.beacon.frequencies_hz),
    }
    for name, default in frequencies.items():
        value = _first(settings, name, str(default), prefix=prefix)
        if value != "0":
            parameters[name] = value
    parameters["ping_slot_data_rate_index_value"] = _first(
        settings, "ping_slot_data_rate_index", class_b.ping_slots.data_rate, prefix=prefix
    )
    return parameters


def _first(settings: Document, name: str, default: Any, *, prefix: str = "desired_") -> Any:
    """A setting as desired, else as it is at the start, else a default."""
    return settings.get(f"{prefix}{name}", settings.get(name, default))


def _numbers(**values: int) -> Document:
    """Numbers without the zeros, which messages leave out."""
    return {name: value for name, value in values.items() if value}


def _single(frequencies_hz: tuple[int, ...]) -> int:
    """A frequency, or 0 where several take turns."""
    return frequencies_hz[0] if len(frequencies_hz) == 1 else 0


def _plan_rx2(region: Region, plan: Plan) -> tuple[int, int]:
    frequency = plan.get("rx2_channel", {}).get("frequency", region.rx2.frequency_hz)
    return frequency, plan.get("rx2_default_data_rate", region.rx2.data_rate)


def _current_channels(settings: Document, region: Region) -> Iterator[Document]:
    """Channels that exist from the start; presets add some, and say which are in use."""
    presets = [int(each) for each in settings.get("factory_preset_frequencies", ())]
    for index, channel in enumerate(region.uplink_channels):
        is_enabled = not presets or channel.frequency_hz in presets
        rates = (channel.min_data_rate, channel.max_data_rate)
        yield _channel(region, index, channel.frequency_hz, rates, is_enabled=is_enabled)
    known = {channel.frequency_hz for channel in region.uplink_channels}
    added = [each for each in presets if each not in known]
    if region.is_fixed_plan:
        return
    for number, frequency in enumerate(added):
        index = len(region.uplink_channels) + number
        yield _channel(region, index, frequency, (0, region.max_adr_data_rate), is_enabled=True)


def _desired_channels(settings: Document, region: Region, plan: Plan) -> Iterator[Document]:
    """The plan's channels, in the order of the channels that exist from the start."""
    planned = {frequency: (low, high) for frequency, low, high in plan["uplink_channels"]}
    standard = plan.get("lora_standard_channel")
    if standard is not None and region.is_fixed_plan:
        planned[standard["frequency"]] = (standard["data-rate"], standard["data-rate"])
    for index, channel in enumerate(region.uplink_channels):
        rates = (channel.min_data_rate, channel.max_data_rate)
        is_enabled = planned.pop(channel.frequency_hz, None) is not None
        yield _channel(region, index, channel.frequency_hz, rates, is_enabled=is_enabled)
    if region.is_fixed_plan:
        return
    for number, (frequency, rates) in enumerate(planned.items()):
        index = len(region.uplink_channels) + number
        yield _channel(region, index, frequency, rates, is_enabled=True)


def _channel(
    region: Region, index: int, frequency: int, rates: tuple[int, int], *, is_enabled: bool
) -> Document:
    channel: Document = {
        "uplink_frequency": str(frequency),
        "downlink_frequency": str(region.rx1_frequency_hz(index, frequency)),
    }
    channel |= _numbers(min_data_rate_index=rates[0], max_data_rate_index=rates[1])
    return channel | ({"enable_uplink": True} if is_enabled else {})
