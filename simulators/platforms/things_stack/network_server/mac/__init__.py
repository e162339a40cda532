"""MAC commands of devices: what each one changes, and what is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.lorawan import mac_commands as mac
from simulators.lorawan.mac_commands import MacCommand
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac import (
    adr_param_setup,
    beacon_freq,
    dev_status,
    device_mode,
    device_time,
    dl_channel,
    duty_cycle,
    link_adr,
    link_check,
    new_channel,
    ping_slot_channel,
    ping_slot_info,
    rejoin_param_setup,
    rekey,
    reset,
    rx_param_setup,
    rx_timing_setup,
    tx_param_setup,
)
from simulators.platforms.things_stack.network_server.mac.documents import cid_name
from simulators.platforms.things_stack.network_server.mac.handling import STICKY, Handling
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack


def _ignored(handling: Handling, command: MacCommand) -> None:
    """The stack reads BeaconTimingReq and does nothing."""


_HANDLERS: dict[type[MacCommand], Callable[[Handling, Any], None]] = {
    mac.ADRParamSetupAns: adr_param_setup.handle,
    mac.BeaconFreqAns: beacon_freq.handle,
    mac.BeaconTimingReq: _ignored,
    mac.DevStatusAns: dev_status.handle,
    mac.DeviceModeInd: device_mode.handle,
    mac.DeviceTimeReq: device_time.handle,
    mac.DlChannelAns: dl_channel.handle,
    mac.DutyCycleAns: duty_cycle.handle,
    mac.LinkADRAns: link_adr.handle,
    mac.LinkCheckReq: link_check.handle,
    mac.NewChannelAns: new_channel.handle,
    mac.PingSlotChannelAns: ping_slot_channel.handle,
    mac.PingSlotInfoReq: ping_slot_info.handle,
    mac.RejoinParamSetupAns: rejoin_param_setup.handle,
    mac.RekeyInd: rekey.handle,
    mac.ResetInd: reset.handle,
    mac.RXParamSetupAns: rx_param_setup.handle,
    mac.RXTimingSetupAns: rx_timing_setup.handle,
    mac.TxParamSetupAns: tx_param_setup.handle,
}
_BEGUN_BY_DEVICES = (
    mac.BeaconTimingReq,
    mac.DeviceModeInd,
    mac.DeviceTimeReq,
    mac.LinkCheckReq,
    mac.PingSlotInfoReq,
    mac.RekeyInd,
    mac.ResetInd,
)
_RECENT = "recent_mac_command_identifiers"


def forget_answers(device: Device) -> None:
    """What was not said in the windows of an uplink is not said after the next one."""
    if not device.is_resting and device.mac_state.pop("queued_responses", None):
        device.save()


def handle_commands(
    stack: Stack, device: Device, commands: list[MacCommand], info: UplinkInfo, now_us: int
) -> None:
    """Carry out what an uplink that is not a repetition carries."""
    handling = Handling(stack, device, info, now_us)
    handled = []
    for command in _without_copies(device, commands):
        _HANDLERS[type(command)](handling, command)
        if handling.has_failed:
            break  # who is wrong once is not believed in the rest either
        handled.append(cid_name(command))
    device.mac_state[_RECENT] = handled
    device.save()


def is_begun_by_device(command: MacCommand) -> bool:
    """Whether a command of a device is no answer."""
    return isinstance(command, _BEGUN_BY_DEVICES)


def answer_again(
    stack: Stack, device: Device, commands: list[MacCommand], info: UplinkInfo, now_us: int
) -> None:
    """Carry out what a repetition asks; what it answers was heard the first time."""
    handling = Handling(stack, device, info, now_us)
    for command in filter(is_begun_by_device, commands):
        _HANDLERS[type(command)](handling, command)
        device.save()


def _without_copies(device: Device, commands: list[MacCommand]) -> list[MacCommand]:
    """From 1.0.2 on all LinkADRAns of a frame are the same answer to one block."""
    if device.version() < MacVersion.V1_0_2:
        return commands
    kept: list[MacCommand] = []
    for command in commands:
        if not (kept and kept[-1] == command and isinstance(command, mac.LinkADRAns)):
            kept.append(command)
    return kept


def close_uplink(stack: Stack, device: Device, info: UplinkInfo, now_us: int) -> None:
    """What is over with an uplink: requests that it did not answer, and what was repeated."""
    if device.is_resting:
        return
    state = device.mac_state
    if _RECENT in state and not _carries_commands(info):
        del state[_RECENT]
        device.save()
    if "pending_requests" in state:
        unanswered = {"commands": state.pop("pending_requests")}
        Handling(stack, device, info, now_us).publish("ns.mac.command.unanswered", unanswered)
        device.save()
    if device.document.get("supports_class_b"):
        device_mode.follow_bit(stack, device, info, now_us)


def _carries_commands(info: UplinkInfo) -> bool:
    frame = info.frame
    return bool(frame.f_opts or (frame.f_port == 0 and frame.frm_payload))


def is_repeating(device: Device) -> bool:
    """Whether the device repeats an answer until it hears a downlink."""
    recent = device.mac_state.get(_RECENT)
    return recent is not None and any(cid in STICKY for cid in recent)
