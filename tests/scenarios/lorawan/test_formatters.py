"""Payload formatters of a scenario, and what comes of them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import FileError
from scenarios.lorawan.networked import play_virtual
from scenarios.lorawan.results import parts
from scenarios.reading import read_scenario

from .playing import written

TANK = """\
[scenario]
name = "tank"
duration = "3min"
platform = "things-stack"

[network]
formatter = "cayenne-lpp"
formatters = { tank = "tank.js" }

[[gateway]]
name = "roof"
kind = "packet-forwarder"

[[fleet]]
name = "tank"
kind = "node"
behaviour = { activation = "abp", payload = "02d0", period_s = 60, spread_s = 1 }

[[fleet]]
name = "room"
kind = "node"
behaviour = { payload = "0167010a", period_s = 60, spread_s = 1 }

[[fleet]]
name = "mute"
kind = "node"
behaviour = { activation = "abp", payload = "ff", period_s = 60, spread_s = 1 }

[[expect]]
kind = "decoded"
on = "tank"
[[expect]]
kind = "decoded"
on = "room"
[[expect]]
kind = "decoded"
on = "mute"
"""
SCRIPT = "function decodeUplink(i) { return { data: { level: i.bytes[0] * 256 + i.bytes[1] } }; }"


def test_each_fleet_has_its_formatter(tmp_path: Path) -> None:
    (tmp_path / "tank.js").write_text(SCRIPT)
    scenario = read_scenario(str(written(tmp_path, TANK)))
    trace, again = io.BytesIO(), io.BytesIO()

    run = play_virtual(scenario, trace=trace)

    play_virtual(scenario, trace=again)
    assert [judgement.verdict for _, judgement in run.judgements] == ["pass", "pass", "fail"]
    last = {node["name"]: node.get("last_decoded") for node in parts(run)["nodes"]}
    assert last == {"tank-1": {"level": 720}, "room-1": {"temperature_1": 26.6}, "mute-1": None}
    assert trace.getvalue() == again.getvalue()
    assert {"level": 720} in decoded(trace.getvalue(), "tank-1")


def decoded(trace: bytes, device: str) -> list[Any]:
    lines = [json.loads(line) for line in trace.splitlines()[1:]]
    return [line["message"].get("decoded") for line in lines if line["device"] == device]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "expected a readable file; "),
        (b"\xff", "expected a script in UTF-8; got other bytes in "),
        (b" " * 50_000, "expected a script of at most 40960 bytes; got 50000"),
    ],
)
def test_a_script_that_cannot_be_read(tmp_path: Path, script: bytes | None, message: str) -> None:
    if script is not None:
        (tmp_path / "tank.js").write_bytes(script)

    with pytest.raises(FileError) as caught:
        read_scenario(str(written(tmp_path, TANK)))

    assert caught.value.line == 8
    assert message in str(caught.value)
