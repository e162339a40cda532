"""
The reference server of thethings.iO, device side and app side, without a wire.

``handle`` turns a request into effects. Never commits, sleeps, or does I/O beyond its SQLite
connection; time comes with each call, tokens from the generator handed in.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from typing import Any

import orjson

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.provisioning import Provisioning
from simulators.platforms.thethings_io import confirmations, stream
from simulators.platforms.thethings_io.policy import Policy
from simulators.platforms.thethings_io.refusals import Refused, error_document
from simulators.platforms.thethings_io.rights import Rights
from simulators.platforms.thethings_io.routes import Routes
from simulators.platforms.thethings_io.sessions import Session, session_of
from simulators.platforms.thethings_io.stock import provision
from simulators.platforms.thethings_io.store import Store, Thing


class Core:
    """State and behaviour of one server."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        provisioning: Provisioning | None,
        rng: random.Random,
        *,
        secrets: random.Random | None = None,
        policy: Policy | None = None,
        show: Callable[[str], Any] = orjson.loads,
    ) -> None:
        """
        Args:
            connection: from ``open_database``; whoever gave it commits.
            provisioning: added to what the database holds; None adds nothing.
            rng: source of tokens and ids.
            secrets: source of sessions, salts and links in e-mails; ``rng`` when None. Where it
                matters that nobody can guess them it is the system's own.
            show: how answers carry stored JSON: ``orjson.loads`` for values,
                ``orjson.Fragment`` for a shell that serialises with orjson.
        Raises:
            ProvisioningConflict: the database holds an entry with other contents.
        """
        self.store = Store(connection, show=show)
        self.policy = policy or Policy()
        self.rng = rng
        self.secrets = secrets or rng
        self.rights = Rights(self.store)
        self.url = "http://localhost"  # where links in e-mails lead; without /v2
        self.streams = stream.Streams()
        self.routes = Routes()
        if provisioning is not None:
            provision(self.store, provisioning, password_cost=self.policy.password_cost)

    def handle(self, request: Request, now_us: int) -> Effects:
        """Effects of a request that arrived at ``now_us`` (microseconds since 1970)."""
        endpoint, arguments = self.routes.find(request.method, request.path)
        try:
            return endpoint.handler(self, request, arguments, now_us)
        except Refused as refusal:
            return [
                Answer(request, refusal.status, error_document(refusal.status, refusal.message))
            ]

    def timer(self, key: int, now_us: int) -> Effects:
        """Effects of a timer that fell due."""
        return stream.keep_alive(self, key, now_us)

    def closed(self, stream_id: int) -> None:
        """The client of a stream is gone."""
        self.streams.remove(stream_id)

    def resume(self, now_us: int) -> Effects:
        """Effects that an earlier process left undone."""
        return confirmations.pending_mail(self)

    def mailed(self, number: int) -> None:
        """A mail is on its way."""
        confirmations.sent(self, number)

    def forget(self) -> None:
        """The database was rolled back: drop what is remembered of it."""
        self.store.forget()
        self.rights.forget()

    def thing(self, arguments: Arguments) -> Thing:
        """
        The thing whose token is the first argument.

        Raises:
            Refused: no thing has that token.
        """
        thing = self.store.thing(arguments[0])
        if thing is None:
            raise Refused(self.policy.unknown_token_status, "Thing token doesn't exist")
        return thing

    def session(self, request: Request, now_us: int) -> Session:
        """
        The session that the request carries.

        Raises:
            Refused: none, an unknown one, or one that has expired.
        """
        return session_of(self, request, now_us)
