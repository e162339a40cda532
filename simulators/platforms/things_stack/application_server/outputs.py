"""Where messages for an application go: events, webhooks, storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.errors import StackError

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
Output = Callable[[str, str, str, Document, int], None]  # tenant, application, kind, message, time

FORWARDED = {
    "downlink_ack": "as.down.data.ack.forward",
    "downlink_failed": "as.down.data.failed.forward",
    "downlink_nack": "as.down.data.nack.forward",
    "downlink_queue_invalidated": "as.down.data.queue.invalidated.forward",
    "downlink_sent": "as.down.data.sent.forward",
    "join_accept": "as.up.join.forward",
    "location_solved": "as.up.location.forward",
    "service_data": "as.up.service.forward",
    "uplink_message": "as.up.data.forward",
    "uplink_normalized": "as.up.normalized.forward",
}
RECEIVED = {"join_accept": "as.up.join.receive", "uplink_message": "as.up.data.receive"}
DROPPED = {"join_accept": "as.up.join.drop", "uplink_message": "as.up.data.drop"}
KINDS = frozenset((*FORWARDED, "downlink_queued"))
_DROPPED_DOWN = "as.down.data.drop"


class Outputs:
    """
    Tells applications what there is.

    ``others`` get every message after the events: webhooks, storage.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.others: list[Output] = []

    def publish(
        self, tenant: str, application: str, kind: str, message: Document, now_us: int
    ) -> None:
        """Hand a whole ApplicationUp to everybody who wants it."""
        name = FORWARDED.get(kind)
        if name is not None:
            self.tell(name, tenant, message, message, now_us)
        for output in self.others:
            output(tenant, application, kind, message, now_us)

    def tell(self, name: str, tenant: str, about: Document, data: Any, now_us: int) -> None:
        """Publish an event about a message's device, with the message's correlation ids."""
        self._stack.events.publish(
            name,
            {"device_ids": about["end_device_ids"]},
            data,
            tenant=tenant,
            now_us=now_us,
            correlation_ids=about["correlation_ids"],
        )

    def tell_error(
        self, name: str, tenant: str, about: Document, error: StackError, now_us: int
    ) -> None:
        """Publish an event about something that failed."""
        self.tell(name, tenant, about, lambda: self.details(error), now_us)

    def tell_drop(
        self, kind: str, tenant: str, about: Document, error: StackError, now_us: int
    ) -> None:
        """A message goes nowhere."""
        self.tell_error(DROPPED.get(kind, _DROPPED_DOWN), tenant, about, error, now_us)

    def details(self, error: StackError) -> Document:
        """An error as a message of its own."""
        return error.details(f"{self._stack.rng.getrandbits(128):032x}")


def kind_of(message: Document) -> str:
    """Which of its fields an ApplicationUp is about."""
    return next(name for name in message if name in KINDS)
