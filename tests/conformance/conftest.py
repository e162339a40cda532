"""Targets that misbehave on a real socket, and runs against a catalogue of three lines."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODES = [f"activation-code-number-{number:011}" for number in range(4)]
TOKENS = ["T" * 39 + "aaa1", "T" * 39 + "bbb2"]
NEW_TOKEN = "N" * 39 + "new3"

CATALOGUE = """\
[[requirement]]
id = "DEMO-001"
sentence = "The root answers 401."
level = "must"
profile = "thethings-io/demo"
endpoint = "GET /v2/"
source = "nowhere"

[[requirement]]
id = "DEMO-002"
sentence = "The root is polite."
level = "should"
profile = "thethings-io/demo"
endpoint = "GET /v2/"
source = "nowhere"

[[requirement]]
id = "DEMO-003"
sentence = "The root has a header Server."
level = "info"
profile = "thethings-io/demo"
endpoint = "GET /v2/"
source = "nowhere"
"""

Answer = tuple[int, str, bytes]
Behaviour = Callable[[str, str, bytes], Answer]


def as_json(status: int, document: Any) -> Answer:
    """An answer with a JSON body."""
    return status, "application/json", json.dumps(document).encode()


def plain_server(method: str, path: str, body: bytes) -> Answer:
    """Knows the root, accepts every write and activation, and nothing else."""
    if method == "POST" and path.rstrip("/") == "/v2/things":
        return as_json(201, {"status": "created", "thingToken": NEW_TOKEN, "thingId": "I" * 43})
    if method == "POST":
        return as_json(201, {"status": "created"})
    return as_json(401, {"status": "error", "code": 401, "message": "Invalid session token"})


class Fake:
    """A target whose behaviour is one function; ``seen`` lists its requests."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.seen: list[tuple[str, str, bytes]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.seen.append((self.command, self.path, body))
                status, kind, data = behaviour(self.command, self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def fake() -> Iterator[Callable[[Behaviour], Fake]]:
    """Starts targets; all are closed at the end."""
    with ExitStack() as opened:

        def start(behaviour: Behaviour = plain_server) -> Fake:
            target = Fake(behaviour)
            opened.callback(target.close)
            return target

        yield start


@contextmanager
def listening(react: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port that treats each connection in its own way; the URL."""
    server = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            kept.append(connection)
            try:
                react(connection)
            except OSError:
                connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for connection in kept:
            connection.close()


class Ran(NamedTuple):
    """A finished process and its output folder."""

    code: int
    words: str
    out: Path

    @property
    def results(self) -> list[dict[str, Any]]:
        lines = (self.out / "results.jsonl").read_bytes().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def tests(self) -> dict[str, str]:
        """Test name to verdict."""
        lines = [line for line in self.results if line["type"] == "test"]
        return {line["test"].rpartition("::")[2]: line["verdict"] for line in lines}

    @property
    def footer(self) -> dict[str, Any]:
        last = self.results[-1]
        assert last["type"] == "footer"
        return last


def run(
    command: list[str], cwd: Path, out: Path, env: dict[str, str] | None = None, timeout_s: int = 90
) -> Ran:
    """Run our interpreter in a folder; standard output and error together."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    shell = {**ours, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(env or {})}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=shell,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
    )
    return Ran(done.returncode, done.stdout, out)


@pytest.fixture
def write_target(tmp_path: Path) -> Callable[..., Path]:
    """Writes a target file for a URL; further lines follow its credentials."""

    def write(url: str, *, top: str = "", more: str = "", credentials: bool = True) -> Path:
        path = tmp_path / "target.toml"
        held = f"activation_codes = {CODES}\nthing_tokens = {TOKENS}\n" if credentials else ""
        path.write_text(
            f'platform = "thethings-io"\nurl = "{url}"\n{top}\n[credentials]\n{held}\n{more}\n'
        )
        return path

    return write


@pytest.fixture
def judge_by(tmp_path: Path) -> Callable[..., Ran]:
    """Runs pytest on a test file of ours with a catalogue of three requirements."""

    def judge(source: str, *options: str, env: dict[str, str] | None = None) -> Ran:
        folder, out = tmp_path / "suite", tmp_path / "result"
        (folder / "catalogue").mkdir(parents=True, exist_ok=True)
        (folder / "catalogue" / "demo.toml").write_text(CATALOGUE)
        (folder / "test_demo.py").write_text("import os, pytest, time\n" + source)
        (folder / "pytest.ini").write_text("[pytest]\n")
        command = ["-P", "-m", "pytest", "-q", "-p", "conformance.plugin", "test_demo.py"]
        command += ["--catalogue", "catalogue", "--profile", "thethings-io/demo"]
        command += ["--out", str(out), *options]
        return run(command, folder, out, env)

    return judge


@pytest.fixture
def run_python() -> Callable[..., Ran]:
    """Runs our interpreter with arguments, in a folder, for an output folder."""
    return run


@pytest.fixture
def port() -> Callable[[Callable[[socket.socket], None]], Any]:
    """A context manager: a port that treats each connection in its own way."""
    return listening
