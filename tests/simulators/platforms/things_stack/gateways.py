"""Gateways in front of a core: what they send, what comes back, a Network Server that notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from simulators.lorawan.modulation import Lora
from simulators.platforms.effects import Datagram, Effect, SocketClose, SocketText, StreamDocument
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Uplink
from simulators.wire.semtech_packets import RxPk
from simulators.wire.semtech_udp import PullData, PullResp, PushData, TxAck, decode, encode

EUI = "58A0CBFFFE000001"
ADDRESS = ("192.0.2.7", 40_000)
PULL_ADDRESS = ("192.0.2.7", 40_001)
SF7 = Lora(7, 125_000)
# Of the address 26001234, port 1, counter 1.
UPLINK = bytes.fromhex("403412002600010001AABBCCDD")


def packet(tmst: int = 1_000_000, phy: bytes = UPLINK, **more: Any) -> RxPk:
    """A frame as a forwarder reports it."""
    values: dict[str, Any] = {"frequency_hz": 868_100_000, "modulation": SF7, "rssi_dbm": -60,
                              "snr_db": 9.5}  # fmt: skip
    return RxPk(tmst=tmst, data=phy, **(values | more))


@dataclass
class Forwarder:
    """A packet forwarder by hand, with a Network Server behind the core that only notes."""

    bench: Any
    eui: str = EUI
    uplinks: list[Uplink] = field(default_factory=list)
    acks: list[tuple[str, str]] = field(default_factory=list)
    refusal: StackError | None = None

    def __post_init__(self) -> None:
        network = self.bench.core.stack.network
        network.handle_uplink = self._handle
        network.handle_tx_ack = lambda downlink, result, now_us: self.acks.append(
            (downlink.ids["device_id"], result)
        )

    def _handle(self, uplink: Uplink, now_us: int) -> None:
        self.uplinks.append(uplink)
        if self.refusal is not None:
            raise self.refusal

    def register(self, gateway_id: str = "gtw1", **more: Any) -> Any:
        gateway = {"ids": {"gateway_id": gateway_id, "eui": self.eui},
                   "frequency_plan_id": "EU_863_870_TTN", **more}  # fmt: skip
        return self.bench.made("/users/user1/gateways", {"gateway": gateway})

    def raw(self, data: bytes, address: Any = ADDRESS) -> list[Any]:
        """Datagrams that answer one, and events; a wait for the first timer is left out."""
        return told(self.bench.core.datagram(data, address, self.bench.now_us))

    def push(self, *packets: RxPk, **more: Any) -> list[Any]:
        return self.raw(encode(PushData(7, self.eui, packets, **more)))

    def pull(self) -> list[Any]:
        return self.raw(encode(PullData(8, self.eui)), PULL_ADDRESS)

    def ack(self, response: PullResp, error: str | None = None) -> list[Any]:
        return self.raw(encode(TxAck(response.token, self.eui, error)), PULL_ADDRESS)

    def schedule(self, *tokens: str, phy: bytes = b"\x60" * 20, **request: Any) -> Any:
        """Ask for a downlink; returns what became of it and the effects."""
        stack = self.bench.core.stack
        asked = tx_request(*tokens) | request
        downlink = Downlink(phy, asked, {"device_id": "dev1"}, ["ns:downlink:X"])
        scheduled = stack.gateways.schedule(downlink, self.bench.now_us)
        effects = told(self.bench.core._drained())
        return scheduled, effects

    def attempt(self, *tokens: str, **request: Any) -> list[str]:
        """As ``refused``; empty when it is sent."""
        try:
            self.schedule(*tokens, **request)
        except StackError as error:
            return causes(error.details())
        return []

    def refused(self, *tokens: str, **request: Any) -> list[str]:
        """Why nothing can be sent, from the schedule down to the last cause of each path."""
        found = self.attempt(*tokens, **request)
        assert found, "expected a refusal"
        return found

    def wait(self, seconds: float) -> list[Any]:
        """Let time go by; what the core sends meanwhile."""
        bench = self.bench
        end_us, effects = bench.now_us + round(seconds * 1e6), []
        while (due_us := bench.core.stack.agenda.next_us) is not None and due_us <= end_us:
            bench.now_us = due_us
            effects += told(bench.core.timer(0, due_us))
        bench.now_us = end_us
        return effects


def tx_request(*tokens: str) -> dict[str, Any]:
    """A class A downlink in both windows of EU868."""
    return {
        "class": "CLASS_A",
        "downlink_paths": [{"uplink_token": token} for token in tokens],
        "rx1_delay": 1,
        "rx1_data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 7,
                                   "coding_rate": "4/5"}},
        "rx1_frequency": "868100000",
        "rx2_data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 9,
                                   "coding_rate": "4/5"}},
        "rx2_frequency": "869525000",
        "priority": "HIGHEST",
        "frequency_plan_id": "EU_863_870_TTN",
    }  # fmt: skip


def told(effects: list[Effect]) -> list[Any]:
    """Effects as a test reads them: decoded datagrams, socket messages, names of events."""
    found: list[Any] = []
    for effect in effects:
        if isinstance(effect, Datagram):
            found.append(decode(effect.data))
        elif isinstance(effect, SocketText):
            found.append(orjson.loads(effect.text))
        elif isinstance(effect, SocketClose):
            found.append("closed")
        elif isinstance(effect, StreamDocument):
            found.append(orjson.loads(effect.document)["result"])
    return found


def names(found: list[Any]) -> list[str]:
    """Names of the events among them."""
    return [each["name"] for each in found if isinstance(each, dict) and "name" in each]


def causes(details: Any) -> list[str]:
    """Names of errors: each path's chain of causes and windows."""
    found = [f"{details['namespace']}:{details['name']}".removeprefix("pkg/gatewayserver")]
    inner = [details["cause"]] if "cause" in details else []
    for each in details.get("details", ()):
        inner += each["path_errors"]
    for one in inner:
        found += causes(one)
    return found
