"""Defects that Join, Network and Application Server have in common when they keep devices."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import (
    with_body,
    with_document,
    with_member,
    with_time_of_creation,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation

_UNMASKED = ("supports_class_c", "formatters", "application_server_id")


def _deletes_nothing(core: Core) -> None:
    """Deletions are answered as if they had been done."""
    stack = core.stack
    for devices in (stack.join.devices, stack.network.devices, stack.application.devices):
        devices.delete = lambda *_: None  # type: ignore[method-assign]


def _with_all_masked(document: Any) -> Any:
    """Fields that the mask leaves out are added to it."""
    given = [name for name in _UNMASKED if name in document.get("end_device", {})]
    mask = document.get("field_mask")
    if given and isinstance(mask, dict):
        mask["paths"] = [*mask.get("paths", ()), *given]
    return document


def _with_mask(document: Any) -> Any:
    if "field_mask" not in document:
        document["field_mask"] = {"paths": [*document.get("end_device", {})]}
    return document


DEVIATIONS: dict[str, Deviation] = {
    "servers-delete-nothing": Deviation(
        "Join, Network and Application Server keep what is deleted.", setup=_deletes_nothing
    ),
    "servers-store-all": Deviation(
        "Join, Network and Application Server store what the mask leaves out.",
        rpcs=tuple(f"{server}EndDeviceRegistry/Set" for server in ("Js", "Ns", "As")),
        before=with_body(_with_all_masked),
    ),
    "network-tells-more": Deviation(
        "The Network Server tells the LoRaWAN version, unasked.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=with_member(lambda version: version or "MAC_V1_0_2", "lorawan_version"),
    ),
    "ns-reset-keeps-counters": Deviation(
        "A reset to factory defaults is answered, but not done.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=with_document(lambda found: {"session": {"last_f_cnt_up": 40}} | found),
    ),
    "device-update-without-mask": Deviation(
        "An update of a device without field mask changes what it names.",
        rpcs=("EndDeviceRegistry/Update",),
        before=with_body(_with_mask),
    ),
    "servers-keep-time": Deviation(
        "Join, Network and Application Server set a device with the time of its creation.",
        rpcs=tuple(f"{server}EndDeviceRegistry/Set" for server in ("Js", "Ns", "As")),
        answer=with_document(with_time_of_creation),
    ),
}
