"""
Join accepts: what one says, in which windows it is sent, and the session that follows from it.

Knows nothing of who sends it, and when.
"""

from __future__ import annotations

from simulators.lorawan.cf_list import ChannelMasks, Frequencies, encode_cf_list
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions.region import JOIN_ACCEPT_DELAY1_US, Region
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.messages import Document, JoinAnswer, JoinRequest, Uplink
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac_settings import (
    current_parameters,
    mac_state,
)
from simulators.platforms.things_stack.network_server.uplink_channels import uplink_data_rate
from simulators.platforms.things_stack.network_server.uplink_messages import (
    base64_text,
    join_payload,
)

_RX1_DELAY = JOIN_ACCEPT_DELAY1_US // 1_000_000
_WITH_CF_LIST = 33  # bytes of a join accept
_NETWORK_KEYS = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")


def cf_list(device: Device, uplink: Modulation, desired: Document) -> bytes:
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


def tx_request(device: Device, receptions: list[Uplink]) -> Document:
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
        "rx1_data_rate": rate_document(region.data_rate(rx1).modulation),
        "rx1_frequency": str(region.rx1_frequency_hz(channel, first.frequency_hz)),
        "rx2_data_rate": rate_document(region.data_rate(rx2).modulation),
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


# --- the session that follows


def start_pending_session(device: Device, request: JoinRequest, answer: JoinAnswer) -> None:
    """What the join accept says holds when the device uses it; the caller saves."""
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


def asked_message(request: JoinRequest) -> Document:
    """A JoinRequest as events carry it."""
    return {
        "raw_payload": base64_text(request.phy),
        "payload": join_payload(request.phy, request.frame),
        "dev_addr": request.dev_addr,
        "selected_mac_version": request.mac_version,
        "net_id": request.net_id,
        **_join_settings(request),
        "correlation_ids": request.correlation_ids,
    }
