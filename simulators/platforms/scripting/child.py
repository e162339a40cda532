"""
The process that scripts run in: a job per line comes in, a result per line goes out.

Started by its path, isolated: it imports nothing of ours, has no environment, and once it runs it
can open neither a file nor a socket. Whoever started it ends it when a script does not end.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import quickjs

_STACK_BYTES = 512 * 1024
_SPARE_BYTES = 512 * 1024 * 1024  # of address space beside what a script may use
_MEGABYTE = 1024 * 1024
_LONGEST_RESULT = 256 * 1024
_LONGEST_S = 10

_TOO_LONG, _TOO_MUCH = '{"error":"timeout"}', '{"error":"memory"}'
_OUT_OF_MEMORY = tuple(
    f'{{"error":"{step}","message":"{why}'
    for step in ("compile", "call", "value")
    for why in ("InternalError: out of memory", "InternalError: string too long")
)


def run(prelude: str, job: dict[str, Any]) -> str:
    """One job's result as JSON: its value, or which step failed and why."""
    context = quickjs.Context()
    context.set_memory_limit(job["memory_mb"] * _MEGABYTE)
    context.set_max_stack_size(_STACK_BYTES)
    start = context.eval(prelude)
    context.set_time_limit(job["time_s"])
    try:
        # Whole numbers would have 32 bits on the other side.
        result = start(job["script"], job["input"], float(job["now_ms"]), float(job["seed"]))
    except quickjs.JSException as error:  # only what no script can catch comes here
        is_time = str(error).startswith("InternalError: interrupted")
        return _TOO_LONG if is_time else _TOO_MUCH
    is_too_much = len(result) > _LONGEST_RESULT or result.startswith(_OUT_OF_MEMORY)
    return _TOO_MUCH if is_too_much else str(result)


def _confine(memory_mb: int) -> None:
    """Give up what scripts must not reach, even if the engine had a hole."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for whoever started us
    limits = {
        resource.RLIMIT_NOFILE: 3,  # those that are open
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory_mb * _MEGABYTE + _SPARE_BYTES,
    }
    for limit, most in limits.items():
        with suppress(ValueError, OSError):  # not every system has each of them
            resource.setrlimit(limit, (most, most))


def main() -> None:
    """Work until there is nobody to work for."""
    prelude = Path(__file__).with_name("prelude.js").read_text()
    _confine(int(sys.argv[1]))
    print(flush=True)  # ready
    for line in sys.stdin.buffer:
        signal.alarm(_LONGEST_S)  # it ends even when nobody is left who would end it
        result = run(prelude, json.loads(line))
        signal.alarm(0)
        print(result, flush=True)


if __name__ == "__main__":
    main()
