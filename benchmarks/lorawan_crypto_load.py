"""One process that makes frames in one way, device after device; prints how many and their cost."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.naive_lorawan import protect_uplink
from simulators.lorawan.contexts import Contexts
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import ADR
from simulators.lorawan.keys import SessionKeys

DEVICES, PAYLOAD, F_PORT = 1_000, bytes(range(12)), 10
CHECKED = 300  # counters for which both ways must give the same frames


class Device(NamedTuple):
    """Keys, and the address in the order of transmission."""

    nwk_s_key: bytes
    app_s_key: bytes
    address: bytes


def devices() -> list[Device]:
    rng = random.Random(0)
    return [Device(rng.randbytes(16), rng.randbytes(16), rng.randbytes(4)) for _ in range(DEVICES)]


def sessions(fleet: list[Device], *, is_1_1: bool = False) -> list[Session]:
    contexts = Contexts(DEVICES)
    return [
        Session(
            device.address[::-1].hex(),
            SessionKeys(
                device.nwk_s_key,
                device.app_s_key if is_1_1 else device.nwk_s_key,
                device.nwk_s_key,
                device.app_s_key,
            ),
            is_1_1=is_1_1,
            contexts=contexts,
        )
        for device in fleet
    ]


def kept(fleet: list[Device]) -> Callable[[int], None]:
    """One uplink of each device with the given counter."""
    made = sessions(fleet)

    def round_of(f_cnt: int) -> None:
        for session in made:
            session.protect_uplink(f_cnt, F_PORT, PAYLOAD, f_ctrl=ADR)

    return round_of


def dropped(fleet: list[Device]) -> Callable[[int], None]:
    made = sessions(fleet)

    def round_of(f_cnt: int) -> None:
        for session in made:
            session.forget_contexts()
            session.protect_uplink(f_cnt, F_PORT, PAYLOAD, f_ctrl=ADR)

    return round_of


def naive(fleet: list[Device]) -> Callable[[int], None]:
    def round_of(f_cnt: int) -> None:
        for nwk_s_key, app_s_key, address in fleet:
            protect_uplink(nwk_s_key, app_s_key, address, f_cnt, F_PORT, PAYLOAD, ADR)

    return round_of


def kept_1_1(fleet: list[Device]) -> Callable[[int], None]:
    made = sessions(fleet, is_1_1=True)

    def round_of(f_cnt: int) -> None:
        for session in made:
            session.protect_uplink(
                f_cnt, F_PORT, PAYLOAD, f_ctrl=ADR, f_opts=b"\x02", tx_dr=5, tx_ch=2
            )

    return round_of


def opened(fleet: list[Device]) -> Callable[[int], None]:
    """Each device's first frame, over and over: the counter is the server's to judge."""
    made = sessions(fleet)
    frames = [(each, each.protect_uplink(0, F_PORT, PAYLOAD, f_ctrl=ADR)) for each in made]

    def round_of(f_cnt: int) -> None:
        for session, frame in frames:
            session.open_uplink(frame, 0)

    return round_of


WAYS = {way.__name__: way for way in (kept, dropped, naive, kept_1_1, opened)}


def check(fleet: list[Device]) -> None:
    """Stop unless both ways make the same frames."""
    for device, session in zip(fleet, sessions(fleet), strict=True):
        for f_cnt in range(CHECKED):
            ours = session.protect_uplink(f_cnt, F_PORT, PAYLOAD, f_ctrl=ADR)
            if ours != protect_uplink(*device, f_cnt, F_PORT, PAYLOAD, ADR):
                raise SystemExit(f"counter {f_cnt}: the two ways disagree")


def main(way: str, seconds: float) -> None:
    """Whole rounds until the time is over; the first two, which set keys up, are not counted."""
    fleet = devices()
    check(fleet[:: DEVICES // 10])
    round_of = WAYS[way](fleet)
    round_of(0)
    round_of(0)
    f_cnt, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        f_cnt += 1
        round_of(f_cnt)
    cpu_s = time.process_time() - begin
    print(json.dumps({"frames": f_cnt * DEVICES, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
