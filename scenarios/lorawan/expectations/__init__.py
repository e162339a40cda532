"""What a scenario of LoRaWAN can expect; a new kind is a new file and a line in ``KINDS``."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.expectations import (
    acknowledged,
    downlinks_received,
    joined,
    uplinks_heard,
)

KINDS: dict[str, Callable[..., Judgement]] = {
    "joined": joined.judge,
    "uplinks-heard": uplinks_heard.judge,
    "acknowledged": acknowledged.judge,
    "downlinks-received": downlinks_received.judge,
}
