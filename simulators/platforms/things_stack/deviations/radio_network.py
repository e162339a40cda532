"""Defects in what the network makes of joins, receptions and its gateways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msgspec import structs

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.mac_commands import LinkADRReq, MacCommand
from simulators.platforms.effects import Datagram, Effects
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import without
from simulators.platforms.things_stack.deviations.deviation import Deviation, Setup
from simulators.platforms.things_stack.deviations.hooks import (
    on_data,
    on_event,
    on_uplink,
    on_uplink_message,
    with_commands,
    with_frame,
    with_request,
)
from simulators.platforms.things_stack.messages import Uplink
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_ADR, _SHORT_US = 0x80, 20_000


def _joined_otherwise(change: Callable[[Document], Any]) -> Setup:
    """What a join has agreed on is changed before the device says its first word."""

    def changed(device: Device, _: DataFrame, __: Uplink) -> None:
        state = device.state.get("pending_mac_state")
        if state:
            change(state["current_parameters"])

    return on_data(changed)


def _three_channels(parameters: Document) -> None:
    parameters["channels"] = parameters["channels"][:3]


def _impatient(core: Core) -> None:
    """A copy that comes more than 20 ms after the first is lost."""
    first: dict[bytes, int] = {}

    def changed(_: Stack, uplink: Uplink) -> Uplink | None:
        at_us = first.setdefault(uplink.phy, uplink.received_us)
        return uplink if uplink.received_us - at_us <= _SHORT_US else None

    on_uplink(changed)(core)


def _worst_first(request: Document) -> None:
    request["downlink_paths"] = request["downlink_paths"][::-1]


def _loud(effects: Effects) -> Effects:
    return [
        structs.replace(each, data=each.data.replace(b'"powe":14', b'"powe":24'))
        if isinstance(each, Datagram)
        else each
        for each in effects
    ]


def _not_adapting(message: bytes, _: Session) -> bytes:
    return message[:5] + bytes((message[5] & ~_ADR,)) + message[6:]


def _hesitant(found: list[MacCommand]) -> list[MacCommand]:
    """ADR goes one step less far."""
    return [
        replace(each, data_rate_index=each.data_rate_index - 1)
        if isinstance(each, LinkADRReq) and each.data_rate_index
        else each
        for each in found
    ]


def _without_item(name: str, data: Any) -> Any:
    if name == "as.down.data.failed.forward":
        failed = {**data["downlink_failed"]}
        failed.pop("downlink", None)
        return {**data, "downlink_failed": failed}
    return data


DEVIATIONS: dict[str, Deviation] = {
    "join-delay-forgotten": Deviation(
        "After a join RX1 is at 1 s, whatever the join accept said.",
        setup=_joined_otherwise(lambda agreed: agreed.pop("rx1_delay", None)),
    ),
    "join-channels-forgotten": Deviation(
        "After a join the network listens to the default channels alone.",
        setup=_joined_otherwise(_three_channels),
    ),
    "join-rx2-forgotten": Deviation(
        "After a join RX2 has the band's data rate, whatever the join accept said.",
        setup=_joined_otherwise(lambda agreed: agreed.pop("rx2_data_rate_index", None)),
    ),
    "copies-within-20-ms": Deviation(
        "Copies of a frame that come 20 ms after the first are lost.", setup=_impatient
    ),
    "worst-gateway-answers": Deviation(
        "A downlink goes through the gateway that has heard the device worst.",
        setup=with_request(_worst_first),
    ),
    "downlinks-too-loud": Deviation(
        "Gateways are asked for ten times the power that is lawful.", effects=_loud
    ),
    "airtime-untold": Deviation(
        "Uplinks are told without their airtime.",
        setup=on_uplink_message(lambda message, _: message.pop("consumed_airtime", None)),
    ),
    "last-uplink-untold": Deviation(
        "The statistics of a gateway do not tell when its last uplink came.",
        rpcs=("Gs/GetGatewayConnectionStats",),
        answer=without("last_uplink_received_at"),
    ),
    "adr-bit-never": Deviation(
        "No downlink says that the network adapts the data rate.", setup=with_frame(_not_adapting)
    ),
    "adr-hesitant": Deviation(
        "ADR asks for one data rate less than the margin allows.", setup=with_commands(_hesitant)
    ),
    "counter-not-shown": Deviation(
        "The Network Server does not show the counter of uplinks.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=without("session", "last_f_cnt_up"),
    ),
    "failed-without-item": Deviation(
        "downlink_failed does not tell what has failed.", setup=on_event(_without_item)
    ),
    "uplinks-with-key": Deviation(
        "Uplinks are told with the key of their payload.",
        setup=on_uplink_message(lambda message, _: message.update(app_s_key={"key": "00" * 16})),
    ),
}
