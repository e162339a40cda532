"""Arrays against the medium on the clock, frame by frame; and pure ALOHA against its theory."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

import numpy as np
import pytest

from simulators.clock import VirtualClock
from simulators.lorawan.airtime import symbol_us, time_on_air_us
from simulators.lorawan.modulation import Lora
from simulators.radio import vectorised
from simulators.radio.interference import INTERFERENCE_MODELS
from simulators.radio.medium import Medium
from simulators.radio.path_loss import PATH_LOSSES
from simulators.radio.sensitivity import SENSITIVITIES
from simulators.radio.transmission import Transmission
from simulators.radio.vectorised import Flags, Kinds, Stream, Uplinks
from tests.simulators.radio.air import Gateway

GATEWAYS = [(0.0, 0.0, 0.0), (150.0, 0.0, 0.0), (2000.0, 50.0, 0.0)]
SENSITIVITY = SENSITIVITIES["sx1301"]
MODELS = sorted(INTERFERENCE_MODELS)
WINDOW_US = 2_000_000


class Frame(NamedTuple):
    """One frame of a node of its own; sizes, spreading factors and places differ."""

    start_us: int
    channel: int
    modulation: Lora
    phy_bytes: int
    position: tuple[float, float, float]

    @property
    def airtime_us(self) -> int:
        return time_on_air_us(self.modulation, self.phy_bytes)


def crowd(seed: int, frames: int = 600, seconds: int = 30) -> list[Frame]:
    """So many frames on two channels that most kinds of trouble occur."""
    rng = random.Random(seed)
    return [
        Frame(
            rng.randrange(seconds * 1_000_000),
            rng.randrange(2),
            Lora(rng.choice((7, 7, 7, 8, 8, 9, 10, 12)), 125_000),
            rng.randrange(12, 60),
            (rng.uniform(-200, 400), rng.uniform(-200, 200), 0.0),
        )
        for _ in range(frames)
    ]


def by_the_medium(frames: list[Frame], model: str, demodulators: int) -> Flags:
    """Which gateway received which frame."""
    clock = VirtualClock()
    medium = Medium(
        clock, path_loss=PATH_LOSSES["lorasim"], interference=INTERFERENCE_MODELS[model]
    )
    gateways = [Gateway(clock, f"gw-{at}", position) for at, position in enumerate(GATEWAYS)]
    for gateway in gateways:
        medium.attach(gateway, sensitivity=SENSITIVITY, demodulators=demodulators)
    for number, frame in enumerate(frames):
        transmission = Transmission(
            str(number), frame.start_us, frame.start_us + frame.airtime_us,
            868_100_000 + 200_000 * frame.channel, frame.modulation, 14.0, b"", False,
            frame.position,
        )  # fmt: skip
        start = clock.timeout(frame.start_us)
        start.callbacks.append(lambda _, this=transmission: medium.transmit(this))
    clock.run()
    received = np.zeros((len(gateways), len(frames)), np.bool_)
    for row, gateway in zip(received, gateways, strict=True):
        row[[int(each.transmission.sender) for each in gateway.receptions]] = True
    return received


def arrays(frames: list[Frame]) -> tuple[Kinds, Uplinks]:
    """The same frames as arrays; each sender sends once."""
    loss_db = PATH_LOSSES["lorasim"].loss_db
    kinds = Kinds(
        np.array([each.modulation.spreading_factor for each in frames]),
        np.array([each.airtime_us for each in frames]),
        np.array([symbol_us(each.modulation) for each in frames]),
        np.array([SENSITIVITY.dbm(each.modulation) for each in frames]),
    )
    levels_dbm = [
        [14.0 - loss_db(math.dist(each.position, gateway)) for each in frames]
        for gateway in GATEWAYS
    ]
    uplinks = Uplinks(
        np.array([each.start_us for each in frames]),
        np.array([each.channel for each in frames]),
        np.arange(len(frames)),
        np.array(levels_dbm),
    )
    return kinds, uplinks


def by_arrays(
    frames: list[Frame], model: str, demodulators: int | None, window_us: int | None = None
) -> Flags:
    """Which gateway received which frame; in one go, or in windows."""
    kinds, uplinks = arrays(frames)
    stream = Stream(kinds, INTERFERENCE_MODELS[model], demodulators=demodulators)
    received = np.zeros(uplinks.levels_dbm.shape, np.bool_)
    told = np.zeros(len(frames), np.int64)
    last_us = int(uplinks.start_us.max())
    for begin_us in range(0, last_us + 1, window_us or last_us + 1):
        end_us = begin_us + (window_us or last_us + 1)
        rows = (uplinks.start_us >= begin_us) & (uplinks.start_us < end_us)
        part = Uplinks(
            uplinks.start_us[rows],
            uplinks.channel[rows],
            uplinks.sender[rows],
            uplinks.levels_dbm[:, rows],
        )
        resolved = stream.resolve(part, None if end_us > last_us else end_us)
        final = resolved.uplinks.sender[resolved.is_final]
        told[final] += 1
        received[:, final] = resolved.received[:, resolved.is_final]
    assert set(told) == {1}
    return received


@pytest.mark.parametrize("demodulators", [2, 8])
@pytest.mark.parametrize("model", MODELS)
def test_the_same_frames_arrive_as_on_the_medium(model: str, demodulators: int) -> None:
    """Every frame at each of three gateways, with enough of either outcome."""
    frames = crowd(seed=demodulators)
    expected = by_the_medium(frames, model, demodulators)
    assert np.array_equal(by_arrays(frames, model, demodulators), expected)
    assert 0.01 < expected[0].mean() < 0.9


@pytest.mark.parametrize("model", MODELS)
def test_windows_have_no_edges(model: str) -> None:
    """Some frames last longer than the window; they are told once, and as in one go."""
    frames = crowd(seed=3)
    assert max(each.airtime_us for each in frames) > WINDOW_US
    for demodulators in (None, 3):
        whole = by_arrays(frames, model, demodulators)
        for window_us in (WINDOW_US, 700_000, 7_000_000):
            assert np.array_equal(by_arrays(frames, model, demodulators, window_us), whole)


def test_what_does_not_fit_one_integer_is_sorted_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = crowd(seed=4)
    whole = by_arrays(frames, "lorasim", None)
    monkeypatch.setattr(vectorised, "KEY_BITS", 30)
    assert np.array_equal(by_arrays(frames, "lorasim", None), whole)


@pytest.mark.parametrize("frames", [0, 1])
def test_few_frames_are_no_special_case(frames: int) -> None:
    kinds, uplinks = arrays(crowd(seed=5, frames=1))
    part = Uplinks(
        uplinks.start_us[:frames],
        uplinks.channel[:frames],
        uplinks.sender[:frames],
        uplinks.levels_dbm[:, :frames],
    )
    for model in MODELS:
        for until_us in (None, 10**9):
            resolved = Stream(kinds, INTERFERENCE_MODELS[model], demodulators=8).resolve(
                part, until_us
            )
            assert (resolved.sent, resolved.delivered) == (frames, frames)


@pytest.mark.parametrize("load", [0.05, 0.1, 0.25, 0.5, 1.0, 2.0])
def test_pure_aloha_delivers_e_to_the_minus_2g(load: float) -> None:
    """
    Within three sigma; sigma comes from 40 runs, as losses of neighbours are not independent.
    """
    airtime_us = 56_576
    kinds = Kinds(np.array([7]), np.array([airtime_us]), np.array([1024]), np.array([-200.0]))
    rng = np.random.default_rng(1)
    shares = []
    lasts_us = round(20_000 / load * airtime_us)
    for _ in range(40):
        count = rng.poisson(20_000)
        uplinks = Uplinks(
            rng.integers(0, lasts_us, count),
            np.zeros(count, np.int64),
            np.zeros(count, np.int64),
            np.full((1, count), -100.0),
        )
        resolved = Stream(kinds, INTERFERENCE_MODELS["aloha"]).resolve(uplinks)
        shares.append(resolved.delivered / resolved.sent)
    sigma = np.std(shares, ddof=1) / math.sqrt(len(shares))
    assert sigma < 0.003
    assert np.mean(shares) == pytest.approx(math.exp(-2 * load), abs=3 * sigma)
