"""
What thethings.iO's app side puts into JSON, as an app writes and reads it.

Pure: values in, values out. Reading is liberal: what does not have the form is left out, since apps
in the field do not stop at it either.
Source: app development guide, chapters "Register", "Resources", "Grant".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

LINK = re.compile(r"https?://[^\s<>\"'\\]+")


class Value(NamedTuple):
    """One value as an app gets it; ``thing_id`` is None when the document does not tell it."""

    key: str
    value: Any
    thing_id: str | None


def credentials(email: str, password: str, app_id: str) -> dict[str, str]:
    """The body of register and login."""
    return {"email": email, "password": password, "app": app_id}


def permissions(
    keys: Mapping[str, tuple[str, ...]], rights: tuple[str, ...], *, email: str | None = None
) -> dict[str, Any]:
    """
    The body of a grant.

    Args:
        keys: thing ids and the resources of each.
        rights: of ``get``, ``post``, ``grant``; none of them takes all away.
        email: with whom it is shared; None asks for the app itself.
    """
    flags = {right: right in rights for right in ("get", "post", "grant")}
    wanted: dict[str, Any] = {}
    for thing_id, resources in keys.items():
        for resource in resources:
            wanted.setdefault(resource, {})[thing_id] = flags
    return {"permissions": wanted, **({} if email is None else {"email": email})}


def resource_target(resource: str, thing_id: str | None = None) -> str:
    """The path of a resource, of all things or of one."""
    path = f"/v2/me/resources/{quote(resource, safe='')}"
    return path if thing_id is None else f"{path}/{quote(thing_id, safe='')}"


def stream_target(resource: str, keep_alive_ms: int) -> str:
    """Where a resource of all things is subscribed to."""
    return f"{resource_target(resource)}?subscribe=true&keepAlive={keep_alive_ms}"


def told(items: list[Any]) -> Iterator[Value]:
    """The values of one document of a stream."""
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("key"), str) and "value" in item:
            yield Value(item["key"], item["value"], _text(item.get("thingId")))


def read(document: Any) -> Iterator[Value]:
    """The values in an answer about a resource of all things."""
    for entry in document if isinstance(document, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            rows = entry.get("values")
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, dict) and "value" in row:
                    yield Value(entry["key"], row["value"], _text(entry.get("thingId")))


def thing_ids(roles: Any) -> frozenset[str]:
    """The things that the roles in an answer to login speak of."""
    resources = roles.values() if isinstance(roles, dict) else ()
    return frozenset(thing for things in resources if isinstance(things, dict) for thing in things)


def link_path(text: str) -> str | None:
    """The last link of a mail as a target: from ``/v2/`` on; None without such a link."""
    links = LINK.findall(text)
    if not links:
        return None
    parts = urlsplit(links[-1])
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return target[target.index("/v2/") :] if "/v2/" in target else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
