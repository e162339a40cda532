"""One process that resolves a fleet's uplinks in one way; prints what they cost and a digest."""

from __future__ import annotations

import hashlib
import json
import sys
import time

import numpy as np

from benchmarks.radio_fleet import PERIOD_US, SEED, fleet
from benchmarks.radio_peer import play_processes
from simulators.radio.interference import INTERFERENCE_MODELS
from simulators.radio.sizing import Fleet, play
from simulators.radio.vectorised import Flags, Resolved
from simulators.randomness import RandomStreams

MODEL = INTERFERENCE_MODELS["lorasim"]


def main(way: str, nodes: int, periods: int) -> None:
    """``way``: arrays or processes. Making the fleet is not counted, drawing its uplinks is."""
    made = fleet(nodes)
    begun_s = time.process_time()
    if way == "arrays":
        play(made, periods=periods, model=MODEL, streams=RandomStreams(SEED))
    else:
        received = play_processes(made, periods)
    cpu_s = time.process_time() - begun_s
    if way == "arrays":
        received = received_in(made, periods)
    digest = hashlib.sha256(np.packbits(received).tobytes()).hexdigest()
    print(json.dumps({"uplinks": nodes * periods, "cpu_s": cpu_s, "received": digest}))


def received_in(made: Fleet, periods: int) -> Flags:
    """Which frame of which node arrived, by period and node; played again, not counted."""
    received = np.zeros((periods, made.nodes), np.bool_)

    def note(resolved: Resolved) -> None:
        final = resolved.is_final
        period = resolved.uplinks.start_us[final] // PERIOD_US
        received[period, resolved.uplinks.sender[final]] = resolved.received[0, final]

    play(made, periods=periods, model=MODEL, streams=RandomStreams(SEED), on_window=note)
    return received


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
