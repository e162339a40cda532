"""The vocabulary of deviations of the app side: who calls, and what a server may remember."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.changes import When, document_of, is_good
from simulators.platforms.thethings_io.deviations.deviation import Before, OnAnswer

APP = (
    "TIO-LINK", "TIO-THINGS", "TIO-UNLINK", "TIO-MERES", "TIO-MERD", "TIO-MEALL", "TIO-MEWR",
    "TIO-MEDESC", "TIO-GRANT", "TIO-SET", "TIO-CLS",
)  # fmt: skip
"""Endpoints that need a session."""


class Inside:
    """
    What a defect looks up in the core; ``take`` is the setup that makes it known.

    A process has one deviating server at most, so all defects share one.
    """

    core: Core

    def take(self, core: Core) -> None:
        """Remember the core."""
        self.core = core

    def also(self, more: Callable[[Core], Any]) -> Callable[[Core], None]:
        """A setup that remembers the core and does something more."""

        def setup(core: Core) -> None:
            self.take(core)
            more(core)

        return setup

    def is_session(self, token: str | None) -> bool:
        """Whether a token is one of a session."""
        return bool(token and self.core.store.one("SELECT 1 FROM session WHERE token = ?", token))

    def sessions(self) -> list[str]:
        """The tokens of all sessions."""
        return [
            token
            for (token,) in self.core.store.all("SELECT token FROM session ORDER BY account, token")
        ]

    def owner_session(self, thing_id: str) -> str | None:
        """A session of the user that a thing belongs to."""
        row = self.core.store.one(
            "SELECT token FROM session JOIN account ON account.number = session.account "
            "JOIN link ON link.user = account.user JOIN thing ON thing.number = link.thing "
            "WHERE thing_id = ? AND app = 1",
            thing_id,
        )
        return None if row is None else str(row[0])


INSIDE = Inside()


def session_token(request: Request) -> str | None:
    """What the header Authorization holds."""
    return request.header(b"authorization")


def with_session(request: Request, token: str | None) -> Request:
    """The same request in another session, or in none."""
    headers = [pair for pair in request.headers if pair[0].lower() != b"authorization"]
    if token is not None:
        headers.append((b"Authorization", token.encode("latin-1", "replace")))
    return replace(request, headers=headers)


def segments(request: Request) -> list[str]:
    """The parts of a path after the version: ``["me", "resources", …]``."""
    return [part for part in request.path.split("/") if part][1:]


def with_segments(request: Request, parts: list[str]) -> Request:
    """The same request with another path after the version."""
    return replace(request, path="/v2/" + "/".join(parts))


def members(request: Request) -> dict[str, Any]:
    """The members of a body that is an object, or a form; none of any other."""
    document = document_of(request)
    if document is None and b"=" in request.body[:200]:
        document = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    return document if isinstance(document, dict) else {}


def with_member(request: Request, name: str, value: Any) -> Request:
    """The same body with another member."""
    document = {**members(request), name: value}
    if document_of(request) is None:
        return replace(request, body=urlencode(document).encode())
    return replace(request, body=orjson.dumps(document))


def changing(name: str, change: Callable[[Any], Any]) -> Before:
    """Another value of one member of the body, where it is a text."""

    def before(request: Request) -> Request:
        value = members(request).get(name)
        if not isinstance(value, str):
            return request
        return with_member(request, name, change(value))

    return before


def only(matches: Callable[[Request], bool], change: OnAnswer) -> OnAnswer:
    """A change of the answers to some requests of an endpoint."""
    return lambda answer: change(answer) if matches(answer.request) else answer


def asking(matches: Callable[[Request], bool], change: Before) -> Before:
    """A change of some requests of an endpoint."""
    return lambda request: change(request) if matches(request) else request


def is_method(method: str) -> Callable[[Request], bool]:
    """Whether a request has that method."""
    return lambda request: request.method == method


def has_segments(*numbers: int) -> Callable[[Request], bool]:
    """Whether a path has one of these numbers of parts after the version."""
    return lambda request: len(segments(request)) in numbers


def is_object(request: Request) -> bool:
    """Whether a path of a class names an object: scope and pairs."""
    return len(segments(request)) % 2 == 0


def is_collection(request: Request) -> bool:
    """Whether a path of a class names a collection."""
    return not is_object(request)


def both(first: When, matches: Callable[[Request], bool]) -> When:
    """Whether an answer is so, and so is its request."""
    return lambda answer: first(answer) and matches(answer.request)


def accepted(matches: Callable[[Request], bool]) -> When:
    """Whether such a request was accepted."""
    return both(is_good, matches)


def without(document: Any, *names: str) -> Any:
    """An object without some members."""
    return {name: value for name, value in document.items() if name not in names}


def each_document(change: Callable[[Answer], Any]) -> OnAnswer:
    """Another document in place of that of a success."""
    return lambda answer: replace(answer, document=change(answer)) if is_good(answer) else answer
