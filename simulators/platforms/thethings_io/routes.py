"""
The route table: which endpoint a method and path belong to.

Empty path segments do not count, so doubled and trailing slashes are tolerated. A literal segment
wins over a ``*``; ``**`` stands for all the rest, at least one segment. The first argument of a
path under ``things`` is the thing token, of one under ``classes`` the scope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

from simulators.platforms.effects import Arguments, Effects, Request
from simulators.platforms.thethings_io import (
    activation,
    classes,
    confirmations,
    date,
    description,
    firmware,
    functions,
    grants,
    links,
    me_description,
    me_resources,
    preflight,
    read,
    sessions,
    settings,
    stream,
    tags,
    write,
)

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core

Handler: TypeAlias = "Callable[[Core, Request, Arguments, int], Effects]"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint's id in the documents' table, and what answers it."""

    id: str
    method: str
    path: str
    handler: Handler


ENDPOINTS = (
    Endpoint("TIO-PING", "GET", "/v2", preflight.ping),
    Endpoint("TIO-ACT", "POST", "/v2/things", activation.activate),
    Endpoint("TIO-WR", "POST", "/v2/things/*", write.write),
    Endpoint("TIO-SUB", "GET", "/v2/things/*", stream.subscribe),
    Endpoint("TIO-RES", "GET", "/v2/things/*/resources", read.resources),
    Endpoint("TIO-ALL", "GET", "/v2/things/*/all_resources", read.all_resources),
    Endpoint("TIO-RD", "GET", "/v2/things/*/resources/*", read.read),
    Endpoint("TIO-DESC", "GET", "/v2/things/*/resources/description", description.get),
    Endpoint("TIO-DESC", "PUT", "/v2/things/*/resources/description", description.put),
    Endpoint("TIO-TAG", "POST", "/v2/things/*/tags", tags.add),
    Endpoint("TIO-TAG", "GET", "/v2/things/*/tags", tags.listing),
    Endpoint("TIO-TAG", "DELETE", "/v2/things/*/tags/*", tags.delete),
    Endpoint("TIO-FWL", "GET", "/v2/things/*/firmwares/latest", firmware.latest),
    Endpoint("TIO-FWD", "GET", "/v2/things/*/firmwares/download/*", firmware.download),
    Endpoint("TIO-FN", "POST", "/v2/things/*/code/functions/*", functions.call),
    Endpoint("TIO-DATE", "GET", "/v2/utils/date", date.server_date),
    Endpoint("TIO-REG", "POST", "/v2/register", sessions.register),
    Endpoint("TIO-LOGIN", "POST", "/v2/login", sessions.login),
    Endpoint("TIO-LINK", "POST", "/v2/me/things", links.link),
    Endpoint("TIO-THINGS", "GET", "/v2/me/things", links.things),
    Endpoint("TIO-UNLINK", "DELETE", "/v2/me/things", links.unlink),
    Endpoint("TIO-UNLINK", "DELETE", "/v2/me/things/*", links.unlink),
    Endpoint("TIO-MERES", "GET", "/v2/me/resources", me_resources.listing),
    Endpoint("TIO-MERD", "GET", "/v2/me/resources/*", me_resources.read),
    Endpoint("TIO-MERD", "GET", "/v2/me/resources/*/*", me_resources.read_one),
    Endpoint("TIO-MEALL", "GET", "/v2/me/all_resources/*", me_resources.read_all),
    Endpoint("TIO-MEWR", "POST", "/v2/me/resources/*/*", me_resources.write),
    Endpoint("TIO-MEDESC", "GET", "/v2/me/resources/description", me_description.read),
    Endpoint("TIO-MEDESC", "GET", "/v2/me/resources/description/*", me_description.read),
    Endpoint("TIO-MEDESC", "PUT", "/v2/me/resources/description/*", me_description.replace),
    Endpoint("TIO-MEDESC", "POST", "/v2/me/resources/description/*", me_description.write),
    Endpoint("TIO-GRANT", "PUT", "/v2/me/grant", grants.grant),
    Endpoint("TIO-GRANT", "GET", f"{confirmations.PATH}*", confirmations.confirm),
    Endpoint("TIO-SET", "GET", "/v2/me/settings", settings.get),
    Endpoint("TIO-SET", "PUT", "/v2/me/settings", settings.put),
    Endpoint("TIO-CLS", "GET", "/v2/classes/**", classes.get),
    Endpoint("TIO-CLS", "POST", "/v2/classes/**", classes.post),
    Endpoint("TIO-CLS", "PUT", "/v2/classes/**", classes.put),
    Endpoint("TIO-CLS", "DELETE", "/v2/classes/**", classes.delete),
    Endpoint("", "POST", "/v1/ThingWrite", preflight.switched_off),
    Endpoint("", "GET", "/v1/ThingRead/*/*", preflight.switched_off),
    Endpoint("", "GET", "/v1/ThingReadLatest/*/*", preflight.switched_off),
)
NOT_FOUND = Endpoint("", "", "", preflight.not_found)
WRONG_METHOD = Endpoint("", "", "", preflight.wrong_method)
CROSS_ORIGIN = Endpoint("CORS", "OPTIONS", "", preflight.cross_origin)


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    methods: dict[str, Endpoint] = field(default_factory=dict)


class Routes:
    """Finds endpoints; built once."""

    def __init__(self, endpoints: tuple[Endpoint, ...] = ENDPOINTS) -> None:
        self._root = _Node()
        # Devices ask for the same few paths all the time.
        self.find = lru_cache(maxsize=1024)(self._find)
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        node = self._root
        for segment in endpoint.path.split("/")[1:]:
            if segment == "**":  # a segment, and after it the same again
                node = node.children.setdefault("*", _Node())
                node.children["*"] = node
            else:
                node = node.children.setdefault(segment, _Node())
        node.methods[endpoint.method] = endpoint

    def _find(self, method: str, path: str) -> tuple[Endpoint, Arguments]:
        """The endpoint and its arguments, percent-decoded; never fails."""
        found: list[str] = []
        node = self._descend(path, found)
        arguments = tuple(found)
        if method == "OPTIONS":
            return CROSS_ORIGIN, arguments
        if node is None or not node.methods:
            return NOT_FOUND, arguments
        return node.methods.get(method, WRONG_METHOD), arguments

    def _descend(self, path: str, found: list[str]) -> _Node | None:
        node = self._root
        for part in path.split("/"):
            if not part:
                continue
            segment = unquote(part) if "%" in part else part
            child = node.children.get(segment)
            if child is None or segment == "*":
                child = node.children.get("*")
                if child is None:
                    return None
                found.append(segment)
            node = child
        return node
