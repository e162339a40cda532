"""An application's ears and mouth, on a network that says what the test says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import Any

import simpy

from simulators.apps.actor import ActorHabits
from simulators.apps.things_stack.api import Api, Doors
from simulators.apps.things_stack.application import Application, Told, Uplink
from simulators.apps.things_stack.caretaker import Caretaker
from simulators.clock import VirtualClock
from simulators.devices.lorawan.relay import state_payload
from simulators.transports.http import HttpAnswer

IDS = {
    "device_id": "lamp-1", "application_ids": {"application_id": "app"}, "dev_addr": "260B0001",
}  # fmt: skip
METADATA = [{"gateway_ids": {"gateway_id": "a"}}, {"gateway_ids": {"gateway_id": "b"}}]


class Network:
    """Answers every call with ``status``; events are told by hand."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.calls: list[tuple[str, str, Any]] = []
        self.status = 200
        self.listeners: list[tuple[Callable[[Any], None], Callable[[str], None]]] = []
        self.application = Application(
            Api(self.clock, Doors(self), "NNSXS.KEY", user="application"), "app"
        )

    def channel(self, device: str) -> Any:
        return self

    def authorize(self, token: str | None) -> None:
        self.token = token

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        self.calls.append((method, target, document))
        return self.clock.timeout(1000, HttpAnswer(self.status, {"message": "because"}))

    def subscribe(
        self,
        target: str,
        on_document: Callable[[Any], None],
        on_end: Callable[[str], None],
        document: Any = None,
    ) -> Any:
        self.calls.append(("stream", target, document))
        self.listeners.append((on_document, on_end))
        return self

    def close(self) -> None:
        self.listeners.clear()

    def event(self, name: str, data: Any = None) -> None:
        ids = [{"device_ids": IDS}]
        document = {"result": {"name": name, "identifiers": ids, "data": data or {}}}
        self.listeners[-1][0](document)

    def uplink(self, payload: bytes, *, f_cnt: int = 0, f_port: int = 1) -> None:
        message: dict[str, Any] = {"f_port": f_port, "rx_metadata": METADATA}
        message["frm_payload"] = b64encode(payload).decode()
        message |= {"f_cnt": f_cnt} if f_cnt else {}
        self.event("as.up.data.forward", {"end_device_ids": IDS, "uplink_message": message})

    def downlink(self, kind: str, number: int, f_cnt: int) -> None:
        body: dict[str, Any] = {"f_cnt": f_cnt}
        body["correlation_ids"] = ["as:downlink:X", f"thingrig:order:{number}"]
        body = {"downlink": body, "error": {}} if kind == "failed" else body
        data = {"end_device_ids": IDS, f"downlink_{kind}": body}
        self.event(f"as.down.data.{kind}.forward", data)


def test_uplinks_are_kept_by_device() -> None:
    network = Network()
    network.application.listen()

    network.uplink(b"\x01", f_cnt=0)
    network.uplink(b"\x02", f_cnt=1)

    assert network.calls == [
        ("stream", "/api/v3/events", {
            "identifiers": [{"application_ids": {"application_id": "app"}}],
            "names": ["/^as\\.(up\\.data|up\\.join|down\\.data)\\./"],
        })
    ]  # fmt: skip
    assert network.token == "Bearer NNSXS.KEY"
    assert network.application.uplinks == {
        "lamp-1": [Uplink(0, "260b0001", 0, 1, b"\x01", 2), Uplink(0, "260b0001", 1, 1, b"\x02", 2)]
    }


def test_a_stream_that_ends_is_asked_for_again() -> None:
    network = Network()
    network.application.listen()
    network.event("events.stream.start")

    network.listeners[-1][1]("stream cut")
    is_deaf = not network.application.is_listening
    network.clock.play(2)
    network.event("events.stream.start")

    assert is_deaf
    assert network.application.is_listening
    assert network.application.interruptions == ["stream cut"]


def test_an_order_is_known_again() -> None:
    network = Network()
    network.application.listen()
    order = network.clock.run(
        until=network.clock.process(network.application.order("lamp-1", b"\x01", f_port=1))
    )

    network.downlink("sent", 0, 7)
    network.downlink("failed", 0, 7)
    network.downlink("sent", 9, 8)  # somebody else's

    assert network.calls[-1] == (
        "POST",
        "/api/v3/as/applications/app/devices/lamp-1/down/push",
        {
            "downlinks": [
                {
                    "f_port": 1,
                    "frm_payload": "AQ==",
                    "priority": "NORMAL",
                    "correlation_ids": ["thingrig:order:0"],
                }
            ]
        },
    )
    assert (order.taken_us, order.refusal) == (1000, "")
    assert order.told == [Told(1000, "downlink_sent", 7), Told(1000, "downlink_failed", 7)]


def test_a_refused_order_tells_why() -> None:
    network = Network()
    network.status = 400

    order = network.clock.run(
        until=network.clock.process(network.application.order("lamp-1", b"\x01", f_port=1))
    )

    assert order.taken_us is None
    assert order.refusal.endswith("/devices/lamp-1/down/push: because")


def test_a_caretaker_turns_what_has_been_heard_and_waits_to_see_it() -> None:
    network = Network()
    network.application.listen()
    caretaker = Caretaker(
        "keeper", clock=network.clock, application=network.application, rng=Random(1),
        switches=["lamp-1", "lamp-2"], f_port=1, habits=ActorHabits(period_s=10),
    )  # fmt: skip
    network.clock.process(caretaker.process())

    network.clock.play(100)
    before = list(caretaker.turns)
    network.uplink(state_payload("off"))
    network.clock.play(200)
    network.uplink(state_payload("on"), f_cnt=1)
    network.clock.play(300)

    assert before == []
    assert [(turn.device_id, turn.position, turn.shown_us) for turn in caretaker.turns] == [
        ("lamp-1", "on", 200_000_000),
        ("lamp-1", "off", None),
    ]
