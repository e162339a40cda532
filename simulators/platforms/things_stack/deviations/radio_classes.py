"""Defects of classes B and C, and of multicast."""

from __future__ import annotations

from typing import Any

from simulators.lorawan.frames import CLASS_B, MIC_BYTES, DataFrame
from simulators.platforms.things_stack.deviations.changes import forgiven, with_body
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.hooks import (
    Schedule,
    on_data,
    on_schedule,
    sign,
    with_request,
    without_command,
)
from simulators.platforms.things_stack.messages import Downlink, Scheduled, Uplink
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.downlinks import DataDownlink
from simulators.platforms.things_stack.network_server.transmissions import known_paths
from simulators.platforms.things_stack.stack import Stack
from simulators.platforms.things_stack.times import time_text, unix_us

Document = dict[str, Any]
_PUSH = ("AppAs/DownlinkQueuePush",)
_HALF_SLOT_US, _HALF_SECOND_US = 15_000, 500_000
_F_CTRL = 5


def _heard(device: Device, frame: DataFrame, uplink: Uplink) -> None:
    device.document.pop("multicast", None)


def _late(request: Document) -> None:
    if request.get("class") == "CLASS_B":
        request["absolute_time"] = time_text(unix_us(request["absolute_time"]) + _HALF_SLOT_US)


def _late_in_class_c(request: Document) -> None:
    if request.get("class") == "CLASS_C" and "absolute_time" in request:
        request["absolute_time"] = time_text(unix_us(request["absolute_time"]) + _HALF_SECOND_US)


def _on_first_channel(request: Document) -> None:
    if request.get("class") == "CLASS_B":
        request["rx2_frequency"] = "868100000"


def _always_in_class_b(device: Device, frame: DataFrame, uplink: Uplink) -> None:
    if device.document.get("supports_class_b") and not frame.f_opts:
        phy = uplink.phy
        f_ctrl = bytes((phy[_F_CTRL] | CLASS_B,))
        sign(device, frame, uplink, phy[:_F_CTRL] + f_ctrl + phy[_F_CTRL + 1 : -MIC_BYTES])


def _by_known_paths(stack: Stack, downlink: Downlink, schedule: Schedule) -> Scheduled:
    if isinstance(downlink, DataDownlink):
        device = stack.network.devices.by_number(downlink.number)
        if device is not None and (paths := known_paths(device)):
            downlink.request["downlink_paths"] = paths
    return schedule(downlink)


def _impatient(document: Document) -> Document:
    settings = document["end_device"].get("mac_settings", {})
    if "class_c_timeout" in settings:
        settings["class_c_timeout"] = "0.1s"
    return document


DEVIATIONS: dict[str, Deviation] = {
    "group-without-way-taken": Deviation(
        "A downlink for a group is taken though there is no way to it.",
        rpcs=_PUSH,
        answer=forgiven("pkg/networkserver:no_downlink_path"),
    ),
    "group-confirmed-taken": Deviation(
        "A confirmed downlink for a group is taken.",
        rpcs=_PUSH,
        answer=forgiven("pkg/networkserver:confirmed_multicast_downlink"),
    ),
    "group-heard": Deviation(
        "Frames with a group's address are taken as uplinks.", setup=on_data(_heard)
    ),
    "ping-slots-not-agreed": Deviation(
        "PingSlotInfoReq is not answered.", setup=without_command("PingSlotInfoAns")
    ),
    "ping-slots-half-over": Deviation(
        "Downlinks of class B begin in the middle of a slot.", setup=with_request(_late)
    ),
    "ping-slots-on-first-channel": Deviation(
        "Downlinks of class B are sent at 868.1 MHz.", setup=with_request(_on_first_channel)
    ),
    "class-b-unasked": Deviation(
        "Whoever may be in class B counts as being in it.", setup=on_data(_always_in_class_b)
    ),
    "named-gateway-overlooked": Deviation(
        "Downlinks go through the gateway that heard the device, whichever they name.",
        setup=on_schedule(_by_known_paths),
    ),
    "class-c-timeout-overlooked": Deviation(
        "Confirmed downlinks of class C wait a tenth of a second for each other.",
        rpcs=("NsEndDeviceRegistry/Set",),
        before=with_body(_impatient),
    ),
    "class-c-times-late": Deviation(
        "What is asked for at a time is sent half a second later.",
        setup=with_request(_late_in_class_c),
    ),
}
