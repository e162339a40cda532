"""
The embedded network behind a real UDP socket: its cost, and how long a burst may be.

``python -m benchmarks.things_stack_udp [UPLINKS]``: `thingrig serve things-stack` in a process of
its own, 64 gateways, 2,000 devices. First a closed loop with so many datagrams on their way, each
frame a new one of the next device; then bursts, sent as fast as this process can. Prints JSON.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import things_stack_load as load
from simulators.clock import wall_unix_us
from simulators.wire.semtech_udp import PushData, RxPk, encode

GATEWAYS, DEVICES = 64, 2_000
WINDOWS = (16, 64, 200)
BURSTS = (1_000, 2_000, 5_000, 8_000, 12_000)
UPLINKS = 10_000
PATIENCE_S = 5
_EUIS = [f"{int(load.GATEWAY, 16) + number:016x}" for number in range(GATEWAYS)]


def prepare(path: Path) -> None:
    """The state that the server finds."""
    network = load.Network(path, DEVICES, now_us=wall_unix_us())
    for number, eui in enumerate(_EUIS[1:], 2):
        network.add_gateway(f"gtw{number}", eui)
    network.connection.commit()
    network.connection.close()


def datagrams() -> Iterator[bytes]:
    """Each a new frame of the next device by the next gateway."""
    token = f_cnt = 0
    while True:
        f_cnt += 1
        for number in range(DEVICES):
            token = token + 1 & 0xFFFF
            phy = load.session(number).protect_uplink(f_cnt, 1, b"0123456789")
            where = load.FREQUENCIES[f_cnt % len(load.FREQUENCIES)]
            stamp_us = wall_unix_us() & 0xFFFFFFFF
            packet = RxPk(stamp_us, where, load.SF7, phy, -60, 9.5, 0)
            yield encode(PushData(token, _EUIS[number % GATEWAYS], (packet,)))


class Client:
    """All gateways in one socket; counts acknowledgements."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 2**20)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(PATIENCE_S)

    def closed_loop(self, frames: list[bytes], window: int) -> None:
        """Send each next one after an acknowledgement."""
        for number, data in enumerate(frames):
            if number >= window and not self._received(1):
                raise SystemExit("a datagram of the closed loop was not acknowledged")
            self._socket.send(data)
        if self._received(window) < window:
            raise SystemExit("the last datagrams were not acknowledged")

    def burst(self, frames: list[bytes]) -> int:
        """Send all at once; how many were acknowledged."""
        for data in frames:
            self._socket.send(data)
        return self._received(len(frames))

    def _received(self, most: int) -> int:
        for count in range(most):
            try:
                self._socket.recv(64)
            except TimeoutError:
                return count
        return most


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, by the kernel's account, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port: int, pid: int, count: int) -> dict[str, Any]:
    """Costs by window, and what came through of each burst."""
    client, source = Client(port), datagrams()
    client.closed_loop([next(source) for _ in range(2 * DEVICES)], WINDOWS[0])
    rates, bursts = {}, {}
    for window in WINDOWS:
        frames = [next(source) for _ in range(count)]
        before = cpu_s(pid)
        client.closed_loop(frames, window)
        time.sleep(2)  # the last windows for copies close
        rates[window] = round(count / (cpu_s(pid) - before))
    for size in BURSTS:
        bursts[size] = client.burst([next(source) for _ in range(size)])
    return {"uplinks_per_cpu_s_by_window": rates, "acknowledged_by_burst": bursts}


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder) / "things-stack.sqlite")
        command = [sys.executable, "-m", "thingrig", "serve", "things-stack", "--state", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline().rpartition(":")[2])
            found = measure(port, server.pid, count)
            server.terminate()
    print(json.dumps(found))


if __name__ == "__main__":
    main(int((*sys.argv, UPLINKS)[1]))
