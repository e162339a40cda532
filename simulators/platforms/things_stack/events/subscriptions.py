"""Who listens to what, and the documents that they get; knows nothing of how they asked."""

from __future__ import annotations

import base64
import random
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.effects import Effect, StreamDocument
from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack.events.definitions import Definition, definitions
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.times import time_text
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.call import Call

Document = dict[str, Any]
Key = tuple[str, ...]  # tenant, kind, id; of a device the application's id as well

_MESSAGE = "type.googleapis.com/ttn.lorawan.v3."
_VALUE = "type.googleapis.com/google.protobuf.Value"
_MOST_CORRELATIONS = _MOST_ENTITIES = 10_000


@dataclass
class Subscription:
    """One stream: the entities it is about with the caller's rights on each, and a filter."""

    stream_id: int
    rights: dict[Key, int]
    names: frozenset[str] | None
    delimiter: bytes

    def hears(self, definition: Definition, key: Key) -> bool:
        """Whether an event about an entity is for this stream."""
        if self.names is not None and definition.name not in self.names:
            return False
        return not definition.rights or bool(definition.rights & self.rights[key])


@dataclass
class Kept:
    """An event of the past."""

    definition: Definition
    now_us: int
    document: Document


def keys_of(tenant: str, ids: Document, *, with_parent: bool = False) -> list[Key]:
    """Keys of the entity in ``EntityIdentifiers``; of a device also its application's."""
    if "device_ids" in ids:
        device = ids["device_ids"]
        application_id = device["application_ids"]["application_id"]
        keys: list[Key] = [(tenant, "device", application_id, device["device_id"])]
        return [*keys, (tenant, "application", application_id)] if with_parent else keys
    for name, value in ids.items():
        kind = name.removesuffix("_ids")
        return [(tenant, kind, value[f"{kind}_id"])]
    return []


class Events:
    """
    Where servers tell what happened.

    Nothing is rendered unless somebody listens or events are kept. Effects go to ``outbox``.
    """

    def __init__(self, policy: Policy, rng: random.Random, outbox: list[Effect]) -> None:
        self._policy = policy
        self._rng = rng
        self._by_key: dict[Key, list[Subscription]] = {}
        self._by_stream: dict[int, Subscription] = {}
        self._history: OrderedDict[Key, deque[Kept]] = OrderedDict()
        self._by_correlation: OrderedDict[str, list[Kept]] = OrderedDict()
        self._last_stream = 0
        self._outbox = outbox

    @property
    def are_kept(self) -> bool:
        """Whether there is a store of events."""
        return self._policy.events_kept > 0

    @property
    def are_wanted(self) -> bool:
        """Whether anybody listens at all; who would have to make much to tell it asks first."""
        return bool(self._by_key) or self._policy.events_kept > 0

    # --- streams

    def subscribe(
        self, rights: dict[Key, int], names: frozenset[str] | None, delimiter: bytes
    ) -> Subscription:
        """A new stream."""
        self._last_stream += 1
        subscription = Subscription(self._last_stream, rights, names, delimiter)
        self._by_stream[subscription.stream_id] = subscription
        for key in rights:
            self._by_key.setdefault(key, []).append(subscription)
        return subscription

    def close(self, stream_id: int) -> None:
        """Nobody listens to that stream any more."""
        subscription = self._by_stream.pop(stream_id, None)
        for key in subscription.rights if subscription is not None else ():
            others = [one for one in self._by_key[key] if one.stream_id != stream_id]
            if others:
                self._by_key[key] = others
            else:
                del self._by_key[key]

    # --- events

    def publish(
        self,
        name: str,
        ids: Document,
        data: Any = None,
        *,
        tenant: str,
        now_us: int,
        correlation_ids: list[str],
        call: Call | None = None,
    ) -> None:
        """
        Tell that something happened.

        Args:
            ids: ``EntityIdentifiers``.
            data: the event's message, a list of changed paths, or a function that makes one of
                them when somebody listens.
            call: the call that caused it, to name its caller.
        """
        if not self.are_wanted:
            return
        definition = definitions()[name]
        keys = keys_of(tenant, ids, with_parent=definition.is_for_parent)
        listeners = list(self._listeners(definition, keys))
        if not listeners and not self.are_kept:
            return
        found = data() if callable(data) else data
        document = self._document(definition, ids, found, tenant, now_us, correlation_ids)
        if call is not None:
            document |= _client(call)
        document["unique_id"] = ulid(now_us, self._rng)
        if self.are_kept:
            self._keep(keys, Kept(definition, now_us, document))
        self.send(listeners, document)

    def _listeners(self, definition: Definition, keys: list[Key]) -> Iterator[Subscription]:
        seen: set[int] = set()
        for key in keys:
            for one in self._by_key.get(key, ()):
                if one.stream_id not in seen and one.hears(definition, key):
                    seen.add(one.stream_id)
                    yield one

    def send(self, listeners: list[Subscription], document: Document) -> None:
        """Put an event into streams: rendered once for each way of separating messages."""
        for delimiter in sorted({one.delimiter for one in listeners}):
            streams = tuple(one.stream_id for one in listeners if one.delimiter == delimiter)
            self._outbox.append(StreamDocument(streams, rendered(document, delimiter)))

    def start(
        self,
        ids: list[Document],
        patterns: list[str],
        *,
        tenant: str,
        now_us: int,
        correlation_ids: list[str],
    ) -> Document:
        """The first message of a stream."""
        document: Document = {
            "name": "events.stream.start",
            "time": time_text(now_us),
            "identifiers": ids,
        }
        if patterns:
            document["data"] = {"@type": _VALUE, "value": patterns}
        document["correlation_ids"] = correlation_ids
        document["origin"] = self._policy.host
        document["context"] = _context(tenant)
        document["unique_id"] = ulid(now_us, self._rng)
        return document

    def _document(
        self,
        definition: Definition,
        ids: Document,
        data: Any,
        tenant: str,
        now_us: int,
        correlation_ids: list[str],
    ) -> Document:
        document: Document = {
            "name": definition.name,
            "time": time_text(now_us),
            "identifiers": [ids],
        }
        if isinstance(data, list):
            document["data"] = {"@type": _VALUE, "value": data}
        elif data is not None:
            document["data"] = {"@type": _MESSAGE + definition.data, **data}
        document["correlation_ids"] = correlation_ids
        document["origin"] = self._policy.host
        document["context"] = _context(tenant)
        if definition.rights:
            document["visibility"] = {"rights": sets.names(definition.rights)}
        return document

    # --- the past

    def _keep(self, keys: list[Key], kept: Kept) -> None:
        for key in keys:
            history = self._history.get(key)
            if history is None:
                history = self._history[key] = deque(maxlen=self._policy.events_kept)
                if len(self._history) > _MOST_ENTITIES:
                    self._history.popitem(last=False)
            history.append(kept)
        for correlation_id in kept.document["correlation_ids"]:
            self._by_correlation.setdefault(correlation_id, []).append(kept)
            if len(self._by_correlation) > _MOST_CORRELATIONS:
                self._by_correlation.popitem(last=False)

    def past(self, subscription: Subscription, *, tail: int, after_us: int | None) -> None:
        """Begin a stream with events of the past: the last ones, or those since a time."""
        for key in subscription.rights:
            heard = [
                kept
                for kept in self._history.get(key, ())
                if subscription.hears(kept.definition, key)
                and (after_us is None or kept.now_us > after_us)
            ]
            for kept in heard[-tail:] if tail else heard:
                self.send([subscription], kept.document)

    def related(self, correlation_id: str) -> list[Kept]:
        """Events of the past that belong together."""
        return self._by_correlation.get(correlation_id, [])


def rendered(document: Document, delimiter: bytes) -> bytes:
    """A message of a stream."""
    return b'{"result":%b}%b' % (orjson.dumps(document), delimiter)


def _client(call: Call) -> Document:
    """Who made the call that an event comes from."""
    document: Document = {}
    if call.caller.key is not None:
        document["authentication"] = {
            "type": "Bearer",
            "token_type": "APIKey",
            "token_id": call.caller.key.id,
        }
    agent = call.request.header(b"user-agent")
    return document | ({"user_agent": agent} if agent else {})


def _context(tenant: str) -> Document:
    """The tenant as the message ``TenantIdentifiers``: field 1, a text."""
    message = bytes((0x0A, len(tenant))) + tenant.encode()
    return {"tenant-id": base64.b64encode(message).decode()}
