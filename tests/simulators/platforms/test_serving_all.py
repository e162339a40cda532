"""``thingrig serve`` of several platforms in one process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).parents[3]


@contextmanager
def serve(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "thingrig", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Platform and URL of the next line."""
    assert process.stdout is not None
    word, platform, url = process.stdout.readline().split()
    assert word == "ready"
    return platform, url


def free_ports() -> int:
    """
    The first of four ports in a row that are free now, for TCP and for UDP.

    From below those that the system itself gives to whoever asks for any.
    """
    for port in range(20_000 + os.getpid() % 2_000 * 4, 32_000, 4):
        with ExitStack() as sockets:
            try:
                for number in range(port, port + 4):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        held = sockets.enter_context(socket.socket(type=kind))
                        held.bind(("127.0.0.1", number))
            except OSError:
                continue
            return port
    raise OSError("expected four free ports in a row; found none")


def test_all_platforms_on_ports_that_count_up(tmp_path):
    port = free_ports()
    options = ["--port", str(port), "--state", "state", "--write-target", "targets"]
    with serve(*options, cwd=tmp_path) as process:
        urls = dict(ready(process) for _ in range(2))
        assert urls == {
            "thethings-io": f"http://127.0.0.1:{port}",
            "things-stack": f"http://127.0.0.1:{port + 1}",
        }
        for name, url in urls.items():
            target = tomllib.loads((tmp_path / "targets" / f"{name}.toml").read_text())
            assert (target["platform"], target["url"]) == (name, url)
        # The last target is that of The Things Stack; its gateways' ports follow from its own.
        assert target["gateway"]["udp"] == f"127.0.0.1:{port + 1}"
        assert target["gateway"]["lns"] == f"ws://127.0.0.1:{port + 3}"
        with socket.create_connection(("127.0.0.1", port + 3), timeout=5) as station:
            station.sendall(b"GET /router-info HTTP/1.1\r\nHost: x\r\n\r\n")
            assert station.recv(12) == b"HTTP/1.1 426"
        assert requests.get(f"{urls['thethings-io']}/v2/", timeout=5).status_code == 401
        address = f"{urls['things-stack']}/api/v3/is/configuration"
        assert requests.get(address, timeout=5).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert sorted(path.name for path in (tmp_path / "state").glob("*.sqlite")) == [
        "thethings-io.sqlite", "things-stack.sqlite",
    ]  # fmt: skip


def test_a_platform_named_twice_is_served_once(tmp_path):
    with serve("things-stack", "things-stack", cwd=tmp_path) as process:
        assert ready(process)[0] == "things-stack"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_one_file_cannot_provision_two_platforms(tmp_path):
    (tmp_path / "p.toml").write_text("")
    with serve("--provision", "p.toml", cwd=tmp_path) as process:
        assert process.wait(10) == 2
        assert process.stderr is not None
        (line,) = process.stderr.read().splitlines()
        assert "expected a folder with a file for each" in line
