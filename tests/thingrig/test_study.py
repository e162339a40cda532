"""``thingrig study``: the table, the document, the plot, and wrong usage."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from thingrig import cli

QUICK = "study lorasim --duration-ms 1000000"
WRONG = {
    "study lorasmi": "expected a study (lorasim); got 'lorasmi'; did you mean 'lorasim'?",
    "study lorasim --nodes 0": "invalid value for '--nodes': 0 is not in the range",
    "study lorasim --nodes": "option '--nodes' requires an argument",
    "study lorasim --nodes 5 many": "got unexpected extra argument (many)",
    "study lorasim --model ful": "did you mean 'full'?",
    "study lorasim --gateways 5": "'5' is not one of '1', '2', '3', '4', '6', '8', '24'",
    "study lorasim --experiment 6": "6 is not in the range",
    "study lorasim --plot plot.xyz": "expected a plot's name to end with one of",
}


@pytest.mark.parametrize("words", WRONG, ids=lambda words: words.replace(" ", "_"))
def test_wrong_usage_is_one_line_and_exit_code_2(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.exit_code(words.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert WRONG[words] in told.err


def test_json_holds_a_row_for_each_number_and_seed(capsys: pytest.CaptureFixture[str]) -> None:
    words = f"{QUICK} --experiment 0 --model simple --nodes 50 100 --seed 1 2 --json"
    assert cli.exit_code(words.split()) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["interference"] == "aloha"
    assert [(row["nodes"], row["seed"]) for row in document["rows"]] == [
        (50, 1), (50, 2), (100, 1), (100, 2),
    ]  # fmt: skip
    assert [set(row) for row in document["rows"]] == [
        {"nodes", "seed", "sent", "der", "energy_j"}
    ] * 4
    assert document["reference"]["points"][0] == {"nodes": 50, "der": 0.8454}
    assert [point["nodes"] for point in document["theory"]["points"]] == [50, 100]


def test_the_table_names_the_interference_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.exit_code(f"{QUICK} --experiment 1 --nodes 120 --seed 1".split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "LoRaSim experiment 1 (SN1 on three channels), 1 gateway, 0.3 h"
    assert lines[1] == "interference model lorasim"
    assert lines[2].split() == ["nodes", "seed", "sent", "der", "energy_j", "LoRaSim"]
    assert lines[3].split()[:2] == ["120", "1"]
    assert lines[3].split()[-1] == "0.8960"


def test_the_plot_is_drawn_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "der.png"
    assert cli.exit_code(f"{QUICK} --nodes 50 --seed 1 --plot {plot}".split()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(plot)
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_missing_extra_is_told_before_the_study_begins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.exit_code(["study", "lorasim", "--plot", "der.png"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "thingrig[plots]" in told.err
