"""
What a deviation can change: requests, answers, effects, values of the core, framing of the shell.

The core and the shell know nothing of it: a deviating core wraps the true one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from simulators.platforms.effects import Answer, Effects, Request
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.errors import ApiError
from simulators.transports.websocket import Refusal

Before: TypeAlias = Callable[[Request], Request]
OnAnswer: TypeAlias = Callable[[Answer], Answer]
OnEffects: TypeAlias = Callable[[Effects], Effects]
Setup: TypeAlias = Callable[[Core], None]


@dataclass(frozen=True)
class Deviation:
    """
    One deliberate defect.

    Attributes:
        sentence: what is wrong, in one sentence.
        rpcs: the calls whose requests and answers are changed (``ApplicationRegistry/Get``);
            empty: all, and what is no call.
        before: changes a request before the core sees it (its body is still bytes).
        answer: changes an ordinary answer.
        effects: changes all effects of any input: datagrams, posts, events, answers.
        setup: changes the core once, before its first input.
        policy: fields of the core's Policy with wrong values.
        framing: fields of the shell's Framing with wrong values.
    """

    sentence: str
    rpcs: tuple[str, ...] = ()
    before: Before | None = None
    answer: OnAnswer | None = None
    effects: OnEffects | None = None
    setup: Setup | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    framing: Mapping[str, Any] = field(default_factory=dict)


class DeviatingCore:
    """A core with a defect around it."""

    def __init__(self, core: Core, deviation: Deviation) -> None:
        self._core = core
        self._deviation = deviation
        if deviation.setup is not None:
            deviation.setup(core)

    def handle(self, request: Request, now_us: int) -> Effects:
        """See Core."""
        deviation = self._deviation
        if deviation.rpcs and self._rpc(request) not in deviation.rpcs:
            return self._core.handle(request, now_us)
        if deviation.before is not None and request.hashed is None:  # not again when it comes back
            request = deviation.before(request)
        effects = self._core.handle(request, now_us)
        if deviation.answer is not None:
            effects = [self._answered(effect, deviation.answer) for effect in effects]
        return self._changed(effects)

    def _rpc(self, request: Request) -> str:
        try:
            return self._core.routes.find(request.method, request.path)[0].rpc
        except ApiError:
            return ""

    def timer(self, key: int, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.timer(key, now_us))

    def closed(self, stream_id: int) -> None:
        """See Core."""
        self._core.closed(stream_id)

    def resume(self, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.resume(now_us))

    def mailed(self, number: int) -> None:
        """See Core."""
        self._core.mailed(number)

    def forget(self) -> None:
        """See Core."""
        self._core.forget()

    def datagram(self, data: bytes, address: Any, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.datagram(data, address, now_us))

    def socket_opened(
        self, socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Effects | Refusal:
        """See Core."""
        effects = self._core.socket_opened(socket_id, path, headers, now_us)
        return effects if isinstance(effects, Refusal) else self._changed(effects)

    def socket_text(self, socket_id: int, text: str, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.socket_text(socket_id, text, now_us))

    def socket_closed(self, socket_id: int, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.socket_closed(socket_id, now_us))

    def posted(self, number: int, status: int | None, reason: str, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.posted(number, status, reason, now_us))

    def worked(self, number: int, result: Any, now_us: int) -> Effects:
        """See Core."""
        return self._changed(self._core.worked(number, result, now_us))

    def _changed(self, effects: Effects) -> Effects:
        change = self._deviation.effects
        return change(effects) if change is not None else effects

    @staticmethod
    def _answered(effect: Any, answer: OnAnswer) -> Any:
        return answer(effect) if isinstance(effect, Answer) else effect
