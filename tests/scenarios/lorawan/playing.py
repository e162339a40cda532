"""Scenarios of LoRaWAN from a few words, played on the virtual clock."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.playing import MakeNetwork, play_virtual
from scenarios.lorawan.results import failed_joins
from scenarios.model import Scenario
from scenarios.reading import Setting, read_scenario
from scenarios.run import Run
from simulators.platforms.scripted_network.core import ScriptedNetwork

# CN470 has its join channels all over the band: a gateway of many boards hears them.
CHANNELS = {"CN470": "all", "CN470-20A": "all", "CN470-20B": "all"}


def changed(name: str, **settings: Any) -> Scenario:
    """A scenario of the library; keys have two underscores for a dot."""
    changes = {key.replace("__", "."): value for key, value in settings.items()}
    return read_scenario(name, [Setting(k, str(v), "test") for k, v in changes.items()])


def in_region(name: str, kind: str, version: str = "1.0.3", **settings: Any) -> Scenario:
    """The scenario uplink in a region, through one kind of gateway."""
    usual = {
        "radio__region": name,
        "gateway__gateway__kind": kind,
        "gateway__gateway__channels": CHANNELS.get(name, "usual"),
        "fleet__node__behaviour__version": f'"{version}"',
    }
    return changed("uplink", **{**usual, **settings})


def played(
    scenario: Scenario, make_network: MakeNetwork = ScriptedNetwork
) -> tuple[Run, LorawanEvidence, str]:
    """The run, its evidence and its trace."""
    trace = io.BytesIO()
    run = play_virtual(scenario, trace=trace, make_network=make_network)
    return run, run.evidence, trace.getvalue().decode()


def why(evidence: LorawanEvidence) -> str:
    """The paragraph about the one node."""
    (failed,) = failed_joins(evidence)
    return failed["why"]


def written(folder: Path, text: str) -> Path:
    """A scenario file."""
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path
