"""Defects of regions other than EU868."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.lorawan.frames import DataFrame, decode
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.deviation import Deviation, Setup
from simulators.platforms.things_stack.deviations.hooks import (
    Asked,
    on_join,
    on_uplink,
    with_request,
    without_command,
)
from simulators.platforms.things_stack.messages import JoinAnswer, Uplink
from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_EUROPE_HZ = range(863_000_000, 870_000_001)
_MASKS = 1  # the last byte of a CFList of channel masks


def _dr0(_: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    is_elsewhere = asked.rx2_data_rate_index in (2, 8)
    found: JoinAnswer = answer(asked._replace(rx2_data_rate_index=0) if is_elsewhere else asked)
    return found


def _without_masks(_: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    has_masks = bool(asked.cf_list) and asked.cf_list[-1] == _MASKS
    found: JoinAnswer = answer(asked._replace(cf_list=b"") if has_masks else asked)
    return found


def _first_channel(request: Document) -> None:
    lora = request.get("rx1_data_rate", {}).get("lora", {})
    if lora.get("bandwidth") == 500_000:
        request["rx1_frequency"] = "923300000"


def _second_channel(request: Document) -> None:
    if request.get("rx2_frequency") == "923300000":
        request["rx2_frequency"] = "923900000"


def _slower(request: Document) -> None:
    lora = request.get("rx1_data_rate", {}).get("lora", {})
    if request.get("rx1_frequency") == "923200000" and lora.get("spreading_factor") == 10:
        request["rx1_data_rate"] = {"lora": {**lora, "spreading_factor": 11}}


def _of_both(change: Callable[[Document], None]) -> Setup:
    def setup(core: Core) -> None:
        for is_join in (False, True):
            with_request(change, is_join=is_join)(core)

    return setup


def _from_0_only(stack: Stack, uplink: Uplink) -> Uplink | None:
    """The first uplink of a session has to have the counter 0, outside of Europe."""
    frame = decode(uplink.phy)
    if not isinstance(frame, DataFrame) or uplink.frequency_hz in _EUROPE_HZ or not frame.f_cnt:
        return uplink
    devices = stack.network.devices.by_address(frame.dev_addr.upper())
    return None if any("pending_session" in each.state for each in devices) else uplink


DEVIATIONS: dict[str, Deviation] = {
    "region-rx2-of-europe": Deviation(
        "Join accepts name DR0 for RX2 in every region.", setup=on_join(_dr0)
    ),
    "region-without-channel-masks": Deviation(
        "Join accepts list no channel masks.", setup=on_join(_without_masks)
    ),
    "region-one-channel-down": Deviation(
        "RX1 of US915 and AU915 is always on the first channel.", setup=_of_both(_first_channel)
    ),
    "region-rx2-on-second-channel": Deviation(
        "RX2 of US915 and AU915 is on the second channel.", setup=with_request(_second_channel)
    ),
    "region-counter-from-0": Deviation(
        "Outside of Europe a session has to begin with the counter 0.",
        setup=on_uplink(_from_0_only),
    ),
    "dwell-not-told": Deviation(
        "TxParamSetupReq is never sent.", setup=without_command("TxParamSetupReq")
    ),
    "dwell-bounds-nothing": Deviation(
        "RX1 of AS923 is as slow as its offset makes it, whatever the limit is.",
        setup=with_request(_slower),
    ),
}
