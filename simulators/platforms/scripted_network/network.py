"""
The network itself: uplinks in, answers out; which gateway and which protocol is not known here.

It answers at once; the gateway keeps the answer until its window.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.lorawan.crypto import Session, full_f_cnt
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import ACK, DataFrame, JoinAccept, JoinRequest, decode
from simulators.lorawan.join import open_request, protect_accept
from simulators.lorawan.keys import Attempt, RootKeys, SessionKeys, derive_session_keys
from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions.region import (
    JOIN_ACCEPT_DELAY1_US,
    RECEIVE_DELAY1_US,
    JoinChannel,
    Region,
)

NET_ID = "000013"
FIRST_ADDRESS = 0x26000000
REMEMBERED = 1000  # frames, before old ones are forgotten
COPY_US = 200_000  # the same frame within this time came through another gateway


class Window(NamedTuple):
    """Where and how a downlink is sent."""

    frequency_hz: int
    data_rate: int
    modulation: Modulation


class Answer(NamedTuple):
    """A downlink for the first window, or for the second one, a second later."""

    dev_eui: str
    phy_payload: bytes
    delay_us: int
    rx1: Window
    rx2: Window


class Received(NamedTuple):
    """An uplink of the application, decrypted."""

    dev_eui: str
    f_port: int | None
    payload: bytes
    f_cnt: int
    is_confirmed: bool


@dataclass
class Device:
    """A device that is known here; without ``session`` it has to join first."""

    dev_eui: str
    root: RootKeys | None
    region: Region
    session: Session | None = None
    nonces: set[int] = field(default_factory=set)
    f_cnt_up: int = -1
    f_cnt_down: int = 0
    queue: list[tuple[int, bytes]] = field(default_factory=list)  # port and payload


class ScriptedNetwork:
    """Knows the devices that it was told of; ``received`` is everything that they said."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.received: list[Received] = []
        self._by_eui: dict[str, Device] = {}
        self._by_address: dict[str, Device] = {}
        self._next_address = FIRST_ADDRESS
        self._join_nonce = 0
        self._last: dict[bytes, int] = {}

    def know(self, dev_eui: str, app_key: bytes) -> Device:
        """A device that joins."""
        device = Device(dev_eui, RootKeys(app_key), self.region)
        self._by_eui[dev_eui] = device
        return device

    def know_session(self, dev_eui: str, dev_addr: str, keys: SessionKeys) -> Device:
        """A device with a session from the factory."""
        device = Device(dev_eui, None, self.region, Session(dev_addr, keys))
        self._by_eui[dev_eui] = self._by_address[dev_addr] = device
        return device

    def device(self, dev_eui: str) -> Device:
        """
        A device that is known.

        Raises:
            KeyError: it is not.
        """
        return self._by_eui[dev_eui]

    def uplink(
        self, phy: bytes, frequency_hz: int, modulation: Modulation, at_us: int
    ) -> Answer | None:
        """
        What a gateway heard at ``at_us``, and what it shall send; None for most things.

        A frame that is damaged, unknown or heard before gets no answer.
        """
        if self._is_copy(phy, at_us):
            return None
        try:
            frame = decode(phy)
            if isinstance(frame, JoinRequest):
                return self._join(frame, phy, frequency_hz, modulation)
            if isinstance(frame, DataFrame) and frame.is_uplink:
                return self._data(frame, phy, frequency_hz, modulation)
        except LoRaWanError:  # a wrong MIC is one
            return None
        return None

    def _is_copy(self, phy: bytes, at_us: int) -> bool:
        if len(self._last) > REMEMBERED:
            since_us = at_us - COPY_US
            self._last = {each: then for each, then in self._last.items() if then > since_us}
        is_copy = at_us - self._last.get(phy, -COPY_US) < COPY_US
        if not is_copy:
            self._last[phy] = at_us
        return is_copy

    def _join(
        self, request: JoinRequest, phy: bytes, frequency_hz: int, modulation: Modulation
    ) -> Answer | None:
        device = self._by_eui.get(request.dev_eui)
        if device is None or device.root is None or request.dev_nonce in device.nonces:
            return None
        open_request(phy, device.root.join_key)
        device.nonces.add(request.dev_nonce)
        accept = self._accept(device, frequency_hz)
        attempt = Attempt(request.join_eui, request.dev_eui, request.dev_nonce)
        self._by_address[accept.dev_addr] = device
        keys = derive_session_keys(device.root, attempt, accept)
        device.session = Session(accept.dev_addr, keys)
        device.f_cnt_up, device.f_cnt_down = -1, 0
        answer = protect_accept(accept, device.root, attempt)
        return self._join_answer(device, answer, frequency_hz, modulation)

    def _accept(self, device: Device, frequency_hz: int) -> JoinAccept:
        self._join_nonce += 1
        dev_addr = f"{self._next_address:08x}"
        self._next_address += 1
        channel = self._join_channel(frequency_hz)
        device.region = self.region if channel is None else self.region.joined(channel.channel)
        rx2 = device.region.rx2.data_rate
        return JoinAccept(self._join_nonce, NET_ID, dev_addr, 0, rx2, 1)

    def _join_answer(
        self, device: Device, phy: bytes, frequency_hz: int, modulation: Modulation
    ) -> Answer:
        channel = self._join_channel(frequency_hz)
        rx1_hz, rx2 = frequency_hz, self.region.rx2
        if channel is not None:
            rx1_hz, rx2 = channel.rx1_frequency_hz, channel.rx2
        rx1 = self._window(rx1_hz, self._rx1_data_rate(self.region, modulation))
        return Answer(device.dev_eui, phy, JOIN_ACCEPT_DELAY1_US, rx1, self._window(*rx2))

    def _join_channel(self, frequency_hz: int) -> JoinChannel | None:
        joins = self.region.join_channels
        return next((each for each in joins if each.frequency_hz == frequency_hz), None)

    def _data(
        self, frame: DataFrame, phy: bytes, frequency_hz: int, modulation: Modulation
    ) -> Answer | None:
        device = self._by_address.get(frame.dev_addr)
        if device is None or device.session is None:
            return None
        f_cnt = full_f_cnt(frame.f_cnt, at_least=max(0, device.f_cnt_up))
        plain = device.session.open_uplink(phy, f_cnt)
        if f_cnt > device.f_cnt_up:
            device.f_cnt_up = f_cnt
            said = (plain.f_port, plain.frm_payload, f_cnt, plain.is_confirmed)
            self.received.append(Received(device.dev_eui, *said))
        elif not plain.is_confirmed:
            return None
        if not (plain.is_confirmed or plain.adr_ack_req or device.queue):
            return None
        return self._data_answer(device, plain, frequency_hz, modulation)

    def _data_answer(
        self, device: Device, uplink: DataFrame, frequency_hz: int, modulation: Modulation
    ) -> Answer:
        assert device.session is not None
        # An empty frame needs no port. This one has its uplink's: Wireshark up to 4.0 takes the
        # first byte of the MIC for a port where there is none.
        empty = (uplink.f_port or 1, b"")
        f_port, payload = device.queue.pop(0) if device.queue else empty
        f_ctrl = ACK if uplink.is_confirmed else 0
        phy = device.session.protect_downlink(device.f_cnt_down, f_port, payload, f_ctrl=f_ctrl)
        device.f_cnt_down += 1
        rx1_hz = device.region.rx1_frequency_hz(
            _channel_number(device.region, frequency_hz), frequency_hz
        )
        rx1 = self._window(rx1_hz, self._rx1_data_rate(device.region, modulation))
        rx2 = self._window(*device.region.rx2)
        return Answer(device.dev_eui, phy, RECEIVE_DELAY1_US, rx1, rx2)

    def _rx1_data_rate(self, region: Region, modulation: Modulation) -> int:
        uplink = region.find_data_rate(modulation, is_downlink=False)
        if uplink is None:
            raise LoRaWanError(f"expected a data rate of {region.name}; got {modulation}")
        return region.rx1_data_rate(uplink, 0, downlink_dwell=region.default_downlink_dwell)

    def _window(self, frequency_hz: int, data_rate: int) -> Window:
        return Window(frequency_hz, data_rate, self.region.data_rate(data_rate).modulation)


def _channel_number(region: Region, frequency_hz: int) -> int:
    for number, channel in enumerate(region.uplink_channels):
        if channel.frequency_hz == frequency_hz:
            return number
    return 0
