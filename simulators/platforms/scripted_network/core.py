"""
What the network does about a frame: bytes in, at most one frame out. No clock, no sockets.

Source: LoRaWAN 1.0.4 and 1.1, chapters 4 to 6.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from simulators.lorawan.crypto import Session, full_f_cnt
from simulators.lorawan.errors import LoRaWanError, MicError
from simulators.lorawan.frames import (
    ACK,
    ADR,
    F_PENDING,
    MAX_F_OPTS,
    DataFrame,
    JoinAccept,
    JoinRequest,
    decode,
)
from simulators.lorawan.gps_time import to_gps_us
from simulators.lorawan.join import open_request, protect_accept
from simulators.lorawan.keys import Attempt, derive_session_keys
from simulators.lorawan.mac_commands import (
    DeviceModeConf,
    DeviceModeInd,
    DeviceTimeAns,
    DeviceTimeReq,
    LinkADRAns,
    LinkADRReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    PingSlotInfoAns,
    PingSlotInfoReq,
    RekeyConf,
    RekeyInd,
    ResetConf,
    ResetInd,
    encode,
    parse,
)
from simulators.lorawan.modulation import Lora, Modulation
from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion
from simulators.platforms.scripted_network import adr
from simulators.platforms.scripted_network.devices import Link, Member, Queued, Registration
from simulators.platforms.scripted_network.plan import NetworkPlan

NET_ID = "000000"
JOIN_DELAY_S = 5
KEPT_NONCES = 64


class Uplink(NamedTuple):
    """A frame as the network has it from its gateways: the best copy's signal, and how many."""

    phy: bytes
    frequency_hz: int
    modulation: Modulation
    snr_db: float
    copies: int
    unix_us: int


class Window(NamedTuple):
    """Where a downlink is sent."""

    frequency_hz: int
    modulation: Modulation


class Answer(NamedTuple):
    """A frame to be sent so long after the end of the uplink in ``rx1``, or a second later."""

    phy: bytes
    dev_eui: str
    delay_s: int
    rx1: Window
    rx2: Window


class ScriptedNetwork:
    """
    A network server for the devices of a list.

    ``refusals`` has, by DevEUI, why the last join request was not answered; ``uplinks`` counts what
    was accepted. ``heard`` is called with each new uplink, in plain, and whose it is.
    """

    def __init__(
        self,
        plan: NetworkPlan,
        registrations: Iterable[Registration] = (),
        *,
        has_adr: bool = True,
        rx_delay_s: int = 1,
        heard: Callable[[str, DataFrame], None] | None = None,
    ) -> None:
        self.plan = plan
        self.has_adr = has_adr
        self.rx_delay_s = rx_delay_s
        self._heard = heard
        self.refusals: dict[str, str] = {}
        self.uplinks = 0
        self.joins = 0
        self.members: dict[str, Member] = {}
        self._links: dict[str, Link] = {}
        self._addresses = 0
        for each in registrations:
            self.register(each)

    def register(self, registration: Registration) -> None:
        """Know one more device."""
        member = self.members[registration.dev_eui] = Member(registration)
        if registration.keys is not None:
            is_1_1 = registration.version >= MacVersion.V1_1
            crypto = Session(registration.dev_addr, registration.keys, is_1_1=is_1_1)
            self._begin(member, crypto, registration.region, b"")

    def enqueue(self, dev_eui: str, queued: Queued) -> None:
        """
        Send this after one of the device's next uplinks.

        Raises:
            KeyError: no such device.
        """
        member = self.members[dev_eui]
        member.queue = member.queue or deque()
        member.queue.append(queued)

    def take(self, uplink: Uplink) -> Answer | None:
        """Do what there is to do about an uplink; what is not ours, or wrong, has no answer."""
        try:
            frame = decode(uplink.phy)
            if isinstance(frame, DataFrame):
                link = self._links.get(frame.dev_addr)
                return None if link is None else self._data(link, frame, uplink)
            return self._join(frame, uplink) if isinstance(frame, JoinRequest) else None
        except LoRaWanError:
            return None

    # Joining.

    def _join(self, request: JoinRequest, uplink: Uplink) -> Answer | None:
        member = self.members.get(request.dev_eui)
        windows = None if member is None else _join_windows(member.registration.region, uplink)
        refusal = self._refusal(member, request, uplink.phy)
        if refusal is None and windows is None:
            refusal = f"{uplink.frequency_hz} Hz is no join channel"
        if refusal is not None or member is None or windows is None:
            self.refusals[request.dev_eui] = refusal or ""
            return None
        member.dev_nonces = (*member.dev_nonces, request.dev_nonce)[-KEPT_NONCES:]
        self.refusals.pop(request.dev_eui, None)
        self.joins += 1
        return self._accept(member, request, windows)

    def _refusal(self, member: Member | None, request: JoinRequest, phy: bytes) -> str | None:
        """Why a join request gets no answer."""
        if member is None:
            is_reversed = bytes.fromhex(request.dev_eui)[::-1].hex() in self.members
            remark = ", byte-reversed it is not" if is_reversed else ""
            return f"DevEUI {request.dev_eui} is unknown{remark}"
        registration = member.registration
        if registration.join_eui != request.join_eui:
            return f"JoinEUI {request.join_eui} is not the device's {registration.join_eui}"
        try:
            open_request(phy, registration.root.join_key)
        except MicError:
            return "the MIC of the join request is wrong: another root key"
        is_used = self._is_used(member, request.dev_nonce)
        return f"DevNonce {request.dev_nonce} was used before" if is_used else None

    def _is_used(self, member: Member, dev_nonce: int) -> bool:
        if member.registration.version >= MacVersion.V1_0_4:
            return bool(member.dev_nonces) and dev_nonce <= member.dev_nonces[-1]
        return dev_nonce in member.dev_nonces

    def _accept(
        self, member: Member, request: JoinRequest, windows: tuple[int, Window, Window]
    ) -> Answer:
        registration = member.registration
        number, rx1, rx2 = windows
        joined, root = registration.region.joined(number), registration.root
        is_1_1 = registration.version >= MacVersion.V1_1
        accept = JoinAccept(
            self._next_join_nonce(member),
            NET_ID,
            self._address(member),
            rx2_data_rate_index=joined.rx2.data_rate,
            rx_delay=self.rx_delay_s,
            opt_neg=is_1_1,
            cf_list=self.plan.cf_list(joined),
        )
        attempt = Attempt(request.join_eui, request.dev_eui, request.dev_nonce)
        keys = derive_session_keys(root, attempt, accept)
        crypto = Session(accept.dev_addr, keys, is_1_1=is_1_1)
        self._begin(member, crypto, joined, accept.cf_list)
        phy = protect_accept(accept, root, attempt)
        return Answer(phy, request.dev_eui, JOIN_DELAY_S, rx1, rx2)

    def _next_join_nonce(self, member: Member) -> int:
        member.join_nonce += 1
        return member.join_nonce

    def _address(self, member: Member) -> str:
        if member.link is not None:
            return member.link.crypto.dev_addr
        self._addresses += 1
        return f"{self._addresses:08x}"

    def _begin(self, member: Member, crypto: Session, region: Region, cf_list: bytes) -> None:
        channels = self.plan.channels(region) if cf_list else region.uplink_channels
        enabled = (1 << len(channels)) - 1
        if cf_list and region.cf_list_type == 1:
            enabled = self.plan.mask(region)
        version = member.registration.version
        link = member.link = Link(member, crypto, region, version, enabled)
        self._links[crypto.dev_addr] = link

    # Data.

    def _data(self, link: Link, frame: DataFrame, uplink: Uplink) -> Answer | None:
        region = link.region
        data_rate = region.find_data_rate(_plain(uplink.modulation), is_downlink=False)
        if data_rate is None:
            return None
        try:
            channel = self.plan.channel_of(region, uplink.frequency_hz)
        except LookupError:
            return None
        f_cnt = full_f_cnt(frame.f_cnt, at_least=max(0, link.f_cnt_up))
        plain = link.crypto.open_uplink(
            uplink.phy, f_cnt, conf_f_cnt=link.acknowledges, tx_dr=data_rate, tx_ch=channel
        )
        if f_cnt != link.f_cnt_up:
            self.uplinks += 1
            link.member.uplinks += 1
            if self._heard is not None:
                self._heard(link.member.registration.dev_eui, plain)
        link.f_cnt_up = f_cnt
        commands = self._answers(link, plain, uplink, data_rate)
        commands += self._rate(link, frame, uplink, data_rate)
        waits = link.member.queue
        if not (frame.is_confirmed or commands or frame.adr_ack_req or waits):
            return None
        rx1_data_rate = region.rx1_data_rate(
            data_rate, 0, downlink_dwell=region.default_downlink_dwell
        )
        return Answer(
            self._downlink(link, frame, f_cnt, commands),
            link.member.registration.dev_eui,
            self.rx_delay_s,
            _window(region, region.rx1_frequency_hz(channel, uplink.frequency_hz), rx1_data_rate),
            _window(region, *region.rx2),
        )

    def _answers(
        self, link: Link, frame: DataFrame, uplink: Uplink, data_rate: int
    ) -> list[MacCommand]:
        """What the device's MAC commands ask for."""
        data = frame.frm_payload if frame.f_port == 0 else frame.f_opts
        if not data:
            return []
        margin = uplink.snr_db - adr.needed_db(link.region, data_rate)
        known = _Known(link, max(0, min(254, round(margin))), uplink)
        commands = parse(data, is_uplink=True, version=link.version).commands
        answers = [_ANSWERS[type(each)](each, known) for each in commands if type(each) in _ANSWERS]
        return [each for each in answers if each is not None]

    def _rate(
        self, link: Link, frame: DataFrame, uplink: Uplink, data_rate: int
    ) -> list[MacCommand]:
        """LinkADRReqs: for channels that gateways do not hear, and for a better data rate."""
        link.best_snr_db = max(link.best_snr_db, uplink.snr_db)
        link.since_adr += 1
        present = wanted = adr.Setting(data_rate, link.tx_power)
        if frame.adr and self.has_adr and not link.is_adr_off and link.since_adr >= adr.FRAMES:
            wanted = adr.better(link.region, present, link.best_snr_db)
            link.since_adr, link.best_snr_db = 0, -100.0
        mask = self.plan.mask(link.region)
        if wanted == present and (link.enabled == mask or link.is_adr_off):
            return []
        ways = self.plan.masks(link.region, link.enabled)
        link.tx_power, link.enabled = wanted.tx_power, mask
        return [LinkADRReq(wanted[1], wanted[0], word, 1, control) for control, word in ways]

    def _downlink(
        self, link: Link, frame: DataFrame, f_cnt: int, commands: list[MacCommand]
    ) -> bytes:
        options = b"".join(map(encode, commands))
        f_ctrl = (ADR if frame.adr else 0) | (ACK if frame.is_confirmed else 0)
        # An empty frame needs no port. This one has its uplink's: Wireshark up to 4.0 takes the
        # first byte of the MIC for a port where there is none.
        queue, f_port, payload, is_confirmed = link.member.queue, frame.f_port or 1, b"", False
        if len(options) > MAX_F_OPTS:
            f_port, payload, options = 0, options, b""
        elif queue:
            f_port, payload, is_confirmed = queue.popleft()
        if queue:
            f_ctrl |= F_PENDING
        down = link.next_f_cnt(f_port)
        if is_confirmed:
            link.acknowledges = down
        return link.crypto.protect_downlink(
            down,
            f_port,
            payload,
            f_ctrl=f_ctrl,
            f_opts=options,
            is_confirmed=is_confirmed,
            conf_f_cnt=f_cnt,
        )


class _Known(NamedTuple):
    link: Link
    margin_db: int
    uplink: Uplink


def _time(_: Any, known: _Known) -> MacCommand:
    gps_us = to_gps_us(known.uplink.unix_us)
    return DeviceTimeAns(gps_us // 1_000_000, gps_us % 1_000_000 * 256 // 1_000_000)


def _note_refused(command: Any, known: _Known) -> None:
    acks = (command.channel_mask_ack, command.data_rate_index_ack, command.tx_power_index_ack)
    if not all(acks):
        known.link.is_adr_off = True


_ANSWERS: dict[type[MacCommand], Callable[[Any, _Known], MacCommand | None]] = {
    LinkCheckReq: lambda _, known: LinkCheckAns(known.margin_db, min(255, known.uplink.copies)),
    DeviceTimeReq: _time,
    ResetInd: lambda command, _: ResetConf(min(1, command.minor_version)),
    RekeyInd: lambda command, _: RekeyConf(min(1, command.minor_version)),
    DeviceModeInd: lambda command, _: DeviceModeConf(command.device_class),
    PingSlotInfoReq: lambda *_: PingSlotInfoAns(),
    LinkADRAns: _note_refused,
}


def _plain(modulation: Modulation) -> Modulation:
    """LoRaWAN's own coding rate, whatever was used."""
    return Lora(*modulation[:2]) if isinstance(modulation, Lora) else modulation


def _window(region: Region, frequency_hz: int, data_rate: int) -> Window:
    return Window(frequency_hz, region.data_rate(data_rate).modulation)


def _join_windows(region: Region, uplink: Uplink) -> tuple[int, Window, Window] | None:
    """The join channel's index and where its answers go; None: it was none."""
    data_rate = region.find_data_rate(_plain(uplink.modulation), is_downlink=False)
    for each in region.join_channels:
        if each.frequency_hz == uplink.frequency_hz and data_rate is not None:
            dwell = region.default_downlink_dwell
            rx1 = region.rx1_data_rate(data_rate, 0, downlink_dwell=dwell)
            first = _window(region, each.rx1_frequency_hz, rx1)
            return each.channel, first, _window(region, *each.rx2)
    return None
