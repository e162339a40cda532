"""
Join requests: from a gateway's message to the Join Server, and the join accept back to the device.

The Join Server is asked when the first copy comes. What the device then has is pending until it
uses it; the application hears of the join when a gateway has taken the join accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.cf_list import ChannelMasks, Frequencies, encode_cf_list
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import JoinRequest as JoinFrame
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Fsk, Modulation
from simulators.lorawan.regions.region import JOIN_ACCEPT_DELAY1_US, Region
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import (
    Document,
    Downlink,
    JoinAnswer,
    JoinRequest,
    Scheduled,
    Up,
    Uplink,
)
from simulators.platforms.things_stack.network_server.deduplication import (
    Deduplication,
    Gathering,
)
from simulators.platforms.things_stack.network_server.device import Device, uplink_data_rate
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.mac_settings import (
    current_parameters,
    desired_parameters,
    mac_state,
)
from simulators.platforms.things_stack.network_server.uplink_messages import (
    base64_text,
    join_payload,
    uplink_message,
)
from simulators.platforms.things_stack.times import duration_text, time_text

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

# How long before RX1 a gateway is asked to send.
_AHEAD_US = 3_200_000
_RX1_DELAY = JOIN_ACCEPT_DELAY1_US // 1_000_000
_WITH_CF_LIST = 33  # bytes of a join accept
_NETWORK_KEYS = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")


class _Join(NamedTuple):
    """A device that may join, by its row's number."""

    number: int
    frame: JoinFrame
    request: JoinRequest
    answer: JoinAnswer


class Joins:
    """Devices on their way into the network."""

    def __init__(self, stack: Stack, devices: DeviceStore, copies: Deduplication) -> None:
        self._stack = stack
        self._devices = devices
        self._copies = copies

    def handle(self, uplink: Uplink, frame: JoinFrame, now_us: int) -> None:
        """
        Take the first copy of a join request.

        Raises:
            StackError: no such device, or the Join Server's refusal.
        """
        found = self._devices.joining(frame.join_eui.upper(), frame.dev_eui.upper())
        if not found:
            raise StackError("pkg/networkserver:device_not_found")
        device = found[0]
        told = uplink.correlation_ids
        self._tell("ns.up.join.receive", device, told, now_us, lambda: _message([uplink], frame))
        if not device.document.get("supports_join"):
            error = StackError("pkg/networkserver:abp_join_request")
            self._tell("ns.up.join.drop", device, told, now_us, error.details)
            raise error
        try:
            request = self._request(device, uplink, frame)
            answer = self._ask(device, request, now_us)
        except LoRaWanError as error:
            raise StackError("pkg/networkserver:data_rate_not_found") from error
        join = _Join(device.number, frame, request, answer)
        self._copies.gather(uplink, join, now_us, self._close)

    def _request(self, device: Device, uplink: Uplink, frame: JoinFrame) -> JoinRequest:
        desired = desired_parameters(device.document, device.region, device.plan)
        return JoinRequest(
            device.tenant,
            uplink.phy,
            frame,
            self._stack.policy.net_id,
            self._stack.network.new_dev_addr(),
            device.document["lorawan_version"],
            desired.get("rx1_data_rate_offset", 0),
            desired.get("rx2_data_rate_index", 0),
            desired.get("rx1_delay", 0),
            _cf_list(device, uplink.modulation, desired),
            uplink.correlation_ids,
        )

    def _ask(self, device: Device, request: JoinRequest, now_us: int) -> JoinAnswer:
        told = request.correlation_ids
        self._tell("ns.up.join.cluster.attempt", device, told, now_us, lambda: _asked(request))
        try:
            answer = self._stack.join.handle_join(request, now_us)
        except StackError as error:
            self._tell("ns.up.join.cluster.fail", device, told, now_us, error.details)
            raise
        self._tell(
            "ns.up.join.cluster.success",
            device,
            told,
            now_us,
            lambda: {
                "raw_payload": base64_text(answer.phy),
                "session_keys": {"session_key_id": answer.session_key_id},
                "correlation_ids": told,
            },
        )
        return answer

    # --- all copies

    def _close(self, gathering: Gathering, now_us: int) -> None:
        join: _Join = gathering.found
        device = self._devices.by_number(join.number)
        if device is None or not device.document.get("supports_join"):
            return
        receptions, told = gathering.receptions, join.request.correlation_ids
        self._tell(
            "ns.up.join.process", device, told, now_us, lambda: _message(receptions, join.frame)
        )
        due_us = receptions[0].received_us + JOIN_ACCEPT_DELAY1_US - _AHEAD_US
        self._stack.agenda.at(due_us, lambda due: self._accept(join, receptions, due))

    def _accept(self, join: _Join, receptions: list[Uplink], now_us: int) -> None:
        """Let a gateway send the join accept; what it says holds from then on, when it is used."""
        device = self._devices.by_number(join.number)
        if device is None or not device.document.get("supports_join"):
            return
        told = join.request.correlation_ids
        ids = {**device.document["ids"], "dev_addr": join.request.dev_addr}
        downlink = Downlink(join.answer.phy, _tx_request(device, receptions), ids, told)
        message = {
            "raw_payload": base64_text(downlink.phy),
            "end_device_ids": ids,
            "request": downlink.request,
            "correlation_ids": told,
        }
        self._tell("ns.down.join.schedule.attempt", device, told, now_us, message)
        try:
            scheduled = self._stack.gateways.schedule(downlink, now_us)
        except StackError as error:
            self._tell("ns.down.join.schedule.fail", device, told, now_us, error.details)
            return
        self._tell(
            "ns.down.join.schedule.success", device, told, now_us, _response(scheduled, now_us)
        )
        invalidated = device.state.get("session", {}).get("queued_application_downlinks")
        _start_pending_session(device, join)
        device.save()
        self._forward(device, ids, join, receptions[0], invalidated, now_us)

    def _forward(
        self,
        device: Device,
        ids: Document,
        join: _Join,
        first: Uplink,
        invalidated: list[Document] | None,
        now_us: int,
    ) -> None:
        message: Document = {
            "session_key_id": join.answer.session_key_id,
            "received_at": time_text(first.received_us),
        }
        if invalidated:
            message["invalidated_downlinks"] = invalidated
        told = join.request.correlation_ids
        up = Up(device.tenant, ids, "join_accept", message, told, first.received_us)
        data = {"end_device_ids": ids, "correlation_ids": told, "join_accept": message}
        self._tell("ns.up.join.accept.forward", device, told, now_us, data)
        self._stack.application.handle_up(up, now_us)

    def _tell(
        self, name: str, device: Device, correlation_ids: list[str], now_us: int, data: Any
    ) -> None:
        self._stack.events.publish(
            name, {"device_ids": device.document["ids"]}, data,
            tenant=device.tenant, now_us=now_us, correlation_ids=correlation_ids,
        )  # fmt: skip


# --- what a join accept says


def _cf_list(device: Device, uplink: Modulation, desired: Document) -> bytes:
    """The channels that a device shall have beside those it has from the start."""
    region = device.region
    if region.cf_list_type is None or not _has_room(device, uplink):
        return b""
    channels = desired["channels"]
    if region.cf_list_type == 1:
        on = sum(1 << at for at, each in enumerate(channels) if each.get("enable_uplink"))
        count = -(-len(channels) // 16)
        return encode_cf_list(ChannelMasks(tuple(on >> 16 * at & 0xFFFF for at in range(count))))
    added = channels[len(region.uplink_channels) :]
    frequencies = tuple(int(each["uplink_frequency"]) for each in added)[:5]
    return encode_cf_list(Frequencies(frequencies)) if frequencies else b""


def _has_room(device: Device, uplink: Modulation) -> bool:
    """Whether a join accept with a CFList may be sent in both windows."""
    region, parameters = device.region, current_parameters(device.document, device.region)
    dwell = bool(parameters.get("downlink_dwell_time"))
    rates = (_rx1_data_rate(region, uplink, parameters), parameters.get("rx2_data_rate_index", 0))
    return all(region.max_payload(rate, dwell=dwell) + 13 >= _WITH_CF_LIST for rate in rates)


def _rx1_data_rate(region: Region, uplink: Modulation, parameters: Document) -> int:
    data_rate = uplink_data_rate(region, uplink)
    return region.rx1_data_rate(
        -1 if data_rate is None else data_rate,
        parameters.get("rx1_data_rate_offset", 0),
        downlink_dwell=bool(parameters.get("downlink_dwell_time")),
    )


def _tx_request(device: Device, receptions: list[Uplink]) -> Document:
    """Both windows of a join request, through the gateways that heard it, the best one first."""
    region, first = device.region, receptions[0]
    parameters = current_parameters(device.document, region)
    best = sorted(receptions, key=lambda each: -each.metadata.get("snr", 0.0))
    tokens = [each.metadata["uplink_token"] for each in best if "uplink_token" in each.metadata]
    rx1 = _rx1_data_rate(region, first.modulation, parameters)
    channel = _join_channel(region, first.frequency_hz)
    rx2 = parameters.get("rx2_data_rate_index", 0)
    return {
        "class": "CLASS_A",
        "downlink_paths": [{"uplink_token": token} for token in tokens],
        "rx1_delay": _RX1_DELAY,
        "rx1_data_rate": data_rate_message(region.data_rate(rx1).modulation),
        "rx1_frequency": str(region.rx1_frequency_hz(channel, first.frequency_hz)),
        "rx2_data_rate": data_rate_message(region.data_rate(rx2).modulation),
        "rx2_frequency": parameters["rx2_frequency"],
        "priority": "HIGHEST",
        "frequency_plan_id": device.document["frequency_plan_id"],
    }


def _join_channel(region: Region, frequency_hz: int) -> int:
    """The index of the channel at a frequency; one that has none is answered where it was."""
    for number, channel in enumerate(region.uplink_channels):
        if channel.frequency_hz == frequency_hz:
            return number
    return 0


def data_rate_message(modulation: Modulation) -> Document:
    """A DataRate."""
    if isinstance(modulation, Fsk):
        return {"fsk": {"bit_rate": modulation.bit_rate}}
    return {
        "lora": {
            "bandwidth": modulation.bandwidth_hz,
            "spreading_factor": modulation.spreading_factor,
            "coding_rate": modulation.coding_rate,
        }
    }


# --- the session that follows


def _start_pending_session(device: Device, join: _Join) -> None:
    request, answer = join.request, join.answer
    state = mac_state(device.document, device.region, device.plan)
    parameters = state["current_parameters"]
    told = {
        "rx1_delay": request.rx_delay,
        "rx1_data_rate_offset": request.rx1_data_rate_offset,
        "rx2_data_rate_index": request.rx2_data_rate_index,
    }
    for name, value in told.items():
        parameters.pop(name, None)
        if value:
            parameters[name] = value
    if request.cf_list:
        _apply_cf_list(device, state)
    state["pending_join_request"] = _join_settings(request)
    device.state["pending_mac_state"] = state
    device.state["pending_session"] = {
        "dev_addr": request.dev_addr,
        "keys": _keys_message(answer.keys, answer.session_key_id),
    }


def _apply_cf_list(device: Device, state: Document) -> None:
    """A device has the channels of its CFList as soon as it has read the join accept."""
    current, desired = state["current_parameters"], state["desired_parameters"]
    default = len(device.region.uplink_channels)
    if device.region.cf_list_type == 1:
        current["channels"] = [dict(each) for each in desired["channels"]]
        return
    added = [dict(each) for each in desired["channels"][default : default + 5]]
    for each in added:
        each.pop("min_data_rate_index", None)
        each["max_data_rate_index"] = device.region.max_adr_data_rate
    current["channels"] = [*current["channels"][:default], *added]


def _join_settings(request: JoinRequest) -> Document:
    """A MACState.JoinRequest: what the join accept says beside address and keys."""
    document: Document = {"downlink_settings": _downlink_settings(request)}
    return document | ({"rx_delay": request.rx_delay} if request.rx_delay else {})


def _downlink_settings(request: JoinRequest) -> Document:
    settings: Document = {}
    if request.rx1_data_rate_offset:
        settings["rx1_dr_offset"] = request.rx1_data_rate_offset
    if request.rx2_data_rate_index:
        settings["rx2_dr"] = request.rx2_data_rate_index
    return settings | ({"opt_neg": True} if request.mac_version == "MAC_V1_1" else {})


def _keys_message(keys: SessionKeys, session_key_id: str) -> Document:
    """SessionKeys without the application's key."""
    document: Document = {"session_key_id": session_key_id}
    for name in _NETWORK_KEYS:
        document[name] = {"key": getattr(keys, name).hex().upper()}
    return document


# --- events


def _message(receptions: list[Uplink], frame: JoinFrame) -> Document:
    return uplink_message(receptions, frame)


def _asked(request: JoinRequest) -> Document:
    """A JoinRequest as events carry it."""
    document: Document = {
        "raw_payload": base64_text(request.phy),
        "payload": join_payload(request.phy, request.frame),
        "dev_addr": request.dev_addr,
        "selected_mac_version": request.mac_version,
        "net_id": request.net_id,
        **_join_settings(request),
        "correlation_ids": request.correlation_ids,
    }
    return document


def _response(scheduled: Scheduled, now_us: int) -> Document:
    """A ScheduleDownlinkResponse."""
    document: Document = {"delay": duration_text(max(0, scheduled.at_us - now_us))}
    for name, is_used in (("rx1", scheduled.is_rx1), ("rx2", scheduled.is_rx2)):
        if is_used:
            document[name] = True
    return document
