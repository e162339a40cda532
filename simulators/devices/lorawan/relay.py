"""
A switch on LoRaWAN: follows commands that come by downlink, and tells its position.

A command is one byte, 1 for on and 0 for off, on the port of its reports; a report is one digital
input of Cayenne LPP. It reports once per period, and at once after a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import simpy

from simulators.clock import MICROSECONDS, Clock
from simulators.devices.lorawan.reporting import RETRY_US, Reporting
from simulators.devices.lorawan.state import Steps
from simulators.lorawan.frames import DataFrame
from simulators.wire.cayenne_lpp import encode_lpp

if TYPE_CHECKING:
    from simulators.devices.node import Node

POSITIONS = ("off", "on")
ORDERS = {position: bytes((number,)) for number, position in enumerate(POSITIONS)}
CHANNEL = 1


@dataclass(frozen=True)
class RelayHabits:
    """How long a relay takes to follow."""

    reaction_s: float = 0.1


class Reaction(NamedTuple):
    """A command that was followed: when it came, when the relay was in position."""

    received_us: int
    done_us: int
    position: str


class Relay:
    """What is switched; ``reactions`` and ``ignored`` commands are kept account of."""

    def __init__(self, clock: Clock, f_port: int, habits: RelayHabits) -> None:
        self.position = POSITIONS[0]
        self.reactions: list[Reaction] = []
        self.ignored = 0
        self._clock = clock
        self._f_port = f_port
        self._reaction_us = round(habits.reaction_s * MICROSECONDS)
        self._commands: list[tuple[int, str]] = []
        self.wake: simpy.Event = clock.event()

    @property
    def is_asked(self) -> bool:
        """Whether a command waits."""
        return bool(self._commands)

    def take(self, frame: DataFrame) -> None:
        """A downlink came."""
        for position, payload in ORDERS.items():
            if frame.f_port == self._f_port and frame.frm_payload == payload:
                self._commands.append((self._clock.now_us(), position))
                if not self.wake.triggered:
                    self.wake.succeed()
                return
        self.ignored += 1

    def follow(self) -> Steps:
        """Do what was asked, one command after the other."""
        self.wake = self._clock.event()
        while self._commands:
            received_us, position = self._commands.pop(0)
            yield self._clock.timeout(self._reaction_us)
            self.position = position
            self.reactions.append(Reaction(received_us, self._clock.now_us(), position))


def state_payload(position: str) -> bytes:
    """What a switch in that position reports."""
    return encode_lpp([(CHANNEL, "digital_in", POSITIONS.index(position))])


def live_switch(node: Node, relay: Relay, reporting: Reporting) -> Steps:
    """The whole life of a switch; to be started with ``clock.process``."""
    clock = node.clock
    node.on_downlink = relay.take
    due_us = clock.now_us() + reporting.first_us(node.rng)
    while True:
        if not relay.is_asked and due_us > clock.now_us():
            yield from node.rest(due_us, relay.wake)
        if node.session is None and not (yield from node.join()).is_joined:
            due_us = clock.now_us() + RETRY_US
            continue
        if relay.is_asked:
            yield from relay.follow()
            node.tell("none", {"type": "switch", "position": relay.position})
        is_confirmed = reporting.confirms(node.rng)
        payload = state_payload(relay.position)
        yield from node.uplink(payload, f_port=reporting.f_port, is_confirmed=is_confirmed)
        if due_us <= clock.now_us():
            late_us = reporting.late_us(node.rng)
            due_us = max(due_us + (node.period_us or reporting.period_us), clock.now_us()) + late_us
