"""Mistakes in scenarios that use a network over its API, each told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.files import FileError
from scenarios.reading import read_scenario

from .playing import written

TOWN = """\
[scenario]
name = "town"
duration = "10min"
platform = "things-stack"

[network]
frequency_plan = "EU_863_870"
mac_settings = { desired_rx1_delay = 1 }

[[gateway]]
name = "roof"
kind = "packet-forwarder"

[[fleet]]
name = "lamp"
kind = "node"
behaviour = { relay = { reaction_s = 0.1 } }

[[fleet]]
name = "meter"
kind = "node"

[[fleet]]
name = "keeper"
kind = "actor"
behaviour = { turns = "lamp" }

[[expect]]
kind = "delivered-once"
"""


def told(tmp_path: Path, text: str) -> str:
    path = written(tmp_path, text)
    with pytest.raises(FileError) as caught:
        read_scenario(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}:")


def test_a_town_is_read(tmp_path: Path) -> None:
    scenario = read_scenario(str(written(tmp_path, TOWN)))

    assert scenario.lorawan is not None
    assert scenario.lorawan.network is not None
    assert scenario.lorawan.network.frequency_plan == "EU_863_870"
    assert scenario.lorawan.network.mac_settings == {"desired_rx1_delay": 1}
    assert [(actor.name, actor.turns) for actor in scenario.actors] == [("keeper", "lamp")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"EU_863_870"', '"EU_863_807"', "7: expected a frequency plan of EU_863_870 such as "
         "EU_863_870; got 'EU_863_807'; did you mean 'EU_863_870'?"),
        ('"EU_863_870"', '"US_902_928_FSB_2"', "7: expected a frequency plan of EU_863_870 such as "
         "EU_863_870; got 'US_902_928_FSB_2'"),
        ('"EU_863_870"', '"EU_863_870"\nformatter = "cayene-lpp"', "8: expected 'cayenne-lpp' or "
         "the path of a script, .js; got 'cayene-lpp'; did you mean 'cayenne-lpp'?"),
        ('"EU_863_870"', '"EU_863_870"\nformatters = { metre = "cayenne-lpp" }', "8: expected a "
         "fleet of nodes (lamp, meter); got 'metre'; did you mean 'meter'?"),
        ("desired_rx1_delay", "desired_rx1_dely", "8: expected a MAC setting of the API; "
         "got 'desired_rx1_dely'; did you mean 'desired_rx1_delay'?"),
        ("frequency_plan", "frequency_plans", "7: expected a key of [network] (formatter, "
         "formatters, frequency_plan, mac_settings, webhook); got 'frequency_plans'; "
         "did you mean 'frequency_plan'?"),
        ('turns = "lamp"', 'turns = "meter"', "26: expected turns to be a fleet or device (lamp); "
         "got 'meter'"),
        ("reaction_s = 0.1", "reaction_s = -1", "17: reaction_s must not be negative; got -1"),
        ("relay = { reaction_s = 0.1 }", "relay = 1", "17: relay must be a table; got 1"),
        ('"delivered-once"', '"devices-active"', "29: expected kind to be one of joined, "
         "uplinks-heard, acknowledged, downlinks-received, delivered-once, losses-explained, "
         "windows-hit, counters-rise, uplinks-genuine, switches-turned, decoded for platform "
         "things-stack; got 'devices-active'; did you mean 'downlinks-received'?"),
        ('"delivered-once"', '"switches-turned"', "28: expected the key 'within' in [[expect]]; "
         "got none"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TOWN
    assert told(tmp_path, TOWN.replace(old, new, 1)) == message


def test_what_needs_a_network_says_so(tmp_path: Path) -> None:
    head, _, rest = TOWN.partition("[network]")
    without = head + rest.partition("\n\n")[2]

    assert told(tmp_path, without) == "21: expected a table [network] for 'actor'; got none"


def test_things_have_no_network(tmp_path: Path) -> None:
    text = TOWN.replace('"things-stack"', '"thethings-io"', 1)

    assert told(tmp_path, text).endswith(
        "expected no 'network' for platform thethings-io; got some"
    )
