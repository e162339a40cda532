"""
Between tests and target: what may be sent, how fast, what is noted, when to stop.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from conformance.clients.exchange import Exchange, Headers
from conformance.desk import Desk
from conformance.kinds import Asked, Creation, document_of, find_creation
from conformance.ledger import fingerprint, seal
from conformance.outcomes import NotRun, TargetBlocked
from conformance.targets import Target, sealing_keys
from scenarios.secrets import SecretRegistry

_LIMIT_TEXT = re.compile(r"\b(rate|limits?|limited|quota|too many|throttl\w+)\b", re.IGNORECASE)
_SESSION = re.compile(r"^/v2/+(login|register)/*(\?.*)?$")
_TOKEN = re.compile(rb'"([A-Za-z_]+)"\s*:\s*"([A-Za-z0-9_-]{20,})"')


class RunGuard:
    """
    Holds a run to its target file; see ``clients.exchange.Guard``.

    Args:
        max_requests_per_s: this worker's share of the target's limit; None is no limit.
        record: gets every exchange.
        origins: is told where the user finds the secrets that this guard learns.
        protected: ids of things that the target file gave; it grows while the run learns them.
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
        origins: dict[str, str] | None = None,
        protected: set[str] | None = None,
    ) -> None:
        self._target = target
        self._desk = desk
        self._secrets = secrets
        self._prefix = prefix
        self._gap_s = 1.0 / max_requests_per_s if max_requests_per_s else 0.0
        self._record = record
        self._origins = origins if origins is not None else {}
        self._next_at = 0.0
        self._protected = protected if protected is not None else set()
        self._sessions: dict[str, tuple[str | None, str | None]] = {}  # e-mail address and app

    def before(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raises NotRun for what the target file forbids, TargetBlocked when the run is stopped."""
        if reason := self._desk.stopped():
            raise TargetBlocked(reason)
        needed = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
        if needed not in self._target.allow:
            raise NotRun(f"limits.allow of the target file does not hold {needed!r}")
        creation = find_creation(method, target)
        if creation and creation.lasts(document_of(body)):
            self._refuse_destruction(creation, target, headers, body)
            self._desk.note(self._entry(creation, target, headers, body))
        self._pace()

    def after(self, exchange: Exchange) -> None:
        """Raises TargetBlocked when the answer says that we send too much."""
        self._learn(exchange)
        self._record(exchange)
        self._mark(exchange)
        if reason := limit_reason(exchange):
            self._desk.stop(reason)
            raise TargetBlocked(reason)

    def _refuse_destruction(
        self, creation: Creation, target: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        """What the run did not create would be lost: a given thing's description, a password."""
        if "destroy" in self._target.allow:
            return
        parts = creation.parts(target)
        is_given = parts.get("token") in self._target.credential("thing_tokens", ())
        is_given = is_given or parts.get("thing") in self._protected
        given = {user["email"] for user in self._target.credential("users", ())}
        is_theirs = self._session(headers)[0] in given and "password" in document_of(body)
        if (creation.kind == "description" and is_given) or (
            creation.kind == "settings" and is_theirs
        ):
            raise NotRun("limits.allow of the target file does not hold 'destroy'")

    def _pace(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._next_at - now))
        self._next_at = max(now, self._next_at) + self._gap_s

    def _entry(
        self, creation: Creation, target: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, Any]:
        token, document = creation.token(target), document_of(body)
        user, app = self._session(headers)
        if creation.kind == "user":
            user, app = _text(document.get("email")), _text(document.get("app"))
        asked = Asked(creation.parts(target), document, self._prefix, user)
        entry = {
            "kind": creation.kind,
            "what": self._secrets.redact(creation.what(asked)),
            "thing": fingerprint(token) if token else None,
        }
        is_usual = app == self._target.credential("app_id")
        more = {
            "user": user,
            "app": None if is_usual else app,
            "detail": self._secrets.redact(creation.detail(asked)),
        }
        return entry | {name: value for name, value in more.items() if value is not None}

    def _session(self, headers: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Whose session a request carries, and in which app."""
        return self._sessions.get(Headers(headers).get("Authorization", ""), (None, None))

    def _mark(self, exchange: Exchange) -> None:
        creation = find_creation(exchange.method, exchange.target)
        if creation is None or exchange.response.status is None:
            return
        if not creation.lasts(document_of(exchange.body)):
            return
        entry = self._entry(creation, exchange.target, exchange.headers, exchange.body)
        number = self._desk.note(entry)
        if exchange.response.is_success:
            self._desk.mark(number, "created", self._learnt(creation, exchange))
        elif 400 <= exchange.response.status < 500:
            self._desk.mark(number, "refused", {})

    def _learnt(self, creation: Creation, exchange: Exchange) -> dict[str, Any]:
        """What only the answer tells, and what removing or using the new object will need."""
        answer = exchange.response.json if isinstance(exchange.response.json, dict) else {}
        document = document_of(exchange.body)
        if creation.kind == "thing":
            token, code = answer.get("thingToken"), document.get("activationCode")
            if isinstance(token, str) and isinstance(code, str):
                return {"thing": fingerprint(token), "sealed": seal(token, code)}
        if creation.kind == "user" and isinstance(document.get("password"), str):
            keys = sealing_keys(self._target)
            return {"sealed": seal(document["password"], keys[0])} if keys else {}
        if creation.kind == "link" and isinstance(answer.get("thingId"), str):
            return {"thing_id": answer["thingId"]}
        return {}

    def _learn(self, exchange: Exchange) -> None:
        """An activation's answer holds a thing token, a login's a session, whatever their shape."""
        creation = find_creation(exchange.method, exchange.target)
        if creation is not None and creation.kind == "thing":
            for name, value in _TOKEN.findall(exchange.response.body):
                if name != b"thingId":
                    self._secrets.add("thing_token", value.decode())
        if exchange.method == "POST" and _SESSION.match(exchange.target):
            self._learn_session(exchange)

    def _learn_session(self, exchange: Exchange) -> None:
        answer = exchange.response.json
        token = answer.get("token") if isinstance(answer, dict) else None
        if isinstance(token, str) and token:
            asked = document_of(exchange.body)
            placeholder = self._secrets.add("session_token", token)
            self._origins[placeholder] = f"what POST /v2/login answers {asked.get('email')}"
            self._sessions[token] = _text(asked.get("email")), _text(asked.get("app"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def limit_reason(exchange: Exchange) -> str | None:
    """Why this answer means that the target blocks us: 429, or 403 with the text of a limit."""
    response = exchange.response
    text = response.body[:2000].decode("utf-8", "replace")
    if response.status == 429 or (response.status == 403 and _LIMIT_TEXT.search(text)):
        return f"blocked: the target limits our requests (status {response.status})"
    return None
