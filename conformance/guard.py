"""
Between tests and target: what may be sent, how fast, what is noted, when to stop.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.clients.exchange import Exchange
from conformance.desk import Desk
from conformance.ledger import fingerprint, seal
from conformance.outcomes import NotRun, TargetBlocked
from conformance.targets import Target
from scenarios.secrets import SecretRegistry

_LIMIT_TEXT = re.compile(r"\b(rate|limits?|limited|quota|too many|throttl\w+)\b", re.IGNORECASE)
_TOKEN = re.compile(rb'"([A-Za-z_]+)"\s*:\s*"([A-Za-z0-9_-]{20,})"')
_THING = r"/v2/+things/+(?P<token>[^/?]+)"


class Creation(NamedTuple):
    """A kind of request that leaves something behind; ``what`` tells it in words."""

    method: str
    target: re.Pattern[str]
    kind: str
    what: Callable[[dict[str, Any], str], str]


def _text(body: Any, *names: str) -> str:
    found = [body[name] for name in names if isinstance(body, dict) and name in body]
    return str(found[0]) if found else "unnamed"


CREATIONS = (
    Creation("POST", re.compile(r"^/v2/+things/*(\?.*)?$"), "thing",
             lambda body, _: f"the thing activated with {_text(body, 'activationCode')}"),
    Creation("POST", re.compile(rf"^{_THING}/*(\?.*)?$"), "values",
             lambda _, prefix: f"values under keys that begin with {prefix}"),
    Creation("POST", re.compile(rf"^{_THING}/+tags/*(\?.*)?$"), "tag",
             lambda body, _: _text(body, "name", "tag", "tags")),
    Creation("PUT", re.compile(rf"^{_THING}/+resources/+description/*(\?.*)?$"), "description",
             lambda _body, _: "the description"),
)  # fmt: skip


class RunGuard:
    """
    Holds a run to its target file; see ``clients.exchange.Guard``.

    Args:
        max_requests_per_s: this worker's share of the target's limit; None is no limit.
        record: gets every exchange.
    """

    def __init__(
        self,
        target: Target,
        desk: Desk,
        secrets: SecretRegistry,
        *,
        prefix: str,
        max_requests_per_s: float | None,
        record: Callable[[Exchange], None],
    ) -> None:
        self._target = target
        self._desk = desk
        self._secrets = secrets
        self._prefix = prefix
        self._gap_s = 1.0 / max_requests_per_s if max_requests_per_s else 0.0
        self._record = record
        self._next_at = 0.0

    def before(self, method: str, target: str, body: bytes) -> None:
        """Raises NotRun for what the target file forbids, TargetBlocked when the run is stopped."""
        if reason := self._desk.stopped():
            raise TargetBlocked(reason)
        needed = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
        if needed not in self._target.allow:
            raise NotRun(f"limits.allow of the target file does not hold {needed!r}")
        if creation := find_creation(method, target):
            self._desk.note(self._entry(creation, target, body))
        self._pace()

    def after(self, exchange: Exchange) -> None:
        """Raises TargetBlocked when the answer says that we send too much."""
        self._learn_secrets(exchange)
        self._record(exchange)
        self._mark(exchange)
        if reason := limit_reason(exchange):
            self._desk.stop(reason)
            raise TargetBlocked(reason)

    def _pace(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._next_at - now))
        self._next_at = max(now, self._next_at) + self._gap_s

    def _entry(self, creation: Creation, target: str, body: bytes) -> dict[str, Any]:
        found = creation.target.match(target)
        token = found.groupdict().get("token") if found else None
        return {
            "kind": creation.kind,
            "what": self._secrets.redact(creation.what(_document(body), self._prefix)),
            "thing": fingerprint(token) if token else None,
        }

    def _mark(self, exchange: Exchange) -> None:
        creation = find_creation(exchange.method, exchange.target)
        if creation is None or exchange.response.status is None:
            return
        number = self._desk.note(self._entry(creation, exchange.target, exchange.body))
        if exchange.response.is_success:
            self._desk.mark(number, "created", _sealed_token(creation, exchange))
        elif 400 <= exchange.response.status < 500:
            self._desk.mark(number, "refused", {})

    def _learn_secrets(self, exchange: Exchange) -> None:
        """An activation's answer holds a thing token, whatever shape it has."""
        creation = find_creation(exchange.method, exchange.target)
        if creation is not None and creation.kind == "thing":
            for name, value in _TOKEN.findall(exchange.response.body):
                if name != b"thingId":
                    self._secrets.add("thing_token", value.decode())


def find_creation(method: str, target: str) -> Creation | None:
    """The kind of object that this request creates, if any."""
    for creation in CREATIONS:
        if creation.method == method and creation.target.match(target):
            return creation
    return None


def limit_reason(exchange: Exchange) -> str | None:
    """Why this answer means that the target blocks us: 429, or 403 with the text of a limit."""
    response = exchange.response
    text = response.body[:2000].decode("utf-8", "replace")
    if response.status == 429 or (response.status == 403 and _LIMIT_TEXT.search(text)):
        return f"blocked: the target limits our requests (status {response.status})"
    return None


def _sealed_token(creation: Creation, exchange: Exchange) -> dict[str, Any]:
    answer = exchange.response.json
    token = answer.get("thingToken") if isinstance(answer, dict) else None
    code = _document(exchange.body).get("activationCode")
    if creation.kind != "thing" or not isinstance(token, str) or not isinstance(code, str):
        return {}
    return {"thing": fingerprint(token), "sealed": seal(token, code)}


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
