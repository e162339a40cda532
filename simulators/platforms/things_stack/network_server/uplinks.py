"""
Data uplinks: from a gateway's message to the application's.

The device is found when the first copy comes; what the frame changes happens when the time for
further copies is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.lorawan import mac_commands
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import DataFrame, JoinRequest, RejoinRequest, decode
from simulators.lorawan.mac_commands import MacCommand
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Document, Up, Uplink
from simulators.platforms.things_stack.network_server import adr, downlinks, mac, matching
from simulators.platforms.things_stack.network_server.deduplication import (
    Deduplication,
    Gathering,
)
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.joins import Joins
from simulators.platforms.things_stack.network_server.mac_settings import mac_state
from simulators.platforms.things_stack.network_server.matching import Match
from simulators.platforms.things_stack.network_server.traffic import Heard
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo
from simulators.platforms.things_stack.network_server.uplink_messages import (
    airtime_text,
    uplink_message,
)
from simulators.platforms.things_stack.times import time_text

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

_NOT_KEPT = ("last_f_cnt_up", "last_n_f_cnt_down", "last_a_f_cnt_down", "last_conf_f_cnt_down",
             "queued_application_downlinks")  # fmt: skip
_OF_PATHS = ("gateway_ids", "antenna_index", "snr", "channel_rssi", "downlink_path_constraint",
             "uplink_token")  # fmt: skip
_MOST_PATHS = 8
_CONFIRMED = "pending_application_downlink"


class Uplinks:
    """Frames of devices on their way to the application."""

    def __init__(self, stack: Stack, devices: DeviceStore) -> None:
        self._stack = stack
        self._devices = devices
        self._copies = Deduplication(stack.agenda)
        self._joins = Joins(stack, devices, self._copies)

    def handle(self, uplink: Uplink, now_us: int) -> None:
        """
        Take a frame that a gateway has heard.

        Raises:
            StackError: it is nobody's, or not allowed.
        """
        if self._copies.is_copy(uplink, now_us):
            return
        try:
            frame = decode(uplink.phy)
        except LoRaWanError as error:
            raise StackError("pkg/networkserver:decode_payload") from error
        if isinstance(frame, DataFrame) and frame.is_uplink:
            self._handle_data(uplink, frame, now_us)
        elif isinstance(frame, JoinRequest):
            self._joins.handle(uplink, frame, now_us)
        elif isinstance(frame, RejoinRequest):
            raise StackError("pkg/networkserver:rejoin_request")
        else:
            raise StackError("pkg/networkserver:payload")

    # --- the first copy

    def _handle_data(self, uplink: Uplink, frame: DataFrame, now_us: int) -> None:
        match = self._match(uplink, frame)
        if match is None:
            raise StackError("pkg/networkserver:device_not_found")
        self._copies.gather(uplink, (match, frame), now_us, self._close)
        device = match.device
        self._publish("ns.up.data.receive", device, uplink, frame, now_us)
        error = _not_allowed(match)
        if error is not None:
            self._drop(device, uplink, error, now_us)
            raise error

    def _match(self, uplink: Uplink, frame: DataFrame) -> Match | None:
        dev_addr = frame.dev_addr.upper()
        return matching.find(self._devices.by_address(dev_addr), uplink, frame, dev_addr)

    def _drop(self, device: Device, uplink: Uplink, error: StackError, now_us: int) -> None:
        self._stack.events.publish(
            "ns.up.data.drop", {"device_ids": device.ids}, error.details,
            tenant=device.tenant, now_us=now_us, correlation_ids=uplink.correlation_ids,
        )  # fmt: skip

    def _publish(
        self, name: str, device: Device, uplink: Uplink, frame: DataFrame, now_us: int
    ) -> None:
        if not self._stack.events.are_wanted:
            return
        self._stack.events.publish(
            name, {"device_ids": device.ids}, lambda: uplink_message([uplink], frame),
            tenant=device.tenant, now_us=now_us, correlation_ids=uplink.correlation_ids,
        )  # fmt: skip

    # --- all copies

    def _close(self, gathering: Gathering, now_us: int) -> None:
        """The window is over: what was true of the device when it opened is looked at again."""
        match, frame = gathering.found
        first = gathering.receptions[0]
        if _not_allowed(match) is not None:
            return
        if not _still_holds(match):
            match = self._match(first, frame)
            if match is None or _not_allowed(match) is not None:
                return
        info, commands = _read(match, frame, gathering.receptions)
        device = match.device
        if not _can_begin(match, commands.commands):
            self._drop(device, first, StackError("pkg/networkserver:device_not_found"), now_us)
            return
        if not device.is_resting:
            self._settle_sessions(match, now_us)
        elif match.is_reset:
            self._reset(device, now_us)
        self._accept(match, info, commands, now_us)

    def _settle_sessions(self, match: Match, now_us: int) -> None:
        """The session that the device has spoken by is the only one from now on."""
        device = match.device
        unheard = device.state.get("mac_state", {}).get(_CONFIRMED)
        if match.is_pending:
            device.confirm_session()
            device.save()
        elif match.is_reset:
            self._reset(device, now_us)
        if unheard is not None:
            device.mac_state[_CONFIRMED] = unheard
        if "pending_session" in device.state:
            device.drop_pending_session()
            device.save()

    def _reset(self, device: Device, now_us: int) -> None:
        """The device has forgotten all: address and keys are what is left of its session."""
        session = device.state["session"]
        for name in _NOT_KEPT:
            session.pop(name, None)
        session["started_at"] = time_text(now_us)
        device.state["mac_state"] = mac_state(device.document, device.region, device.plan)
        device.start_counting()
        device.save()

    def _accept(
        self, match: Match, info: UplinkInfo, commands: mac_commands.Parsed, now_us: int
    ) -> None:
        stack, device, is_new = self._stack, match.device, info.transmission == 1
        _note(device, info)
        self._acknowledge(device, info, now_us)
        mac.forget_answers(device)
        if not is_new:
            mac.answer_again(stack, device, commands.commands, info, now_us)
        else:
            if commands.commands:
                mac.handle_commands(stack, device, commands.commands, info, now_us)
            if commands.problem is not None:
                self._tell_unknown(device, commands.rest, info, now_us)
            adr.note_uplink(stack, device, info)
        device.save_traffic()
        wanted = stack.events.are_wanted
        if wanted:
            self._tell(
                "ns.up.data.process", device, info, now_us,
                lambda: uplink_message(
                    info.receptions, info.frame,
                    channel_index=info.channel_index, full_f_cnt=info.f_cnt,
                ),
            )  # fmt: skip
        if is_new:
            up = self._up(device, info)
            stack.application.handle_up(up, now_us)
            if wanted:
                data = {"end_device_ids": up.ids, "uplink_message": up.message}
                self._tell("ns.up.data.forward", device, info, now_us, data)
        downlinks.after_uplink(stack, device, info, now_us)

    def _tell(self, name: str, device: Device, info: UplinkInfo, now_us: int, data: Any) -> None:
        self._stack.events.publish(
            name, {"device_ids": device.ids}, data,
            tenant=device.tenant, now_us=now_us, correlation_ids=info.correlation_ids,
        )  # fmt: skip

    def _tell_unknown(self, device: Device, rest: bytes, info: UplinkInfo, now_us: int) -> None:
        self._tell("ns.mac.command.unknown", device, info, now_us, {"cid": f"CID_RFU_{rest[0]}"})

    def _acknowledge(self, device: Device, info: UplinkInfo, now_us: int) -> None:
        """The uplink after a confirmed downlink tells whether that one was heard."""
        pending = None if device.is_resting else device.mac_state.pop(_CONFIRMED, None)
        if pending is None:
            return
        device.save()
        kind = "downlink_ack" if info.has_ack else "downlink_nack"
        up = Up(device.tenant, device.ids, kind, pending, info.correlation_ids, info.received_us)
        self._stack.application.handle_up(up, now_us)

    def _up(self, device: Device, info: UplinkInfo) -> Up:
        """What the application gets, but for its payload."""
        frame = info.frame
        message: Document = {}
        session_key_id = device.session_key_id
        if session_key_id:
            message["session_key_id"] = session_key_id
        if frame.f_port:
            message["f_port"] = frame.f_port
        if info.f_cnt:
            message["f_cnt"] = info.f_cnt
        message["rx_metadata"] = [each.metadata for each in info.receptions]
        message["settings"] = info.settings
        message["received_at"] = time_text(info.received_us)
        if frame.is_confirmed:
            message["confirmed"] = True
        first = info.receptions[0]
        airtime = airtime_text(first.modulation, len(first.phy))
        if airtime:
            message["consumed_airtime"] = airtime
        loss_rate = device.traffic.loss_rate()
        if loss_rate:
            message["packet_error_rate"] = loss_rate
        version_ids = device.traits.version_ids
        if version_ids:
            message["version_ids"] = version_ids
        message["network_ids"] = self._network_ids(device.tenant)
        payload = frame.frm_payload if frame.f_port else b""
        return Up(
            device.tenant, device.ids, "uplink_message", message, info.correlation_ids,
            info.received_us, payload,
        )  # fmt: skip

    def _network_ids(self, tenant: str) -> Document:
        policy = self._stack.policy
        ids: Document = {"net_id": policy.net_id, "cluster_address": policy.host}
        return ids | ({"tenant_id": tenant} if tenant else {})


def _not_allowed(match: Match) -> StackError | None:
    """Why a frame whose MIC is right is dropped all the same."""
    if match.data_rate_index is None and match.channel is not None:
        return StackError("pkg/networkserver:data_rate_not_found")
    return StackError("pkg/networkserver:uplink_channel_not_found") if not match.channel else None


def _still_holds(match: Match) -> bool:
    """Whether nothing has happened to the device since: no call, no other frame."""
    device = match.device
    return not device.is_gone and match.serial == device.serial


def _read(
    match: Match, frame: DataFrame, receptions: list[Uplink]
) -> tuple[UplinkInfo, mac_commands.Parsed]:
    """What an uplink says to the network."""
    assert match.channel is not None
    assert match.data_rate_index is not None
    crypto = match.device.crypto(is_pending=match.is_pending)
    f_opts, payload = frame.f_opts, frame.frm_payload
    if f_opts and crypto.is_1_1:
        f_opts = crypto.encrypt_f_opts(f_opts, match.f_cnt, is_uplink=True, f_port=frame.f_port)
    if frame.f_port == 0:
        payload = crypto.encrypt_payload(payload, match.f_cnt, is_uplink=True, f_port=0)
    commands = _NO_COMMANDS
    told = payload if frame.f_port == 0 else f_opts
    if told:
        version = match.device.version(is_pending=match.is_pending)
        commands = mac_commands.parse(told, is_uplink=True, version=version)
    first = receptions[0]
    info = UplinkInfo(
        frame=frame._replace(f_cnt=match.f_cnt, f_opts=f_opts, frm_payload=payload),
        f_cnt=match.f_cnt,
        receptions=receptions,
        settings=first.settings,
        received_us=first.received_us,
        data_rate_index=match.data_rate_index,
        channel_index=match.channel.number,
        is_pending_session=match.is_pending,
        transmission=match.transmission,
        correlation_ids=first.correlation_ids,
    )
    return info, commands


_NO_COMMANDS = mac_commands.Parsed([])


def _can_begin(match: Match, commands: list[MacCommand]) -> bool:
    """
    Whether an uplink may be the first one, where it would be.

    It answers nothing yet; from 1.1 on the session of a join is confirmed by a command, before by
    any uplink.
    """
    if not (match.is_pending or match.is_reset):
        return True
    if not all(mac.is_begun_by_device(command) for command in commands):
        return False
    if match.is_reset or match.device.version(is_pending=True) < MacVersion.V1_1:
        return True
    return any(isinstance(command, mac_commands.RekeyInd) for command in commands)


def _note(device: Device, info: UplinkInfo) -> None:
    """Keep what later uplinks and downlinks need to know of this one."""
    traffic = device.traffic
    if info.transmission == 1:
        gateways = len({each.gateway for each in info.receptions})
        traffic.note(Heard(info.f_cnt, info.data_rate_index, info.max_snr, gateways))
        device.count(info.f_cnt)
    traffic.check = matching.check(info.receptions[0].phy)
    traffic.transmissions = info.transmission
    traffic.received_us = info.received_us
    traffic.paths = [_path(each.metadata) for each in info.receptions[:_MOST_PATHS]]
    device.serial += 1


def _path(metadata: Document) -> Document:
    return {name: metadata[name] for name in _OF_PATHS if name in metadata}
