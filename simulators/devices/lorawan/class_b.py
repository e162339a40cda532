"""
Class B: beacons kept in sight, ping slots listened to in between.

A device counts from the last moment at which it knew the time, so its windows widen the longer it
has heard no beacon; after two hours it gives up and is of class A again.

Source: LoRaWAN 1.0.4, chapters 8 to 15.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simulators.devices.lorawan import downlinks, reception
from simulators.devices.lorawan.reception import Tuning, listen_once, tell_ignored, tell_window
from simulators.devices.lorawan.state import BeaconTracking, NodeState, Steps
from simulators.devices.lorawan.time_sync import TimeSync
from simulators.devices.lorawan.windows import Window, window
from simulators.lorawan.class_b import (
    BEACON_GUARD_US,
    BEACON_PERIOD_S,
    BEACON_RESERVED_US,
    BEACONLESS_US,
    decode_beacon,
    next_beacon_s,
    next_ping_slot_us,
)
from simulators.lorawan.errors import LoRaWanError
from simulators.radio.transmission import Reception

SECOND_US = 1_000_000
SEARCHED_BEACONS = 3  # predicted windows that a device tries before it gives the search up


class Opening(NamedTuple):
    """The next window of class B: a beacon's, or a ping slot's."""

    window: Window
    tuning: Tuning
    is_beacon: bool


def acquire(node: NodeState) -> Steps:
    """
    Look for a beacon: in its predicted windows when the device knows the time, else all the time.

    Returns:
        Whether one was heard; the device knows the time then.
    """
    if node.time is not None:
        for _ in range(SEARCHED_BEACONS):
            if (yield from _one_window(node, _beacon_opening(node, node.clock.now_us()))):
                return True
        return False
    beacon = node.parameters.region.class_b.beacon
    hops = (node.parameters.beacon_hz,) if node.parameters.beacon_hz else beacon.frequencies_hz
    for frequency_hz in hops:
        tuning = reception.tuning_of(node, frequency_hz, beacon.data_rate)
        until_us = node.clock.now_us() + (BEACON_PERIOD_S + 3) * SECOND_US
        while (now_us := node.clock.now_us()) < until_us:
            heard = yield from listen_once(node, now_us, until_us, tuning)
            if heard is not None and _take_beacon(node, heard):
                return True
    return False


def listen(node: NodeState, until_us: int) -> Steps:
    """One window, if one opens until then; else sleep until then."""
    now_us = node.clock.now_us()
    tracking = node.class_b
    if tracking is None or node.time is None or now_us - tracking.heard_us > BEACONLESS_US:
        give_up(node)
        return
    opening = _next_opening(node, now_us)
    if opening.window.open_us >= until_us:
        over = node.clock.timeout(until_us - now_us)
        yield over if node.wake is None else over | node.wake
    else:
        yield from _one_window(node, opening)


def give_up(node: NodeState) -> None:
    """Be of class A again."""
    node.class_b = None
    node.device_class = "A"
    node.tell("none", {"type": "class", "class": "A", "reason": "no beacon for two hours"})


def silence_us(node: NodeState, now_us: int, airtime_us: int) -> int:
    """How long to hold an uplink back, so that neither it nor its windows meet a beacon."""
    if node.time is None:
        return 0
    gps_us = node.time.gps_at(now_us, node.drift_ppm)
    lasts_us = airtime_us + (node.parameters.rx1_delay_s + 2) * SECOND_US
    in_period_us = gps_us % (BEACON_PERIOD_S * SECOND_US)
    if in_period_us < BEACON_RESERVED_US:
        return BEACON_RESERVED_US - in_period_us
    left_us = BEACON_PERIOD_S * SECOND_US - in_period_us
    if left_us - BEACON_GUARD_US < lasts_us:
        return left_us + BEACON_RESERVED_US
    return 0


def _one_window(node: NodeState, opening: Opening) -> Steps:
    """Listen in one window; returns whether a beacon was heard."""
    opened = opening.window
    if node.observer is not None:
        name = "beacon" if opening.is_beacon else "ping slot"
        tell_window(node, name, opened, opening.tuning)
    heard = yield from listen_once(node, opened.open_us, opened.close_us, opening.tuning)
    if opening.is_beacon:
        is_heard = heard is not None and _take_beacon(node, heard)
        if node.class_b is not None and not is_heard:
            node.class_b.missed += 1
        return is_heard
    if heard is not None:
        downlinks.take_other(node, heard)
    return False


def _take_beacon(node: NodeState, heard: Reception) -> bool:
    layout = node.parameters.region.beacon_layout
    try:
        beacon = decode_beacon(heard.transmission.payload, layout)
    except LoRaWanError as error:
        tell_ignored(node, heard, str(error))
        return False
    now_us = heard.transmission.start_us
    node.time = TimeSync(now_us, beacon.gps_s * SECOND_US, 0)
    if node.class_b is not None:
        node.class_b.heard_us = now_us
        node.class_b.heard += 1
    if node.observer is not None:
        node.tell("downlink", {**reception.heard_fields(heard), "beacon_gps_s": beacon.gps_s})
    return True


def _next_opening(node: NodeState, now_us: int) -> Opening:
    openings = [_beacon_opening(node, now_us)]
    for slots in _ping_slots(node):
        openings.append(_ping_opening(node, now_us, slots))
    return min(openings, key=lambda each: each.window.open_us)


class PingSlots(NamedTuple):
    """Somebody's ping slots; a frequency of 0 means those of the region."""

    dev_addr: str
    periodicity: int
    frequency_hz: int
    data_rate: int


def _ping_slots(node: NodeState) -> Iterator[PingSlots]:
    """The device's own, and those of its groups."""
    session, tracking, parameters = node.session, node.class_b, node.parameters
    if session is not None and tracking is not None and tracking.is_known:
        hz, data_rate = parameters.ping_hz, parameters.ping_data_rate
        yield PingSlots(session.dev_addr, tracking.periodicity, hz, data_rate)
    for group in node.groups:
        if group.device_class == "B":
            hz, data_rate = group.frequency_hz, group.data_rate
            yield PingSlots(group.dev_addr, group.periodicity, hz, data_rate)


def _beacon_opening(node: NodeState, now_us: int) -> Opening:
    assert node.time is not None
    region = node.parameters.region
    gps_s = next_beacon_s(node.time.gps_at(now_us, node.drift_ppm) // SECOND_US)
    frequency_hz = node.parameters.beacon_hz or region.beacon_frequency_hz(gps_s)
    tuning = reception.tuning_of(node, frequency_hz, region.class_b.beacon.data_rate)
    return Opening(_window_at(node, gps_s * SECOND_US, tuning), tuning, True)


def _ping_opening(node: NodeState, now_us: int, slots: PingSlots) -> Opening:
    assert node.time is not None
    from_us = node.time.gps_at(now_us, node.drift_ppm) + 1
    gps_us = next_ping_slot_us(from_us, slots.dev_addr, slots.periodicity)
    beacon_s = gps_us // SECOND_US // BEACON_PERIOD_S * BEACON_PERIOD_S
    region = node.parameters.region
    hop_hz = slots.frequency_hz or region.ping_slot_frequency_hz(slots.dev_addr, beacon_s)
    tuning = reception.tuning_of(node, hop_hz, slots.data_rate)
    return Opening(_window_at(node, gps_us, tuning), tuning, False)


def _window_at(node: NodeState, gps_us: int, tuning: Tuning) -> Window:
    time = node.time
    assert time is not None
    return window(
        time.at_us,
        gps_us - time.gps_us,
        tuning.modulation,
        timing=node.settings.timing,
        drift_ppm=node.drift_ppm,
        error_us=time.error_us,
    )


def begin_tracking(node: NodeState, periodicity: int) -> BeaconTracking:
    """What a device begins to remember when it wants to be of class B."""
    node.class_b = BeaconTracking(periodicity, node.clock.now_us())
    return node.class_b
