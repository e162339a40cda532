"""From a join accept that was found right to a session: keys, counters, settings, channels."""

from __future__ import annotations

from functools import lru_cache
from sys import intern

from simulators.devices.lorawan.mac_queue import MacQueue
from simulators.devices.lorawan.parameters import Parameters, channel_set
from simulators.devices.lorawan.session import DeviceSession
from simulators.devices.lorawan.state import NOTHING, Abp, NodeState, Otaa
from simulators.lorawan.cf_list import Frequencies, decode_cf_list
from simulators.lorawan.crypto import Session
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import JoinAccept
from simulators.lorawan.keys import Attempt, derive_session_keys
from simulators.lorawan.mac_commands import DeviceModeInd, MacCommand, RekeyInd, ResetInd, encode
from simulators.lorawan.regions.region import Rx2
from simulators.lorawan.versions import MacVersion

CLASSES = "ABC"
OLD_NETWORK = MacVersion.V1_0_3  # what a 1.1 device speaks to a network that knows no 1.1


def start_session(
    node: NodeState, accept: JoinAccept, attempt: Attempt, channel: int, data_rate: int
) -> str:
    """
    The session that a join accept begins; everything that an earlier network set is forgotten.

    Args:
        channel, data_rate: those of the request.
    Returns:
        A remark for people on what of the join accept was ignored; else nothing.
    """
    renew_keys(node, accept, attempt)
    settings = node.settings
    parameters = Parameters(node.region.joined(channel), data_rate, channel_set(settings))
    if settings.data_rate is not None:
        parameters.data_rate = settings.data_rate
    parameters.rx1_delay_s = accept.rx_delay_s
    parameters.rx1_offset = accept.rx1_data_rate_offset
    parameters.rx2 = _rx2(parameters.rx2.frequency_hz, accept.rx2_data_rate_index)
    node.parameters = parameters
    node.join_budget = None
    node.tally.joins += 1
    return _add_channels(parameters, accept.cf_list) if accept.cf_list else ""


@lru_cache(maxsize=1024)
def _rx2(frequency_hz: int, data_rate: int) -> Rx2:
    """One value for all devices of a network."""
    return Rx2(frequency_hz, data_rate)


def common_version(version: MacVersion, accept: JoinAccept) -> MacVersion:
    """What a device of that version and the network that has accepted it both speak."""
    return OLD_NETWORK if version >= MacVersion.V1_1 and not accept.opt_neg else version


def renew_keys(node: NodeState, accept: JoinAccept, attempt: Attempt) -> None:
    """New keys, counters and address; what concerns the radio stays as it is."""
    identity, settings = node.identity, node.settings
    assert isinstance(identity, Otaa)
    version = common_version(settings.version, accept)
    is_1_1 = version >= MacVersion.V1_1
    crypto = Session(
        accept.dev_addr,
        derive_session_keys(identity.root, attempt, accept),
        is_1_1=is_1_1,
        f_opts_cipher=settings.f_opts_cipher,
    )
    node.session = DeviceSession(
        crypto, version, f_cnt_up=settings.first_f_cnt, net_id=intern(accept.net_id)
    )
    node.nonces.join_nonce = accept.join_nonce
    _begin(node, [RekeyInd()] if is_1_1 else [])
    node.unconfirmed_rekeys = 0 if is_1_1 else NOTHING


def personalise(node: NodeState) -> None:
    """The session that a device has from the factory; one of 1.1 says that it begins anew."""
    identity, settings = node.identity, node.settings
    assert isinstance(identity, Abp)
    is_1_1 = settings.version >= MacVersion.V1_1
    crypto = Session(
        identity.dev_addr, identity.keys, is_1_1=is_1_1, f_opts_cipher=settings.f_opts_cipher
    )
    node.session = DeviceSession(crypto, settings.version, f_cnt_up=settings.first_f_cnt)
    _begin(node, [ResetInd()] if is_1_1 else [])


def _begin(node: NodeState, indications: list[MacCommand]) -> None:
    node.queue = MacQueue(node.settings.sticky)
    node.adr_count = 0
    node.ack_due = NOTHING
    for indication in indications:
        node.queue.put(encode(indication))
    if node.settings.device_class == "C":
        change_class(node, "C")


def change_class(node: NodeState, device_class: str) -> None:
    """Be of another class from now on; from 1.1 on the network is told, until it has confirmed."""
    node.device_class = device_class
    session = node.session
    if session is not None and session.version >= MacVersion.V1_1 and device_class != "B":
        node.queue.put(encode(DeviceModeInd(CLASSES.index(device_class))))
    node.tell("none", {"type": "class", "class": device_class})


def _add_channels(parameters: Parameters, data: bytes) -> str:
    region = parameters.region
    try:
        cf_list = decode_cf_list(data)
    except LoRaWanError as error:
        return f"CFList ignored: {error}"
    cf_list_type = 0 if isinstance(cf_list, Frequencies) else 1
    if cf_list_type != region.cf_list_type:
        return f"CFList ignored: type {cf_list_type} in {region.name}"
    if isinstance(cf_list, Frequencies):
        for index, channel in region.cf_list_channels(cf_list.frequencies_hz).items():
            parameters.plan = parameters.plan.with_channel(index, channel)
            parameters.enabled |= 1 << index
        return ""
    enabled = sum(1 << channel for channel in cf_list.channels) & parameters.plan.defined
    if not enabled:
        return "CFList ignored: no channel is left"
    parameters.enabled = enabled
    return ""
