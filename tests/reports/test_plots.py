"""Plots: a picture of a study, and one line when there can be none."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from reports.plots import PlotError, check, delivery_plot

STUDY: dict[str, Any] = {
    "title": "experiment 4",
    "interference": "lorasim",
    "rows": [
        {"nodes": nodes, "seed": seed, "der": der - seed / 100}
        for nodes, der in ((50, 0.9), (100, 0.8), (200, 0.6))
        for seed in (1, 2)
    ],
    "reference": {"name": "LoRaSim 0.2.1", "points": [{"nodes": 100, "der": 0.812}]},
    "theory": {"name": "pure ALOHA", "points": []},
}


def test_a_plot_is_a_picture_of_some_size(tmp_path: Path) -> None:
    delivery_plot(STUDY, tmp_path / "plot.png")
    picture = (tmp_path / "plot.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert 5_000 < len(picture) < 60_000


def test_a_plot_names_the_model_and_what_is_drawn(tmp_path: Path) -> None:
    """In SVG text is drawn as outlines, but each outline is preceded by its text."""
    delivery_plot(STUDY, tmp_path / "plot.svg")
    picture = (tmp_path / "plot.svg").read_text()
    for text in ("experiment 4", "interference model lorasim", "LoRaSim 0.2.1", "ThingRig"):
        assert f"<!-- {text} -->" in picture
    assert "<!-- pure ALOHA -->" not in picture


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PlotError, match=r"pip install 'thingrig\[plots\]'"):
        delivery_plot(STUDY, tmp_path / "plot.png")
    assert list(tmp_path.iterdir()) == []


def test_a_plot_goes_to_a_folder_that_exists_in_a_format_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(PlotError, match="in a folder that exists"):
        check(tmp_path / "nowhere" / "plot.png")
    with pytest.raises(PlotError, match=r"to end with one of .*png.*; got '.*plot\.xyz'"):
        check(tmp_path / "plot.xyz")


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "plot.png").mkdir()
    with pytest.raises(
        PlotError, match="expected a file that can be written; got 'is a directory'"
    ):
        delivery_plot(STUDY, tmp_path / "plot.png")
