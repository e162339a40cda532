"""A network of a few lines, a device, and a radio between them; all on a virtual clock."""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from simulators.clock import VirtualClock
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.state import Abp, Otaa
from simulators.devices.node import Node
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame, JoinAccept, decode
from simulators.lorawan.join import protect_accept
from simulators.lorawan.keys import Attempt, RootKeys, SessionKeys
from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions import region

from .scripted_radio import SF12, ScriptedRadio, Sent

DEV_EUI, JOIN_EUI = "ffffffaadeadbeef", "ffffffbb00000000"
APP_KEY = bytes.fromhex("404142434445464748494a4b4c4d4e4f")
NWK_KEY = bytes.fromhex("101112131415161718191a1b1c1d1e1f")
DEV_ADDR = "52d4c302"
# The session keys that the published vectors of 1.0.x have.
KEYS = SessionKeys.legacy(
    bytes.fromhex("26f623132a659924d9afccf1671cd6fb"),
    bytes.fromhex("4477a56225a6d5edb0315021522a6708"),
)
ABP = Abp(DEV_ADDR, KEYS)
OTAA = Otaa(DEV_EUI, JOIN_EUI, RootKeys(APP_KEY))
OTAA_1_1 = Otaa(DEV_EUI, JOIN_EUI, RootKeys(APP_KEY, NWK_KEY))
RX2_HZ = 869_525_000


class Trace:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str, dict[str, Any]]] = []

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        self.events.append((device, direction, channel, message))


class Bench:
    """One device with what it needs; ``seen`` has what its application got."""

    def __init__(
        self,
        identity: Abp | Otaa = ABP,
        *,
        region_name: str = "EU868",
        seed: int = 1,
        trace: Trace | None = None,
        drift_ppm: float = 0.0,
        **settings: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.radio = ScriptedRadio(self.clock)
        self.seen: list[tuple[int | None, bytes]] = []
        self.node = Node(
            "node-1",
            clock=self.clock,
            radio=self.radio,
            region=region(region_name),
            identity=identity,
            rng=Random(seed),
            settings=Settings(**{"duty_cycle": "none", **settings}),
            drift_ppm=drift_ppm,
            observer=trace,
            on_downlink=lambda frame: self.seen.append((frame.f_port, frame.frm_payload)),
        )

    def do(self, steps: Generator[simpy.Event, Any, Any]) -> Any:
        """Play a process of the device to its end; what it returned."""
        return self.clock.run(until=self.clock.process(steps))

    def uplink(self, payload: bytes = b"", **options: Any) -> Any:
        return self.do(self.node.uplink(payload, **options))

    def rest(self, seconds: float) -> None:
        self.do(self.node.rest(self.clock.now_us() + round(seconds * 1_000_000)))

    def answer_in_rx1(self, phy: bytes, *, late_us: int = 0, delay_s: int = 1) -> None:
        """Answer the next uplink on its own channel; those after it not."""

        def answer(sent: Sent) -> None:
            start_us = sent.end_us + delay_s * 1_000_000 + late_us
            self.radio.put_on_air(phy, start_us, *self.rx1(sent))
            self.radio.on_uplink = None

        self.radio.on_uplink = answer

    def rx1(self, sent: Sent) -> tuple[int, Modulation]:
        """Where an uplink is answered, by the region's table and RX1DROffset."""
        parameters = self.node.parameters
        region = parameters.region
        data_rate = region.find_data_rate(sent.modulation, is_downlink=False)
        channel = next(
            index
            for index, each in enumerate(parameters.plan.channels)
            if each is not None and each.frequency_hz == sent.frequency_hz
        )
        answered = region.rx1_data_rate(
            data_rate or 0, parameters.rx1_offset, downlink_dwell=parameters.downlink_dwell
        )
        frequency_hz = region.rx1_frequency_hz(channel, sent.frequency_hz)
        return frequency_hz, region.data_rate(answered).modulation

    def answer_in_rx2(
        self,
        phy: bytes,
        *,
        delay_s: int = 2,
        frequency_hz: int = RX2_HZ,
        modulation: Modulation = SF12,
        late_us: int = 0,
    ) -> None:
        """Answer the next uplink in the second window."""

        def answer(sent: Sent) -> None:
            start_us = sent.end_us + delay_s * 1_000_000 + late_us
            self.radio.put_on_air(phy, start_us, frequency_hz, modulation)
            self.radio.on_uplink = None

        self.radio.on_uplink = answer

    def command(self, *commands: bytes, f_cnt: int) -> None:
        """Send MAC commands to the device with the answer to an empty uplink."""
        session = self.node.session
        assert session is not None
        phy = session.crypto.protect_downlink(f_cnt, f_opts=b"".join(commands))
        self.answer_in_rx1(phy, delay_s=self.node.parameters.rx1_delay_s)
        self.uplink()

    def uplink_options(self) -> bytes:
        """The MAC commands that an empty uplink takes with it."""
        self.uplink()
        return self.opened(-1).f_opts

    def opened(self, number: int) -> DataFrame:
        """One of the sent data frames in plain, as the network reads it."""
        session = self.node.session
        assert session is not None
        phy = self.radio.sent[number].payload
        f_cnt = int.from_bytes(phy[6:8], "little")
        frame = decode(phy)
        assert isinstance(frame, DataFrame)
        return session.crypto.plain(frame, f_cnt)


def network_session(keys: SessionKeys = KEYS, *, is_1_1: bool = False) -> Session:
    """The session as the network has it."""
    return Session(DEV_ADDR, keys, is_1_1=is_1_1)


def join_accept(root: RootKeys, dev_nonce: int, join_nonce: int = 1, **fields: Any) -> bytes:
    """A join accept that answers a request."""
    values = {"net_id": "000013", "dev_addr": DEV_ADDR, **fields}
    accept = JoinAccept(join_nonce, **values)
    return protect_accept(accept, root, Attempt(JOIN_EUI, DEV_EUI, dev_nonce))
