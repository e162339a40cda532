"""Defects of simulated uplinks and of formatters."""

from __future__ import annotations

import re
from typing import Any

from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import (
    body_without,
    with_body,
    with_member,
    with_status,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.hooks import on_event, without_event
from simulators.platforms.things_stack.identity.entities import uid

Document = dict[str, Any]
_SIMULATE = ("AppAs/SimulateUplink",)
_FORWARDED = "as.up.data.forward"
_SETTINGS: Document = {
    "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
    "frequency": "868100000",
}


def _without(*path: str) -> Any:
    """Forwarded uplinks lack a member."""

    def change(name: str, data: Any) -> Any:
        if name != _FORWARDED:
            return data
        if len(path) == 1:
            return {each: value for each, value in data.items() if each != path[0]}
        inner = {each: value for each, value in data[path[0]].items() if each != path[1]}
        return {**data, path[0]: inner}

    return change


def _tenfold(name: str, data: Any) -> Any:
    decoded = data["uplink_message"].get("decoded_payload") if name == _FORWARDED else None
    if not decoded:
        return data
    numbers = {
        each: value * 10 if isinstance(value, float) else value for each, value in decoded.items()
    }
    return {**data, "uplink_message": {**data["uplink_message"], "decoded_payload": numbers}}


def _to_microseconds(name: str, data: Any) -> Any:
    if name != _FORWARDED:
        return data
    metadata = [
        {**each, "time": re.sub(r"(\.\d{6})\d+Z$", r"\1Z", each["time"])}
        if "time" in each
        else each
        for each in data["uplink_message"].get("rx_metadata", ())
    ]
    return {**data, "uplink_message": {**data["uplink_message"], "rx_metadata": metadata}}


def _with_settings(document: Any) -> Any:
    message = document.get("uplink_message", {})
    message["settings"] = {**_SETTINGS, **message.get("settings", {})}
    return document


def _tell_of_unknown(core: Core) -> None:
    """What is forwarded of known devices alone is forwarded of others, too."""
    application = core.stack.application
    simulate = application.upstream.simulate

    def changed(tenant: str, message: Document, now_us: int) -> None:
        ids = message["end_device_ids"]
        owner = uid(tenant, ids["application_ids"]["application_id"])
        simulate(tenant, message, now_us)
        if application.devices.device(tenant, owner, ids["device_id"]) is None:
            application.outputs.tell(_FORWARDED, tenant, message, message, now_us)

    application.upstream.simulate = changed  # type: ignore[method-assign]


DEVIATIONS: dict[str, Deviation] = {
    "simulate-202": Deviation(
        "A simulated uplink is answered with status 202.", rpcs=_SIMULATE, answer=with_status(202)
    ),
    "simulate-unmarked": Deviation(
        "Simulated uplinks look like true ones.", setup=on_event(_without("simulated"))
    ),
    "simulate-takes-simulated": Deviation(
        "A simulated uplink may call itself simulated.",
        rpcs=_SIMULATE,
        before=body_without("simulated"),
    ),
    "simulate-without-settings": Deviation(
        "A simulated uplink needs no data rate and no frequency.",
        rpcs=_SIMULATE,
        before=with_body(_with_settings),
    ),
    "formatter-tenfold": Deviation(
        "Fractions in decoded payloads are ten times too large.", setup=on_event(_tenfold)
    ),
    "formatter-decodes-nothing": Deviation(
        "Decoded payloads are not told.",
        setup=on_event(_without("uplink_message", "decoded_payload")),
    ),
    "formatter-warnings-lost": Deviation(
        "Warnings of formatters are lost.",
        setup=on_event(_without("uplink_message", "decoded_payload_warnings")),
    ),
    "formatter-failure-not-told": Deviation(
        "Applications are not told of formatters that fail.",
        setup=without_event("as.up.data.decode.fail"),
    ),
    "simulate-any-device": Deviation(
        "Simulated uplinks of unknown devices reach the application.", setup=_tell_of_unknown
    ),
    "trial-decodes-nothing": Deviation(
        "An uplink on trial is told without its values.",
        rpcs=("AppAs/DecodeUplink",),
        answer=without("uplink", "decoded_payload"),
    ),
    "trial-encoder-port-lost": Deviation(
        "A downlink on trial keeps the port that it had.",
        rpcs=("AppAs/EncodeDownlink",),
        answer=with_member(2, "downlink", "f_port"),
    ),
    "trial-downlink-undecoded": Deviation(
        "A downlink on trial is told without its values.",
        rpcs=("AppAs/DecodeDownlink",),
        answer=without("downlink", "decoded_payload"),
    ),
    "default-formatters-overlooked": Deviation(
        "Formatters of an application are overlooked.",
        rpcs=("As/SetLink",),
        before=body_without("link", "default_formatters"),
    ),
    "nothing-normalized": Deviation(
        "Normalized payloads are not told.",
        setup=on_event(_without("uplink_message", "normalized_payload")),
    ),
    "normalized-not-told": Deviation(
        "Measurements are not told on their own.", setup=without_event("as.up.normalized.forward")
    ),
    "uplink-times-cut": Deviation(
        "Times of uplinks are told to the microsecond.", setup=on_event(_to_microseconds)
    ),
}
