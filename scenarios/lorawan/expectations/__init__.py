"""What a scenario of LoRaWAN can expect; a new kind is a new file and a line in ``KINDS``."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.expectations import (
    acknowledged,
    counters_rise,
    decoded,
    delivered_once,
    downlinks_received,
    joined,
    losses_explained,
    switches_turned,
    uplinks_genuine,
    uplinks_heard,
    windows_hit,
)

KINDS: dict[str, Callable[..., Judgement]] = {
    "joined": joined.judge,
    "uplinks-heard": uplinks_heard.judge,
    "acknowledged": acknowledged.judge,
    "downlinks-received": downlinks_received.judge,
    "delivered-once": delivered_once.judge,
    "losses-explained": losses_explained.judge,
    "windows-hit": windows_hit.judge,
    "counters-rise": counters_rise.judge,
    "uplinks-genuine": uplinks_genuine.judge,
    "switches-turned": switches_turned.judge,
    "decoded": decoded.judge,
}
