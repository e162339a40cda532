"""Child processes of a benchmark: started until ready, ended for certain, their CPU time read."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
READY_S = 15.0
SERVER_CORE, CLIENT_CORE = 0, 1  # a server and its load never share one: neither waits for it


class BenchmarkError(Exception):
    """A benchmark could not be carried out; nothing was measured."""


class Load(NamedTuple):
    """What a load generator did, and what it cost the generator itself."""

    requests: int
    p50_ms: float
    p99_ms: float
    cpu_s: float


def pinned(core: int, argv: list[str]) -> list[str]:
    """The command on one core alone, or as it stands where there are no two to give."""
    cores = sorted(os.sched_getaffinity(0))
    return argv if len(cores) < 2 else ["taskset", "-c", str(cores[core]), *argv]


def free_port() -> int:
    """A loopback port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """CPU seconds of every thread of a process, its system calls included."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    # The first field of schedstat is nanoseconds on a CPU: finer than the ticks of /proc/PID/stat.
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


class Neighbours:
    """How much of the machine other programs use while a benchmark runs."""

    def __init__(self) -> None:
        self._begun_s, self._busy_s, self._ours_s = self._now()

    def cores(self) -> float:
        """Cores used by others since the start; our children count once they have ended."""
        now_s, busy_s, ours_s = self._now()
        foreign_s = (busy_s - self._busy_s) - (ours_s - self._ours_s)
        return max(0.0, foreign_s / (now_s - self._begun_s))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        ticks = [int(word) for word in Path("/proc/stat").read_text().split()[1:9]]
        idle = ticks[3] + ticks[4]  # idle, and waiting for I/O
        ours = os.times()
        busy_s = (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy_s, sum(ours[:4])


def python(module: str, *arguments: str) -> list[str]:
    """Command line that runs a module of this checkout."""
    return [sys.executable, "-m", module, *arguments]


def result_of(module: str, *arguments: str, timeout_s: float = 120) -> dict[str, Any]:
    """
    Run a module of this checkout and read the JSON object in its last line.

    Raises:
        BenchmarkError: it failed, said nothing, or took too long.
    """
    argv = pinned(CLIENT_CORE, python(module, *arguments))
    try:
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"{module} took more than {timeout_s:.0f} s") from error
    if done.returncode or not done.stdout.strip():
        said = done.stderr.strip().splitlines()[-1:]
        raise BenchmarkError(f"{module} ended with {done.returncode}: {said}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


@contextmanager
def running(argv: list[str], *, port: int) -> Iterator[int]:
    """
    A server as a child process, from accepting connections on ``port`` until the block ends.

    Raises:
        BenchmarkError: it ended early or did not listen within fifteen seconds.
    """
    argv = pinned(SERVER_CORE, argv)
    child = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_until_listening(child, port)
        yield child.pid
    finally:
        child.terminate()
        try:
            child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()


def _wait_until_listening(child: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            said = child.communicate()[1].decode(errors="replace").strip().splitlines()[-1:]
            raise BenchmarkError(f"{child.args!r} ended with {child.returncode}: {said}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise BenchmarkError(f"{child.args!r} did not listen on port {port} within {READY_S:.0f} s")


def hey(url: str, body: bytes, *, connections: int, seconds: int) -> tuple[int, float]:
    """
    POST ``body`` to ``url`` from hey on one processor: requests, and its CPU seconds.

    Raises:
        BenchmarkError: hey failed, or any answer was not a success.
    """
    load = ["hey", "-z", f"{seconds}s", "-c", str(connections), "-cpus", "1", "-m", "POST"]
    load += ["-T", "application/json", "-d", body.decode(), url]
    argv = pinned(CLIENT_CORE, load)
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout is not None
    output = child.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    answers = {int(code): int(n) for code, n in re.findall(r"\[(\d+)\]\s+(\d+) responses", output)}
    if child.returncode or not answers.get(201) or len(answers) > 1:
        raise BenchmarkError(f"hey ended with {child.returncode}: {output[-300:]}")
    return answers[201], usage.ru_utime + usage.ru_stime


_LUA = """
wrk.method = "POST"
wrk.body = [[%s]]
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%%d,"errors":%%d,"p50":%%f,"p99":%%f}\\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def wrk(url: str, body: bytes, *, connections: int, seconds: int, folder: Path) -> Load:
    """
    POST ``body`` to ``url`` from one thread of wrk.

    Raises:
        BenchmarkError: wrk failed, or any answer was not a success.
    """
    script = folder / "post.lua"
    script.write_text(_LUA % body.decode())
    load = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    argv = pinned(CLIENT_CORE, load)
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout is not None
    output = child.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    found = re.search(r"RESULT (\{.*\})", output)
    if child.returncode or found is None:
        raise BenchmarkError(f"wrk ended with {child.returncode}: {output[-300:]}")
    result: dict[str, Any] = json.loads(found[1])
    if result["errors"] or not result["requests"]:
        raise BenchmarkError(f"{result['errors']} of {result['requests']} requests failed at {url}")
    cpu = usage.ru_utime + usage.ru_stime
    return Load(result["requests"], result["p50"] / 1000, result["p99"] / 1000, cpu)
