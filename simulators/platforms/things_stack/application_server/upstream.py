"""Messages of the network, and made-up ones, on their way to the application, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.platforms.things_stack.application_server.lanes import Lanes
from simulators.platforms.things_stack.application_server.outputs import RECEIVED, kind_of
from simulators.platforms.things_stack.application_server.queue_messages import QueueMessages
from simulators.platforms.things_stack.application_server.sessions import application_uid
from simulators.platforms.things_stack.application_server.uplinks import Uplinks
from simulators.platforms.things_stack.application_server.waiting_store import WaitingStore
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Up
from simulators.platforms.things_stack.times import time_text
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_Handler = Callable[[Up, Document, int], None]

_FULL = "pkg/applicationserver/io:buffer_full"


class _Taken(NamedTuple):
    """
    A message that was taken.

    Attributes:
        message: the ApplicationUp, as far as it is known.
        up: what the network said; None when a caller made the message up.
        is_begun: an earlier process has done with it all but to tell the application.
    """

    tenant: str
    kind: str
    message: Document
    up: Up | None
    is_begun: bool = False


class Upstream:
    """Takes messages, tells that they came, and of those that go nowhere why."""

    def __init__(self, stack: Stack, store: WaitingStore) -> None:
        self._stack = stack
        self._store = store
        self._lanes = Lanes(store)
        self._uplinks = Uplinks(stack, self._lanes)
        queue_messages = QueueMessages(stack, self._lanes)
        self._handlers: dict[str, _Handler] = {
            **self._uplinks.handlers,
            **queue_messages.handlers,
        }
        self._again: dict[str, _Handler] = self._handlers | queue_messages.again

    def handle(self, up: Up, now_us: int) -> None:
        """Take a message of the network."""
        message: Document = {
            "end_device_ids": up.ids,
            "correlation_ids": self._correlated(up.correlation_ids, now_us),
            "received_at": time_text(now_us),
            up.kind: up.message,
        }
        self._receive(_Taken(up.tenant, up.kind, message, up), now_us)

    def simulate(self, tenant: str, message: Document, now_us: int) -> None:
        """
        Take a message that a caller made up.

        Raises:
            StackError: too many of its device wait. Of a message of the network an event tells that
                it was dropped; a caller can be told.
        """
        if self._lanes.is_full(tenant, message["end_device_ids"]):
            raise StackError(_FULL)
        message["correlation_ids"] = self._correlated(message["correlation_ids"], now_us)
        message["received_at"] = time_text(now_us)
        self._receive(_Taken(tenant, kind_of(message), message, None), now_us)

    def resume(self, now_us: int) -> None:
        """Go on with the messages that waited for scripts when the process ended."""
        for is_begun, record in self._store.take_all():
            self._take(_from_record(record, is_begun), now_us)

    def _correlated(self, correlation_ids: list[str], now_us: int) -> list[str]:
        return [*correlation_ids, f"as:up:{ulid(now_us, self._stack.rng)}"]

    def _receive(self, taken: _Taken, now_us: int) -> None:
        received = RECEIVED.get(taken.kind)
        if received is not None:
            outputs = self._stack.application.outputs
            outputs.tell(received, taken.tenant, taken.message, None, now_us)
        self._take(taken, now_us)

    def _take(self, taken: _Taken, now_us: int) -> None:
        """Work on a message when those before it are through."""

        def job(now_us: int) -> None:
            try:
                self._work(taken, now_us)
            except StackError as error:
                self._drop(taken, error, now_us)

        ids = taken.message["end_device_ids"]
        if not self._lanes.in_order(taken.tenant, ids, job, lambda: _record(taken), now_us):
            self._drop(taken, StackError(_FULL), now_us)

    def _drop(self, taken: _Taken, error: StackError, now_us: int) -> None:
        outputs = self._stack.application.outputs
        outputs.tell_drop(taken.kind, taken.tenant, taken.message, error, now_us)

    def _work(self, taken: _Taken, now_us: int) -> None:
        tenant, kind, message, up, is_begun = taken
        if up is not None:
            handlers = self._again if is_begun else self._handlers
            handlers[kind](up, message, now_us)
        elif kind == "uplink_message":
            self._uplinks.simulated(tenant, message, now_us)
        else:
            application = application_uid(tenant, message["end_device_ids"])
            self._stack.application.outputs.publish(tenant, application, kind, message, now_us)


def _record(taken: _Taken) -> Document:
    """A message as it came, whatever was made of it since."""
    tenant, kind, message, up, _ = taken
    if up is None:
        return {"tenant": tenant, "kind": kind, "message": message}
    return {
        "tenant": tenant,
        "kind": kind,
        "message": message | {"end_device_ids": up.ids, kind: up.message},
        "correlation_ids": up.correlation_ids,
        "received_us": up.received_us,
        "payload": up.payload.hex(),
    }


def _from_record(record: Document, is_begun: bool) -> _Taken:
    tenant, kind, message = record["tenant"], record["kind"], record["message"]
    if "payload" not in record:
        return _Taken(tenant, kind, message, None, is_begun)
    up = Up(
        tenant, message["end_device_ids"], kind, message[kind], record["correlation_ids"],
        record["received_us"], bytes.fromhex(record["payload"]),
    )  # fmt: skip
    return _Taken(tenant, kind, message, up, is_begun)
