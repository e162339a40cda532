"""Which call a path leads to, and what its variable parts say."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from simulators.platforms.things_stack import tables
from simulators.platforms.things_stack.errors import NOT_FOUND, UNIMPLEMENTED, GatewayError
from simulators.platforms.things_stack.schema import Message, message

PREFIX = "/api/v3/"
Binding = tuple[str, ...]  # a field's path: ("application", "ids", "application_id")


@dataclass(frozen=True)
class Route:
    """
    One path template of a call.

    ``rpc`` is ``Service/Method``; ``bindings`` are the fields that the path's variable parts set.
    """

    method: str
    rpc: str
    request: Message
    has_body: bool
    parts: tuple[str | Binding, ...]

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """Fields bound by position."""
        return tuple(part for part in self.parts if isinstance(part, tuple))


class Found(NamedTuple):
    """A route, and the values of its bindings."""

    route: Route
    values: list[str]


class Routes:
    """The calls that are served; a literal part of a path goes before a variable one."""

    def __init__(self, served: Container[str]) -> None:
        """``served``: names of calls; the others have no route."""
        self._root = _Node()
        for route in _all_routes():
            if route.rpc in served:
                self._root.add(route.parts, route)

    def find(self, method: str, path: str) -> Found:
        """
        The route of a percent-encoded path.

        Raises:
            GatewayError: no such path, or none for this method.
        """
        parts = [unquote(part, errors="replace") for part in path.removeprefix(PREFIX).split("/")]
        nodes = list(self._root.match(parts))
        if not nodes:
            raise GatewayError(NOT_FOUND, "Not Found")
        for node in nodes:
            route = node.routes.get(method)
            if route is not None:
                pairs = zip(route.parts, parts, strict=True)
                return Found(route, [text for part, text in pairs if isinstance(part, tuple)])
        raise GatewayError(UNIMPLEMENTED, "Method Not Allowed")


class _Node:
    """A place in the tree of paths."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self._literals: dict[str, _Node] = {}
        self._variable: _Node | None = None

    def add(self, parts: tuple[str | Binding, ...], route: Route) -> None:
        if not parts:
            self.routes[route.method] = route
            return
        if isinstance(parts[0], str):
            child = self._literals.setdefault(parts[0], _Node())
        else:
            child = self._variable = self._variable or _Node()
        child.add(parts[1:], route)

    def match(self, parts: list[str]) -> list[_Node]:
        if not parts:
            return [self] if self.routes else []
        children = (self._literals.get(parts[0]), self._variable)
        return [node for child in children if child is not None for node in child.match(parts[1:])]


def _all_routes() -> list[Route]:
    return [_route(*line.split()) for line in tables.lines("routes.txt")]


def _route(method: str, path: str, rpc: str, request: str, body: str = "") -> Route:
    parts = tuple(_part(part) for part in path.removeprefix("/").split("/"))
    return Route(method, rpc, message(request), body == "body", parts)


def _part(text: str) -> str | Binding:
    return tuple(text[1:-1].split(".")) if text.startswith("{") else text
