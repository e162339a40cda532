"""Defects of what a device's settings come to: ADR, the second window, shared addresses."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulators.lorawan.frames import DataFrame
from simulators.lorawan.mac_commands import (
    LinkADRReq,
    MacCommand,
    NewChannelReq,
    RXTimingSetupReq,
)
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import body_without, with_body
from simulators.platforms.things_stack.deviations.deviation import Deviation, Setup
from simulators.platforms.things_stack.deviations.hooks import (
    on_data,
    on_schedule,
    on_up,
    on_uplink,
    on_uplink_message,
    sign,
    with_commands,
    with_request,
    without_command,
)
from simulators.platforms.things_stack.messages import Downlink, Scheduled, Up, Uplink
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.downlinks import DataDownlink
from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_SET = ("NsEndDeviceRegistry/Set",)
_LINK_CHECK = b"\x02"


def _without_setting(sentence: str, *path: str) -> Deviation:
    """The Network Server overlooks a MAC setting that a call sets."""
    return Deviation(sentence, rpcs=_SET, before=body_without("end_device", "mac_settings", *path))


def _adapting_all_the_same(device: Device, frame: DataFrame, _: Uplink) -> None:
    settings = device.document.get("mac_settings", {})
    if frame.adr and "disabled" in settings.get("adr", {}):
        settings["adr"] = {"dynamic": {}}


def _status_seldom(document: Document) -> Document:
    settings = document["end_device"].get("mac_settings", {})
    if settings.get("status_count_periodicity"):
        del settings["status_count_periodicity"]
    return document


def _answered(before: bytes, after: bytes) -> Setup:
    """An answer of devices is read as another one."""

    def changed(device: Device, frame: DataFrame, uplink: Uplink) -> None:
        if frame.f_opts == before:
            sign(device, frame, uplink, uplink.phy[:8] + after + uplink.phy[10:-4])

    return on_data(changed)


def _margin_of_the_first(core: Core) -> None:
    heard: set[bytes] = set()

    def changed(_: Stack, uplink: Uplink) -> Uplink:
        if uplink.phy in heard and uplink.phy[8:9] == _LINK_CHECK:
            uplink.metadata.pop("snr", None)
        heard.add(uplink.phy)
        return uplink

    on_uplink(changed)(core)


def _given_up_silently(core: Core) -> None:
    sent = core.stack.network.downlinks.sent
    tell = sent.tell_application

    def changed(device: Device, kind: str, *more: Any) -> None:
        if kind != "downlink_nack":
            tell(device, kind, *more)

    sent.tell_application = changed  # type: ignore[assignment, method-assign]


def _worst_first(request: Document) -> None:
    request["downlink_paths"] = request["downlink_paths"][::-1]


def _still_encrypted(up: Up) -> list[Up]:
    if up.kind == "downlink_sent":
        payload = base64.b64decode(up.message.get("frm_payload", ""))
        up.message["frm_payload"] = base64.b64encode(payload[::-1]).decode()
    return [up]


def _in_class_c(document: Document) -> Document:
    paths = document.get("field_mask", {}).get("paths", [])
    if "session.dev_addr" in paths and "supports_class_b" not in paths:
        document["end_device"]["supports_class_c"] = True
        paths.append("supports_class_c")
    return document


def _of_the_newest(device: Device, _: DataFrame, __: Uplink) -> None:
    device.traffic.packed = device.traffic.packed[:0]


def _at_full_power(found: list[MacCommand]) -> list[MacCommand]:
    return [
        replace(each, tx_power_index=0) if isinstance(each, LinkADRReq) else each for each in found
    ]


def _with_known_channel(found: list[MacCommand]) -> list[MacCommand]:
    """Where something else is set up."""
    is_setting_up = any(isinstance(each, RXTimingSetupReq) for each in found)
    return [*found, NewChannelReq(3, 867_100_000, 0, 5)] if is_setting_up else found


def _spoken_to_at(name: str, frequency: Callable[[Document], Any]) -> Setup:
    """RX2 of a class has a frequency that follows from the MAC state."""

    def changed(
        stack: Stack, downlink: Downlink, schedule: Callable[[Downlink], Scheduled]
    ) -> Scheduled:
        if isinstance(downlink, DataDownlink) and downlink.request.get("class", "CLASS_A") == name:
            device = stack.network.devices.by_number(downlink.number)
            if device is not None and "rx2_frequency" in downlink.request:
                downlink.request["rx2_frequency"] = frequency(device.mac_state)
        return schedule(downlink)

    return on_schedule(changed)


def _first_of_address(core: Core) -> None:
    devices = core.stack.network.devices
    by_address = devices.by_address
    devices.by_address = lambda dev_addr: by_address(dev_addr)[:1]  # type: ignore[method-assign]


def _old_delay(device: Device, _: DataFrame, __: Uplink) -> None:
    before, begun = (device.state.get(name) for name in ("mac_state", "pending_mac_state"))
    if before and begun:
        begun["current_parameters"]["rx1_delay"] = before["current_parameters"]["rx1_delay"]


DEVIATIONS: dict[str, Deviation] = {
    "adr-static-power-lost": _without_setting(
        "The power that adr.static chooses is overlooked.", "adr", "static", "tx_power_index"
    ),
    "adr-disabled-overlooked": Deviation(
        "Devices whose settings disable ADR are asked to adapt.",
        setup=on_data(_adapting_all_the_same),
    ),
    "adr-limit-overlooked": _without_setting(
        "ADR goes beyond max_data_rate_index.", "adr", "dynamic", "max_data_rate_index"
    ),
    "adr-at-full-power": Deviation(
        "ADR never lowers the power.", setup=with_commands(_at_full_power)
    ),
    "adr-margin-overlooked": _without_setting(
        "ADR works with a margin of its own.", "adr", "dynamic", "margin"
    ),
    "adr-of-the-newest": Deviation(
        "ADR looks at the newest uplink alone.", setup=on_data(_of_the_newest)
    ),
    "class-c-moves-at-once": Deviation(
        "Class C is spoken to at the wanted frequency before it has agreed to it.",
        setup=_spoken_to_at("CLASS_C", lambda state: state["desired_parameters"]["rx2_frequency"]),
    ),
    "class-c-never-moves": Deviation(
        "Class C is spoken to at the band's frequency, whatever it has agreed to.",
        setup=_spoken_to_at("CLASS_C", lambda state: "869525000"),
    ),
    "address-of-one": Deviation(
        "Of devices with the same address one alone is heard.", setup=_first_of_address
    ),
    "join-keeps-delay": Deviation(
        "After another join RX1 has the delay of the session before.", setup=on_data(_old_delay)
    ),
    "device-status-once": Deviation(
        "status_count_periodicity is overlooked.", rpcs=_SET, before=with_body(_status_seldom)
    ),
    "rx-param-half-agreed": Deviation(
        "RXParamSetupAns counts as agreement though it refuses the data rate.",
        setup=_answered(b"\x05\x05", b"\x05\x07"),
    ),
    "link-adr-half-agreed": Deviation(
        "LinkADRAns counts as agreement though it refuses the power.",
        setup=_answered(b"\x03\x03", b"\x03\x07"),
    ),
    "link-check-of-the-first": Deviation(
        "LinkCheckAns tells the margin of the first reception.", setup=_margin_of_the_first
    ),
    "duty-cycle-not-set-up": Deviation(
        "DutyCycleReq is never sent.", setup=without_command("DutyCycleReq")
    ),
    "factory-channels-set-up": Deviation(
        "Devices are asked to add channels that they have from the factory.",
        setup=with_commands(_with_known_channel),
    ),
    "class-not-confirmed": Deviation(
        "DeviceModeInd is not answered.", setup=without_command("DeviceModeConf")
    ),
    "nonces-never-reset": Deviation(
        "resets_join_nonces is overlooked.",
        rpcs=("JsEndDeviceRegistry/Set",),
        before=body_without("end_device", "resets_join_nonces"),
    ),
    "join-by-worst-gateway": Deviation(
        "Join accepts go through the gateway that heard the request worst.",
        setup=with_request(_worst_first, is_join=True),
    ),
    "class-c-gives-up-silently": Deviation(
        "Applications are not told of downlinks of class C that nothing answers.",
        setup=_given_up_silently,
    ),
    "network-untold": Deviation(
        "Uplinks do not tell the network's identifiers.",
        setup=on_uplink_message(lambda message, _: message.pop("network_ids", None)),
    ),
    "sent-downlinks-encrypted": Deviation(
        "Downlinks that were sent are told with another payload.", setup=on_up(_still_encrypted)
    ),
    "class-c-for-all": Deviation(
        "Every device counts as one of class C.", rpcs=_SET, before=with_body(_in_class_c)
    ),
    "rx2-moves-at-once": Deviation(
        "RX2 of class A is used as it is wanted before the device has agreed to it.",
        setup=_spoken_to_at("CLASS_A", lambda state: state["desired_parameters"]["rx2_frequency"]),
    ),
}
