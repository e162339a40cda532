"""
Between tests and The Things Stack: what may be sent, how fast, and what has to be removed.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping

from conformance.clients.exchange import Exchange
from conformance.clients.things_stack import rate_limit
from conformance.desk import Desk
from conformance.outcomes import NotRun, TargetBlocked
from conformance.stack_kinds import PURGED, Left, find_left
from conformance.targets import Target
from scenarios.secrets import SecretRegistry

_KEY = re.compile(rb"NNSXS\.[A-Z0-9]+\.([A-Z0-9]+)")
_TOLD = re.compile(rb'"(password|secret)"\s*:\s*"([^"\\]{8,})"')
_DELETE = re.compile(r"^/api/v3(?P<path>/[^?]+?)(?P<purge>/purge)?(\?.*)?$")
LONGEST_PAUSE_S = 5.0


class StackGuard:
    """
    Holds a run to its target file; see ``clients.exchange.Guard``.

    ``left`` is what this process has created and not yet removed: path to number in the ledger.
    Calls may come from several threads: all of them keep to one rate.
    """

    def __init__(
        self,
        target: Target,
        desk: Desk,
        secrets: SecretRegistry,
        *,
        max_requests_per_s: float | None,
        record: Callable[[Exchange], None],
        origins: dict[str, str],
    ) -> None:
        self.left: dict[Left, int] = {}
        self._target = target
        self._desk = desk
        self._secrets = secrets
        self._gap_s = 1.0 / max_requests_per_s if max_requests_per_s else 0.0
        self._record = record
        self._origins = origins
        self._next_at = 0.0
        self._lock = threading.RLock()

    def before(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raises NotRun for what the target file forbids, TargetBlocked when the run is stopped."""
        if reason := self._desk.stopped():
            raise TargetBlocked(reason)
        if method not in ("GET", "HEAD", "OPTIONS") and "write" not in self._target.allow:
            raise NotRun("limits.allow of the target file does not hold 'write'")
        with self._lock:
            if (left := find_left(method, target, body)) and left not in self.left:
                self.left[left] = self._desk.note(entry_of(left))
            now = time.monotonic()
            at = max(now, self._next_at)
            self._next_at = at + self._gap_s
        time.sleep(at - now)

    def after(self, exchange: Exchange) -> None:
        """Keep the exchange, learn its secrets, and slow down when little is left of a limit."""
        with self._lock:
            self._keep(exchange)

    def _keep(self, exchange: Exchange) -> None:
        self._learn(exchange)
        self._record(exchange)
        self._mark(exchange)
        if rate_limit(exchange.response.headers, "Available") == 0:
            pause_s = rate_limit(exchange.response.headers, "Retry") or 1.0
            self._next_at = max(self._next_at, time.monotonic() + min(pause_s, LONGEST_PAUSE_S))

    def removed(self, left: Left, state: str) -> None:
        """An object is gone (``removed``), or only its id remains (``deleted``)."""
        number = self.left.pop(left, None)
        if number is not None:
            self._desk.mark(number, state, {})

    def _mark(self, exchange: Exchange) -> None:
        response = exchange.response
        left = find_left(exchange.method, exchange.target, exchange.body)
        if left is not None and left in self.left and response.status is not None:
            if response.is_success:
                self._desk.mark(self.left[left], "created", {})
            elif response.status < 500:
                self._refused(left)
        found = _DELETE.match(exchange.target) if exchange.method == "DELETE" else None
        if found and response.is_success:
            self._deleted(found["path"], is_purge=bool(found["purge"]))

    def _refused(self, left: Left) -> None:
        """A refusal removes nothing that an earlier request has created."""
        states = {number: entry["state"] for number, entry in self._desk.created(left.kind)}
        if states.get(self.left[left]) == "noted":
            self._desk.mark(self.left.pop(left), "refused", {})

    def _deleted(self, path: str, *, is_purge: bool) -> None:
        for left in [each for each in self.left if each.path == path]:
            if is_purge or left.kind not in PURGED:
                self.removed(left, "removed")

    def _learn(self, exchange: Exchange) -> None:
        """An answer with a new API key shows its secret once."""
        for found in _KEY.finditer(exchange.response.body):
            placeholder = self._secrets.add("api_key", found[0].decode())
            self._origins.setdefault(placeholder, "an API key that the run created")
        if exchange.method == "POST" and find_left(exchange.method, exchange.target, exchange.body):
            for kind, value in _TOLD.findall(exchange.body + exchange.response.body):
                placeholder = self._secrets.add(kind.decode(), value.decode())
                self._origins.setdefault(placeholder, f"a {kind.decode()} of the run's own")


def entry_of(left: Left) -> dict[str, object]:
    """An object as the ledger keeps it."""
    return {"kind": left.kind, "what": left.path, "thing": None}
