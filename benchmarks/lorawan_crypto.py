"""Uplinks of LoRaWAN encrypted and with their MIC, against new objects for each of them."""

from __future__ import annotations

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import result_of

WAYS = {
    "kept": "ThingRig, contexts kept",
    "naive": "cryptography, new objects per frame",
    "dropped": "ThingRig, contexts dropped before each frame",
    "kept_1_1": "ThingRig, 1.1 with FOpts",
    "opened": "ThingRig, MIC checked and payload read",
}


def run(*, rounds: int, seconds: int) -> Report:
    """A fresh process for each way in each round."""
    costs: dict[str, list[float]] = {way: [] for way in WAYS}

    def measure(way: str) -> None:
        found = result_of("benchmarks.lorawan_crypto_load", way, str(seconds))
        costs[way].append(found["cpu_s"] / found["frames"] * 1e6)

    interleaved(rounds, *(lambda way=way: measure(way) for way in WAYS))
    figures = {way: Figure(name, costs[way], "us CPU/frame") for way, name in WAYS.items()}
    ratio = over(figures["naive"], figures["kept"])
    return Report(
        "LoRaWAN uplinks, encrypted and with MIC",
        [*figures.values()],
        [Aim("new objects per frame over contexts kept", ratio, 4.5, True)],
        note="1 000 devices in turn; 12 bytes of payload, 25 of frame; both ways give equal bytes.",
    )
