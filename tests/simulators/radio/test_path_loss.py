"""Path loss, shadowing, sensitivity and noise against the figures of their sources."""

from __future__ import annotations

import math
import statistics

import pytest

from simulators.lorawan.modulation import Fsk, Lora
from simulators.radio.path_loss import PATH_LOSSES, Shadowing, distance_m
from simulators.radio.sensitivity import SENSITIVITIES, noise_dbm, snr_db
from simulators.randomness import RandomStreams


@pytest.mark.parametrize(
    ("model", "metres", "loss_db"),
    [
        ("lorasim", 40, 127.41),
        ("lorasim", 400, 127.41 + 20.8),
        ("log-distance", 1, 7.7),
        ("log-distance", 1000, 7.7 + 3 * 37.6),
        ("oulu", 1000, 126.95),
        ("oulu", 10_000, 126.95 + 23.2),
        ("hata", 1000, 127.5),
        ("hata", 10_000, 127.5 + 35.2),
    ],
)
def test_loss_follows_its_line(model: str, metres: float, loss_db: float) -> None:
    assert PATH_LOSSES[model].loss_db(metres) == pytest.approx(loss_db)


def test_closer_than_a_metre_is_a_metre() -> None:
    assert PATH_LOSSES["lorasim"].loss_db(0.0) == PATH_LOSSES["lorasim"].loss_db(1.0)


def test_distance_has_three_dimensions() -> None:
    assert distance_m((0, 0, 0), (2, 3, 6)) == 7


def test_a_link_is_shadowed_alike_in_both_directions_and_each_time() -> None:
    shadowing = Shadowing(RandomStreams(1), sigma_db=3.57)
    assert shadowing.link_db("node", "gw") == shadowing.link_db("gw", "node")
    assert shadowing.link_db("node", "gw") != shadowing.link_db("node-2", "gw")
    again = Shadowing(RandomStreams(1), sigma_db=3.57)
    assert again.link_db("node", "gw") == shadowing.link_db("node", "gw")


def test_a_frame_is_shadowed_by_the_moment_it_starts() -> None:
    shadowing = Shadowing(RandomStreams(1), sigma_db=3.57, is_per_frame=True)
    drawn = [shadowing.frame_db("node", "gw", at_us) for at_us in range(2000)]
    assert drawn[7] == shadowing.frame_db("node", "gw", 7)
    assert statistics.mean(drawn) == pytest.approx(0, abs=4 * 3.57 / math.sqrt(2000))
    assert statistics.stdev(drawn) == pytest.approx(3.57, rel=0.07)


def test_negative_sigma_is_refused() -> None:
    with pytest.raises(ValueError, match="sigma of 0 dB or more; got -1"):
        Shadowing(RandomStreams(1), sigma_db=-1)


@pytest.mark.parametrize(
    ("profile", "modulation", "dbm"),
    [
        ("sx1301", Lora(7, 125_000), -130.0),
        ("sx1301", Lora(12, 125_000), -142.5),
        ("sx1272", Lora(9, 125_000), -130.0),
        ("flora", Lora(6, 500_000), -111.0),
        ("flora", Lora(12, 250_000), -135.0),
        ("lorasim", Lora(11, 125_000), -134.5),
        ("lorasim", Lora(12, 125_000), -133.25),
        # No row: SF6 is one step from SF7; 500 kHz has four times the noise of 125 kHz.
        ("sx1272", Lora(6, 125_000), -121.5),
        ("sx1301", Lora(8, 500_000), -132.5 + 10 * math.log10(4)),
        # FSK: computed from the noise of 100 kHz.
        ("sx1301", Fsk(50_000), -174 + 50 + 6 + 10),
    ],
)
def test_sensitivity_is_the_profiles(profile: str, modulation: Lora | Fsk, dbm: float) -> None:
    assert SENSITIVITIES[profile].dbm(modulation) == pytest.approx(dbm)


def test_snr_is_told_over_noise_and_within_the_register() -> None:
    assert noise_dbm(125_000) == pytest.approx(-117.03, abs=0.01)
    assert snr_db(-124.53, Lora(7, 125_000)) == pytest.approx(-7.5, abs=0.01)
    assert snr_db(-20.0, Lora(7, 125_000)) == 31.75
