"""
What is remembered of devices that are not at hand: what an uplink needs, in some 200 bytes each.

A record holds a device's session and what the Identity Server has said of it; what it has in common
with others, formatters and versions, is stored once for all of them. A device of another form, such
as one with two sessions or a wrapped key, has a record of what was said alone and is read again.
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
_SAID = Struct("<BI")
# Number of what is shared, last counter, address and key; the key's id comes last.
_DEVICE = Struct("<HI4s16s")
_WHOLE = _SAID.size + _DEVICE.size
_MOST_BYTES = 128  # of a record; ids of keys have 24 in practice, and may have two thousand


class Said(NamedTuple):
    """
    What the Identity Server has said of a device; it holds until that tells otherwise.

    Attributes:
        answers: up to eight, each a bit.
        number: of its row there; 0 when that was not asked, NOBODY when there is none.
    """

    answers: int
    number: int


NOBODY = 0xFFFF_FFFF
NOTHING = Said(0, 0)
_NOTHING = _SAID.pack(*NOTHING)


class Traits(NamedTuple):
    """
    What an uplink needs of a device; not to be changed.

    Attributes:
        session_key_id: "" for a session that did not begin with a join.
        dev_addr: in the order of its hex digits.
        settings: where its ``formatters`` and ``version_ids`` stand.
    """

    session_key_id: str
    last_a_f_cnt_down: int
    dev_addr: bytes
    app_s_key: bytes
    settings: Document

    def session(self) -> Document:
        """Its session as it is stored."""
        keys: Document = {"app_s_key": {"key": self.app_s_key.hex().upper()}}
        if self.session_key_id:
            keys["session_key_id"] = self.session_key_id
        session: Document = {"dev_addr": self.dev_addr.hex().upper(), "keys": keys}
        if self.last_a_f_cnt_down:
            session["last_a_f_cnt_down"] = self.last_a_f_cnt_down
        return session


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

    def recall(self, key: str) -> tuple[Said, Traits | None]:
        """What was said of a device, and its traits; None when it has to be read."""
        record = self._records.get(key, _NOTHING)
        said = Said(*_SAID.unpack_from(record))
        return said, self._traits(record) if len(record) >= _WHOLE else None

    def add(self, key: str, document: Document) -> None:
        """Remember a device as it was read from its table, if it has the usual form."""
        record = self._record(self._records.get(key, _NOTHING)[: _SAID.size], document)
        if record is not None:
            self._put(key, record)

    def note(self, key: str, said: Said) -> None:
        """Remember what the Identity Server has said."""
        record = self._records.get(key)
        if record is not None or said != NOTHING:
            self._put(key, _SAID.pack(*said) + (record or _NOTHING)[_SAID.size :])

    def changed(self, key: str) -> None:
        """A device has to be read again; what the Identity Server has said holds."""
        record = self._records.get(key)
        if record is not None:
            self._records[key] = record[: _SAID.size]

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

    def _record(self, said: bytes, document: Document) -> bytes | None:
        """A device in bytes; None when they would not tell all of what an uplink needs."""
        if "pending_session" in document:
            return None
        settings = {name: document[name] for name in _SHARED if name in document}
        try:
            session = document["session"]
            keys = session["keys"]
            record = (
                said
                + _DEVICE.pack(
                    self._number(settings),
                    session.get("last_a_f_cnt_down", 0),
                    bytes.fromhex(session["dev_addr"]),
                    bytes.fromhex(keys["app_s_key"]["key"]),
                )
                + keys.get("session_key_id", "").encode()
            )
        except (KeyError, ValueError):  # something is missing, or no hex
            return None
        is_whole = len(record) <= _MOST_BYTES and self._traits(record).session() == session
        return record if is_whole else None

    def _traits(self, record: bytes) -> Traits:
        number, last, dev_addr, app_s_key = _DEVICE.unpack_from(record, _SAID.size)
        key_id = record[_WHOLE:].decode() if len(record) > _WHOLE else ""
        return Traits(key_id, last, dev_addr, app_s_key, self._shared[number])

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
