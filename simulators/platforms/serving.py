"""
Runs reference servers in this process until a signal ends them.

State, certificate authority and lock lie in one folder; see ``StateFolder``. Knows no command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import resource
import signal
import sqlite3
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from simulators.clock import wall_unix_us
from simulators.platforms.framing import Framing, Limits
from simulators.platforms.mailbox import ADDRESS, open_mailbox
from simulators.platforms.mailer import DEFAULT_SENDER, Mailer, address_of
from simulators.platforms.provisioning import (
    Provisioning,
    ServerSettings,
    User,
    default_provisioning,
)
from simulators.platforms.shell import Shell
from simulators.platforms.state_folder import StateFolder
from simulators.platforms.target_file import write_target_file
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

PLATFORMS = ("thethings-io",)
CODES_IN_TARGET = 1000
USERS_IN_TARGET = 3
_GRACE_S = 1.0  # for the last bytes of streams and answers
_HANDSHAKE_S = 10.0
_SPARE_FILES = 64


class ServingError(Exception):
    """The server cannot be started as asked; one line says why."""


@dataclass(frozen=True)
class Settings:
    """How to serve."""

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    tls: bool = False
    provisioning: Provisioning | None = None
    seed: int = 0
    write_target: Path | None = None
    deviation: str | None = None
    until_stdin_ends: bool = False
    password_cost: int | None = None
    smtp: str | None = None


def serve(platforms: list[str], settings: Settings, say: Callable[[str], None]) -> None:
    """
    Serve until SIGINT or SIGTERM.

    Args:
        platforms: names out of PLATFORMS; all when empty. Ports count up from the first one.
        say: gets one line per platform, ``ready PLATFORM URL``, when it can be used.
    Raises:
        ServingError: unknown platform, port taken, state locked or in conflict.
    """
    unknown = [name for name in platforms if name not in PLATFORMS]
    if unknown:
        raise ServingError(f"expected a platform ({', '.join(PLATFORMS)}); got {unknown[0]!r}")
    with _state_folder(settings) as folder, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(folder, settings, say))


def new_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a server: uvloop's where there is one."""
    try:
        import uvloop
    except ImportError:  # not every system has it; the server is slower then, not different
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@contextlib.contextmanager
def _state_folder(settings: Settings) -> Iterator[StateFolder]:
    with contextlib.ExitStack() as stack:
        path = settings.state
        if path is None:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thingrig-")))
        try:
            folder = stack.enter_context(StateFolder(path))
        except OSError as error:
            raise ServingError(f"{path}: {error.strerror or error}") from error
        yield folder


async def _serve(folder: StateFolder, settings: Settings, say: Callable[[str], None]) -> None:
    stop = _stop_event(asyncio.get_running_loop(), settings)
    deviation = _deviation(settings.deviation)
    context, ca_file = _tls(folder, settings)
    async with contextlib.AsyncExitStack() as stack:
        database = stack.enter_context(_database(folder.path / "thethings-io.sqlite"))
        core = _core(database, settings, deviation)
        users = _provision(core, settings)
        post = await stack.enter_async_context(_post_office(folder, settings))
        shell = Shell(
            DeviatingCore(core, deviation) if deviation else core,
            database,
            wall_unix_us,
            framing=replace(Framing(), **deviation.framing) if deviation else None,
            limits=_limits(deviation),
            mailer=post.mailer,
        )
        kind = deviation.connection if deviation else Connection
        server = await _listen(shell, settings, context, kind)
        url = core.url = _url(server, settings)
        if settings.write_target is not None:
            document = target_document(core, url, ca_file, users, post.mailbox)
            _write_target(settings.write_target, document)
        gc.freeze()
        gc.set_threshold(50_000)  # a turn's requests are no garbage yet
        await server.start_serving()
        shell.resume()
        say(f"ready thethings-io {url}")
        await stop.wait()
        await _end(server, shell)


class _PostOffice(NamedTuple):
    """Where mail is given to, and the mailbox that it can be read in if that is our own."""

    mailer: Mailer
    mailbox: dict[str, str]


@contextlib.asynccontextmanager
async def _post_office(folder: StateFolder, settings: Settings) -> AsyncIterator[_PostOffice]:
    given = settings.provisioning.server if settings.provisioning else ServerSettings()
    smtp = settings.smtp or given.smtp
    async with contextlib.AsyncExitStack() as stack:
        if smtp is not None:
            (host, port), mailbox = _smtp_address(smtp), {}
        else:
            own = await _open_mailbox(folder.mail_folder)
            stack.callback(own.close)
            host, port = own.sockets[0].getsockname()[:2]
            mailbox = {"folder": str(folder.mail_folder), "address": ADDRESS}
        sender = given.mail_from or DEFAULT_SENDER
        loop = asyncio.get_running_loop()
        mailer = Mailer(loop, host, port, sender=sender, unix_us=wall_unix_us)
        stack.callback(mailer.close)
        yield _PostOffice(mailer, mailbox)


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


def _tls(folder: StateFolder, settings: Settings) -> tuple[ssl.SSLContext | None, Path | None]:
    if not settings.tls:
        return None, None
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", settings.host])
    return folder.tls_context(*(name for name in names if name not in ("0.0.0.0", "::"))), (  # noqa: S104
        folder.ca_file
    )


@contextlib.contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        database = open_database(path)
    except sqlite3.Error as error:
        raise ServingError(f"{path}: {error}") from error
    with contextlib.closing(database):
        yield database


def _core(database: sqlite3.Connection, settings: Settings, deviation: Deviation | None) -> Core:
    return Core(
        database,
        None,
        RandomStreams(settings.seed).stream("thethings-io", "tokens"),
        secrets=random.SystemRandom(),
        policy=_policy(settings, deviation),
        # A deviation may look into the values of an answer; the reference splices them in.
        show=orjson.loads if deviation else orjson.Fragment,
    )


def _policy(settings: Settings, deviation: Deviation | None) -> Policy:
    policy = Policy()
    given = settings.provisioning.server.password_cost if settings.provisioning else None
    cost = given or settings.password_cost
    if cost is not None:
        policy = replace(policy, password_cost=cost)
    return replace(policy, **deviation.policy) if deviation else policy


def _provision(core: Core, settings: Settings) -> list[User]:
    """
    Put everything in place and commit.

    Returns:
        Users with known passwords, for a target file.
    """
    rng = RandomStreams(settings.seed).stream("thethings-io", "provisioning")
    provisioning = settings.provisioning
    if provisioning is None and stock.is_empty(core.store):
        provisioning = default_provisioning(rng)
    cost, users = core.policy.password_cost, list[User]()
    try:
        if provisioning is not None:
            users = stock.provision(core.store, provisioning, password_cost=cost)
    except stock.ProvisioningConflict as conflict:
        core.store.connection.rollback()
        raise ServingError(f"provisioning conflicts with the state: {conflict}") from conflict
    if settings.write_target is not None:
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


def _limits(deviation: Deviation | None) -> Limits:
    """The defaults, with no more connections than this process may have open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    limits = Limits()
    limits = replace(limits, connections=max(1, min(limits.connections, soft - _SPARE_FILES)))
    return replace(limits, **deviation.limits) if deviation else limits


async def _listen(
    shell: Shell, settings: Settings, context: ssl.SSLContext | None, kind: type[Connection]
) -> asyncio.Server:
    try:
        return await shell.loop.create_server(
            lambda: kind(shell),
            settings.host,
            settings.port,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE_S if context else None,
            backlog=1024,
            start_serving=False,
            reuse_address=True,
        )
    except (OSError, OverflowError) as error:
        raise ServingError(f"cannot listen on {settings.host}:{settings.port}: {error}") from error


def _url(server: asyncio.Server, settings: Settings) -> str:
    port = server.sockets[0].getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{'https' if settings.tls else 'http'}://{host}:{port}"


def target_document(
    core: Core, url: str, ca_file: Path | None, users: list[User], mailbox: dict[str, str]
) -> dict[str, Any]:
    """The target file of this server as a document."""
    return {
        "platform": "thethings-io",
        "url": url,
        **({"ca_file": str(ca_file)} if ca_file is not None else {}),
        "limits": {"allow": ["read", "write", "destroy"]},
        **stock.contents(core.store, users),
        **({"mailbox": mailbox} if mailbox else {}),
    }


def _write_target(path: Path, document: dict[str, Any]) -> None:
    try:
        write_target_file(path, document)
    except OSError as error:
        raise ServingError(f"{path}: {error.strerror or error}") from error


def _stop_event(loop: asyncio.AbstractEventLoop, settings: Settings) -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if settings.until_stdin_ends:  # whoever started this process is gone
        loop.add_reader(0, _read_stdin, stop)
    return stop


def _read_stdin(stop: asyncio.Event) -> None:
    if not os.read(0, 1024):
        stop.set()


async def _end(server: asyncio.Server, shell: Shell) -> None:
    server.close()
    shell.shut_down()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(shell.is_empty.wait(), _GRACE_S)
    shell.abort()
