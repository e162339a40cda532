"""Calls of webhooks as rows until they have ended: a kill must not lose what is on its way."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from simulators.platforms.effects import Post
from simulators.platforms.things_stack.database import Database

TABLES = """
CREATE TABLE IF NOT EXISTS as_post (
    number INTEGER PRIMARY KEY, called BLOB NOT NULL, post BLOB NOT NULL
);
"""


class Called(NamedTuple):
    """Who is being called about what; the ids are an EndDeviceIdentifiers."""

    tenant: str
    application: str
    webhook_id: str
    url: str
    end_device_ids: dict[str, object]
    correlation_ids: list[str]


_encode = msgspec.msgpack.encode
_called = msgspec.msgpack.Decoder(Called)
_post = msgspec.msgpack.Decoder(Post)


class WebhookOutbox:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = database.count("SELECT coalesce(max(number), 0) FROM as_post")

    def next_number(self) -> int:
        """A number that no other call has."""
        self._last += 1
        return self._last

    def put(self, called: Called, post: Post) -> None:
        """Keep a call until it has ended."""
        query = "INSERT INTO as_post VALUES (?, ?, ?)"
        self._database.change(query, post.number, _encode(called), _encode(post))

    def take(self, number: int) -> Called | None:
        """A call has ended; None when it never was, or has ended before."""
        row = self._database.one("SELECT called FROM as_post WHERE number = ?", number)
        if row is None:
            return None
        self._database.change("DELETE FROM as_post WHERE number = ?", number)
        return _called.decode(row[0])

    def all(self) -> list[Post]:
        """Calls of which it is not known that they have ended, in order."""
        rows = self._database.all("SELECT post FROM as_post ORDER BY number")
        return [_post.decode(text) for (text,) in rows]
