"""
A device that talks without radio: simulated uplinks, the queue, what the application hears.
"""

from __future__ import annotations

import base64
import time
from itertools import count
from typing import Any

from conformance.clients.exchange import Response
from conformance.things_stack.equipment.node import Node
from conformance.things_stack.event_stream import Messages, Subscription, events_in, is_about
from conformance.things_stack.traffic_fixtures import Api

Document = dict[str, Any]
SETTINGS = {
    "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
    "frequency": "868000000",
}


def uplink(payload: bytes = b"\x01\x67\x00\xf8", *, f_port: int = 1, f_cnt: int = 7) -> Document:
    """An uplink as ``up/simulate`` takes it."""
    return {
        "uplink_message": {
            "f_port": f_port,
            "f_cnt": f_cnt,
            "frm_payload": base64.b64encode(payload).decode(),
            "rx_metadata": [{"gateway_ids": {"gateway_id": "gtw1"}, "rssi": -42, "snr": 4.2}],
            "settings": SETTINGS,
        }
    }


def downlink(payload: bytes = b"\xbe\xef", **more: Any) -> Document:
    """A downlink as the queue takes it."""
    found = {"f_port": 42, "frm_payload": base64.b64encode(payload).decode(), **more}
    return {name: value for name, value in found.items() if value is not None}


_counters = count(100)


class Talker:
    """One registered device, and calls about it."""

    def __init__(self, api: Api, application_id: str, node: Node, events: Subscription) -> None:
        self.api = api
        self.application_id = application_id
        self.node = node
        self.device_id = node.device_id
        self.events_of_application = events

    @property
    def path(self) -> str:
        """Where the Application Server has it."""
        return f"/as/applications/{self.application_id}/devices/{self.device_id}"

    def simulate(self, document: Any) -> Response:
        """POST …/up/simulate"""
        self.events_of_application.renew()
        return self.api.call("POST", f"{self.path}/up/simulate", document)

    def push(self, *items: Document) -> Response:
        """POST …/down/push"""
        self.events_of_application.renew()
        return self.api.call("POST", f"{self.path}/down/push", {"downlinks": list(items)})

    def replace(self, *items: Document) -> Response:
        """POST …/down/replace"""
        return self.api.call("POST", f"{self.path}/down/replace", {"downlinks": list(items)})

    def queue(self) -> Any:
        """GET …/down"""
        return self.api.call("GET", f"{self.path}/down").ok_json()

    def events(self, *names: str, count: int, within_s: float | None = None) -> list[Document]:
        """
        Events about it that the application's subscriber sees, once there are so many.

        Raises:
            Inconclusive: there are not, and the subscriber's stream has ended.
        """
        found = wait_for_events(
            self.events_of_application,
            self.device_id,
            *names,
            count=count,
            within_s=self.api.patience_s if within_s is None else within_s,
        )
        if len(found) < count:
            self.events_of_application.be_open()
        return found

    def uplinks(self, *, count: int, within_s: float | None = None) -> list[Document]:
        """ApplicationUp messages with uplinks, once there are so many."""
        found = self.events("as.up.data.forward", count=count, within_s=within_s)
        return [each.get("data", {}) for each in found]

    def say(self, payload: bytes, *, within_s: float | None = None, **more: Any) -> Document:
        """
        Simulate an uplink, and what the application gets of it.

        Returns:
            The uplink message; empty when none came.
        """
        f_cnt = next(_counters)
        self.simulate(uplink(payload, f_cnt=f_cnt, **more)).ok_json()
        message: Document = self.heard(f_cnt, within_s=within_s).get("uplink_message", {})
        return message

    def heard(self, f_cnt: int, *, within_s: float | None = None) -> Document:
        """The ApplicationUp with the uplink of that counter; empty when none comes in time."""
        deadline = time.monotonic() + (self.api.patience_s if within_s is None else within_s)
        while True:
            for each in self.uplinks(count=0):
                if each.get("uplink_message", {}).get("f_cnt") == f_cnt:
                    return each
            if time.monotonic() >= deadline:
                self.events_of_application.be_open()
                return {}
            time.sleep(0.02)


def wait_for_events(
    stream: Messages, device_id: str, *names: str, count: int, within_s: float
) -> list[Document]:
    """Events about a device in a stream, once there are so many; any names when none is given."""
    deadline = time.monotonic() + within_s
    while True:
        found = [
            each
            for each in events_in(stream)
            if is_about(each, device_id) and (not names or each.get("name") in names)
        ]
        if len(found) >= count or time.monotonic() >= deadline:
            return found
        time.sleep(0.02)


def error_name(response: Response) -> str | None:
    """The name of the error that an answer tells: ``pkg/applicationserver:no_payload``."""
    details = response.json.get("details") if isinstance(response.json, dict) else None
    first = details[0] if isinstance(details, list) and details else {}
    if not isinstance(first, dict) or "name" not in first:
        return None
    return str(first["name"])


def refusal(response: Response) -> list[Any]:
    """Status and name of an error."""
    return [response.status, error_name(response)]
