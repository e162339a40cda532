"""
Which devices stay in memory: those that talk again soon.

Of a million that talk in turn none does, and each that stays takes the place of another one for
nothing: what it leaves has long left the processor's caches. So a device that was at rest for long
is at first kept for a short time only: until its frame is through, if it is at rest again by then.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from simulators.platforms.things_stack.network_server.device import Device

MOST_GUESTS = 1000  # more than are heard while copies of a frame are awaited


class InMemory:
    """
    Devices by the number of their row.

    Attributes:
        limit: so many that talk again stay; the one that was not used for longest goes first.
        most_guests: so many others stay for a while, in the order in which they came.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.most_guests = MOST_GUESTS
        self._staying: OrderedDict[int, Device] = OrderedDict()
        self._guests: dict[int, Device] = {}
        self._queue: deque[Device] = deque()  # guests, also some that have left or stay now

    def __len__(self) -> int:
        return len(self._staying) + len(self._guests)

    def __iter__(self) -> Iterator[Device]:
        yield from self._staying.values()
        yield from self._guests.values()

    def get(self, number: int) -> Device | None:
        """The device of that number."""
        return self._staying.get(number) or self._guests.get(number)

    def is_guest(self, device: Device) -> bool:
        """Whether it stays for a short time only."""
        return device.number in self._guests

    def age(self, device: Device) -> int:
        """How many others have been used since a device was whose time is over."""
        return self.most_guests if self.is_guest(device) else self.limit

    def stay(self, device: Device) -> None:
        """A device is used, or used again."""
        if device.number in self._staying:
            self._staying.move_to_end(device.number)
        else:
            self._guests.pop(device.number, None)
            self._staying[device.number] = device

    def invite(self, device: Device) -> None:
        """A device is used after a long time."""
        self._guests[device.number] = device
        self._queue.append(device)

    def leave(self, device: Device) -> None:
        """A device goes."""
        self._staying.pop(device.number, None)
        self._guests.pop(device.number, None)

    def too_many(self) -> Iterator[Device]:
        """Those whose time is over; who takes one lets it leave, or stay."""
        while len(self._queue) > self.most_guests:
            device = self._queue.popleft()
            if self._guests.get(device.number) is device:
                yield device
        while len(self._staying) > self.limit:
            yield next(iter(self._staying.values()))

    def clear(self) -> None:
        """All go."""
        self._staying.clear()
        self._guests.clear()
        self._queue.clear()
