"""Where LoRaWAN scenarios find a target's gateway ports, and how the command tells what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.targets import read_target
from scenarios.files import FileError
from scenarios.lorawan.playing import GatewayPorts
from scenarios.reading import Setting, read_scenario
from thingrig.lorawan_way import access_of, ports_of, webhook_of

TARGET = 'platform = "things-stack"\nurl = "http://127.0.0.1:1885"\n'
GATEWAY = '[gateway]\nudp = "127.0.0.1:1700"\nlns = "ws://127.0.0.1:1887"\n'


def found(tmp_path: Path, text: str, kind: str = "packet-forwarder") -> Any:
    path = tmp_path / "target.toml"
    path.write_text(text, encoding="utf-8")
    scenario = read_scenario("join", [Setting("gateway.gateway.kind", kind, "test")])
    return ports_of(scenario, read_target(path), "target.toml")


def test_both_ports_of_the_target_file(tmp_path: Path) -> None:
    expected = GatewayPorts("127.0.0.1:1700", "ws://127.0.0.1:1887")

    assert found(tmp_path, TARGET + GATEWAY) == expected


def test_without_a_table_udp_has_the_port_of_the_url(tmp_path: Path) -> None:
    assert found(tmp_path, TARGET) == GatewayPorts("127.0.0.1:1885")


def test_a_station_needs_an_lns(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"expected gateway\.lns for 'gateway', a basics-station"):
        found(tmp_path, TARGET, "basics-station")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('udp = "127.0.0.1"', "expected udp to be host:port of Semtech's UDP protocol"),
        ('lns = "http://127.0.0.1"', "expected lns to be ws://host:port or wss://host:port"),
        ('upd = "127.0.0.1:1700"', "did you mean 'udp'?"),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_line(
    tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(FileError) as caught:
        found(tmp_path, f"{TARGET}[gateway]\n{line}\n")

    assert caught.value.line == 4
    assert message in str(caught.value)


KEYS = '[credentials]\napi_key = "NNSXS.A.B"\n'


def access(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "target.toml"
    path.write_text(text, encoding="utf-8")
    return access_of(read_target(path), "target.toml")


def test_devices_are_registered_for_a_user_or_an_organization(tmp_path: Path) -> None:
    user = access(tmp_path, TARGET + KEYS + 'user_id = "me"\norganization_id = "us"\n')
    organization = access(tmp_path, TARGET + KEYS + 'organization_id = "us"\n')

    assert (user.api_key, user.owner) == ("NNSXS.A.B", "users/me")
    assert organization.owner == "organizations/us"


@pytest.mark.parametrize(("text", "name"), [("", "api_key"), (KEYS, "user_id or organization_id")])
def test_registering_needs_a_key_and_an_owner(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(FileError, match=rf"expected credentials\.{name} to register .* got none"):
        access(tmp_path, TARGET + text)


WEBHOOK = '[webhook]\nlisten = "0.0.0.0:8090"\nurl = "https://rig.example.com"\n'


def webhook(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "target.toml"
    path.write_text(text, encoding="utf-8")
    return webhook_of(read_target(path), "target.toml")


def test_a_target_reaches_us_as_its_file_says_or_on_loopback(tmp_path: Path) -> None:
    far = TARGET.replace("127.0.0.1", "192.0.2.7")

    assert webhook(tmp_path, TARGET) == {
        "webhook_listen": ("127.0.0.1", 0), "webhook_url": "",
    }  # fmt: skip
    assert webhook(tmp_path, far + WEBHOOK) == {
        "webhook_listen": ("0.0.0.0", 8090), "webhook_url": "https://rig.example.com",
    }  # fmt: skip
    with pytest.raises(FileError, match=r"expected webhook\.listen for the webhook"):
        webhook(tmp_path, far)
