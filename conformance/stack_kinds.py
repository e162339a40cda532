"""
Kinds of requests on The Things Stack, and which of them leave something behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.kinds import document_of

PURGED = ("application", "gateway", "client", "organization", "account")
"""Kinds whose deleted objects keep their ids until an administrator purges them."""

NAMED = "?name="
"""Between the path of an account's API keys and the name of the one that was created."""


class StackCreation(NamedTuple):
    """
    A kind of request that creates something.

    ``path`` tells from the request's path and document where it can be deleted; None when only
    the answer tells, or when the request names nothing.
    """

    method: str
    target: re.Pattern[str]
    kind: str
    name: str
    path: Callable[[dict[str, str], dict[str, Any]], str | None]


class Left(NamedTuple):
    """What a request may leave behind: its kind, and the path that DELETE takes."""

    kind: str
    path: str


def _entity(kind: str) -> Callable[[dict[str, str], dict[str, Any]], str | None]:
    def path(_: dict[str, str], document: dict[str, Any]) -> str | None:
        found = _inner(document, kind, "ids", f"{kind}_id")
        return f"/{kind}s/{found}" if found else None

    return path


def _inner(document: Any, *names: str) -> str | None:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) and document else None


def _device(parts: dict[str, str], document: dict[str, Any]) -> str | None:
    found = parts.get("device") or _inner(document, "end_device", "ids", "device_id")
    server = parts.get("server") or ""
    return f"{server}/applications/{parts['application']}/devices/{found}" if found else None


def _webhook(parts: dict[str, str], document: dict[str, Any]) -> str | None:
    found = parts.get("webhook") or _inner(document, "webhook", "ids", "webhook_id")
    return f"/as/webhooks/{parts['application']}/{found}" if found else None


def _key(parts: dict[str, str], document: dict[str, Any]) -> str | None:
    """Only the answer tells a key's id: until it is looked for it goes by its name."""
    found = _inner(document, "name")
    return f"{parts['keys']}{NAMED}{found}" if found else None


def _creation(method: str, target: str, kind: str, name: str, path: Any) -> StackCreation:
    return StackCreation(method, re.compile(rf"^/api/v3{target}(\?.*)?$"), kind, name, path)


_APPLICATION = r"/applications/(?P<application>[^/?]+)"
_OWNER = r"/(users|organizations)/[^/?]+"
CREATIONS = (
    *(
        _creation("POST", rf"{_OWNER}/{kind}s", kind, f"{kind}s created", _entity(kind))
        for kind in ("application", "gateway", "client", "organization")
    ),
    _creation("POST", "/users", "account", "users created", _entity("user")),
    # Those of other entities go with them.
    _creation(
        "POST", rf"(?P<keys>{_OWNER}/api-keys)", "api_key", "API keys of accounts created", _key
    ),
    _creation("POST", rf"{_APPLICATION}/devices", "device", "devices created", _device),
    _creation(
        "POST", rf"(?P<server>/[jna]s){_APPLICATION}/devices", "device", "devices created", _device
    ),
    _creation(
        "PUT",
        rf"(?P<server>/[jna]s){_APPLICATION}/devices/(?P<device>[^/?]+)",
        "device",
        "devices created",
        _device,
    ),
    _creation(
        "PUT",
        r"/as/webhooks/(?P<application>[^/?]+)/(?P<webhook>[^/?]+)",
        "webhook",
        "webhooks created",
        _webhook,
    ),
    _creation(
        "POST", r"/as/webhooks/(?P<application>[^/?]+)", "webhook", "webhooks created", _webhook
    ),
    _creation(
        "PUT",
        rf"/as{_APPLICATION}/link",
        "link",
        "links created",
        lambda parts, _: f"/as/applications/{parts['application']}/link",
    ),
)


def find_left(method: str, target: str, body: bytes) -> Left | None:
    """What a request leaves behind when it is accepted, if anything."""
    for creation in CREATIONS:
        found = creation.target.match(target) if creation.method == method else None
        if found:
            path = creation.path(found.groupdict(), document_of(body))
            return Left(creation.kind, path) if path else None
    return None


def request_kind(method: str, target: str) -> str:
    """A kind in the words of ``certify --plan``."""
    for creation in CREATIONS:
        if creation.method == method and creation.target.match(target):
            return creation.name
    if method == "POST" and target.startswith("/api/v3/events"):
        return "subscriptions"
    return {"GET": "reads", "HEAD": "reads", "DELETE": "deletions"}.get(method, "other requests")
