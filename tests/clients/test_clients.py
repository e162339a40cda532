"""
Clients that others wrote, from their registries and unmodified, against the reference server.

``tox -e clients`` has what they need; see docs/dependencies.md. Elsewhere a client that is not
installed is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from simulators.platforms.embedded import Embedded, embedded_server

HERE = Path(__file__).parent
HOME = os.environ.get("THINGRIG_CLIENTS_HOME", "")
KEYS = {
    "api_key": f"NNSXS.{'A' * 39}.{'B' * 52}",
    "user_id": "user1",
}
STORING = {
    "user": [{"user_id": "user1", "email": "user1@example.com", "password": "a-long-password"}],
    "api_key": [{"key": KEYS["api_key"], "user_id": "user1"}],
    "server": {"storage_integration": True},
}


def node_module(name: str) -> pytest.MarkDecorator:
    """Skip where a module of npm, or node itself, is not there."""
    is_there = HOME and (Path(HOME) / "node_modules" / name).is_dir() and shutil.which("node")
    return pytest.mark.skipif(
        not is_there, reason=f"THINGRIG_CLIENTS_HOME names no folder with npm's {name}"
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Embedded]:
    with embedded_server("things-stack") as running:
        yield running
        assert running.errors.read_text() == ""


@pytest.fixture(scope="module")
def tls_server() -> Iterator[Embedded]:
    with embedded_server("things-stack", tls=True, provisioning=STORING) as running:
        yield running
        assert running.errors.read_text() == ""


def told(command: list[str], **environment: str) -> Any:
    """The document that a client's program prints."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@node_module("ttn-lw")
def test_the_vendors_sdk(server: Embedded) -> None:
    credentials = server.target["credentials"]

    found = told(
        ["node", str(HERE / "ttn_lw.js"), server.url, credentials["api_key"],
         credentials["user_id"]]
    )  # fmt: skip

    assert found["application"]["name"] == "made by the SDK"
    assert found["applications"] == ["sdk-app"]
    assert found["key"]["rights"] == ["RIGHT_APPLICATION_TRAFFIC_READ"]
    assert found["joining"]["name"] == "joins"
    assert found["joining"]["frequency_plan_id"] == "EU_863_870"
    assert found["joining"]["root_keys"] == {"app_key": {"key": "0123456789ABCDEF0123456789ABCDEF"}}
    assert found["talking"]["formatters"] == {"up_formatter": "FORMATTER_CAYENNELPP"}
    assert found["talking"]["session"]["dev_addr"] == "00000001"
    assert found["devices"] == ["joining", "talking"]
    assert [item["f_port"] for item in found["pushed"]["downlinks"]] == [3, 3]
    assert [item["f_port"] for item in found["replaced"]["downlinks"]] == [4]
    assert found["refused"].startswith("error:pkg/identityserver/store:end_device_not_found")
    assert found["events"][:2] == ["events.stream.start", "application.update"]
    assert found["left"] == []


@node_module("the-things-network")
def test_the_things_network_of_npm(tls_server: Embedded) -> None:
    """It knows https alone."""
    found = told(
        ["node", str(HERE / "the_things_network.js"), tls_server.url, *KEYS.values()],
        NODE_EXTRA_CA_CERTS=tls_server.target["ca_file"],
    )

    assert found["application"]["ids"] == {"application_id": "node-app"}
    assert "RIGHT_APPLICATION_ALL" in found["rights"]["rights"]
    assert found["network"]["session"]["dev_addr"] == "00000002"
    assert [one["ids"]["device_id"] for one in found["devices"]["end_devices"]] == ["meter"]
    assert (found["pushed"], found["deleted"], found["refused"]) == ({}, {}, 5)


def asked(server: Embedded, method: str, path: str, body: Any) -> None:
    """A call of our own."""
    curl = ["curl", "-sS", "--fail-with-body", "--cacert", server.target["ca_file"], "-X", method]
    curl += ["-H", f"Authorization: Bearer {KEYS['api_key']}", "-d", json.dumps(body)]
    subprocess.run([*curl, f"{server.url}/api/v3{path}"], check=True, capture_output=True)


@pytest.mark.skipif(find_spec("ttn_client") is None, reason="ttn_client is not installed")
def test_ttn_client(tls_server: Embedded) -> None:
    """It reads what is stored, over https alone."""
    application = {"application": {"ids": {"application_id": "home-app"}}}
    asked(tls_server, "POST", "/users/user1/applications", application)
    ids = {"device_id": "dev1"}
    asked(tls_server, "POST", "/applications/home-app/devices", {"end_device": {"ids": ids}})
    device = {"ids": ids, "formatters": {"up_formatter": "FORMATTER_CAYENNELPP"}}
    asked(
        tls_server, "PUT", "/as/applications/home-app/devices/dev1",
        {"end_device": device, "field_mask": {"paths": ["formatters"]}},
    )  # fmt: skip
    storage = {"default": {"package_name": "storage-integration"},
               "field_mask": {"paths": ["package_name"]}}  # fmt: skip
    asked(tls_server, "PUT", "/as/applications/home-app/packages/associations/1", storage)
    settings = {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}}}
    uplink = {"f_port": 1, "f_cnt": 7, "frm_payload": "AWcA+A==",
              "settings": settings | {"frequency": "868000000"}}  # fmt: skip
    target = "/as/applications/home-app/devices/dev1/up/simulate"
    asked(tls_server, "POST", target, {"uplink_message": uplink})

    host = tls_server.url.removeprefix("https://")
    first, second = told(
        [sys.executable, str(HERE / "fetch_by_ttn_client.py"), host, "home-app", KEYS["api_key"]],
        SSL_CERT_FILE=tls_server.target["ca_file"],
    )

    assert first["dev1"]["temperature_1"] == 24.8
    assert second == first  # it asks for what came since a minute before
