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
from simulators.platforms.effects import NOT_GIVEN, Answer, Effects, Hash, Request
from simulators.platforms.framing import Framing, Limits
from simulators.platforms.provisioning import DEMO_APP, Provisioning, default_provisioning
from simulators.platforms.serving import new_loop
from simulators.platforms.shell import Shell
from simulators.platforms.slow_hash import hashed
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
    policy: Policy = field(default_factory=lambda: Policy(password_cost=1))
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

    def effects(
        self,
        method: str,
        target: str,
        document: Any = NOT_GIVEN,
        *,
        session: str | None = None,
        **more: Any,
    ) -> Effects:
        """Effects of a request, passwords hashed; ``session`` is the token that it carries."""
        path, _, query = target.partition("?")
        if session is not None:
            more["headers"] = [(b"Authorization", session.encode())]
        request = Request(method, path, query, document=document, **more)
        effects = self.core.handle(request, self.now_us)
        while isinstance(effects[0], Hash):
            effects[0].request.hashed = hashed(effects[0])
            effects = self.core.handle(effects[0].request, self.now_us)
        return effects

    def ask(self, method: str, target: str, document: Any = NOT_GIVEN, **more: Any) -> Any:
        """Status and document of the answer."""
        answer = self.effects(method, target, document, **more)[0]
        assert isinstance(answer, Answer)
        return answer.status, answer.document

    def phone(self, name: str = "ada", app: str = DEMO_APP) -> Phone:
        """A new user of an app, logged in."""
        body = {"email": f"{name}@example.org", "password": f"{name}'s password", "app": app}
        status, answer = self.ask("POST", "/v2/register", body)
        assert status == 201, answer
        return Phone(self, answer["token"], body)

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


@dataclass
class Phone:
    """A user's session with an app."""

    bench: Bench
    token: str
    credentials: dict[str, str]

    @property
    def email(self) -> str:
        return self.credentials["email"]

    def ask(self, method: str, target: str, document: Any = NOT_GIVEN) -> Any:
        """Status and document of the answer to a request with this session."""
        return self.bench.ask(method, f"/v2{target}", document, session=self.token)

    def link(self, number: int = 0) -> str:
        """Link one of the bench's things, and return its id."""
        thing = self.bench.provisioning.things[number]
        status, _ = self.ask("POST", "/me/things", {"thingToken": thing.thing_token})
        assert status == 200
        return thing.thing_id


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
    password_cost: int = 1,
) -> Iterator[Server]:
    bench = Bench()
    policy = Policy(password_cost=password_cost)
    loop = new_loop()
    found: list[Any] = []
    ready = threading.Event()

    async def main() -> None:
        # The bench's database belongs to the thread that made it; so make one here.
        served = Bench(show=orjson.Fragment, database=database)
        served.core.policy = policy
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
