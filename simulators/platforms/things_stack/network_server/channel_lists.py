"""
Lists of channels: many devices have the same, so each is stored, and kept in memory, once.

A list that comes from here is shared: who changes one channel gives the device a list of its own
(``Handling.own_channels``).
"""

from __future__ import annotations

from typing import Any

import orjson

from simulators.platforms.things_stack.database import Database

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS ns_channels (
    number INTEGER PRIMARY KEY, channels BLOB NOT NULL UNIQUE
);
"""
_MOST_KEPT = 4096
_STATES = ("mac_state", "pending_mac_state")
_PARAMETERS = ("current_parameters", "desired_parameters")


class ChannelLists:
    """The lists by number; a state that is stored has numbers in their stead."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lists: dict[int, list[Document]] = {}
        self._numbers: dict[bytes, int] = {}

    def stored(self, state: Document) -> Document:
        """A copy of a state as it is stored, with numbers."""
        found = dict(state)
        for name in _STATES:
            if name in found:
                mac_state = found[name] = dict(found[name])
                for which in _PARAMETERS:
                    parameters = mac_state.get(which, {})
                    if "channels" in parameters:
                        number = self._number(parameters["channels"])
                        mac_state[which] = {**parameters, "channels": number}
        return found

    def load(self, state: Document) -> Document:
        """Put the lists into a state that was stored."""
        for name in _STATES:
            if name in state:
                for which in _PARAMETERS:
                    parameters = state[name].get(which, {})
                    if "channels" in parameters:
                        parameters["channels"] = self._list(parameters["channels"])
        return state

    def forget(self) -> None:
        """The database was rolled back."""
        self._lists.clear()
        self._numbers.clear()

    def _number(self, channels: list[Document]) -> int:
        text = orjson.dumps(channels)
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = self._written(text)
            _limit(self._numbers)
        return number

    def _written(self, text: bytes) -> int:
        self._database.change("INSERT OR IGNORE INTO ns_channels VALUES (NULL, ?)", text)
        return self._database.count("SELECT number FROM ns_channels WHERE channels = ?", text)

    def _list(self, number: int) -> list[Document]:
        channels = self._lists.get(number)
        if channels is None:
            row = self._database.one("SELECT channels FROM ns_channels WHERE number = ?", number)
            assert row is not None, f"no list of channels has the number {number}"
            channels = self._lists[number] = orjson.loads(row[0])
            _limit(self._lists)
        return channels


def _limit(kept: dict[Any, Any]) -> None:
    if len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
