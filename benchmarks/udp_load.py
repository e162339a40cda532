"""One process that keeps 64 UDP sockets busy, bare or as gateways; prints what it cost."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop

from simulators.clock import Clock, VirtualClock, WallClock
from simulators.gateways.channels import usual_plan
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.forwarder_settings import ForwarderSettings, transmit_range_hz
from simulators.gateways.packet_forwarder import PacketForwarder
from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Lora
from simulators.lorawan.regions import region
from simulators.radio.transmission import Reception, Transmission
from simulators.transports.udp import (
    DatagramTransport,
    MemoryDatagrams,
    UdpTransport,
)

SOCKETS = 64
WARM_UP_S = 0.3
PAYLOAD = bytes(12)
SF7, AIRTIME_US = Lora(7, 125_000), 61_696
EU868 = region("EU868")


class Bare(asyncio.DatagramProtocol):
    """Sends the same bytes again whenever they come back."""

    def __init__(self, count: list[int], data: bytes) -> None:
        self._count = count
        self._data = data

    def connection_made(self, transport: Any) -> None:
        self._send = transport.sendto
        self._send(self._data)

    def datagram_received(self, data: bytes, address: Any) -> None:
        if len(data) != len(self._data):
            raise SystemExit(f"{len(self._data)} bytes came back as {len(data)}")
        self._count[0] += 1
        self._send(self._data)


async def bare(port: int, seconds: float) -> dict[str, float]:
    """A closed loop of echoes, each as long as an uplink's PUSH_DATA."""
    count = [0]
    loop = asyncio.get_running_loop()
    data = datagram_bytes()
    for _ in range(SOCKETS):
        await loop.create_datagram_endpoint(
            lambda: Bare(count, data), remote_addr=("127.0.0.1", port)
        )
    return await measured(lambda: count[0], seconds, len(data))


class NoAir:
    """Gateways of the benchmark hear what they are given."""

    def attach(self, receiver: Any, **options: Any) -> None:
        """Nobody else is on air."""


class ClosedLoop(PacketForwarder):
    """A forwarder that tells when PUSH_ACK has been handled."""

    next_uplink: Callable[[], None]

    def _on_up(self, data: bytes) -> None:
        super()._on_up(data)
        self.next_uplink()


class Gateway:
    """A gateway with one device: the next uplink follows the last one's PUSH_ACK."""

    def __init__(
        self, clock: Clock, udp: DatagramTransport, number: int, *, encrypts: bool
    ) -> None:
        self._clock = clock
        self._encrypts = encrypts
        self._f_cnt = 0
        keys = SessionKeys.legacy(bytes([number] * 16), bytes([number + 1] * 16))
        self._session = Session(f"{number:08x}", keys)
        self.concentrator = Concentrator(
            f"gateway-{number}",
            clock,
            NoAir(),  # type: ignore[arg-type]  # as much of the medium as is used here
            eui=f"{number:016x}",
            plan=usual_plan(EU868),
        )
        self.forwarder = ClosedLoop(
            self.concentrator,
            clock=clock,
            datagrams=udp,
            rng=random.Random(number),
            settings=ForwarderSettings(transmits_hz=transmit_range_hz(EU868)),
        )
        self.forwarder.next_uplink = self.uplink
        self.forwarder.start()
        self._reception = self._received(self._session.protect_uplink(0, 1, PAYLOAD))
        self.uplink()

    def uplink(self) -> None:
        """A frame ends now."""
        if self._encrypts:
            self._f_cnt += 1
            frame = self._session.protect_uplink(self._f_cnt, 1, PAYLOAD)
            self.concentrator.heard(self._received(frame))
        else:
            self.concentrator.heard(self._reception)

    def _received(self, frame: bytes) -> Reception:
        now_us = self._clock.now_us()
        begun_us = now_us - AIRTIME_US
        transmission = Transmission(
            "node", begun_us, now_us, 868_100_000, SF7, 14.0, frame, False, (0.0, 0.0, 0.0)
        )
        return Reception(transmission, -80.0, 7.5)


async def gateways(port: int, seconds: float, *, encrypts: bool) -> dict[str, float]:
    """A closed loop of uplinks, each acknowledged before the next."""
    clock = WallClock()
    playing = asyncio.get_running_loop().create_task(clock.play(seconds + 60))
    await asyncio.sleep(0)
    all_of_them: list[Gateway] = []
    udp = UdpTransport(clock, f"127.0.0.1:{port}")
    clock.enter(
        lambda: all_of_them.extend(
            Gateway(clock, udp, number, encrypts=encrypts) for number in range(SOCKETS)
        )
    )
    result = await measured(
        lambda: sum(each.forwarder.acknowledged for each in all_of_them),
        seconds,
        len(datagram_bytes()),
    )
    clock.finish()
    await playing
    return result


async def measured(count: Callable[[], int], seconds: float, size: int) -> dict[str, float]:
    """What happens in ``seconds`` after warming up."""
    await asyncio.sleep(WARM_UP_S)
    before, cpu_s = count(), time.process_time()
    await asyncio.sleep(seconds)
    done, cpu_s = count() - before, time.process_time() - cpu_s
    if not done:
        raise SystemExit("nothing came back")
    return {"count": done, "cpu_s": cpu_s, "bytes": size}


def datagram_bytes() -> bytes:
    """A PUSH_DATA as the gateways send it, with one frame of 25 bytes."""
    sent: list[bytes] = []
    clock = VirtualClock()
    memory = MemoryDatagrams(clock)
    memory.listen(lambda data, address: sent.append(data))
    Gateway(clock, memory, 1, encrypts=True)
    clock.play(0.1)
    return next(data for data in sent if data[3] == 0)


MODES: dict[str, Callable[[int, float], Any]] = {
    "bare": bare,
    "forwarded": lambda port, seconds: gateways(port, seconds, encrypts=False),
    "encrypted": lambda port, seconds: gateways(port, seconds, encrypts=True),
}


if __name__ == "__main__":
    mode, to_port, for_s = sys.argv[1:]
    print(json.dumps(uvloop.run(MODES[mode](int(to_port), float(for_s)))))
