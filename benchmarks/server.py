"""The reference server's write endpoint against a Starlette handler, both under wrk."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import tomllib
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Aim, Figure, Report, interleaved, over
from benchmarks.processes import BenchmarkError, Load, cpu_s, free_port, python, running, wrk

BODY = b'{"values":[{"key":"temperature","value":21.5}]}'
CONNECTIONS = 64


class Server:
    """One running server and what was measured of it."""

    def __init__(self, url: str, pid: int, database: Path, folder: Path) -> None:
        self.url, self.pid, self.database, self.folder = url, pid, database, folder
        self.us_per_request: list[float] = []
        self.p99_ms: list[float] = []
        self.requests = 0

    def measure(self, seconds: int) -> None:
        """One round: CPU of the server per request, and the slowest hundredth."""
        load, cpu = self._load(seconds)
        self.us_per_request.append(cpu / load.requests * 1e6)
        self.p99_ms.append(load.p99_ms)

    def warm_up(self) -> None:
        """A short round that is not counted: imports, caches, the first pages of the database."""
        self._load(1)

    def _load(self, seconds: int) -> tuple[Load, float]:
        before = cpu_s(self.pid)
        load = wrk(self.url, BODY, connections=CONNECTIONS, seconds=seconds, folder=self.folder)
        self.requests += load.requests
        return load, cpu_s(self.pid) - before

    def check_rows(self) -> None:
        """
        Every answered write is a row.

        Raises:
            BenchmarkError: rows are missing, so something faster than storing was measured.
        """
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        rows = connection.execute("SELECT count(*) FROM value").fetchone()[0]
        connection.close()
        if rows < self.requests:
            raise BenchmarkError(f"{self.requests} writes answered, {rows} rows in {self.database}")


def run(*, rounds: int, seconds: int) -> Report:
    """Both servers up, wrk at one after the other."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ours, peer = _reference(folder, stack), _starlette(folder, stack)
        for server in (ours, peer):
            server.warm_up()
        interleaved(rounds, lambda: ours.measure(seconds), lambda: peer.measure(seconds))
        for server in (ours, peer):
            server.check_rows()
    return _report(ours, peer)


def _reference(folder: Path, stack: ExitStack) -> Server:
    port, state, target = free_port(), folder / "state", folder / "target.toml"
    arguments = ("thethings-io", "--port", str(port), "--state", str(state))
    argv = python("simulators.platforms", *arguments, "--write-target", str(target))
    pid = stack.enter_context(running(argv, port=port))
    token = tomllib.loads(target.read_text())["credentials"]["thing_tokens"][0]
    database = state / "thethings-io.sqlite"
    return Server(f"http://127.0.0.1:{port}/v2/things/{token}", pid, database, folder)


def _starlette(folder: Path, stack: ExitStack) -> Server:
    port, database = free_port(), folder / "peer.sqlite"
    options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
    environment = ["env", f"BENCHMARK_DATABASE={database}", f"PATH={os.environ['PATH']}"]
    uvicorn = [sys.executable, "-m", "uvicorn", "benchmarks.peer_app:app", *options]
    pid = stack.enter_context(running([*environment, *uvicorn], port=port))
    return Server(f"http://127.0.0.1:{port}/v2/things/{'x' * 43}", pid, database, folder)


def _report(ours: Server, peer: Server) -> Report:
    cost = Figure("reference server", ours.us_per_request, "us CPU/request")
    other = Figure("Starlette on uvicorn", peer.us_per_request, "us CPU/request")
    slowest = Figure("reference server, p99", ours.p99_ms, "ms")
    return Report(
        "Write endpoint, row committed before the answer",
        [cost, other, slowest, Figure("Starlette on uvicorn, p99", peer.p99_ms, "ms")],
        [
            Aim("requests per CPU second over Starlette", over(other, cost), 3.0, True),
            Aim("p99 at 64 connections", slowest, 5.0, False),
        ],
        note=f"wrk, {CONNECTIONS} connections, one value per write; every answered write is a row.",
    )
