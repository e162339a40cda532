"""The tables of every server, for whoever opens the database."""

from __future__ import annotations

from simulators.platforms.things_stack.identity import server as identity

TABLES = identity.TABLES
