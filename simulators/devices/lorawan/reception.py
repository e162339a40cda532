"""
The two windows after an uplink, and the one that a class C device keeps open besides.

Source: LoRaWAN 1.0.4, section 3.3 and chapter 17 (class C).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simulators.devices.lorawan.state import NodeState, Steps
from simulators.devices.lorawan.windows import Window, is_acceptable, is_caught, window
from simulators.lorawan.modulation import Modulation, datr
from simulators.radio.transmission import Reception

BETWEEN_US = 1_000_000  # from RX1 to RX2
WIDE_TAIL_US = 3_000_000


class Tuning(NamedTuple):
    """What a window listens to."""

    frequency_hz: int
    modulation: Modulation


class Plan(NamedTuple):
    """Both windows of an uplink."""

    delay_us: int
    rx1: Tuning
    rx2: Tuning


# Judges what was heard: whether the device takes it, and is thereby through with its windows.
Take = Callable[[NodeState, Reception], bool]
# Is told of a frame that no real window would have caught: which one, and how late it began.
Miss = Callable[[NodeState, Reception, str, int], None]


def receive(
    node: NodeState, end_us: int, plan: Plan, take: Take, between: Take | None = None
) -> Steps:
    """
    Keep the windows after an uplink that ended at ``end_us``; returns whether one was used.

    RX2 stays shut when RX1 brought a frame that the device took, or one that lasts beyond it.

    Args:
        between: judges what a class C device hears beside them; None: it does not listen there.
    """
    opened = open_window(node, end_us, plan.delay_us, plan.rx1.modulation)
    if between is not None and node.device_class == "C":
        since_us = max(end_us, node.clock.now_us())
        yield from _listen_between(node, since_us, opened.open_us, between)
    if (yield from _listen(node, "RX1", opened, plan.rx1, take)):
        return True
    later = open_window(node, end_us, plan.delay_us + BETWEEN_US, plan.rx2.modulation)
    now_us = node.clock.now_us()
    if later.close_us <= now_us:
        return False
    if between is not None and node.device_class == "C":
        yield from _listen_between(node, now_us, later.open_us, between)
    return (yield from _listen(node, "RX2", later, plan.rx2, take))


def open_window(node: NodeState, since_us: int, delay_us: int, modulation: Modulation) -> Window:
    """A window of this device, with its timing and its crystal."""
    return window(
        since_us, delay_us, modulation, timing=node.settings.timing, drift_ppm=node.drift_ppm
    )


def _listen(node: NodeState, name: str, opened: Window, tuning: Tuning, take: Take) -> Steps:
    if node.observer is not None:
        tell_window(node, name, opened, tuning)
    reception = yield from listen_once(node, opened.open_us, opened.close_us, tuning)
    if reception is None:
        return False
    start_us = reception.transmission.start_us
    if not is_acceptable(opened, start_us, node.settings.timing):
        node.tally.ignored += 1
        tell_ignored(node, reception, f"{start_us - opened.nominal_us} µs from when it was due")
        return False
    return take(node, reception)


def listen_once(node: NodeState, open_us: int, close_us: int, tuning: Tuning) -> Steps:
    """One window: a Reception or None; its time is accounted for."""
    now_us = node.clock.now_us()
    if open_us < now_us:  # an earlier window lasted longer, or the host was late
        open_us = now_us
        if close_us <= now_us:
            return None
    heard = node.radio.listen(
        frequency_hz=tuning.frequency_hz,
        modulation=tuning.modulation,
        open_us=open_us,
        close_us=close_us,
    )
    node.energy.listening_from_us = open_us
    yield heard if node.wake is None else heard | node.wake
    node.energy.listened(node.clock.now_us())
    node.energy.standby_us += node.settings.wake_up_us
    reception: Reception | None = heard.value if heard.processed else None
    return reception


def receive_wide(node: NodeState, end_us: int, plan: Plan, take: Take, miss: Miss) -> Steps:
    """
    As ``receive``, listening without a break until some time after RX2.

    What a real window would not have caught is not taken, but told to ``miss``.
    """
    rx1 = open_window(node, end_us, plan.delay_us, plan.rx1.modulation)
    rx2 = open_window(node, end_us, plan.delay_us + BETWEEN_US, plan.rx2.modulation)
    for name, opened, tuning, until_us in (
        ("RX1", rx1, plan.rx1, rx2.open_us),
        ("RX2", rx2, plan.rx2, rx2.close_us + WIDE_TAIL_US),
    ):
        tell_window(node, name, opened, tuning)
        while (now_us := node.clock.now_us()) < until_us:
            reception = yield from listen_once(node, max(now_us, end_us), until_us, tuning)
            if reception is None:
                break
            start_us = reception.transmission.start_us
            if not is_caught(opened, start_us, tuning.modulation) or not is_acceptable(
                opened, start_us, node.settings.timing
            ):
                miss(node, reception, name, start_us - opened.nominal_us)
            elif take(node, reception):
                return True
    return False


def _listen_between(node: NodeState, open_us: int, until_us: int, take: Take) -> Steps:
    """The continuous window of class C, which RX1 and RX2 cut short whatever is going on in it."""
    tuning = continuous(node)
    while node.clock.now_us() < until_us:
        heard = node.radio.listen(
            frequency_hz=tuning.frequency_hz,
            modulation=tuning.modulation,
            open_us=max(open_us, node.clock.now_us()),
            close_us=until_us,
        )
        node.energy.listening_from_us = max(open_us, node.clock.now_us())
        yield heard | node.clock.timeout(until_us - node.clock.now_us())
        node.energy.listened(node.clock.now_us())
        if not heard.processed or heard.value is None:
            return
        take(node, heard.value)


def continuous(node: NodeState) -> Tuning:
    """What a class C device listens to at all other times: RX2, or a multicast group's channel."""
    for group in node.groups:
        if group.device_class == "C":
            return tuning_of(node, group.frequency_hz, group.data_rate)
    return tuning_of(node, *node.parameters.rx2)


def tuning_of(node: NodeState, frequency_hz: int, data_rate: int) -> Tuning:
    """A frequency with the modulation of a data rate."""
    return Tuning(frequency_hz, node.parameters.region.data_rate(data_rate).modulation)


def tell_window(node: NodeState, name: str, opened: Window, tuning: Tuning) -> None:
    """Into the trace: when the window opens and closes."""
    node.tell(
        "none",
        {
            "window": name,
            "open_us": opened.open_us,
            "close_us": opened.close_us,
            "frequency_hz": tuning.frequency_hz,
            "data_rate": datr(tuning.modulation),
        },
    )


def tell_ignored(node: NodeState, reception: Reception, reason: str) -> None:
    """Into the trace: a frame that was heard and not taken."""
    if node.observer is not None:
        node.tell("downlink", {**heard_fields(reception), "ignored": reason})


def heard_fields(reception: Reception) -> dict[str, object]:
    """What the trace says of every frame that was heard."""
    transmission = reception.transmission
    return {
        "payload": transmission.payload.hex(),
        "frequency_hz": transmission.frequency_hz,
        "data_rate": datr(transmission.modulation),
        "rssi_dbm": round(reception.rssi_dbm, 1),
        "snr_db": round(reception.snr_db, 1),
        "start_us": transmission.start_us,
    }
