"""How a server of thethings.iO is opened: its database, its core, its mail, its target file."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from simulators.clock import wall_unix_us
from simulators.platforms.framing import Framing, Limits
from simulators.platforms.mailbox import ADDRESS, open_mailbox
from simulators.platforms.mailer import DEFAULT_SENDER, Mailer, address_of
from simulators.platforms.platform import Platform, Server, ServingError, Site
from simulators.platforms.provisioning import (
    Provisioning,
    ServerSettings,
    User,
    default_provisioning,
    from_document,
)
from simulators.platforms.state_file import why
from simulators.platforms.thethings_io import stock
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations import (
    DeviatingCore,
    Deviation,
    list_deviations,
)
from simulators.platforms.thethings_io.policy import Policy
from simulators.platforms.thethings_io.store import open_database
from simulators.platforms.wire_http import Connection
from simulators.randomness import RandomStreams

NAME = "thethings-io"
CODES_IN_TARGET = 1000
USERS_IN_TARGET = 3


@contextlib.asynccontextmanager
async def open_server(site: Site) -> AsyncIterator[Server]:
    """See Platform."""
    deviation = _deviation(site.settings.deviation)
    async with contextlib.AsyncExitStack() as stack:
        database = stack.enter_context(_database(site.folder.path / f"{NAME}.sqlite"))
        core = _core(database, site, deviation)
        users = _provision(core, site)
        post = await stack.enter_async_context(_post_office(site))
        yield Server(
            DeviatingCore(core, deviation) if deviation else core,
            database,
            target=lambda _: _contents(core, users, post.mailbox),
            located=lambda url: setattr(core, "url", url),
            framing=replace(Framing(), **deviation.framing) if deviation else None,
            limits=replace(Limits(), **deviation.limits) if deviation else Limits(),
            connection=deviation.connection if deviation else Connection,
            mailer=post.mailer,
        )


class _PostOffice(NamedTuple):
    """Where mail is given to, and the mailbox that it can be read in if that is our own."""

    mailer: Mailer
    mailbox: dict[str, str]


@contextlib.asynccontextmanager
async def _post_office(site: Site) -> AsyncIterator[_PostOffice]:
    given = _provisioning(site).server if site.provisioning else ServerSettings()
    smtp = site.settings.smtp or given.smtp
    async with contextlib.AsyncExitStack() as stack:
        if smtp is not None:
            (host, port), mailbox = _smtp_address(smtp), {}
        else:
            own = await _open_mailbox(site.folder.mail_folder)
            stack.callback(own.close)
            host, port = own.sockets[0].getsockname()[:2]
            mailbox = {"folder": str(site.folder.mail_folder), "address": ADDRESS}
        sender = given.mail_from or DEFAULT_SENDER
        loop = asyncio.get_running_loop()
        mailer = Mailer(loop, host, port, sender=sender, unix_us=wall_unix_us)
        stack.callback(mailer.close)
        yield _PostOffice(mailer, mailbox)


def _provisioning(site: Site) -> Provisioning:
    provisioning: Provisioning = site.provisioning
    return provisioning


def _smtp_address(text: str) -> tuple[str, int]:
    try:
        return address_of(text)
    except ValueError as error:
        raise ServingError(str(error)) from error


async def _open_mailbox(path: Path) -> asyncio.Server:
    try:
        return await open_mailbox(path)
    except OSError as error:
        raise ServingError(f"{path}: {error.strerror or error}") from error


def _deviation(name: str | None) -> Deviation | None:
    if name is None:
        return None
    deviation = list_deviations().get(name)
    if deviation is None:
        raise ServingError(f"expected the name of a deviation; got {name!r}")
    return deviation


@contextlib.contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        database = open_database(path)
    except (OSError, sqlite3.Error) as error:
        raise ServingError(f"{path}: {why(error)}") from error
    with contextlib.closing(database):
        yield database


def _core(database: sqlite3.Connection, site: Site, deviation: Deviation | None) -> Core:
    return Core(
        database,
        None,
        RandomStreams(site.settings.seed).stream(NAME, "tokens"),
        secrets=random.SystemRandom(),
        policy=_policy(site, deviation),
        # A deviation may look into the values of an answer; the reference splices them in.
        show=orjson.loads if deviation else orjson.Fragment,
    )


def _policy(site: Site, deviation: Deviation | None) -> Policy:
    policy = Policy()
    given = _provisioning(site).server.password_cost if site.provisioning else None
    cost = given or site.settings.password_cost
    if cost is not None:
        policy = replace(policy, password_cost=cost)
    return replace(policy, **deviation.policy) if deviation else policy


def _provision(core: Core, site: Site) -> list[User]:
    """
    Put everything in place and commit.

    Returns:
        Users with known passwords, for a target file.
    """
    rng = RandomStreams(site.settings.seed).stream(NAME, "provisioning")
    provisioning = _provisioning(site) if site.provisioning else None
    if provisioning is None and stock.is_empty(core.store):
        provisioning = default_provisioning(rng)
    cost, users = core.policy.password_cost, list[User]()
    try:
        if provisioning is not None:
            users = stock.provision(core.store, provisioning, password_cost=cost)
    except stock.ProvisioningConflict as conflict:
        core.store.connection.rollback()
        raise ServingError(f"provisioning conflicts with the state: {conflict}") from conflict
    if site.wants_target:
        stock.top_up(core.store, rng, CODES_IN_TARGET)
        old = [user for user in provisioning.users if user not in users] if provisioning else []
        users += stock.known_users(core.store, old)
        users += _further_users(core, rng, USERS_IN_TARGET - len(users))
    core.store.connection.commit()
    return users


def _further_users(core: Core, rng: random.Random, count: int) -> list[User]:
    """So many more, where there is an app to log in to: passwords in the state are hashes."""
    if not stock.has_apps(core.store):
        return []
    fresh = stock.fresh_users(core.store, rng, count)
    return stock.add_users(core.store, fresh, password_cost=core.policy.password_cost)


def _contents(core: Core, users: list[User], mailbox: dict[str, str]) -> dict[str, Any]:
    """The target file of this server as a document."""
    return {
        "limits": {"allow": ["read", "write", "destroy"]},
        **stock.contents(core.store, users),
        **({"mailbox": mailbox} if mailbox else {}),
    }


PLATFORM = Platform(NAME, "provisioning", from_document, open_server)
