"""
Between tests and target: what may be sent, how fast, what is noted, when to stop.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from conformance.clients.exchange import Exchange
from conformance.desk import Desk
from conformance.kinds import Creation, document_of, find_creation
from conformance.ledger import fingerprint, seal
from conformance.outcomes import NotRun, TargetBlocked
from conformance.targets import Target
from scenarios.secrets import SecretRegistry

_LIMIT_TEXT = re.compile(r"\b(rate|limits?|limited|quota|too many|throttl\w+)\b", re.IGNORECASE)
_TOKEN = re.compile(rb'"([A-Za-z_]+)"\s*:\s*"([A-Za-z0-9_-]{20,})"')


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
            self._refuse_destruction(creation, target)
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

    def _refuse_destruction(self, creation: Creation, target: str) -> None:
        """A description that the run did not create would be lost; a given thing may have one."""
        is_given = creation.token(target) in self._target.credential("thing_tokens", ())
        if creation.kind == "description" and is_given and "destroy" not in self._target.allow:
            raise NotRun("limits.allow of the target file does not hold 'destroy'")

    def _pace(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._next_at - now))
        self._next_at = max(now, self._next_at) + self._gap_s

    def _entry(self, creation: Creation, target: str, body: bytes) -> dict[str, Any]:
        token = creation.token(target)
        return {
            "kind": creation.kind,
            "what": self._secrets.redact(creation.what(document_of(body), self._prefix, token)),
            "thing": fingerprint(token) if token else None,
        }

    def _mark(self, exchange: Exchange) -> None:
        creation = find_creation(exchange.method, exchange.target)
        if creation is None or exchange.response.status is None:
            return
        number = self._desk.note(self._entry(creation, exchange.target, exchange.body))
        if exchange.response.is_success:
            self._desk.mark(number, "created", self._sealed_token(creation, exchange))
        elif 400 <= exchange.response.status < 500:
            self._desk.mark(number, "refused", {})

    def _sealed_token(self, creation: Creation, exchange: Exchange) -> dict[str, Any]:
        """A new thing's token, for who holds the code that made it."""
        answer = exchange.response.json
        token = answer.get("thingToken") if isinstance(answer, dict) else None
        code = document_of(exchange.body).get("activationCode")
        if creation.kind != "thing" or not isinstance(token, str) or not isinstance(code, str):
            return {}
        return {"thing": fingerprint(token), "sealed": seal(token, code)}

    def _learn_secrets(self, exchange: Exchange) -> None:
        """An activation's answer holds a thing token, whatever shape it has."""
        creation = find_creation(exchange.method, exchange.target)
        if creation is not None and creation.kind == "thing":
            for name, value in _TOKEN.findall(exchange.response.body):
                if name != b"thingId":
                    self._secrets.add("thing_token", value.decode())


def limit_reason(exchange: Exchange) -> str | None:
    """Why this answer means that the target blocks us: 429, or 403 with the text of a limit."""
    response = exchange.response
    text = response.body[:2000].decode("utf-8", "replace")
    if response.status == 429 or (response.status == 403 and _LIMIT_TEXT.search(text)):
        return f"blocked: the target limits our requests (status {response.status})"
    return None
