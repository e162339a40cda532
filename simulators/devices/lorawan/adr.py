"""
What a device does about its data rate when it has not heard from the network for long.

``count`` is the number of uplinks since the last downlink, before the one that is about to be sent.

Source: LoRaWAN 1.0.2 to 1.1, section 4.3.1.1; where they differ, see ``Manner``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from simulators.lorawan.versions import MacVersion

LIMIT, DELAY = 64, 32  # ADR_ACK_LIMIT and ADR_ACK_DELAY of every region


class Manner(Enum):
    """
    The order in which a device gives up.

    POWER_FIRST (1.0.4, 1.1, LoRaMac-node): the first step is always full power, then the data rate
    step by step, then the default channels. TEXT (1.0.2, 1.0.3): full power is a step only for a
    device that had lowered it, the others lower the data rate one ADR_ACK_DELAY sooner.
    """

    POWER_FIRST = "power-first"
    TEXT = "text"


def usual_manner(version: MacVersion) -> Manner:
    """What the text of that version asks for."""
    return Manner.POWER_FIRST if version >= MacVersion.V1_0_4 else Manner.TEXT


class Link(NamedTuple):
    """What the back-off works on; power index 0 is the greatest power."""

    data_rate: int
    tx_power: int
    has_default_channels: bool


def may_ask(link: Link, lowest: int) -> bool:
    """Whether an answer could still save anything: ADRACKReq is not set at the end of the road."""
    return link.data_rate > lowest or link.tx_power > 0 or not link.has_default_channels


def asks(count: int, limit: int, link: Link, lowest: int) -> bool:
    """Whether an uplink has its ADRACKReq bit set."""
    return count >= limit and may_ask(link, lowest)


def give_up(
    count: int, limit: int, delay: int, link: Link, data_rates: Sequence[int], manner: Manner
) -> Link:
    """
    The link for the uplink that is about to be sent.

    Args:
        data_rates: those that the device may use, ascending.
    """
    steps, rest = divmod(count - limit, delay)
    if steps < 1 or rest:
        return link
    if link.tx_power > 0 or (steps == 1 and manner is Manner.POWER_FIRST):
        return link._replace(tx_power=0)
    lower = [data_rate for data_rate in data_rates if data_rate < link.data_rate]
    if lower:
        return link._replace(data_rate=lower[-1])
    return link._replace(has_default_channels=True)
