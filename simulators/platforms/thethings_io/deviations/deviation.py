"""
What a deviation can change: requests, effects, values of the core, framing of the shell.

The core and the shell know nothing of it: a deviating core wraps the true one, and policy and
framing are replaced values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from simulators.platforms.effects import Answer, Effects, Request
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.wire_http import Connection

Before: TypeAlias = Callable[[Request], Request]
After: TypeAlias = "Callable[[Request, Effects], Effects]"
OnAnswer: TypeAlias = Callable[[Answer], Answer]
Setup: TypeAlias = Callable[[Core], None]
OnClock: TypeAlias = Callable[[int], int]


@dataclass(frozen=True)
class Deviation:
    """
    One deliberate defect.

    Attributes:
        sentence: what is wrong, in one sentence.
        endpoints: ids of the endpoints whose requests and answers are changed; empty: all.
        before: changes a request before the core sees it (its body is still bytes).
        answer: changes an ordinary answer; stored values in it are plain Python values.
        after: changes all effects of a request, stream documents among them.
        setup: changes the core once, before its first request; for all endpoints.
        clock: changes the time that the core is told with a request, in microseconds since 1970.
        policy: fields of the core's Policy with wrong values.
        framing: fields of the shell's Framing with wrong values.
        limits: fields of the shell's Limits with wrong values.
        connection: what reads bytes off a socket, in place of the shell's Connection.
    """

    sentence: str
    endpoints: tuple[str, ...] = ()
    before: Before | None = None
    answer: OnAnswer | None = None
    after: After | None = None
    setup: Setup | None = None
    clock: OnClock | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    framing: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    connection: type[Connection] = Connection


class DeviatingCore:
    """A core with a defect around it."""

    def __init__(self, core: Core, deviation: Deviation) -> None:
        self._core = core
        self._deviation = deviation
        if deviation.setup is not None:
            deviation.setup(core)

    def handle(self, request: Request, now_us: int) -> Effects:
        """See Core."""
        endpoint, _ = self._core.routes.find(request.method, request.path)
        deviation = self._deviation
        if deviation.endpoints and endpoint.id not in deviation.endpoints:
            return self._core.handle(request, now_us)
        if deviation.before is not None and request.hashed is None:  # not again when it comes back
            request = deviation.before(request)
        if deviation.clock is not None:
            now_us = deviation.clock(now_us)
        effects = self._core.handle(request, now_us)
        if deviation.answer is not None:
            effects = [self._changed(effect, deviation.answer) for effect in effects]
        return deviation.after(request, effects) if deviation.after is not None else effects

    @staticmethod
    def _changed(effect: Any, answer: OnAnswer) -> Any:
        return answer(effect) if isinstance(effect, Answer) else effect

    def timer(self, key: int, now_us: int) -> Effects:
        """See Core."""
        return self._core.timer(key, now_us)

    def closed(self, stream_id: int) -> None:
        """See Core."""
        self._core.closed(stream_id)

    def resume(self, now_us: int) -> Effects:
        """See Core."""
        return self._core.resume(now_us)

    def mailed(self, number: int) -> None:
        """See Core."""
        self._core.mailed(number)

    def forget(self) -> None:
        """See Core."""
        self._core.forget()
