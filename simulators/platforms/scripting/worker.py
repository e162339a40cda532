"""
Hands scripts to their process, waits for what comes of them, and replaces it when they do not end.

The process is started afresh, not forked: nothing of ours is in its memory, environment or files.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, NamedTuple

import orjson

_CHILD = Path(__file__).with_name("child.py")
_START_S = 10.0
_MEMORY_MB = 16
_DEEPEST = 100  # levels of a result; whoever handles it does so by recursion


class Job(NamedTuple):
    """
    A call of a script's function ``main`` with one value.

    Attributes:
        input: the value as JSON.
        now_ms: what the script takes for the time, milliseconds since 1970.
        seed: where its chance comes from, 32 bits.
    """

    script: str
    input: str
    now_ms: int = 0
    seed: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What makes two jobs the same, at whatever time."""
        return self.script, self.input

    def at(self, now_us: int) -> Job:
        """The same job at a time (microseconds since 1970), with chance that follows from it."""
        return self._replace(now_ms=now_us // 1000, seed=now_us & 0xFFFF_FFFF)


class Result(NamedTuple):
    """
    What came of a job: ``value`` as JSON can say it, unless there is an ``error``.

    ``compile``, ``call`` and ``value`` name the step that the script itself failed in, ``no main``
    that it lacks the function. After ``timeout``, ``memory`` and ``died`` it was cut off.
    """

    value: Any = None
    error: str | None = None
    message: str = ""

    @property
    def is_cut_off(self) -> bool:
        """How far a script came depends on the machine: no other run need end the same way."""
        return self.error in ("timeout", "memory", "died")


class ScriptWorker:
    """One process, started when it is needed; not for several threads at a time."""

    def __init__(self, *, time_s: float = 0.1, patience_s: float = 5.0) -> None:
        """
        Args:
            time_s: what a script may take of a processor.
            patience_s: after which a process that does not answer is killed.
        """
        self._time_s = time_s
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""

    def run(self, job: Job) -> Result:
        """Run a job; whatever its script does, this comes back."""
        line = orjson.dumps(
            {
                "script": job.script,
                "input": job.input,
                "now_ms": job.now_ms,
                "seed": job.seed,
                "time_s": self._time_s,
                "memory_mb": _MEMORY_MB,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        try:
            answer = self._asked(line)
        except TimeoutError:
            self.close()
            return Result(error="timeout")
        except (OSError, ValueError):  # the latter when it was closed meanwhile
            self.close()
            return Result(error="died")
        return _result(answer)

    def close(self) -> None:
        """End the process."""
        process, self._process, self._read = self._process, None, b""
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _asked(self, line: bytes) -> bytes:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _started()
            self._line(self._process, _START_S)
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(line)
        pipe.flush()
        return self._line(self._process, self._patience_s)

    def _line(self, process: subprocess.Popen[bytes], patience_s: float) -> bytes:
        pipe = process.stdout
        assert pipe is not None
        with DefaultSelector() as selector:
            selector.register(pipe, EVENT_READ)
            while b"\n" not in self._read:
                if not selector.select(patience_s):
                    raise TimeoutError
                data = pipe.read1(65536)  # type: ignore[attr-defined]
                if not data:
                    raise BrokenPipeError
                self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return line


def by_key(jobs: Sequence[Job], results: Sequence[Result]) -> dict[tuple[str, str], Result]:
    """Results by what their jobs were."""
    return {job.key: result for job, result in zip(jobs, results, strict=True)}


def is_available() -> bool:
    """Whether the engine is installed: not every system has a ready-made one."""
    return find_spec("quickjs") is not None


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program, by its path
        [sys.executable, "-I", str(_CHILD), str(_MEMORY_MB)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TZ": "UTC", "LC_ALL": "C.UTF-8"},
        cwd="/",
    )


def _result(answer: bytes) -> Result:
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError:  # deeper than anybody can read, or half a character in a name
        return Result(error="value", message="invalid value")
    if "error" in document:
        return Result(error=document["error"], message=document.get("message", ""))
    if _is_deeper(document["value"], _DEEPEST):
        return Result(error="value", message="too many levels")
    return Result(document["value"])


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(member, levels - 1) for member in members)
