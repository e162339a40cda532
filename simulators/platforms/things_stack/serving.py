"""How a server of The Things Stack is opened: its database, its core, its target file."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from simulators.clock import wall_unix_us
from simulators.platforms.platform import Document, Platform, Server, ServingError, Site
from simulators.platforms.state_file import why
from simulators.platforms.things_stack import stock
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.deviations import (
    DeviatingCore,
    Deviation,
    list_deviations,
)
from simulators.platforms.things_stack.framing import LIMITS, framing
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.provisioning import (
    Provisioning,
    default_provisioning,
    from_document,
)
from simulators.platforms.things_stack.tables_of_servers import TABLES
from simulators.randomness import RandomStreams

NAME = "things-stack"


@contextlib.asynccontextmanager
async def open_server(site: Site) -> AsyncIterator[Server]:
    """See Platform."""
    deviation = _deviation(site.settings.deviation)
    streams = RandomStreams(site.settings.seed)
    default = default_provisioning(streams.stream(NAME, "provisioning"))
    given: Provisioning | None = site.provisioning
    with _database(site.folder.path / f"{NAME}.sqlite") as database:
        rng = streams.stream(NAME, "ids")
        core = Core(
            database,
            rng,
            secrets=random.SystemRandom(),
            policy=_policy(site, given or default, deviation),
        )
        _provision(core, given, default)
        target: Document = {}
        if site.wants_target:
            target = _target(core, given or default)
        database.commit()
        wire = framing(streams.stream(NAME, "refusals"))
        served = DeviatingCore(core, deviation) if deviation else core
        yield Server(
            served,
            database,
            target=lambda _: target,
            located=core.located,
            framing=replace(wire, **deviation.framing) if deviation else wire,
            limits=LIMITS,
            network=served,
        )


def _deviation(name: str | None) -> Deviation | None:
    if name is None:
        return None
    deviation = list_deviations().get(name)
    if deviation is None:
        raise ServingError(f"expected the name of a deviation; got {name!r}")
    return deviation


def _policy(site: Site, provisioning: Provisioning, deviation: Deviation | None) -> Policy:
    policy = Policy()
    if site.settings.password_cost is not None:
        policy = replace(policy, password_cost=site.settings.password_cost)
    policy = provisioning.applied_to(policy)
    return replace(policy, **deviation.policy) if deviation else policy


@contextlib.contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        database = open_database(path, TABLES)
    except (OSError, sqlite3.Error) as error:
        raise ServingError(f"{path}: {why(error)}") from error
    with contextlib.closing(database):
        yield database


def _tenants(core: Core) -> tuple[str, ...]:
    return core.policy.tenants or ("",)


def _provision(core: Core, given: Provisioning | None, default: Provisioning) -> None:
    """Put everything in place; without a provisioning only what an empty state needs."""
    try:
        for tenant in _tenants(core):
            if given is not None or stock.is_empty(core.stack, tenant=tenant):
                now_us = wall_unix_us()
                stock.provision(core.stack, given or default, tenant=tenant, now_us=now_us)
    except stock.ProvisioningConflict as conflict:
        core.stack.connection.rollback()
        raise ServingError(f"provisioning conflicts with the state: {conflict}") from conflict


def _target(core: Core, provisioning: Provisioning) -> Document:
    """What a tester needs, of the first tenant."""
    tenant = _tenants(core)[0]
    credentials = stock.credentials(core.stack, provisioning, tenant=tenant, now_us=wall_unix_us())
    return {
        "limits": {"allow": ["read", "write", "destroy"]},
        "credentials": credentials | ({"tenant": tenant} if tenant else {}),
        "gateway": {"frequency_plan": provisioning.frequency_plan},
    }


PLATFORM = Platform(NAME, "provisioning-things-stack", from_document, open_server)
