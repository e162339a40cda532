"""
Kinds of requests on thethings.iO's device side, and which of them leave something behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from conformance.clients.exchange import Exchange

_THING = r"/v2/+things/+(?P<token>[^/?]+)"


class Creation(NamedTuple):
    """A kind of request that leaves something behind; ``what`` tells it in words.

    ``what`` is given the request's document, the run's prefix and the token of the thing.
    """

    method: str
    target: re.Pattern[str]
    kind: str
    what: Callable[[dict[str, Any], str, str | None], str]

    def token(self, target: str) -> str | None:
        """The token of the thing that it is left on."""
        found = self.target.match(target)
        return found.groupdict().get("token") if found else None


def _text(body: Any, *names: str) -> str:
    found = [body[name] for name in names if isinstance(body, dict) and name in body]
    return str(found[0]) if found else "unnamed"


CREATIONS = (
    Creation(
        "POST",
        re.compile(r"^/v2/+things/*(\?.*)?$"),
        "thing",
        lambda body, _prefix, _token: f"the thing activated with {_text(body, 'activationCode')}",
    ),
    Creation(
        "POST",
        re.compile(rf"^{_THING}/*(\?.*)?$"),
        "values",
        lambda _body, prefix, token: f"values under keys {prefix}… of the thing {token}",
    ),
    Creation(
        "POST",
        re.compile(rf"^{_THING}/+tags/*(\?.*)?$"),
        "tag",
        lambda body, _prefix, _token: _text(body, "name", "tag", "tags"),
    ),
    Creation(
        "PUT",
        re.compile(rf"^{_THING}/+resources/+description/*(\?.*)?$"),
        "description",
        lambda _body, _prefix, token: f"the description of the thing {token}",
    ),
)

_NAMES = {
    "thing": "activations",
    "values": "writes",
    "tag": "tags added",
    "description": "descriptions replaced",
}
_SUBSCRIPTION = re.compile(rf"^{_THING}(\?.*)?$")


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


def count_requests(exchanges: Iterable[Exchange]) -> dict[str, int]:
    """How many requests of each kind."""
    found: dict[str, int] = {}
    for exchange in exchanges:
        kind = request_kind(exchange.method, exchange.target)
        found[kind] = found.get(kind, 0) + 1
    return found


def document_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; empty when it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
