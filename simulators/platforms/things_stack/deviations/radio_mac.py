"""Defects of MAC commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulators.lorawan.frames import DataFrame
from simulators.lorawan.mac_commands import (
    DeviceTimeAns,
    LinkADRReq,
    LinkCheckAns,
    MacCommand,
)
from simulators.platforms.things_stack.deviations.changes import without
from simulators.platforms.things_stack.deviations.deviation import Deviation, Setup
from simulators.platforms.things_stack.deviations.hooks import (
    on_data,
    sign,
    with_commands,
    with_request,
    without_command,
)
from simulators.platforms.things_stack.messages import Uplink
from simulators.platforms.things_stack.network_server.device import Device

_LEAP_S = 18
_ADR_ACK_REQ = 0x40


def _changed(kind: type[MacCommand], change: Callable[[Any], MacCommand]) -> Setup:
    """Commands of a kind say something else."""
    return with_commands(
        lambda found: [change(each) if isinstance(each, kind) else each for each in found]
    )


def _adr_for_all(found: list[MacCommand]) -> list[MacCommand]:
    if any(isinstance(each, LinkADRReq) for each in found):
        return found
    return [*found, LinkADRReq(0, 5, 0x00FF, 1, 0)]


def _deaf_to_adr_ack_req(device: Device, frame: DataFrame, uplink: Uplink) -> None:
    if frame.adr_ack_req:
        message = uplink.phy[:5] + bytes((uplink.phy[5] & ~_ADR_ACK_REQ,)) + uplink.phy[6:-4]
        sign(device, frame, uplink, message)


def _old_delay(request: dict[str, Any]) -> None:
    request["rx1_delay"] = 1


DEVIATIONS: dict[str, Deviation] = {
    "link-check-margin": Deviation(
        "LinkCheckAns tells a margin that is 5 dB too large.",
        setup=_changed(LinkCheckAns, lambda each: replace(each, margin=each.margin + 5)),
    ),
    "link-check-one-gateway": Deviation(
        "LinkCheckAns counts one gateway always.",
        setup=_changed(LinkCheckAns, lambda each: replace(each, gateway_count=1)),
    ),
    "device-time-utc": Deviation(
        "DeviceTimeAns tells UTC, without leap seconds.",
        setup=_changed(DeviceTimeAns, lambda each: replace(each, gps_s=each.gps_s - _LEAP_S)),
    ),
    "device-status-not-asked": Deviation(
        "DevStatusReq is never sent.", setup=without_command("DevStatusReq")
    ),
    "device-status-not-shown": Deviation(
        "The battery of a device is not shown.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=without("battery_percentage"),
    ),
    "adr-never": Deviation("LinkADRReq is never sent.", setup=without_command("LinkADRReq")),
    "adr-for-all": Deviation(
        "Devices without ADR are asked to change their data rate.",
        setup=with_commands(_adr_for_all),
    ),
    "adr-ack-req-overlooked": Deviation(
        "ADRACKReq is not answered.", setup=on_data(_deaf_to_adr_ack_req)
    ),
    "rx-timing-not-set-up": Deviation(
        "RXTimingSetupReq is never sent.", setup=without_command("RXTimingSetupReq")
    ),
    "rx-timing-never-holds": Deviation(
        "RX1 is at 1 s whatever the device has agreed to.", setup=with_request(_old_delay)
    ),
    "rx-param-not-set-up": Deviation(
        "RXParamSetupReq is never sent.", setup=without_command("RXParamSetupReq")
    ),
    "channels-not-set-up": Deviation(
        "NewChannelReq is never sent.", setup=without_command("NewChannelReq")
    ),
    "reset-unanswered": Deviation("ResetInd is not answered.", setup=without_command("ResetConf")),
}
