"""Sending: which channel, when, how loud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from simulators.devices.lorawan import class_b, idle
from simulators.devices.lorawan.channel_plan import Choice, Group
from simulators.devices.lorawan.duty_cycle import FOREVER
from simulators.devices.lorawan.state import NodeState, Steps
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import datr


class Sent(NamedTuple):
    """One transmission: when it ended, in which channel, with which data rate."""

    end_us: int
    choice: Choice
    data_rate: int


def find_channel(node: NodeState, groups: Iterable[Group], airtime_us: int) -> Steps:
    """
    A channel that may be used now, after waiting for one where none may.

    Returns:
        A Choice; None when there is no channel, or none that will ever be free for so long a frame.
    """
    while True:
        now_us = node.clock.now_us()
        free, wait_us = free_choices(node, groups, airtime_us, now_us)
        if free:
            wait_us = silence_us(node, airtime_us, now_us)
            if wait_us <= 0:
                return free[int(node.rng.random() * len(free))]
        elif wait_us >= FOREVER:
            return None
        yield from idle.listen(node, now_us + wait_us)


def free_choices(
    node: NodeState, groups: Iterable[Group], airtime_us: int, now_us: int
) -> tuple[tuple[Choice, ...], int]:
    """The channels that the duty cycle leaves at present; how long until there is one."""
    free: tuple[Choice, ...] = ()
    wait_us = FOREVER
    for band, choices in groups:
        band_wait_us = node.duty.wait_us(band, airtime_us, now_us)
        if band_wait_us <= 0:
            free += choices
        elif band_wait_us < wait_us:
            wait_us = band_wait_us
    return free, wait_us


def silence_us(node: NodeState, airtime_us: int, now_us: int) -> int:
    """How long the device has to be silent in all channels: by DutyCycleReq, or for a beacon."""
    wait_us = node.quiet_until_us - now_us
    if node.class_b is not None:
        wait_us = max(wait_us, class_b.silence_us(node, now_us, airtime_us))
    return wait_us


def send(
    node: NodeState, phy: bytes, choice: Choice, data_rate: int, about: dict[str, Any] | None
) -> Sent:
    """
    Send now, and account for it.

    Args:
        about: what the trace shall tell beside what every transmission has; None without a trace.
    """
    parameters, region, now_us = node.parameters, node.parameters.region, node.clock.now_us()
    row = region.data_rates[data_rate]
    assert row is not None
    modulation = row.modulation
    airtime_us = time_on_air_us(modulation, len(phy))
    power_dbm = min(
        parameters.max_eirp_dbm + region.tx_power_offsets_db[parameters.tx_power],
        choice.max_eirp_dbm,
    )
    end_us = node.radio.transmit(
        phy, frequency_hz=choice.frequency_hz, modulation=modulation, power_dbm=power_dbm
    )
    node.uplink_end_us = end_us
    node.duty.spend(choice.band, airtime_us, now_us)
    if parameters.max_duty_exponent:
        node.quiet_until_us = now_us + (airtime_us << parameters.max_duty_exponent)
    node.energy.transmitted(airtime_us, power_dbm - node.settings.antenna_gain_dbi)
    node.energy.standby_us += node.settings.wake_up_us
    node.tally.transmissions += 1
    if about is not None:
        node.tell(
            "uplink",
            {
                **about,
                "payload": phy.hex(),
                "frequency_hz": choice.frequency_hz,
                "channel": choice.channel,
                "data_rate": datr(modulation),
                "data_rate_index": data_rate,
                "power_dbm": round(power_dbm, 2),
                "airtime_us": airtime_us,
            },
        )
    return Sent(end_us, choice, data_rate)
