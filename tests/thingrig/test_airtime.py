"""``thingrig airtime`` tells the time on air of the frame that its options describe."""

from __future__ import annotations

import json

import pytest

from thingrig import cli


@pytest.mark.parametrize(
    ("options", "airtime_us"),
    [
        ("--sf 9 --bw 125 --cr 4/5 --payload 20", 185_344),
        ("--sf 12 --bw 125 --cr 4/8 --payload 20", 1_712_128),
        ("--sf 9 --bw 125 --payload 17 --preamble 10 --implicit-header --no-crc", 152_576),
        ("--sf 12 --bw 125 --payload 64 --ldro on", 2_793_472),
        ("--sf 12 --bw 125 --payload 64 --ldro off", 2_465_792),
        ("--sf 7 --bw 500 --payload 20", 14_144),
    ],
)
def test_json_holds_microseconds(
    options: str, airtime_us: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.exit_code(["airtime", *options.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"airtime_us": airtime_us}


def test_without_json_it_is_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    words = "airtime --sf 12 --bw 125 --cr 4/5 --payload 23"
    assert cli.exit_code(words.split()) == 0
    assert capsys.readouterr().out == (
        "1482752 µs on air (symbol 32768 µs, low data rate optimisation on)\n"
    )
