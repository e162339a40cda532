"""Messages of the network, and made-up ones, on their way to the application, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server.lanes import Lanes
from simulators.platforms.things_stack.application_server.outputs import RECEIVED, kind_of
from simulators.platforms.things_stack.application_server.queue_messages import QueueMessages
from simulators.platforms.things_stack.application_server.sessions import application_uid
from simulators.platforms.things_stack.application_server.uplinks import Uplinks
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Up
from simulators.platforms.things_stack.times import time_text
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_Work = Callable[[Document, int], None]


class Upstream:
    """Takes messages, tells that they came, and of those that go nowhere why."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lanes = Lanes()
        self._uplinks = Uplinks(stack, self._lanes)
        queue_messages = QueueMessages(stack, self._lanes)
        self._handlers: dict[str, Callable[[Up, Document, int], None]] = {
            **self._uplinks.handlers,
            **queue_messages.handlers,
        }

    def handle(self, up: Up, now_us: int) -> None:
        """Take a message of the network."""
        message: Document = {
            "end_device_ids": up.ids,
            "correlation_ids": self._correlated(up.correlation_ids, now_us),
            "received_at": time_text(now_us),
            up.kind: up.message,
        }
        handler = self._handlers[up.kind]
        self._take(
            up.tenant,
            up.kind,
            message,
            lambda message, now_us: handler(up, message, now_us),
            now_us,
        )

    def simulate(self, tenant: str, message: Document, now_us: int) -> None:
        """Take a message that a caller made up."""
        kind = kind_of(message)
        message["correlation_ids"] = self._correlated(message["correlation_ids"], now_us)
        message["received_at"] = time_text(now_us)

        def work(message: Document, now_us: int) -> None:
            if kind == "uplink_message":
                self._uplinks.simulated(tenant, message, now_us)
            else:
                application = application_uid(tenant, message["end_device_ids"])
                outputs = self._stack.application.outputs
                outputs.publish(tenant, application, kind, message, now_us)

        self._take(tenant, kind, message, work, now_us)

    def _correlated(self, correlation_ids: list[str], now_us: int) -> list[str]:
        return [*correlation_ids, f"as:up:{ulid(now_us, self._stack.rng)}"]

    def _take(self, tenant: str, kind: str, message: Document, work: _Work, now_us: int) -> None:
        """Work on a message when those before it are through."""
        outputs = self._stack.application.outputs
        received = RECEIVED.get(kind)
        if received is not None:
            outputs.tell(received, tenant, message, None, now_us)

        def job(now_us: int) -> None:
            try:
                work(message, now_us)
            except StackError as error:
                outputs.tell_drop(kind, tenant, message, error, now_us)

        if not self._lanes.in_order(tenant, message["end_device_ids"], job, now_us):
            error = StackError("pkg/applicationserver/io:buffer_full")
            outputs.tell_drop(kind, tenant, message, error, now_us)
