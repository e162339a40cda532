"""A replay from its script to its outcome, over sockets and in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from scenarios.recorder import Recorder
from scenarios.replay.names import Names
from scenarios.replay.player import Manner, Outcome, Player, Progress
from scenarios.replay.postman import Postman
from scenarios.replay.script import Script
from scenarios.secrets import SecretRegistry
from scenarios.trace import TraceWriter
from scenarios.wall import Target, UnreachableError, reach
from simulators.clock import MICROSECONDS, WallClock

AFTER_S = 600.0  # the longest that a target may be behind


async def replay(
    header: dict[str, Any],
    script: Script,
    target: Target,
    manner: Manner,
    *,
    trace: BinaryIO,
    secrets: SecretRegistry,
    progress: Progress | None = None,
) -> Outcome:
    """
    Play in real time; cancelling it is interrupting it.

    Raises:
        UnreachableError: no answer to a first request.
    """
    await reach(target)
    clock = WallClock()
    _register(secrets, "activation_code", target.access.activation_codes)
    _register(secrets, "thing_token", target.access.thing_tokens)
    _register(secrets, "password", manner.passwords)
    writer = TraceWriter(trace, _header(header, clock, target, manner), secrets)
    with closing(target.transport(clock)) as transport:
        names = Names(
            script,
            activation_codes=target.access.activation_codes,
            thing_tokens=target.access.thing_tokens,
            passwords=manner.passwords,
        )
        postman = Postman(
            names,
            sent_to=header.get("url"),
            endpoint=transport.endpoint,
            product_id=manner.product_id,
            redact=secrets.redact,
        )
        player = Player(
            script,
            names,
            clock=clock,
            transport=transport,
            postman=postman,
            recorder=Recorder(clock, writer, secrets),
            start=datetime.fromisoformat(header["start"]),
            manner=replace(manner, is_timed=target.max_requests_per_s is None),
            progress=progress,
        )
        conducted = clock.process(player.conduct())
        conducted.callbacks.append(lambda _: clock.finish())
        try:
            last_us = script.steps[-1].at if script.steps else 0
            await clock.play(last_us / MICROSECONDS / manner.speed + AFTER_S)
        except asyncio.CancelledError:
            player.outcome.is_interrupted = True
        outcome = player.finish()
    if outcome.lost is None and not outcome.is_interrupted:
        outcome.lost = await _last_word(target, outcome)
    return outcome


async def _last_word(target: Target, outcome: Outcome) -> str | None:
    """A target that died near the end has too few requests left to be lost during the replay."""
    if not any(each.difference.kind == "no answer" for each in outcome.findings):
        return None
    try:
        await reach(target)
    except UnreachableError as problem:
        return str(problem)
    return None


def _register(secrets: SecretRegistry, kind: str, values: Sequence[str]) -> None:
    for value in values:
        secrets.add(kind, value)


def _header(
    recorded: dict[str, Any], clock: WallClock, target: Target, manner: Manner
) -> dict[str, Any]:
    return {
        "scenario": recorded["scenario"],
        "platform": recorded["platform"],
        "seed": recorded["seed"],
        "clock": "wall",
        "start": f"{clock.start:%Y-%m-%dT%H:%M:%S.%fZ}",
        "duration_us": round((recorded["duration_us"] or 0) / manner.speed),
        "url": target.url,
    }
