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
from conformance.clients.things_stack import ThingsStackClient
from conformance.desk import Desk
from conformance.guard import RunGuard
from conformance.platforms import Platform, find_platform
from conformance.stack_guard import StackGuard
from conformance.stack_tidy import client_of
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
        for name in ("api_key", "admin_api_key"):
            if value := self.target.credential(name):
                self.origins[self.secrets.redact(value)] = f"credentials.{name} of the target file"
        for index, user in enumerate(self.target.credential("users", ())):
            placeholder = self.secrets.redact(user["password"])
            self.origins[placeholder] = f"credentials.users[{index}].password of the target file"

    @cached_property
    def api(self) -> ThethingsClient:
        """The client of thethings.iO that everything goes through."""
        guard = RunGuard(
            self.target,
            self.desk,
            self.secrets,
            prefix=self.prefix,
            max_requests_per_s=self._rate,
            record=self._record,
            origins=self.origins,
            protected=self.protected,
        )
        return ThethingsClient(self.target.url, ca_file=self.target.ca_file, guard=guard)

    @cached_property
    def stack(self) -> ThingsStackClient:
        """The client of The Things Stack that everything goes through."""
        return client_of(self.target, guard=self.stack_guard)

    @cached_property
    def stack_guard(self) -> StackGuard:
        """What holds it to the target file, and knows what has to be removed."""
        return StackGuard(
            self.target,
            self.desk,
            self.secrets,
            max_requests_per_s=self._rate,
            record=self._record,
            origins=self.origins,
        )

    @property
    def _rate(self) -> float | None:
        """This process's share of the requests that the target allows in a second."""
        rate = self.target.max_requests_per_s
        return rate / self.jobs if rate else None

    @property
    def platform(self) -> Platform:
        """What is known of the target's platform."""
        return find_platform(self.target.platform)

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
        """See Platform.preflight."""
        return self.platform.preflight(self)

    def gone(self) -> str | None:
        """See Platform.gone; its exchanges are no evidence for the test that asks."""
        first = len(self.exchanges)
        try:
            return self.platform.gone(self)
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
