"""
The application of a device: join, then a measured payload once per period.

A payload comes from a source, a function of the time: fixed bytes, or sensor models in Cayenne LPP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from simulators.clock import MICROSECONDS
from simulators.devices.behaviours import Behaviour
from simulators.devices.lorawan.state import NEVER_US, Steps
from simulators.devices.lorawan.uplinks import Outcome
from simulators.randomness import Chance
from simulators.wire.cayenne_lpp import encode_lpp

if TYPE_CHECKING:
    from simulators.devices.node import Node

Source = Callable[[int], bytes]
RETRY_US = 3600 * MICROSECONDS


class Measured(NamedTuple):
    """One quantity: its channel and kind in Cayenne LPP, and how it moves."""

    channel: int
    kind: str
    behaviour: Behaviour


def cayenne_source(quantities: Sequence[Measured]) -> Source:
    """Payloads with one value of each quantity; ``encode_lpp`` tells what is wrong with one."""

    def payload(unix_us: int) -> bytes:
        return encode_lpp(
            (channel, kind, behaviour(unix_us)) for channel, kind, behaviour in quantities
        )

    return payload


@lru_cache(maxsize=256)
def fixed_source(payload: bytes) -> Source:
    """Always the same bytes; one source for all devices that send them."""
    return lambda unix_us: payload


@dataclass(frozen=True)
class Reporting:
    """
    What is sent, when: every ``period_s``, each late by up to ``jitter_s``.

    ``confirmed`` is the share of uplinks that ask for an acknowledgement. ``spread_s``: a device is
    switched on at any time within it; None: within the first period.
    """

    period_s: float = 1200.0
    jitter_s: float = 0.0
    f_port: int = 1
    confirmed: float = 0.0
    spread_s: float | None = None

    @property
    def period_us(self) -> int:
        """The period in whole microseconds."""
        return round(self.period_s * MICROSECONDS)

    def first_us(self, rng: Chance) -> int:
        """When a device is switched on."""
        spread_s = self.period_s if self.spread_s is None else self.spread_s
        return round(rng.random() * spread_s * MICROSECONDS)

    def late_us(self, rng: Chance) -> int:
        """How late an uplink is."""
        return round(rng.random() * self.jitter_s * MICROSECONDS) if self.jitter_s else 0

    def confirms(self, rng: Chance) -> bool:
        """Whether the next uplink asks for an acknowledgement."""
        return self.confirmed > 0 and rng.random() < self.confirmed


def live(node: Node, source: Source, reporting: Reporting) -> Steps:
    """The whole life of a device; to be started with ``clock.process``."""
    # What ten thousand of these keep while they sleep: few names, and no generator within this one.
    clock = node.clock
    tick_us = due_us = clock.now_us() + reporting.first_us(node.rng)
    while True:
        if due_us > clock.now_us():
            if is_asleep(node):
                yield clock.timeout(due_us - clock.now_us())
            else:
                yield from node.rest(due_us)
        if node.session is None and not (yield from node.join()).is_joined:
            due_us = clock.now_us() + RETRY_US  # no DevNonce is left, or no channel
            continue
        if node.settings.device_class == "B" and node.device_class == "A":
            yield from node.switch_class("B", periodicity=node.settings.ping_periodicity)
        outcome = (
            yield from node.uplink(
                source(clock.start_unix_us + clock.now_us()),
                f_port=reporting.f_port,
                is_confirmed=reporting.confirms(node.rng),
            )
        ).outcome
        if outcome is Outcome.TOO_LONG:  # a sign of life, so that the network can help
            yield from node.uplink()
        tick_us = max(tick_us + (node.period_us or reporting.period_us), clock.now_us())
        due_us = tick_us + reporting.late_us(node.rng)


def is_asleep(node: Node) -> bool:
    """Whether nothing can come in or has to go out before the application's next uplink."""
    return (
        (node.device_class == "A" or node.session is None)
        and node.order is None
        and node.rejoins is None
        and node.urgent_us >= NEVER_US
    )
