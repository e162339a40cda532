"""No false red: a deployment that is set up otherwise than the reference's default is certified."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.platforms.embedded import embedded_server
from simulators.platforms.target_file import write_target_file

PROVISIONING: dict[str, Any] = {
    "user": [
        {"user_id": "ada", "email": "ada@example.com", "password": "a-long-password"},
        {
            "user_id": "root", "email": "root@example.com", "password": "a-long-password",
            "admin": True,
        },
    ],
    "organization": [{"organization_id": "acme-org", "members": ["ada"]}],
    "server": {
        "tenants": ["acme"],
        "is_split": True,
        "refuses_http_1_0": True,
        "rate_limit": {"per_minute": 3000, "burst": 5},
        "dev_eui_block": "",
        "registration": False,
    },
}  # fmt: skip
NOT_HERE = ["TTS-CF-009"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("part", ["read", "registry"])
def test_tenants_split_servers_and_rate_limits_are_certified(
    part: str, tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    """With a rate limit every refusal is waited for; the tenant's example is judged too."""
    out = tmp_path / "result"
    with embedded_server("things-stack", provisioning=PROVISIONING) as server:
        write_target_file(tmp_path / "target.toml", server.target)
        command = ["-P", "-m", "thingrig", "certify", f"things-stack/{part}", "--jobs", "2"]
        ran = run_python(
            [*command, "--target", str(tmp_path / "target.toml"), "--out", str(out)],
            tmp_path, out, timeout_s=200,
        )  # fmt: skip

    certificate = json.loads((out / "certificate.json").read_text())
    verdicts = {each["id"]: each["verdict"] for each in certificate["requirements"]}
    unlike = {name: found for name, found in verdicts.items() if found != "pass"}
    assert unlike == (dict.fromkeys(NOT_HERE, "not applicable") if part == "read" else {}), (
        ran.words
    )
    assert (ran.code, certificate["verdict"]) == (0, "certified")
    assert certificate["left_behind"] == []


STATIONS: dict[str, Any] = {
    "user": PROVISIONING["user"],
    "server": {
        "admits_unauthenticated_stations": True,
        "requires_registered_gateways": True,
        "net_id": "000000",
        "dev_addr_prefix": "00000000/7",
    },
}
ASKED = ["LW-BS-001", "LW-BS-002", "LW-BS-003", "LW-BS-004", "LW-BS-007", "LW-JOIN-007"]


@pytest.mark.timeout(120)
def test_stations_without_keys_are_declared(tmp_path: Path, run_python: Callable[..., Any]) -> None:
    """Where registration is required, discovery itself refuses strangers."""
    out, target = tmp_path / "result", tmp_path / "target.toml"
    with embedded_server("things-stack", provisioning=STATIONS) as server:
        write_target_file(target, server.target)
        target.write_text('lacks = ["station-keys"]\n' + target.read_text())
        command = ["-P", "-m", "thingrig", "certify", "things-stack", "--only", *ASKED]
        run_python(
            [*command, "--target", str(target), "--out", str(out)], tmp_path, out, timeout_s=100
        )

    certificate = json.loads((out / "certificate.json").read_text())
    verdicts = {each["id"]: each["verdict"] for each in certificate["requirements"]}
    lacking = dict.fromkeys(["LW-BS-003", "LW-BS-004"], "not applicable")
    assert verdicts == dict.fromkeys(ASKED, "pass") | lacking


BY_ADMIN = ["TTS-ORG-010", "TTS-US-005", "TTS-US-007", "TTS-EV-011", "TTS-CL-010"]


@pytest.mark.timeout(120)
def test_callers_may_be_administrators(tmp_path: Path, run_python: Callable[..., Any]) -> None:
    """Like many on a server of their own; nobody else may take their id."""
    out, target = tmp_path / "result", tmp_path / "target.toml"
    provisioning = {name: PROVISIONING[name] for name in ("user", "organization")}
    with embedded_server("things-stack", provisioning=provisioning) as server:
        document = {**server.target, "credentials": {**server.target["credentials"]}}
        document["credentials"]["api_key"] = document["credentials"]["admin_api_key"]
        document["credentials"]["user_id"] = "root"
        write_target_file(target, document)
        command = ["-P", "-m", "thingrig", "certify", "things-stack", "--only", *BY_ADMIN]
        run_python(
            [*command, "--target", str(target), "--out", str(out)], tmp_path, out, timeout_s=100
        )

    certificate = json.loads((out / "certificate.json").read_text())
    verdicts = {each["id"]: each["verdict"] for each in certificate["requirements"]}
    exempt = dict.fromkeys(["TTS-ORG-010", "TTS-US-005", "TTS-CL-010"], "not applicable")
    assert verdicts == dict.fromkeys(BY_ADMIN, "pass") | exempt
