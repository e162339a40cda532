"""Interference models: tables by two spreading factors, and what their timing rules spare."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest

from simulators.radio.interference import INTERFERENCE_MODELS, Judge


class Frame(NamedTuple):
    """As a model sees it; symbols of 10 µs unless told otherwise."""

    start_us: int
    end_us: int
    code: int = 7
    critical_us: int = 0


def frame(judge: Judge, start_us: int, end_us: int, code: int = 7) -> Frame:
    return Frame(start_us, end_us, code, start_us + judge.free_symbols * 10)


@pytest.mark.parametrize(
    ("model", "wanted", "interferer", "db"),
    [
        ("goursaud", 7, 12, -20),
        ("goursaud", 12, 7, -36),
        ("goursaud", 9, 9, 6),
        ("croce", 7, 8, -8),
        ("croce", 12, 11, -23),
        ("croce", 10, 10, 1),
        ("lorasim", 8, 8, 6),
        ("lorasim", 8, 9, -math.inf),
        ("aloha", 8, 8, math.inf),
        ("aloha", 8, 9, -math.inf),
        # SF6 has no row: SF7's stands for it. FSK and LoRa leave each other alone.
        ("goursaud", 6, 12, -20),
        ("goursaud", 6, 7, -16),
        ("goursaud", 6, 6, 6),
        ("goursaud", 0, 0, 6),
        ("goursaud", 0, 7, -math.inf),
        ("croce", 12, 0, -math.inf),
    ],
)
def test_thresholds_are_the_models(model: str, wanted: int, interferer: int, db: float) -> None:
    assert INTERFERENCE_MODELS[model].threshold_db(wanted, interferer) == db


def test_models_tell_whether_spreading_factors_disturb_each_other() -> None:
    orthogonal = {name: model.is_orthogonal for name, model in INTERFERENCE_MODELS.items()}
    assert orthogonal == {"aloha": True, "lorasim": True, "goursaud": False, "croce": False}


@pytest.mark.parametrize(
    ("model", "level_dbm", "survives"),
    [
        ("aloha", 0.0, False),
        ("lorasim", -94.0, True),
        ("lorasim", -94.01, False),
        ("goursaud", -93.99, True),
        ("goursaud", -94.01, False),
        ("croce", -99.0, True),
        ("croce", -99.01, False),
    ],
)
def test_capture_begins_at_the_threshold(model: str, level_dbm: float, survives: bool) -> None:
    judge = Judge(INTERFERENCE_MODELS[model])
    wanted, other = frame(judge, 0, 1000), frame(judge, 0, 1000)
    assert judge.survives(wanted, level_dbm, [(other, -100.0)]) is survives


def test_energy_counts_for_the_time_of_the_overlap() -> None:
    """A tenth of the frame is covered: that is 10 dB less."""
    judge = Judge(INTERFERENCE_MODELS["goursaud"])
    wanted, other = frame(judge, 0, 1000), frame(judge, 900, 5000)
    assert judge.survives(wanted, -103.99, [(other, -100.0)])
    assert not judge.survives(wanted, -104.01, [(other, -100.0)])


def test_energy_of_several_interferers_adds_up_by_spreading_factor() -> None:
    judge = Judge(INTERFERENCE_MODELS["goursaud"])
    wanted = frame(judge, 0, 1000)
    one, two = frame(judge, 0, 1000), frame(judge, 0, 1000)
    other = frame(judge, 0, 1000, code=12)
    assert judge.survives(wanted, -93.0, [(one, -100.0)])
    assert not judge.survives(wanted, -93.0, [(one, -100.0), (two, -100.0)])
    assert judge.survives(wanted, -93.0, [(one, -100.0), (other, -100.0)])


def test_power_of_several_interferers_does_not_add_up_pairwise() -> None:
    judge = Judge(INTERFERENCE_MODELS["lorasim"])
    wanted = frame(judge, 0, 1000)
    others = [(frame(judge, 0, 1000), -100.0)] * 5
    assert judge.survives(wanted, -94.0, others)


def test_lorasim_spares_both_when_the_older_ends_within_three_symbols_of_the_newer() -> None:
    judge = Judge(INTERFERENCE_MODELS["lorasim"])
    older, newer = frame(judge, 0, 1030), frame(judge, 1000, 2000)
    assert judge.survives(older, -100.0, [(newer, -100.0)])
    assert judge.survives(newer, -100.0, [(older, -100.0)])
    longer = frame(judge, 0, 1031)
    assert not judge.survives(longer, -100.0, [(newer, -100.0)])
    assert not judge.survives(newer, -100.0, [(longer, -100.0)])


def test_croce_spares_the_newer_alone_within_two_symbols() -> None:
    judge = Judge(INTERFERENCE_MODELS["croce"])
    older, newer = frame(judge, 0, 1020), frame(judge, 1000, 2000)
    assert not judge.survives(older, -100.0, [(newer, -100.0)])
    assert judge.survives(newer, -100.0, [(older, -100.0)])
    longer = frame(judge, 0, 1021)
    assert not judge.survives(newer, -100.0, [(longer, -100.0)])
