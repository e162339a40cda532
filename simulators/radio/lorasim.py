"""
LoRaSim's study: how much of what N nodes send arrives, by experiment and interference model.

A plain list of events, no processes: frames start one after the other, and when one is over it is
known which others it met. Same seed, same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heapreplace

from simulators.radio.interference import INTERFERENCE_MODELS, Judge
from simulators.radio.lorasim_setting import (
    EXPERIMENTS,
    MEAN_GAP_US,
    SENSITIVITY,
    Field,
    Node,
)
from simulators.radio.transmission import unit_us
from simulators.randomness import RandomStreams

# LoRaSim's simple mode is pure ALOHA.
MODELS = {"simple": "aloha", "full": "lorasim"}


@dataclass(frozen=True, slots=True)
class Row:
    """One run: frames sent, the share of them that a gateway received, joules spent on sending."""

    nodes: int
    seed: int
    sent: int
    der: float
    energy_j: float


class Frame:
    """A frame on air, as an interference model sees it, and the frames that it met."""

    __slots__ = ("code", "critical_us", "end_us", "met", "sender", "start_us")

    def __init__(self, sender: Sender, start_us: int) -> None:
        self.sender = sender
        self.code = sender.code
        self.start_us = start_us
        self.end_us = start_us + sender.node.airtime_us
        self.critical_us = start_us + sender.free_us
        self.met: list[Frame] = []


class Sender:
    """A node with what does not change from frame to frame."""

    __slots__ = ("code", "free_us", "heard_by", "node")

    def __init__(self, node: Node, free_symbols: int) -> None:
        least_dbm = SENSITIVITY.dbm(node.modulation)
        self.node = node
        self.code = node.modulation.spreading_factor
        self.free_us = free_symbols * unit_us(node.modulation)
        self.heard_by = [
            number for number, level in enumerate(node.levels_dbm) if level >= least_dbm
        ]


def run(
    experiment: int, nodes: int, *, model: str, gateways: int, duration_ms: int, seed: int
) -> Row:
    """
    One run of an experiment.

    Args:
        experiment: 0 to 5.
        model: simple or full.
        gateways: 1, or a number for which LoRaSim has a layout.
    Raises:
        ValueError: no layout for so many gateways.
    """
    judge = Judge(INTERFERENCE_MODELS[MODELS[model]])
    streams = RandomStreams(seed)
    field = Field(EXPERIMENTS[experiment], gateways)
    places = streams.stream("lorasim", "places", experiment, gateways)
    senders = [Sender(field.place(places), judge.free_symbols) for _ in range(nodes)]
    sent = received = 0
    energy_j = 0.0
    for frame, is_received in _outcomes(senders, judge, streams, duration_ms * 1000):
        sent += 1
        received += is_received
        energy_j += frame.sender.node.energy_j
    return Row(nodes, seed, sent, received / sent if sent else 0.0, energy_j)


def _outcomes(
    senders: list[Sender], judge: Judge, streams: RandomStreams, until_us: int
) -> Iterator[tuple[Frame, bool]]:
    """Every frame that starts in time, when it is over, and whether a gateway received it."""
    on_air: list[Frame] = []
    for start_us, sender in _starts(senders, streams, until_us):
        going_on = []
        for each in on_air:
            if each.end_us > start_us:
                going_on.append(each)
            else:
                yield each, _is_received(each, judge)
        frame = Frame(sender, start_us)
        frequency_hz = sender.node.frequency_hz
        for each in going_on:
            if each.sender.node.frequency_hz == frequency_hz:
                each.met.append(frame)
                frame.met.append(each)
        going_on.append(frame)
        on_air = going_on
    for each in on_air:
        yield each, _is_received(each, judge)


def _starts(
    senders: list[Sender], streams: RandomStreams, until_us: int
) -> Iterator[tuple[int, Sender]]:
    """Who starts when: after each frame an exponential gap, the first one included."""
    gaps = [streams.stream("lorasim", "gaps", number) for number in range(len(senders))]
    rate = 1 / MEAN_GAP_US
    queue = [(round(rng.expovariate(rate)), number) for number, rng in enumerate(gaps)]
    heapify(queue)
    while queue:
        start_us, number = queue[0]
        if start_us >= until_us:
            return
        sender = senders[number]
        yield start_us, sender
        gap_us = round(gaps[number].expovariate(rate))
        heapreplace(queue, (start_us + sender.node.airtime_us + gap_us, number))


def _is_received(frame: Frame, judge: Judge) -> bool:
    met, frame.met = frame.met, []  # two frames that met would keep each other alive
    sender = frame.sender
    if not met:
        return bool(sender.heard_by)
    levels_dbm = sender.node.levels_dbm
    for gateway in sender.heard_by:
        others = [
            (each, each.sender.node.levels_dbm[gateway])
            for each in met
            if gateway in each.sender.heard_by
        ]
        if judge.survives(frame, levels_dbm[gateway], others):
            return True
    return False
