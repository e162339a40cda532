"""
What is remembered of devices that are not at hand: what an uplink needs, in some 200 bytes each.

A record holds a device's session and two answers of the Identity Server; what it has in common with
others, formatters and versions, is stored once for all of them. A device of another form, such as
one with two sessions or a wrapped key, has a record of these answers alone and is read again.
"""

from __future__ import annotations

from itertools import islice
from struct import Struct
from typing import Any, NamedTuple

import orjson

Document = dict[str, Any]

MOST_REMEMBERED = 1_200_000
MOST_SHARED_BYTES = 32 << 20  # of formatters and versions, with all that belongs to them
_OF_EACH = 1000  # bytes that belong to one of them
_SHARED = ("formatters", "version_ids")
# The answers; number of what is shared, last counter, address and key; the key's id comes last.
_WHOLE = Struct("<BHI4s16s")
NOTHING = b"\0"
_MOST_BYTES = 128  # of a record; ids of keys have 24 in practice, and may have two thousand


class Traits(NamedTuple):
    """What an uplink needs of a device; not to be changed."""

    session: Document
    settings: Document  # formatters and version_ids


class Remembered:
    """Records by a device's application and id, in one text; the oldest go first."""

    def __init__(self, limit: int = MOST_REMEMBERED) -> None:
        self.limit = limit
        self._records: dict[str, bytes] = {}
        self._shared: list[Document] = []
        self._numbers: dict[bytes, int] = {}
        self._shared_bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def answers(self, key: str) -> int:
        """What the Identity Server has answered, as ``note`` was told it."""
        return self._records.get(key, NOTHING)[0]

    def traits(self, key: str) -> Traits | None:
        """A device's traits; None when it has to be read."""
        record = self._records.get(key, NOTHING)
        return self._traits(record) if len(record) > 1 else None

    def add(self, key: str, document: Document) -> None:
        """Remember a device as it was read from its table, if it has the usual form."""
        record = self._record(self.answers(key), document)
        if record is not None:
            self._put(key, record)

    def note(self, key: str, answers: int) -> None:
        """Remember what the Identity Server has answered, in a byte."""
        record = self._records.get(key)
        if record is not None or answers:
            self._put(key, bytes((answers,)) + (record or NOTHING)[1:])

    def changed(self, key: str) -> None:
        """A device has to be read again; what the Identity Server has answered holds."""
        record = self._records.get(key)
        if record is not None:
            self._records[key] = record[:1]

    def drop(self, key: str) -> None:
        """Forget a device."""
        self._records.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._records.clear()
        self._shared.clear()
        self._numbers.clear()
        self._shared_bytes = 0

    def _put(self, key: str, record: bytes) -> None:
        self._records[key] = record
        if len(self._records) > self.limit:
            # Many at once: to find the first one, a dict looks at all that were there before.
            for oldest in list(islice(self._records, 1 + self.limit // 16)):
                del self._records[oldest]

    def _record(self, answers: int, document: Document) -> bytes | None:
        """A device in bytes; None when they would not tell all of what an uplink needs."""
        if "pending_session" in document:
            return None
        settings = {name: document[name] for name in _SHARED if name in document}
        try:
            session = document["session"]
            keys = session["keys"]
            record = (
                _WHOLE.pack(
                    answers,
                    self._number(settings),
                    session.get("last_a_f_cnt_down", 0),
                    bytes.fromhex(session["dev_addr"]),
                    bytes.fromhex(keys["app_s_key"]["key"]),
                )
                + keys.get("session_key_id", "").encode()
            )
        except (KeyError, ValueError):  # something is missing, or no hex
            return None
        is_whole = len(record) <= _MOST_BYTES and self._traits(record).session == session
        return record if is_whole else None

    def _traits(self, record: bytes) -> Traits:
        _, number, last, dev_addr, app_s_key = _WHOLE.unpack_from(record)
        keys: Document = {"app_s_key": {"key": app_s_key.hex().upper()}}
        if len(record) > _WHOLE.size:
            keys["session_key_id"] = record[_WHOLE.size :].decode()
        session: Document = {"dev_addr": dev_addr.hex().upper(), "keys": keys}
        if last:
            session["last_a_f_cnt_down"] = last
        return Traits(session, self._shared[number])

    def _number(self, settings: Document) -> int:
        text = orjson.dumps(settings)
        number = self._numbers.get(text)
        if number is None:
            self._shared_bytes += _OF_EACH + len(text)
            if self._shared_bytes > MOST_SHARED_BYTES:
                self.clear()  # some of them may be of devices that have changed since
                self._shared_bytes = _OF_EACH + len(text)
            number = self._numbers[text] = len(self._shared)
            self._shared.append(orjson.loads(text))
        return number
