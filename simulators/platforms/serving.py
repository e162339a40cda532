"""
Runs reference servers in this process until a signal ends them.

State, certificate authority and lock lie in one folder; see ``StateFolder``. Knows no command line,
and of each platform only what ``platform.py`` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from simulators.clock import wall_unix_us
from simulators.platforms.framing import Limits
from simulators.platforms.platform import Platform, Server, ServingError, Settings, Site
from simulators.platforms.shell import Shell
from simulators.platforms.state_folder import StateFolder
from simulators.platforms.target_file import write_target_file
from simulators.platforms.wire_gateways import LNS_ABOVE, GatewayPorts
from simulators.transports.http import TransportError

PLATFORMS = ("thethings-io", "things-stack")
_GRACE_S = 1.0  # for the last bytes of streams and answers
_HANDSHAKE_S = 10.0
_SPARE_FILES = 64
_PORT_TRIES = 8  # for a free port whose number is free for datagrams, too

Say = Callable[[str], None]


def find_platform(name: str) -> Platform:
    """
    The description of a platform; its package is imported only now.

    Raises:
        ServingError: there is none of that name.
    """
    if name not in PLATFORMS:
        raise ServingError(f"expected a platform ({', '.join(PLATFORMS)}); got {name!r}")
    package = f"simulators.platforms.{name.replace('-', '_')}"
    described: Platform = import_module(f"{package}.serving").PLATFORM
    return described


def serve(platforms: list[str], settings: Settings, say: Say) -> None:
    """
    Serve until SIGINT or SIGTERM.

    Args:
        platforms: names out of PLATFORMS; all when empty. Ports count up from the first one.
        say: gets one line per platform, ``ready PLATFORM URL``, when it can be used.
    Raises:
        ServingError: unknown platform, port taken, state locked or in conflict.
    """
    wanted = [find_platform(name) for name in dict.fromkeys(platforms or PLATFORMS)]
    with _state_folder(settings) as folder, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(wanted, folder, settings, say))


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


async def _serve(
    platforms: list[Platform], folder: StateFolder, settings: Settings, say: Say
) -> None:
    stop = _stop_event(asyncio.get_running_loop(), settings)
    async with contextlib.AsyncExitStack() as stack:
        stations = []
        for number, platform in enumerate(platforms):
            site = Site(folder, settings, settings.provisionings.get(platform.name))
            server = await stack.enter_async_context(platform.open(site))
            port = settings.port + number if settings.port else 0
            stations.append(await _Station.listen(platform, server, site, port))
        for station in stations:
            station.write_target(is_only=len(stations) == 1)
        gc.freeze()
        gc.set_threshold(50_000)  # a turn's requests are no garbage yet
        for station in stations:
            await station.start()
            say(f"ready {station.platform.name} {station.url}")
        await stop.wait()
        await asyncio.gather(*(station.end() for station in stations))


class _Station:
    """One platform's server behind its socket."""

    def __init__(
        self,
        platform: Platform,
        server: Server,
        site: Site,
        listener: asyncio.Server,
        shell: Shell,
        gateways: GatewayPorts | None,
    ) -> None:
        self.platform = platform
        self.url = _url(listener, site.settings.host, is_tls=_is_tls(platform, site.settings))
        self._server = server
        self._site = site
        self._listener = listener
        self._shell = shell
        self._gateways = gateways
        server.located(self.url)

    @classmethod
    async def listen(cls, platform: Platform, server: Server, site: Site, port: int) -> _Station:
        """Take the port without answering yet."""
        shell = Shell(
            server.core,
            server.database,
            wall_unix_us,
            framing=server.framing,
            limits=_limits(server.limits),
            mailer=server.mailer,
            network=server.network,
        )
        context = _tls_context(site) if _is_tls(platform, site.settings) else None
        for tries_left in reversed(range(_PORT_TRIES)):
            listener = await _listen(shell, server, site.settings.host, port, context)
            try:
                gateways = await _listen_to_gateways(shell, site, listener, port, context)
            except TransportError as error:
                listener.close()
                if port or not tries_left:
                    raise ServingError(f"{error} (ports for gateways)") from error
            else:
                break
        return cls(platform, server, site, listener, shell, gateways)

    def write_target(self, *, is_only: bool) -> None:
        """Write the target file that was asked for; into a folder when there are others."""
        path = self._site.settings.write_target
        if path is None:
            return
        file = path if is_only else path / f"{self.platform.name}.toml"
        try:
            if not is_only:
                path.mkdir(parents=True, exist_ok=True)
            write_target_file(file, self._target_document())
        except OSError as error:
            raise ServingError(f"{file}: {error.strerror or error}") from error

    def _target_document(self) -> dict[str, Any]:
        is_tls = _is_tls(self.platform, self._site.settings)
        document = {
            "platform": self.platform.name,
            "url": self.url,
            **({"ca_file": str(self._site.folder.ca_file)} if is_tls else {}),
            **self._server.target(self.url),
        }
        if self._gateways is not None:
            host = _reachable(self._site.settings.host)
            document["gateway"] = self._gateways.addresses(host) | document.get("gateway", {})
        return document

    async def start(self) -> None:
        """Answer from now on, and go on with what an earlier process left undone."""
        await self._listener.start_serving()
        self._shell.resume()

    async def end(self) -> None:
        """Close in an orderly way, and after a while in any way."""
        self._listener.close()
        if self._gateways is not None:
            await self._gateways.close()
        self._shell.shut_down()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._shell.is_empty.wait(), _GRACE_S)
        self._shell.abort()


async def _listen(
    shell: Shell, server: Server, host: str, port: int, context: ssl.SSLContext | None
) -> asyncio.Server:
    try:
        return await shell.loop.create_server(
            lambda: server.connection(shell),
            host,
            port,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE_S if context else None,
            backlog=1024,
            start_serving=False,
            reuse_address=True,
        )
    except (OSError, OverflowError) as error:
        raise ServingError(f"cannot listen on {host}:{port}: {error}") from error


async def _listen_to_gateways(
    shell: Shell, site: Site, listener: asyncio.Server, chosen: int, context: ssl.SSLContext | None
) -> GatewayPorts | None:
    """Packet forwarders have the number of the HTTP port; stations one that follows from it."""
    if shell.gateways is None:
        return None
    return await GatewayPorts.listen(
        shell.gateways,
        host=site.settings.host,
        udp_port=listener.sockets[0].getsockname()[1],
        lns_port=chosen + LNS_ABOVE if chosen else 0,
        ssl_context=context,
    )


def _is_tls(platform: Platform, settings: Settings) -> bool:
    return platform.has_tls if settings.tls is None else settings.tls


def _tls_context(site: Site) -> ssl.SSLContext:
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", site.settings.host])
    return site.folder.tls_context(
        *(name for name in names if name not in ("0.0.0.0", "::"))  # noqa: S104
    )


def _limits(limits: Limits) -> Limits:
    """With no more connections than this process may have open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return replace(limits, connections=max(1, min(limits.connections, soft - _SPARE_FILES)))


def _url(listener: asyncio.Server, host: str, *, is_tls: bool) -> str:
    port = listener.sockets[0].getsockname()[1]
    return f"{'https' if is_tls else 'http'}://{_reachable(host)}:{port}"


def _reachable(host: str) -> str:
    """The host in an address that this machine reaches it by."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


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
