"""
One process of a run: its target, its desk, its secrets, and everything it has exchanged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from conformance.clients.exchange import Exchange, Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.desk import Desk
from conformance.guard import RunGuard
from conformance.preflight import gone, preflight
from conformance.targets import Target
from conformance.tracing import events_of, is_open
from scenarios.secrets import SecretRegistry

ENOUGH_SILENCE = 6
"""So many requests in a row without an answer raise the question whether the target is gone."""


@dataclass
class Run:
    """
    What fixtures work with; one per process.

    ``prefix`` begins every key and name the run creates; ``worker`` is None without workers;
    ``origins`` tells for each placeholder where the user finds the secret; ``protected`` are the
    ids of things that are not the run's own.
    """

    target: Target
    desk: Desk
    prefix: str
    worker: str | None = None
    jobs: int = 1
    started: float = field(default_factory=time.monotonic)
    secrets: SecretRegistry = field(default_factory=SecretRegistry)
    origins: dict[str, str] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    exchanges: list[Exchange] = field(default_factory=list)
    listening: list[tuple[str, Exchange]] = field(default_factory=list)
    unanswered: int = 0
    shared: dict[str, list[Exchange]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.target.register_secrets(self.secrets)
        for name in ("activation_codes", "thing_tokens"):
            for index, value in enumerate(self.target.credential(name, ())):
                placeholder = self.secrets.redact(value)
                self.origins[placeholder] = f"credentials.{name}[{index}] of the target file"
        for index, user in enumerate(self.target.credential("users", ())):
            placeholder = self.secrets.redact(user["password"])
            self.origins[placeholder] = f"credentials.users[{index}].password of the target file"

    @cached_property
    def api(self) -> ThethingsClient:
        """The client that everything goes through."""
        rate = self.target.max_requests_per_s
        guard = RunGuard(
            self.target,
            self.desk,
            self.secrets,
            prefix=self.prefix,
            max_requests_per_s=rate / self.jobs if rate else None,
            record=self._record,
            origins=self.origins,
            protected=self.protected,
        )
        return ThethingsClient(self.target.url, ca_file=self.target.ca_file, guard=guard)

    def open_link(self, link: str) -> Response:
        """GET an address that a mail told, whatever host it leads to."""
        parts = urlsplit(link)
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        if link.startswith(self.target.url):
            return self.api.send("GET", link.removeprefix(self.target.url) or "/")
        elsewhere = ThethingsClient(f"{parts.scheme}://{parts.netloc}", guard=self.api.http.guard)
        return elsewhere.send("GET", target)

    @property
    def first_token(self) -> str | None:
        """A thing token of the target file, for questions that change nothing."""
        return next(iter(self.target.credential("thing_tokens", ())), None)

    def preflight(self) -> str | None:
        """See preflight.preflight."""
        return preflight(self.api, self.first_token)

    def gone(self) -> str | None:
        """See preflight.gone; its exchanges are no evidence for the test that asks."""
        first = len(self.exchanges)
        try:
            return gone(self.api, self.first_token)
        finally:
            del self.exchanges[first:]

    def _record(self, exchange: Exchange) -> None:
        """A target that has gone away ends the run; waiting for it test by test would take long."""
        self.exchanges.append(exchange)
        self.unanswered = self.unanswered + 1 if exchange.response.status is None else 0
        if self.unanswered == ENOUGH_SILENCE and (reason := self.gone()):
            self.desk.stop(reason)

    def told_by(self, test: str, first: int) -> list[dict[str, Any]]:
        """
        For the trace: what a test has exchanged, from ``first`` on.

        A stream stands in it when it is over, which for a shared one is with a later test.
        """
        own = [each for each in self.exchanges[first:] if not each.is_borrowed]
        fresh = [(test, exchange) for exchange in own]
        candidates = [*self.listening, *fresh]
        self.listening = [each for each in candidates if is_open(each[1])]
        over: dict[str, list[Exchange]] = {}
        for name, exchange in candidates:
            if not is_open(exchange):
                over.setdefault(name, []).append(exchange)
        return [
            event
            for name, exchanges in over.items()
            for event in events_of(exchanges, name, started=self.started, secrets=self.secrets)
        ]

    @contextmanager
    def sharing(self, fixture: str) -> Iterator[None]:
        """Keep what a fixture of a wider scope exchanges, for every test that uses it."""
        first = len(self.exchanges)
        yield
        self.shared[fixture] = self.exchanges[first:]

    def seen_by(self, fixtures: list[str], first: int) -> list[Exchange]:
        """What a test has seen: its shared fixtures' exchanges, then its own from ``first`` on."""
        own = self.exchanges[first:]
        known = {id(exchange) for exchange in own}
        earlier = [each for name in fixtures for each in self.shared.get(name, ())]
        return [each for each in earlier if id(each) not in known] + own


def worker_input(run: Run, desk: dict[str, Any]) -> dict[str, Any]:
    """What a worker needs to build its own Run."""
    return {
        "target": run.target.document,
        "kind": run.target.kind,
        "prefix": run.prefix,
        "desk": desk,
        "started": run.started,
    }
