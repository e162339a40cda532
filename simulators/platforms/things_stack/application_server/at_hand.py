"""
Which devices the Application Server has at hand: those that talk again soon.

Of a million that talk in turn none does. To let one go whose objects have left the processor's
caches costs as much as to make one; so a device comes as a guest, and stays when it comes again
before as many others have been guests as may stay. Source: the 2Q algorithm (Johnson and Shasha,
"2Q: A Low Overhead High Performance Buffer Management Replacement Algorithm", VLDB 1994).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from simulators.platforms.things_stack.application_server.device import Device

MOST_STAYING = 20_000
MOST_GUESTS = 16

_Entry = tuple[str, Device]


class AtHand:
    """
    Devices by key.

    Attributes:
        limit: so many stay; the one that was not used for longest goes first.
        most_guests: so many others are here for a while, in the order in which they came.
    """

    def __init__(self, limit: int = MOST_STAYING, most_guests: int = MOST_GUESTS) -> None:
        self.limit = limit
        self.most_guests = most_guests
        self._staying: OrderedDict[str, Device] = OrderedDict()
        self._guests: OrderedDict[str, Device] = OrderedDict()
        self._were_guests: OrderedDict[str, None] = OrderedDict()

    def get(self, key: str) -> Device | None:
        """A device that is about to be used."""
        device = self._staying.get(key)
        if device is None:
            return self._guests.get(key)
        self._staying.move_to_end(key)
        return device

    def add(self, key: str, device: Device, *, is_back: bool) -> Iterator[_Entry]:
        """
        A device that is about to be used, and was not at hand; those that go for it.

        Args:
            is_back: it was here before, perhaps long ago.
        """
        if is_back and key not in self._were_guests:
            self._guests[key] = device
        else:
            self._were_guests.pop(key, None)
            self._staying[key] = device
        return self._leaving()

    def peek(self, key: str) -> Device | None:
        """A device that is here, as long as it would have been anyway."""
        return self._staying.get(key) or self._guests.get(key)

    def drop(self, key: str) -> None:
        """A device is another one from now on."""
        self._staying.pop(key, None)
        self._guests.pop(key, None)

    def clear(self) -> None:
        """All go."""
        self._staying.clear()
        self._guests.clear()
        self._were_guests.clear()

    def _leaving(self) -> Iterator[_Entry]:
        while len(self._guests) > self.most_guests:
            key, device = self._guests.popitem(last=False)
            self._were_guests[key] = None
            yield key, device
        while len(self._were_guests) > self.limit:
            self._were_guests.popitem(last=False)
        while len(self._staying) > self.limit:
            yield self._staying.popitem(last=False)
