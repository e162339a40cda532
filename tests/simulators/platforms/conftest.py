"""A core in memory, and a shell on a real loopback socket in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulators.clock import wall_unix_us
from simulators.platforms.effects import NOT_GIVEN, Answer, Effects, Request
from simulators.platforms.framing import Framing, Limits
from simulators.platforms.provisioning import Provisioning, default_provisioning
from simulators.platforms.serving import new_loop
from simulators.platforms.shell import Shell
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.policy import Policy
from simulators.platforms.thethings_io.store import open_database
from simulators.platforms.wire_http import Connection

NOON_US = 1_706_702_400_000_000  # 2024-01-31T12:00:00Z


@dataclass
class Bench:
    """A core, a clock that only the test moves, and shortcuts for requests to the first thing."""

    provisioning: Provisioning = field(
        default_factory=lambda: default_provisioning(random.Random(7))
    )
    policy: Policy = field(default_factory=Policy)
    now_us: int = NOON_US
    show: Callable[[str], Any] = orjson.loads
    database: Path | None = None

    def __post_init__(self) -> None:
        self.core = Core(
            open_database(self.database),
            self.provisioning,
            random.Random(8),
            policy=self.policy,
            show=self.show,
        )
        self.thing_token = self.provisioning.things[0].thing_token

    def effects(self, method: str, target: str, document: Any = NOT_GIVEN, **more: Any) -> Effects:
        path, _, query = target.partition("?")
        return self.core.handle(
            Request(method, path, query, document=document, **more), self.now_us
        )

    def ask(self, method: str, target: str, document: Any = NOT_GIVEN, **more: Any) -> Any:
        """Status and document of the answer."""
        answer = self.effects(method, target, document, **more)[0]
        assert isinstance(answer, Answer)
        return answer.status, answer.document

    def own(self, method: str, rest: str = "", document: Any = NOT_GIVEN, **more: Any) -> Any:
        """The same below the first thing's path."""
        return self.ask(method, f"/v2/things/{self.thing_token}{rest}", document, **more)

    def write(self, *items: dict[str, Any], query: str = "") -> Any:
        return self.own("POST", query, {"values": list(items)})

    def values(self, key: str, query: str = "") -> list[Any]:
        """Just the values that a read shows."""
        status, rows = self.own("GET", f"/resources/{key}{query}")
        assert status == 200
        return [row["value"] for row in rows]


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


class Client:
    """A raw socket with a few words of HTTP."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=5)
        self.buffer = b""

    def send(self, data: bytes) -> Client:
        self.socket.sendall(data)
        return self

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        self.buffer += data
        return data

    def head(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self.buffer:
            assert self._more(), f"connection closed after {self.buffer!r}"
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, value in headers.items()}

    def answer(self) -> tuple[int, Any]:
        """Status and decoded body of the next answer."""
        status, headers = self.head()
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            assert self._more(), f"connection closed after {self.buffer!r}"
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        is_json = headers.get("content-type") == "application/json"
        return status, json.loads(body) if is_json and body else body

    def chunk(self) -> bytes:
        """The next chunk of a stream; empty at its end."""
        while b"\r\n" not in self.buffer:
            assert self._more(), "connection closed within a stream"
        size, _, rest = self.buffer.partition(b"\r\n")
        while len(rest) < int(size, 16) + 2:
            assert self._more(), "connection closed within a chunk"
            rest = self.buffer.partition(b"\r\n")[2]
        self.buffer = rest[int(size, 16) + 2 :]
        return rest[: int(size, 16)]

    def is_closed(self) -> bool:
        """The server closed, in an orderly way or not."""
        try:
            return self._more() == b""
        except ConnectionResetError:
            return True

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


@dataclass
class Server:
    """A shell on loopback and the bench behind it."""

    address: tuple[str, int]
    bench: Bench
    shell: Shell
    stop: Callable[[], None]

    def client(self) -> Client:
        return Client(self.address)

    @property
    def path(self) -> str:
        return f"/v2/things/{self.bench.thing_token}"

    def once(self, data: bytes) -> tuple[int, Any]:
        """The answer to these bytes on a connection of their own."""
        with self.client() as client:
            return client.send(data).answer()


def post(target: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: x", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def run_server(
    *,
    framing: Framing | None = None,
    limits: Limits | None = None,
    database: Path | None = None,
) -> Iterator[Server]:
    bench = Bench()
    loop = new_loop()
    found: list[Any] = []
    ready = threading.Event()

    async def main() -> None:
        # The bench's database belongs to the thread that made it; so make one here.
        served = Bench(show=orjson.Fragment, database=database)
        ended = asyncio.Event()
        shell = Shell(
            served.core, served.core.store.connection, wall_unix_us, framing=framing, limits=limits
        )
        listener = await loop.create_server(lambda: Connection(shell), "127.0.0.1", 0)
        found.extend([listener.sockets[0].getsockname(), shell, ended])
        ready.set()
        await ended.wait()
        listener.close()
        shell.shut_down()
        try:
            await asyncio.wait_for(shell.is_empty.wait(), 2)
        finally:
            shell.abort()
            served.core.store.connection.close()
            await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert ready.wait(5)
    address, shell, ended = found
    stop = lambda: loop.call_soon_threadsafe(ended.set)  # noqa: E731
    try:
        yield Server(address, bench, shell, stop)
    finally:
        if thread.is_alive():
            stop()
        thread.join(5)
        loop.close()
        bench.core.store.connection.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """Starts servers; ends them with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(run_server(**options))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with run_server() as running:
        yield running


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    """Makes further benches."""
    benches: list[Bench] = []

    def make(*arguments: Any, **options: Any) -> Bench:
        benches.append(Bench(*arguments, **options))
        return benches[-1]

    yield make
    for one in benches:
        one.core.store.connection.close()
