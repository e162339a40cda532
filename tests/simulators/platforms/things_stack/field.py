"""Simulated nodes on the Network Server, on the virtual clock, over a radio that loses nothing."""

from __future__ import annotations

import base64
from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from simulators.clock import VirtualClock
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.state import Abp, Otaa
from simulators.devices.node import Node
from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Scheduled, Up, Uplink
from simulators.radio.transmission import Reception
from tests.simulators.devices.lorawan.scripted_radio import ScriptedRadio, Sent, is_caught

BACKHAUL_US = 40_000


class Field:
    """
    A bench on the virtual clock: its gateways hear every node and send whatever they are asked.

    Attributes:
        ups: what the application has got.
        refusals: names of the errors with which uplinks were refused.
    """

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.clock = VirtualClock()
        self.ups: list[Up] = []
        self.refusals: list[str] = []
        self.downlinks: list[Downlink] = []
        self._radios: dict[str, tuple[FieldRadio, int]] = {}
        self._tokens = 0
        self._bench_us = bench.now_us - self.clock.now_us()
        stack = bench.core.stack
        stack.application.handle_up = lambda up, now_us: self.ups.append(up)
        stack.gateways.schedule = self._schedule
        self.stack = stack

    def node(
        self, identity: Abp | Otaa, region_name: str, phy_version: str, **settings: Any
    ) -> tuple[Node, FieldRadio]:
        """A node whose frames reach the network."""
        radio = FieldRadio(self)
        node = Node(
            "node-1",
            clock=self.clock,
            radio=radio,
            region=region(region_name, PhyVersion[phy_version]),
            identity=identity,
            rng=Random(1),
            settings=Settings(**{"duty_cycle": "none", **settings}),
        )
        return node, radio

    def do(self, steps: Generator[simpy.Event, Any, Any]) -> Any:
        """Play a process of a node to its end; what it returned."""
        return self.clock.run(until=self.clock.process(steps))

    def now_us(self) -> int:
        """The network's time."""
        return self._bench_us + self.clock.now_us()

    def heard(self, radio: FieldRadio, sent: Sent) -> None:
        """A gateway hands on what has ended."""
        self._tokens += 1
        token = base64.b64encode(str(self._tokens).encode()).decode()
        self._radios[token] = (radio, sent.end_us)
        wait_us = sent.end_us + BACKHAUL_US - self.clock.now_us()
        timeout = self.clock.timeout(wait_us)
        timeout.callbacks.append(lambda _: self._hand_over(sent, token))

    def _hand_over(self, sent: Sent, token: str) -> None:
        uplink = Uplink(
            sent.payload,
            sent.frequency_hz,
            sent.modulation,
            {"gateway_ids": {"gateway_id": "gtw1"}, "snr": 9.0, "rssi": -50, "uplink_token": token},
            {"frequency": str(sent.frequency_hz)},
            "gtw1",
            self.now_us(),
            ["gs:uplink:1"],
        )
        try:
            self.stack.network.handle_uplink(uplink, self.now_us())
        except StackError as error:
            self.refusals.append(error.name.removeprefix("pkg/"))
        self._arm()

    def _arm(self) -> None:
        self.stack.network.flush()
        due_us = self.stack.agenda.next_us
        if due_us is not None:
            timeout = self.clock.timeout(max(0, due_us - self.now_us()))
            timeout.callbacks.append(lambda _: self._run())

    def _run(self) -> None:
        due_us = self.stack.agenda.next_us
        if due_us is not None and due_us <= self.now_us():
            self.stack.agenda.run(self.now_us())
            self._arm()

    def _schedule(self, downlink: Downlink, now_us: int) -> Scheduled:
        """The first window of a request that lies in the future; RX1 when it has one."""
        self.downlinks.append(downlink)
        request = downlink.request
        radio, end_us = self._radios[request["downlink_paths"][0]["uplink_token"]]
        for name, later_us in (("rx1", 0), ("rx2", 1_000_000)):
            if f"{name}_frequency" not in request:
                continue
            start_us = end_us + request.get("rx1_delay", 1) * 1_000_000 + later_us
            if start_us > self.clock.now_us():
                modulation = _modulation(request[f"{name}_data_rate"])
                frequency_hz = int(request[f"{name}_frequency"])
                radio.put_on_air(downlink.phy, start_us, frequency_hz, modulation)
                at_us = start_us + self._bench_us
                return Scheduled(at_us, "gtw1", is_rx1=name == "rx1", is_rx2=name == "rx2")
        raise StackError("pkg/gatewayserver:schedule")


class FieldRadio(ScriptedRadio):
    """A node's transceiver; what it hears is settled when a window closes, not when it opens."""

    def __init__(self, field: Field) -> None:
        super().__init__(field.clock, lambda sent: field.heard(self, sent))

    def listen(
        self, *, frequency_hz: int, modulation: Modulation, open_us: int, close_us: int
    ) -> simpy.Event:
        event = self._clock.event()

        def closed(_: simpy.Event) -> None:
            for each in self.on_air:
                where = (each.frequency_hz, each.modulation)
                is_there = where == (frequency_hz, modulation)
                if is_there and is_caught(each, open_us, close_us):
                    wait_us = max(0, each.end_us - self._clock.now_us())
                    later = self._clock.timeout(wait_us)
                    later.callbacks.append(
                        lambda _, each=each: event.succeed(Reception(each, -50.0, 9.0))
                    )
                    return
            event.succeed(None)

        timeout = self._clock.timeout(close_us - self._clock.now_us())
        timeout.callbacks.append(closed)
        return event


def _modulation(data_rate: dict[str, Any]) -> Modulation:
    if "fsk" in data_rate:
        return Fsk(data_rate["fsk"]["bit_rate"])
    lora = data_rate["lora"]
    return Lora(lora["spreading_factor"], lora["bandwidth"], lora["coding_rate"])
