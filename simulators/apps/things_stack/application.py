"""
An application: hears what its devices send, and orders downlinks.

Messages come from the event stream; what a webhook is told can be handed in as well, and counts by
itself. An order is known again by a correlation id of its own.

Source: The Things Stack documentation, "Events", "Data Formats", "Scheduling Downlinks".
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import orjson

from simulators.apps.things_stack.api import Api, ApiError, Steps
from simulators.transports.http import Subscription

Document = dict[str, Any]

NAMES = ["/^as\\.(up\\.data|up\\.join|down\\.data)\\./"]
MARK = "thingrig:order:"
AGAIN_S = 1.0
CHANNEL = "application"


class Uplink(NamedTuple):
    """
    A message of a device; ``gateways`` counts who received it; times in µs of the clock.

    ``decoded``: what the network's payload formatter made of it, if one did.
    """

    at_us: int
    dev_addr: str
    f_cnt: int
    f_port: int
    payload: bytes
    gateways: int
    decoded: Document | None = None


class Told(NamedTuple):
    """What became of an order, in the words of the API: ``downlink_sent`` …"""

    at_us: int
    kind: str
    f_cnt: int


@dataclass
class Order:
    """A downlink that was ordered; ``refusal`` is why the API did not take it."""

    device_id: str
    payload: bytes
    ordered_us: int
    taken_us: int | None = None
    refusal: str = ""
    told: list[Told] = field(default_factory=list)

    def f_cnts(self) -> set[int]:
        """The counters that it had on its way; a repetition has a new one."""
        return {each.f_cnt for each in self.told}


class Observer(Protocol):
    """Whoever writes the trace."""

    def event(self, device: str, direction: str, channel: str, message: Document) -> None:
        """See scenarios.recorder."""


class Application:
    """
    One application.

    Attributes:
        uplinks: by device, in the order of arrival.
        has_webhook: whether one is to be told everything as well.
        joins: when each device's join was told.
        posted: what a webhook was told, by device.
        failures: events that tell of something that went wrong: name, device, reason.
    """

    def __init__(
        self,
        api: Api,
        application_id: str,
        *,
        has_webhook: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self.application_id = application_id
        self.has_webhook = has_webhook
        self.uplinks: dict[str, list[Uplink]] = {}
        self.joins: dict[str, list[int]] = {}
        self.posted: dict[str, list[Uplink]] = {}
        self.orders: list[Order] = []
        self.failures: list[tuple[str, str, str]] = []
        self.interruptions: list[str] = []
        self.heard: list[Callable[[str, Uplink], None]] = []  # called with each uplink
        self.is_listening = False
        self._api = api
        self._clock = api.clock
        self._observer = observer
        self._subscription: Subscription | None = None
        self._is_closed = False

    # --- listening

    def listen(self) -> None:
        """Ask for the stream of events, and again whenever it ends."""
        ids = {"application_ids": {"application_id": self.application_id}}
        asked = {"identifiers": [ids], "names": NAMES}
        self._subscription = self._api.stream(asked, self._event, self._ended)

    def close(self) -> None:
        """Stop listening."""
        self._is_closed = True
        if self._subscription is not None:
            self._subscription.close()

    def _ended(self, reason: str) -> None:
        self.is_listening = False
        self.interruptions.append(reason)
        if not self._is_closed:
            again = self._clock.sleep(AGAIN_S)
            again.callbacks.append(lambda _: None if self._is_closed else self.listen())

    def _event(self, document: Any) -> None:
        if isinstance(document, bytes):  # in memory nobody has taken the stream apart yet
            document = orjson.loads(document)
        event = document.get("result", {})
        name, data = event.get("name", ""), event.get("data", {})
        if name == "events.stream.start":
            self.is_listening = True
        elif name.endswith((".drop", ".fail")):
            ids = (event.get("identifiers") or [{}])[0].get("device_ids", {})
            self.failures.append((name, ids.get("device_id", ""), data.get("name", "")))
        elif name.endswith(".forward"):
            self._message(data, self.uplinks)

    def post(self, body: bytes) -> None:
        """A webhook was told something; what is no message is one of the failures."""
        try:
            message = orjson.loads(body)
            device_id = message["end_device_ids"]["device_id"]
            if "uplink_message" in message:
                self.posted.setdefault(device_id, []).append(self._uplink(message))
        except (KeyError, TypeError, ValueError, AttributeError):
            self.failures.append(("webhook", "", "not a message"))

    # --- messages

    def _message(self, up: Document, into: dict[str, list[Uplink]]) -> None:
        ids = up.get("end_device_ids", {})
        device_id = ids.get("device_id", "")
        if "uplink_message" in up:
            uplink = self._uplink(up)
            into.setdefault(device_id, []).append(uplink)
            self._tell(device_id, "uplink", uplink._asdict())
            for listener in self.heard:
                listener(device_id, uplink)
        elif "join_accept" in up:
            self.joins.setdefault(device_id, []).append(self._clock.now_us())
            self._tell(device_id, "uplink", {"type": "join_accept", "dev_addr": ids["dev_addr"]})
        else:
            self._order_told(device_id, up)

    def _uplink(self, up: Document) -> Uplink:
        message = up["uplink_message"]
        return Uplink(
            self._clock.now_us(),
            up["end_device_ids"].get("dev_addr", "").lower(),
            message.get("f_cnt", 0),
            message.get("f_port", 0),
            b64decode(message.get("frm_payload", "")),
            len(message.get("rx_metadata", ())),
            message.get("decoded_payload"),
        )

    def _order_told(self, device_id: str, up: Document) -> None:
        for kind, body in up.items():
            if not kind.startswith("downlink_"):
                continue
            downlink = body.get("downlink", body) if isinstance(body, dict) else {}
            f_cnt = downlink.get("f_cnt", 0)
            self._tell(device_id, "downlink", {"type": kind, "f_cnt": f_cnt})
            order = self._order_of(downlink.get("correlation_ids", ()))
            if order is not None:
                order.told.append(Told(self._clock.now_us(), kind, f_cnt))

    def _order_of(self, correlation_ids: Any) -> Order | None:
        for text in correlation_ids:
            number = text.removeprefix(MARK)
            if text.startswith(MARK) and number.isdigit() and int(number) < len(self.orders):
                return self.orders[int(number)]
        return None

    # --- downlinks

    def order(
        self, device_id: str, payload: bytes, *, f_port: int, is_confirmed: bool = False
    ) -> Steps:
        """
        Put a downlink into a device's queue.

        Returns:
            The Order, refused or not.
        """
        order = Order(device_id, payload, self._clock.now_us())
        self.orders.append(order)
        item: Document = {
            "f_port": f_port,
            "frm_payload": b64encode(payload).decode(),
            "priority": "NORMAL",
            "correlation_ids": [f"{MARK}{len(self.orders) - 1}"],
        }
        if is_confirmed:
            item["confirmed"] = True
        self._tell(device_id, "downlink", {"type": "push", "f_port": f_port, "payload": payload})
        path = f"/as/applications/{self.application_id}/devices/{device_id}/down/push"
        try:
            yield from self._api.call("POST", path, {"downlinks": [item]})
        except ApiError as problem:
            order.refusal = str(problem)
        else:
            order.taken_us = self._clock.now_us()
        return order

    def _tell(self, device_id: str, direction: str, message: Document) -> None:
        if self._observer is not None:
            told = {k: v.hex() if isinstance(v, bytes) else v for k, v in message.items()}
            told.pop("at_us", None)
            if told.get("decoded", told) is None:
                del told["decoded"]
            self._observer.event(device_id, direction, CHANNEL, told)
