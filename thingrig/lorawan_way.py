"""How scenarios of LoRaWAN are played: virtually, at a network with an API, or to gateway ports."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import click

from conformance import targets
from conformance.ledger import REMOVABLE, Ledger
from scenarios.files import FileError
from scenarios.lorawan import networked, playing
from scenarios.mistakes import expected
from scenarios.model import Scenario
from scenarios.run import Run
from simulators.apps.things_stack.api import ApiError
from simulators.platforms.things_stack.plans import plans
from simulators.transports.event_loop import new_event_loop
from simulators.transports.udp import host_and_port
from thingrig.destination import destination, tls_to
from thingrig.errors import NoJudgement, UsageProblem
from thingrig.load_rules import Rules, is_loopback
from thingrig.run_view import printable, progress_of

NO_RIGHTS = (401, 403)
PORT_OF = {"packet-forwarder": "udp", "basics-station": "lns"}  # in a target's [gateway]


@contextmanager
def lorawan_way(
    scenario: Scenario,
    clock: str | None,
    target_path: str | None,
    url: str | None,
    rules: Rules,
) -> Iterator[tuple[Any, dict[str, Any] | None]]:
    """
    How to play, and what the results say about the target.

    Without a target the network is the embedded one. What a scenario needs of a network is
    registered there, at a target where it says so by ``[network]``, and where the target's file has
    an API key.
    """
    assert scenario.lorawan is not None
    network = scenario.lorawan.network
    needs_network = network is not None
    has_target = target_path is not None or url is not None
    if not has_target and clock != "wall":
        yield _play_virtual, None
        return
    origin = target_path or url or "embedded server"
    with destination(scenario.platform, target_path, url) as target:
        target = rules.applied(scenario, target)
        ports = ports_of(scenario, target, origin)
        about = {"kind": target.kind, "url": target.url}
        if needs_network or target.credential("api_key"):
            access = access_of(target, origin)
            if network is not None and network.webhook:
                access = replace(access, **webhook_of(target, origin))
            again = _again(target_path, url)
            yield partial(_play_wall_network, again=again, access=access, ports=ports), about
        else:
            yield partial(_play_wall, ports=ports), about


def _again(target_path: str | None, url: str | None) -> str:
    """The options that reach the same target once more; an embedded one is gone."""
    options = (("--target", target_path), ("--url", url))
    return " ".join(f"{option} {value}" for option, value in options if value)


def access_of(target: targets.Target, origin: str) -> networked.NetworkAccess:
    """
    How the target's API is used.

    Raises:
        FileError: no key, or nobody whose things they shall be.
    """
    key = target.credential("api_key")
    owners = [
        f"{kind}/{name}"
        for kind, name in (
            ("users", target.credential("user_id")),
            ("organizations", target.credential("organization_id")),
        )
        if name
    ]
    for name, value in (("api_key", key), ("user_id or organization_id", owners)):
        if not value:
            what = f"expected credentials.{name} to register the scenario's devices with; got none"
            raise FileError(origin, None, what)
    plan = target.document.get("gateway", {}).get("frequency_plan", "")
    if plan and plan not in plans():
        what = expected("gateway.frequency_plan to be one of The Things Stack's", plan, plans())
        raise FileError(origin, None, what)
    return networked.NetworkAccess(
        target.url,
        key,
        owners[0],
        admin_api_key=target.credential("admin_api_key") or "",
        urls=target.document.get("urls", {}),
        frequency_plan=plan,
        ssl_context=tls_to(target),
        max_requests_per_s=target.max_requests_per_s,
    )


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


def _play_wall(
    scenario: Scenario, *, ports: playing.GatewayPorts, trace: BinaryIO, folder: Path
) -> Run:
    with (
        asyncio.Runner(loop_factory=new_event_loop) as runner,
        progress_of(scenario) as progress,
    ):
        return runner.run(playing.play_wall(scenario, ports, trace=trace, progress=progress))


def _play_virtual(scenario: Scenario, *, trace: BinaryIO, folder: Path) -> Run:
    with _registering(), progress_of(scenario) as progress:
        return networked.play_virtual(scenario, trace=trace, progress=progress)


def _play_wall_network(
    scenario: Scenario,
    *,
    again: str,
    access: networked.NetworkAccess,
    ports: playing.GatewayPorts,
    trace: BinaryIO,
    folder: Path,
) -> Run:
    """What is registered is noted in the folder before, for ``thingrig clean``."""
    prefix = f"thingrig-{secrets.token_hex(4)}"  # the ids of what was deleted stay taken
    header = {"platform": scenario.platform, "url": access.url, "prefix": prefix}
    with (
        closing(Ledger(folder / "ledger.jsonl", header)) as ledger,
        _telling_how_to_clean(ledger, folder, again),
        _registering(access.api_key),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
        progress_of(scenario) as progress,
    ):
        playing_it = networked.play_wall(
            scenario,
            access,
            ports,
            prefix=prefix,
            book=ledger,
            trace=trace,
            progress=progress,
            tell=_tell,
        )
        return runner.run(playing_it)


@contextmanager
def _telling_how_to_clean(ledger: Ledger, folder: Path, again: str) -> Iterator[None]:
    """However it ends: what is still there can be removed later."""
    try:
        yield
    finally:
        if again and any(ledger.created(kind) for kind in REMOVABLE):
            _tell(f"to remove it: thingrig clean {folder} {again}")


def _tell(text: str) -> None:
    click.echo(printable(text), err=True)


def webhook_of(target: targets.Target, origin: str) -> dict[str, Any]:
    """
    Where webhooks of the target arrive: as its file says, or on loopback where it is there too.

    Raises:
        FileError: nobody knows how the target reaches us.
    """
    table = target.document.get("webhook", {})
    if not table and not is_loopback(target.url):
        what = "expected webhook.listen for the webhook of the scenario; got none"
        raise FileError(origin, None, what)
    host, _, port = table.get("listen", "127.0.0.1:0").rpartition(":")
    return {
        "webhook_listen": (host.strip("[]"), int(port)),
        "webhook_url": table.get("url", ""),
    }


@contextmanager
def _registering(api_key: str = "") -> Iterator[None]:
    """What the network refused, in one line; of a key that it does not take the last characters."""
    try:
        yield
    except networked.NetworkError as problem:
        told = printable(str(problem))
        refusal = problem.__cause__
        if isinstance(refusal, ApiError) and refusal.status in NO_RIGHTS and api_key:
            told = f"credentials.api_key …{api_key[-4:]} is not accepted, or lacks rights: {told}"
        raise NoJudgement(told) from problem
