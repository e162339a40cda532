"""Households on the wall clock: accounts of the target file first, mail from its folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulators.platforms.embedded import embedded_server
from simulators.platforms.target_file import to_toml
from thingrig.commands.run import command

FAST = {
    "fleet.home.count": 4,
    "fleet.thermometer.count": 4,
    "fleet.lamp.count": 4,
    "fleet.thermometer.behaviour.period_s": 1,
    "fleet.thermometer.behaviour.jitter_s": 0.1,
    "fleet.home.behaviour.couples": 1.0,
    "fleet.home.behaviour.by_mail": 1.0,
    "fleet.home.behaviour.arrive_s": 0.5,
    "fleet.home.behaviour.turn_every_s": 1,
    "fleet.home.behaviour.read_every_s": 2,
    "fleet.home.behaviour.share_every_s": 1,
    "fleet.home.behaviour.share_for_s": 3,
    "fleet.home.behaviour.mail_every_s": 0.3,
    "fault.0.at": "7s",
    "fault.0.for": "1s",
    "expect.phones-return.within": "3s",
    "expect.turns-seen.recovery": "3s",
    "expect.devices-active.by": "6s",
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[dict[str, str]]]:
    """A run against a server with a target file; its folder, output, and the file's users."""
    folder = tmp_path_factory.mktemp("home")
    with embedded_server() as server:
        document = {
            **server.target,
            "limits": {"allow": ["read", "write"], "max_requests_per_s": 60},
        }
        (folder / "target.toml").write_text(to_toml(document))
        arguments = ["home", "--target", str(folder / "target.toml"), "--duration", "15s"]
        for path, value in FAST.items():
            arguments += ["--set", f"{path}={value}"]
        result = CliRunner().invoke(command, [*arguments, "--out", str(folder / "out")])
    return folder / "out", result.output, document["credentials"]["users"]


def test_what_is_said_about_rights_holds_on_the_wall_clock(
    played: tuple[Path, str, list[dict[str, str]]],
) -> None:
    """Delays depend on how busy the machine is; what nobody may see does not."""
    folder, output, _ = played
    found = json.loads((folder / "run.json").read_text())["expectations"]
    verdicts = {each["kind"]: each["verdict"] for each in found}
    assert verdicts["nothing-foreign"] == "pass", output
    assert verdicts["acknowledged-values-readable"] == "pass", output


def test_accounts_of_the_file_come_first_and_mail_is_opened(
    played: tuple[Path, str, list[dict[str, str]]],
) -> None:
    folder, _, users = played
    text = (folder / "trace.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()[1:]]
    messages = [event["message"] for event in events if event["direction"] == "uplink"]
    targets = Counter(message["target"].split("?")[0] for message in messages)
    logins = {m["document"]["email"] for m in messages if m["target"] == "/v2/login"}
    assert logins >= {user["email"] for user in users}
    assert targets["/v2/register"] >= 5
    assert any(target.startswith("/v2/confirmations/<confirmation:") for target in targets)
    assert [user for user in users if user["password"] in text] == []
