"""Gateways over UDP against a bare echo of datagrams of the same size."""

from __future__ import annotations

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import free_port, python, result_of, running

NAMES = {
    "bare": "bare uvloop echo",
    "forwarded": "uplink as PUSH_DATA, its PUSH_ACK handled",
    "encrypted": "the same, frame encrypted and with MIC",
}


def run(*, rounds: int, seconds: int) -> Report:
    """A server of each kind on one processor; each client in turn on the other."""
    ports = {"bare": free_port(), "ack": free_port()}
    cost_us: dict[str, list[float]] = {mode: [] for mode in NAMES}
    sizes: set[int] = set()

    def measure(mode: str) -> None:
        port = ports["bare" if mode == "bare" else "ack"]
        found = result_of("benchmarks.udp_load", mode, str(port), str(seconds))
        cost_us[mode].append(found["cpu_s"] / found["count"] * 1e6)
        sizes.add(found["bytes"])

    sink = "benchmarks.udp_sink"
    with (
        running(python(sink, "echo", str(ports["bare"])), port=ports["bare"]),
        running(python(sink, "acknowledge", str(ports["ack"])), port=ports["ack"]),
    ):
        interleaved(rounds, *[lambda mode=mode: measure(mode) for mode in NAMES])
    figures = {mode: Figure(name, cost_us[mode], "us CPU/uplink") for mode, name in NAMES.items()}
    return Report(
        "Gateways over UDP",
        list(figures.values()),
        [Aim("uplink over echo", over(figures["forwarded"], figures["bare"]), 1.5, False)],
        note=f"64 sockets, closed loop, datagrams of {max(sizes)} bytes, one frame in each.",
    )
