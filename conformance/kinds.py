"""
Kinds of requests on thethings.iO, and which of them leave something behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

from conformance.clients.exchange import Exchange

_THING = r"/v2/+things/+(?P<token>[^/?]+)"
_RESOURCE = r"/v2/+me/+resources/+(?P<resource>[^/?]+)/+(?P<thing>[^/?]+)"
_END = r"/*(\?.*)?$"


class Asked(NamedTuple):
    """
    A request that creates something.

    ``parts`` are the named parts of its path, ``prefix`` the run's, ``user`` the e-mail address of
    whose session it carries, or of whom it registers.
    """

    parts: Mapping[str, str]
    document: Mapping[str, Any]
    prefix: str
    user: str | None


class Creation(NamedTuple):
    """
    A kind of request that leaves something behind.

    ``what`` tells it in words; ``detail`` is what removing it needs to know; ``lasts`` tells from
    its body whether it leaves something at all.
    """

    method: str
    target: re.Pattern[str]
    kind: str
    what: Callable[[Asked], str]
    detail: Callable[[Asked], Any] = lambda _asked: None
    lasts: Callable[[Mapping[str, Any]], bool] = lambda _document: True

    def parts(self, target: str) -> dict[str, str]:
        """The named parts of a target that is of this kind."""
        found = self.target.match(target)
        return found.groupdict() if found else {}

    def token(self, target: str) -> str | None:
        """The token of the thing that it is left on, where the path tells it."""
        return self.parts(target).get("token")


def _text(body: Mapping[str, Any], *names: str) -> str:
    found = [body[name] for name in names if name in body]
    return str(found[0]) if found else "unnamed"


def _collection(asked: Asked) -> str:
    """The path of the collection that an object is stored in: ``me/Lists/1/Songs``."""
    scope, *path = [part for part in asked.parts["path"].split("/") if part]
    return "/".join([scope, *path[: len(path) - (len(path) + 1) % 2]])


def _linked(asked: Asked) -> Any:
    return {"thing_id": asked.document["thingId"]} if "thingId" in asked.document else None


def _granted(asked: Asked) -> Any:
    return {
        name: asked.document[name] for name in ("permissions", "email") if name in asked.document
    }


def _has_flags(permissions: Any) -> bool:
    """Whether anything is true in it: where nothing is, permissions are only taken back."""
    if isinstance(permissions, dict):
        return any(map(_has_flags, permissions.values()))
    return bool(permissions)


CREATIONS = (
    Creation(
        "POST",
        re.compile(rf"^/v2/+things{_END}"),
        "thing",
        lambda asked: f"the thing activated with {_text(asked.document, 'activationCode')}",
    ),
    Creation(
        "POST",
        re.compile(rf"^{_THING}{_END}"),
        "values",
        lambda asked: f"values under keys {asked.prefix}… of the thing {asked.parts['token']}",
    ),
    Creation(
        "POST",
        re.compile(rf"^{_THING}/+tags{_END}"),
        "tag",
        lambda asked: _text(asked.document, "name", "tag", "tags"),
    ),
    Creation(
        "PUT",
        re.compile(rf"^{_THING}/+resources/+description{_END}"),
        "description",
        lambda asked: f"the description of the thing {asked.parts['token']}",
    ),
    Creation(
        "POST",
        re.compile(rf"^/v2/+register{_END}"),
        "user",
        lambda asked: _text(asked.document, "email"),
    ),
    Creation(
        "POST",
        re.compile(rf"^/v2/+me/+things{_END}"),
        "link",
        lambda asked: (
            f"{_text(asked.document, 'thingToken', 'thingId')} as a thing of {asked.user}"
        ),
        _linked,
    ),
    Creation(
        "PUT",
        re.compile(rf"^/v2/+me/+resources/+description/+(?P<thing>[^/?]+){_END}"),
        "description",
        lambda asked: f"the description of the thing {asked.parts['thing']}",
    ),
    Creation(
        "POST",
        re.compile(rf"^{_RESOURCE}{_END}"),
        "values",
        lambda asked: f"values under keys {asked.prefix}… of the thing {asked.parts['thing']}",
    ),
    Creation(
        "PUT",
        re.compile(rf"^/v2/+me/+grant{_END}"),
        "permission",
        lambda asked: f"for {_text(asked.document, 'email')}: {_resources(asked)}",
        _granted,
        lambda document: _has_flags(document.get("permissions")),
    ),
    Creation(
        "PUT",
        re.compile(rf"^/v2/+me/+settings{_END}"),
        "settings",
        lambda asked: f"settings of {asked.user}",
    ),
    Creation(
        "POST",
        re.compile(rf"^/v2/+classes/+(?P<path>[^?]+?){_END}"),
        "objects",
        lambda asked: f"objects of {unquote(_collection(asked))}",
        lambda asked: {"collection": _collection(asked)},
    ),
)


def _resources(asked: Asked) -> str:
    permissions = asked.document.get("permissions")
    return ", ".join(permissions) if isinstance(permissions, dict) else "nothing"


_NAMES = {
    "thing": "activations",
    "values": "writes",
    "tag": "tags added",
    "description": "descriptions replaced",
    "user": "users registered",
    "link": "things linked",
    "permission": "permissions granted",
    "settings": "settings changed",
    "objects": "objects stored",
}
_SUBSCRIPTION = re.compile(rf"^{_THING}(\?.*)?$|^[^?]*\?(.*&)?subscribe=true\b")


def find_creation(method: str, target: str) -> Creation | None:
    """The kind of object that this request creates, if any."""
    for creation in CREATIONS:
        if creation.method == method and creation.target.match(target):
            return creation
    return None


def request_kind(method: str, target: str) -> str:
    """A kind in the words of ``certify --plan``."""
    if creation := find_creation(method, target):
        return _NAMES[creation.kind]
    if method == "GET" and _SUBSCRIPTION.match(target):
        return "subscriptions"
    return {"GET": "reads", "HEAD": "reads", "DELETE": "deletions"}.get(method, "other requests")


def count_requests(
    exchanges: Iterable[Exchange], kind_of: Callable[[str, str], str] = request_kind
) -> dict[str, int]:
    """How many requests of each kind; ``kind_of`` tells it from method and path."""
    found: dict[str, int] = {}
    for exchange in exchanges:
        kind = kind_of(exchange.method, exchange.target)
        found[kind] = found.get(kind, 0) + 1
    return found


def document_of(body: bytes) -> dict[str, Any]:
    """The members of a request's body, a JSON object or a form; none when it is neither."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        words = parse_qs(body.decode("utf-8", "replace")) if b"=" in body[:200] else {}
        return {name: texts[0] for name, texts in words.items()}
    return document if isinstance(document, dict) else {}
