"""
What LoRaSim itself comes to, to hold a study against.

Source: the authors' loraDir.py 0.2.1 as published, run for 10^8 ms with seeds 1, 2, 3 (Python 2.7,
SimPy 3.0.13); the mean of the three. Experiment 1: one figure, in the paper "120 nodes at about
0.9". Experiment 3: one run of seed 1 on Python 3.
"""

from __future__ import annotations

import math

from simulators.radio.lorasim_setting import EXPERIMENTS, MEAN_GAP_US, airtime_us

DURATION_MS = 100_000_000
NODES = (50, 100, 200, 400, 800, 1600)
SEEDS = (1, 2, 3)

# By interference model and experiment: share of frames that arrived, by number of nodes.
MEASURED: dict[tuple[str, int], dict[int, float]] = {
    ("full", 0): {50: 0.874, 100: 0.753, 200: 0.585, 400: 0.351, 800: 0.150, 1600: 0.0547},
    ("full", 1): {120: 0.896},
    ("full", 3): {1600: 0.9747},
    ("full", 4): {50: 0.900, 100: 0.812, 200: 0.665, 400: 0.444, 800: 0.220, 1600: 0.0808},
    ("simple", 0): {50: 0.8454, 100: 0.7047, 200: 0.5087, 400: 0.2559, 800: 0.0645, 1600: 0.0041},
    ("simple", 4): {50: 0.8745, 100: 0.7685, 200: 0.5954, 400: 0.3493, 800: 0.1218, 1600: 0.0145},
}


def measured(experiment: int, model: str, gateways: int) -> dict[int, float]:
    """What LoRaSim came to with one gateway, by number of nodes; empty where nobody measured."""
    return MEASURED.get((model, experiment), {}) if gateways == 1 else {}


def theory(experiment: int, model: str, gateways: int, nodes: int) -> float | None:
    """
    Delivery of pure ALOHA with N nodes that all send alike; None where that is not the setting.

    exp(-2 (N - 1) r), r the share of the time that a node is on air, divided by the channels.
    """
    setting = EXPERIMENTS[experiment]
    if model != "simple" or gateways != 1 or setting.modulation is None:
        return None
    lasts_us = airtime_us(setting.modulation)
    load = (nodes - 1) * lasts_us / (MEAN_GAP_US + lasts_us) / len(setting.frequencies_hz)
    return math.exp(-2 * load)
