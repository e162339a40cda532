"""Both ends of an Application Server: a network that hands over and queues, and who listens."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import SessionKeys
from simulators.platforms.effects import StreamDocument
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Up

Document = dict[str, Any]

APP_S_KEY = bytes(range(16, 32))
ADDRESS = "26001234"
KEY_ID = "AZL3uUe8vk2Tq1x5p0ZyVw=="
SETTINGS = {
    "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
    "frequency": "868100000",
}
METADATA = [{"gateway_ids": {"gateway_id": "gtw1"}, "rssi": -42, "snr": 4.2}]
IDS = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
ALL_IDS = IDS | {
    "dev_eui": "70B3D57ED0000001",
    "join_eui": "0000000000000001",
    "dev_addr": ADDRESS,
}
SIMULATED = {
    "uplink_message": {
        "f_port": 1,
        "f_cnt": 7,
        "frm_payload": "AWcA+A==",
        "rx_metadata": METADATA,
        "settings": SETTINGS | {"frequency": "868000000"},
    }
}


def add_device(
    bench: Any,
    device_id: str = "dev1",
    *,
    key: bytes | None = APP_S_KEY,
    address: str = ADDRESS,
    **more: Any,
) -> None:
    """Register a device on the Application Server, with a session when there is a key."""
    device: Document = {"ids": {"device_id": device_id}, **more}
    paths = ["ids.device_id", *more]
    if key is not None:
        device["session"] = {"dev_addr": address, "keys": {"app_s_key": {"key": key.hex()}}}
        paths += ["session.dev_addr", "session.keys.app_s_key.key"]
    body = {"end_device": device, "field_mask": {"paths": paths}}
    bench.made(f"/as/applications/app1/devices/{device_id}", body, method="PUT")


def encrypted(payload: bytes, f_cnt: int, key: bytes = APP_S_KEY) -> bytes:
    """A payload as a device sends it on port 1."""
    session = Session(ADDRESS, SessionKeys.legacy(key, key))
    return session.encrypt_payload(payload, f_cnt, is_uplink=True, f_port=1)


def downlink(item: Document, key: bytes = APP_S_KEY) -> bytes:
    """The payload of an item of the Network Server's queue, as a device decrypts it."""
    session = Session(ADDRESS, SessionKeys.legacy(key, key))
    payload = base64.b64decode(item["frm_payload"])
    return session.encrypt_payload(payload, item["f_cnt"], is_uplink=False, f_port=item["f_port"])


def with_keys(bench: Any, keys: dict[str, bytes]) -> None:
    """A Join Server that knows these keys by the ids of sessions."""
    bench.core.stack.join.app_s_key = lambda tenant, dev_eui, key_id: keys.get(key_id)


class Queue:
    """A queue of the Network Server; ``errors`` are raised instead, one each time."""

    def __init__(self, bench: Any) -> None:
        self.items: list[Document] = []
        self.errors: list[StackError] = []
        network = bench.core.stack.network
        network.push, network.replace, network.queue = self.push, self.replace, self.queue

    def push(
        self, tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.items += items

    def replace(
        self, tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.items = list(items)

    def queue(self, tenant: str, application: str, device_id: str) -> list[Document]:
        return self.items

    def counters(self) -> list[tuple[int, bytes]]:
        """Counter and decrypted payload of all items."""
        return [(item["f_cnt"], downlink(item)) for item in self.items]


class Traffic:
    """A network that hands messages over, and an application that listens to events."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.queue = Queue(bench)
        self._told: list[Document] = []
        outputs = bench.core.stack.application.outputs
        outputs.others.append(lambda tenant, application, kind, up, now_us: self._told.append(up))

    def take(self, kind: str, message: Document, payload: bytes = b"", **ids: Any) -> None:
        up = Up("", ALL_IDS | ids, kind, message, ["gs:uplink:1"], self.bench.now_us, payload)
        self.bench.core.stack.application.handle_up(up, self.bench.now_us)

    def uplink(self, payload: bytes = b"", f_cnt: int = 7, **more: Any) -> None:
        message = {
            "f_port": 1,
            "f_cnt": f_cnt,
            "rx_metadata": METADATA,
            "settings": SETTINGS,
            "received_at": "2024-01-31T11:59:59.800Z",
            **more,
        }
        self.take("uplink_message", message, payload)

    def ask(self, method: str, target: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """As the bench, and what happened stays to be looked at."""
        answer, *others = self.bench.effects(method, target, body, **options)
        self.bench.core.stack.outbox += others
        return answer.status, answer.document

    def push(self, *items: Document, how: str = "push") -> tuple[int, Any]:
        """Push items to the queue of ``dev1``."""
        target = f"/as/applications/app1/devices/dev1/down/{how}"
        status, document = self.ask("POST", target, {"downlinks": list(items)})
        if "details" in document:
            return status, document["details"][0]["name"]
        return status, document

    def events(self) -> list[Document]:
        """All events since the last time somebody looked."""
        outbox = self.bench.core.stack.outbox
        found = [orjson.loads(each.document) for each in outbox if type(each) is StreamDocument]
        outbox.clear()
        return [each["result"] for each in found]

    def names(self) -> list[str]:
        return [each["name"] for each in self.events()]

    def ups(self) -> list[Document]:
        """All messages to the application since the last time somebody looked."""
        ups = self._told
        self._told = []
        return ups

    def up(self) -> Document:
        (up,) = self.ups()
        return up
