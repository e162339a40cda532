"""Scripts on the virtual clock: at once, the same each time, and told when they were cut off."""

from __future__ import annotations

import io
from contextlib import closing
from functools import partial
from typing import Any

import orjson

from scenarios.lorawan.networked import _mark_cut_off
from scenarios.recorder import Recorder
from scenarios.secrets import SecretRegistry
from scenarios.trace import TraceWriter
from simulators.clock import VirtualClock
from simulators.platforms.memory import MemoryTransport
from tests.simulators.platforms.things_stack.conftest import USER_KEY, Bench
from tests.simulators.platforms.things_stack.traffic import SIMULATED, add_device

CHANCE = "function decodeUplink() { return { data: { chance: Math.random(), at: Date.now() } }; }"


def played(script: str) -> tuple[list[Any], bytes]:
    """An uplink simulated after a second: what the application got and when, and the trace."""
    clock = VirtualClock()
    bench = Bench()
    bench.now_us = clock.unix_us()
    bench.application()
    formatters = {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": script}
    add_device(bench, formatters=formatters)
    bench.core.stack.outbox.clear()
    told: list[Any] = []
    bench.core.stack.application.outputs.others.append(
        lambda tenant, application, kind, up, now_us: told.append((now_us, up["uplink_message"]))
    )
    trace = io.BytesIO()
    secrets = SecretRegistry()
    recorder = Recorder(clock, TraceWriter(trace, {}, secrets), secrets)
    with closing(MemoryTransport(bench.core, clock)) as transport:
        transport.on_cut_off = partial(_mark_cut_off, recorder)
        channel = transport.channel("tester")
        channel.authorize(f"Bearer {USER_KEY}")

        def simulate() -> Any:
            yield clock.sleep(1.0)
            target = "/api/v3/as/applications/app1/devices/dev1/up/simulate"
            yield channel.request("POST", target, SIMULATED)

        clock.process(simulate())
        clock.play(5)
    return told, trace.getvalue()


def test_script_takes_no_time_and_gives_the_same_each_time() -> None:
    told, trace = played(CHANCE)

    ((now_us, uplink),) = told
    assert uplink["decoded_payload"]["at"] == now_us // 1000
    assert 0 <= uplink["decoded_payload"]["chance"] < 1
    assert played(CHANCE) == (told, trace)
    assert len(trace.splitlines()) == 1  # its header


def test_script_that_is_cut_off_marks_the_trace() -> None:
    told, trace = played("function decodeUplink() { for (;;) {} }")

    ((_, uplink),) = told
    assert "decoded_payload" not in uplink
    assert [orjson.loads(line) for line in trace.splitlines()[1:]] == [
        {
            "at": 1_000_000,
            "device": "platform",
            "direction": "none",
            "channel": "fault",
            "message": {"kind": "script-cut-off", "reason": "timeout"},
        }
    ]
