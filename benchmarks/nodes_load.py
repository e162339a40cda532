"""One process with devices on a radio that answers their joins; prints what they cost."""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc

import simpy

from simulators.clock import VirtualClock
from simulators.devices.fleet import FleetSpec
from simulators.devices.lorawan.building import build_nodes
from simulators.devices.node import Node
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.cf_list import Frequencies, encode_cf_list
from simulators.lorawan.contexts import CONTEXTS
from simulators.lorawan.frames import JoinAccept, JoinRequest, decode
from simulators.lorawan.join import protect_accept
from simulators.lorawan.keys import Attempt, RootKeys
from simulators.lorawan.modulation import Modulation
from simulators.radio.transmission import Reception, Transmission
from simulators.randomness import RandomStreams

CHANNELS = encode_cf_list(Frequencies(tuple(867_100_000 + 200_000 * n for n in range(5))))
JOINED_BY_S = 1_300
ROOTS: dict[str, RootKeys] = {}


class Answering:
    """A radio whose network lets everybody in, in RX1, and is silent afterwards."""

    __slots__ = ("_accept", "_clock", "_end_us")

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._end_us = 0
        self._accept = b""

    def transmit(
        self, payload: bytes, *, frequency_hz: int, modulation: Modulation, power_dbm: float
    ) -> int:
        self._end_us = self._clock.now_us() + time_on_air_us(modulation, len(payload))
        if payload[0] == 0:
            request = decode(payload)
            assert isinstance(request, JoinRequest)
            accept = JoinAccept(1, "000013", f"26{request.dev_eui[-6:]}", 0, 0, 1, cf_list=CHANNELS)
            attempt = Attempt(request.join_eui, request.dev_eui, request.dev_nonce)
            self._accept = protect_accept(accept, ROOTS[request.dev_eui], attempt)
        return self._end_us

    def listen(
        self, *, frequency_hz: int, modulation: Modulation, open_us: int, close_us: int
    ) -> simpy.Event:
        now_us = self._clock.now_us()
        if not self._accept:
            return self._clock.timeout(close_us - now_us)
        start_us, phy, self._accept = self._end_us + 5_000_000, self._accept, b""
        end_us = start_us + time_on_air_us(modulation, len(phy), has_crc=False)
        place = (0.0, 0.0, 0.0)
        sent = Transmission(
            "gateway", start_us, end_us, frequency_hz, modulation, 14.0, phy, True, place
        )
        return self._clock.timeout(end_us - now_us, Reception(sent, -80.0, 5.0))


def fleet(count: int) -> tuple[VirtualClock, list[Node]]:
    """So many devices, which have joined."""
    clock = VirtualClock()
    spec = FleetSpec("node", count, "node", {"payload": "00" * 10})
    built = build_nodes(
        [spec], clock=clock, streams=RandomStreams(1), radio=lambda name: Answering(clock)
    )
    nodes = [each.node for each in built]
    for node, life, _ in built:
        ROOTS[node.identity.dev_eui] = node.identity.root  # type: ignore[union-attr]  # all OTAA
        clock.process(life)
    clock.play(JOINED_BY_S)
    if not all(node.is_joined for node in nodes):
        raise SystemExit("some device has not joined")
    return clock, nodes


def cost(count: int, hours: float) -> dict[str, float]:
    """CPU time for each uplink."""
    clock, nodes = fleet(count)
    before, begin = sum(node.tally.uplinks for node in nodes), time.process_time()
    clock.play(JOINED_BY_S + hours * 3600)
    spent_s = time.process_time() - begin
    uplinks = sum(node.tally.uplinks for node in nodes) - before
    if abs(uplinks / count - 3 * hours) > 1:
        raise SystemExit(f"{count} devices sent {uplinks} uplinks in {hours} hours")
    return {"us": spent_s / uplinks * 1e6}


def size(count: int) -> dict[str, float]:
    """Bytes for each device, without what is shared or only lent."""
    fleet(10)  # tables and caches that all devices share
    ROOTS.clear()
    gc.collect()
    tracemalloc.start()
    nodes = fleet(count)[1]
    for node in nodes:
        assert node.session is not None
        node.session.crypto.forget_contexts()
    CONTEXTS._holders.clear()
    ROOTS.clear()
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    return {"bytes": used / len(nodes)}


if __name__ == "__main__":
    how, count, hours = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(cost(count, hours) if how == "time" else size(count)))
