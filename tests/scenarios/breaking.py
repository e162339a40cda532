"""A way to the platform that is broken on purpose in one respect, to see that it is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import simpy

from simulators.transports.http import HttpAnswer, HttpChannel, HttpTransport, Subscription

Answering = Callable[[str, str, Any, HttpAnswer], HttpAnswer]


def same(method: str, target: str, document: Any, answer: HttpAnswer) -> HttpAnswer:
    """An honest answer."""
    return answer


def as_sent(documents: list[Any]) -> list[Any]:
    """An honest stream."""
    return documents


@dataclass
class Broken:
    """
    An HttpTransport around another one.

    ``answer`` may change an answer, ``swallow`` tells which requests never arrive although they
    are answered with 201, ``stream`` may drop or repeat a document. With ``leaks`` whoever listens
    to a target is told what others are told there.
    """

    inner: HttpTransport
    answer: Answering = same
    swallow: Callable[[str, str, Any], bool] = lambda method, target, document: False
    stream: Callable[[list[Any]], list[Any]] = as_sent
    repeat_writes: bool = False
    leaks: bool = False
    listeners: list[tuple[str, Callable[[Any], None]]] = field(default_factory=list)

    def channel(self, device: str) -> HttpChannel:
        return BrokenChannel(self, self.inner.channel(device))

    def close(self) -> None:
        self.inner.close()


class BrokenChannel:
    def __init__(self, broken: Broken, inner: HttpChannel) -> None:
        self._broken = broken
        self._inner = inner

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        broken = self._broken
        asked = document
        if broken.swallow(method, target, document):
            method, target, document = "GET", "/v2/", None
        elif broken.repeat_writes and method == "POST" and target != "/v2/things":
            document = {"values": document["values"] * 2}
        event = self._inner.request(method, target, document)
        assert event.callbacks is not None
        event.callbacks.insert(0, lambda event: self._change(event, method, target, asked))
        return event

    def _change(self, event: simpy.Event, method: str, target: str, document: Any) -> None:
        answer: Any = event.value
        if target == "/v2/":
            answer = HttpAnswer(201, {"status": "created"})
        event._value = self._broken.answer(method, target, document, answer)

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Subscription:
        def pass_on(document: Any) -> None:
            for each in self._broken.stream([document]):
                for listener in self._listeners(target, on_document, each):
                    listener(each)

        self._broken.listeners.append((target, on_document))

        return self._inner.subscribe(target, pass_on, on_end)

    def _listeners(
        self, target: str, own: Callable[[Any], None], document: Any
    ) -> list[Callable[[Any], None]]:
        if not self._broken.leaks or not isinstance(document, list):
            return [own]
        return [listener for each, listener in self._broken.listeners if each == target]

    def authorize(self, token: str | None) -> None:
        self._inner.authorize(token)

    def close(self) -> None:
        self._inner.close()
