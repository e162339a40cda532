"""Devices on the shared medium, beside a gateway of a few lines."""

from __future__ import annotations

from typing import Any

import simpy

from simulators.clock import VirtualClock
from simulators.devices.lorawan.building import BuiltNode, NodePlace, build_node
from simulators.devices.lorawan.state import Otaa
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame, JoinAccept, JoinRequest, decode
from simulators.lorawan.join import protect_accept
from simulators.lorawan.keys import Attempt, RootKeys, SessionKeys, derive_session_keys
from simulators.lorawan.modulation import Lora, Modulation
from simulators.radio.medium import Medium
from simulators.radio.mobility import Still
from simulators.radio.node_radio import MediumRadio
from simulators.radio.path_loss import PATH_LOSSES
from simulators.radio.transmission import Position, Reception, Transmission
from simulators.randomness import RandomStreams

SECOND_US = 1_000_000


class Gateway:
    """Lets one device in and acknowledges what is confirmed, in RX1."""

    name = "gateway"
    position: Position = (1000.0, 0.0, 15.0)

    def __init__(self, clock: VirtualClock, medium: Medium, root: RootKeys) -> None:
        self._clock = clock
        self._medium = medium
        self._root = root
        self._keys: SessionKeys | None = None
        self._f_cnt = 0
        self.heard_payloads: list[bytes] = []

    def heard(self, reception: Reception) -> None:
        sent = reception.transmission
        frame = decode(sent.payload)
        if isinstance(frame, JoinRequest):
            attempt = Attempt(frame.join_eui, frame.dev_eui, frame.dev_nonce)
            accept = JoinAccept(1, "000013", "26000001")
            self._keys = derive_session_keys(self._root, attempt, accept)
            self._answer(protect_accept(accept, self._root, attempt), sent, 5 * SECOND_US)
        elif isinstance(frame, DataFrame):
            plain = self.session.open_uplink(sent.payload, frame.f_cnt)
            self.heard_payloads.append(plain.frm_payload)
            if frame.is_confirmed:
                phy = self.session.protect_downlink(self._f_cnt, f_ctrl=0x20)
                self._f_cnt += 1
                self._answer(phy, sent, SECOND_US)

    def lost(self, transmission: Transmission, reason: str) -> None:
        raise AssertionError(f"{transmission} was lost: {reason}")

    @property
    def session(self) -> Session:
        assert self._keys is not None
        return Session("26000001", self._keys)

    def _answer(self, phy: bytes, sent: Transmission, after_us: int) -> None:
        self.send(phy, sent.end_us + after_us, sent.frequency_hz, sent.modulation)

    def send(self, phy: bytes, start_us: int, frequency_hz: int, modulation: Modulation) -> None:
        end_us = start_us + time_on_air_us(modulation, len(phy), has_crc=False)
        downlink = Transmission(
            self.name, start_us, end_us, frequency_hz, modulation, 14.0, phy, True, self.position
        )

        def start(event: simpy.Event) -> None:
            self._medium.transmit(downlink)

        self._clock.timeout(start_us - self._clock.now_us()).callbacks.append(start)


def a_world(**options: Any) -> tuple[VirtualClock, Gateway, BuiltNode]:
    clock = VirtualClock()
    medium = Medium(clock, path_loss=PATH_LOSSES["oulu"])
    radio = MediumRadio(clock, medium, "meter-1", Still((0.0, 0.0, 1.0)))
    built = build_node("meter-1", NodePlace(clock, radio, RandomStreams(1)), options)
    assert isinstance(built.node.identity, Otaa)
    gateway = Gateway(clock, medium, built.node.identity.root)
    medium.attach(gateway)
    clock.process(built.life)
    return clock, gateway, built


def test_a_device_joins_and_reports_over_the_medium() -> None:
    clock, gateway, built = a_world(payload="0102", confirmed=1, period_s=60, spread_s=0)

    clock.play(600)

    tally = built.node.tally
    assert built.node.join_report.explain() == "joined after 1 request"
    assert gateway.heard_payloads == [b"\1\2"] * 10
    assert (tally.confirmed, tally.acknowledged, tally.transmissions) == (10, 10, 11)


def test_a_class_c_device_hears_at_any_time_over_the_medium() -> None:
    clock, gateway, built = a_world(payload="0102", device_class="C", period_s=60, spread_s=0)
    seen: list[bytes] = []
    built.node.on_downlink = lambda frame: seen.append(frame.frm_payload)
    clock.play(30)

    phy = gateway.session.protect_downlink(0, 9, b"now")
    gateway.send(phy, 40 * SECOND_US, 869_525_000, Lora(12, 125_000))
    clock.play(120)

    assert seen == [b"now"]
    report = built.node.energy_report()
    assert report.receive_s > 100
