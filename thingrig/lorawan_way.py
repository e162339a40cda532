"""How scenarios of LoRaWAN are played: virtually, on sockets of our own, or to gateway ports."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from conformance import targets
from scenarios.files import FileError
from scenarios.lorawan import playing
from scenarios.model import Scenario
from scenarios.run import Run
from simulators.transports.event_loop import new_event_loop
from simulators.transports.udp import host_and_port
from thingrig.destination import destination
from thingrig.errors import UsageProblem
from thingrig.load_rules import Rules
from thingrig.run_view import progress_of

EMBEDDED = {"kind": "embedded", "url": "udp://127.0.0.1"}
PORT_OF = {"packet-forwarder": "udp", "basics-station": "lns"}  # in a target's [gateway]


@contextmanager
def lorawan_way(
    scenario: Scenario,
    clock: str | None,
    target_path: str | None,
    url: str | None,
    rules: Rules,
) -> Iterator[tuple[Any, dict[str, Any] | None]]:
    """How to play, and what the results say about the target."""
    if target_path is None and url is None:
        if clock == "wall":
            yield partial(_play_wall, ports=None), EMBEDDED
        else:
            yield _play_virtual, None
        return
    with destination(scenario.platform, target_path, url) as target:
        ports = ports_of(scenario, target, target_path or "--url")
        yield partial(_play_wall, ports=ports), {"kind": target.kind, "url": target.url}


def ports_of(scenario: Scenario, target: targets.Target, origin: str) -> playing.GatewayPorts:
    """
    Where the target takes gateways; without ``[gateway]`` UDP at the port of its URL.

    Raises:
        FileError: a port that one of the scenario's gateways needs is absent or wrong.
        UsageProblem: certificates that cannot be read.
    """
    assert scenario.lorawan is not None
    table = dict(target.document.get("gateway", {}))
    if not table.get("udp") and not table.get("lns"):
        table["udp"] = urlsplit(target.url).netloc
    for gateway in scenario.lorawan.gateways:
        name = PORT_OF[gateway.kind]
        if not table.get(name):
            what = f"expected gateway.{name} for '{gateway.name}', a {gateway.kind}; got none"
            raise FileError(origin, None, what)
    udp, lns = table.get("udp", ""), table.get("lns", "")
    if udp:
        try:
            host_and_port(udp)
        except ValueError as problem:
            raise FileError(origin, None, f"gateway.udp: {problem}") from problem
    return playing.GatewayPorts(udp, lns, _trust(lns, target.ca_file))


def _trust(lns: str, ca_file: str | None) -> ssl.SSLContext | None:
    if not lns.startswith("wss:"):
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as problem:
        raise UsageProblem(f"{ca_file}: expected certificates in PEM form") from problem


def _play_virtual(scenario: Scenario, *, trace: BinaryIO, folder: Path) -> Run:
    with progress_of(scenario) as progress:
        return playing.play_virtual(scenario, trace=trace, progress=progress)


def _play_wall(
    scenario: Scenario, *, ports: playing.GatewayPorts | None, trace: BinaryIO, folder: Path
) -> Run:
    with (
        asyncio.Runner(loop_factory=new_event_loop) as runner,
        progress_of(scenario) as progress,
    ):
        return runner.run(playing.play_wall(scenario, ports, trace=trace, progress=progress))
