"""Defects of what Basics Stations are told, and of what is made of their words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Effects, SocketText
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnEffects, Setup
from simulators.platforms.things_stack.deviations.hooks import Schedule, on_schedule
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server.gateways import Gateway
from simulators.platforms.things_stack.messages import Downlink as Asked
from simulators.platforms.things_stack.messages import Scheduled
from simulators.platforms.things_stack.stack import Stack
from simulators.transports.websocket import Refusal
from simulators.wire.basics_station.coding import encode
from simulators.wire.basics_station.messages import Downlink, Transmitted

Document = dict[str, Any]
_COUNT = (1 << 48) - 1


def _told(kind: str, change: Callable[[Document], Document | None]) -> OnEffects:
    """Messages of a kind are told otherwise, or not at all; "" is the answer to discovery."""

    def changed(effects: Effects) -> Effects:
        found = []
        for effect in effects:
            if isinstance(effect, SocketText):
                document = json.loads(effect.text)
                if document.get("msgtype", "") == kind:
                    told = change(document)
                    if told is None:
                        continue
                    effect = replace(effect, text=json.dumps(told))
            found.append(effect)
        return found

    return changed


def _configured(**values: Any) -> OnEffects:
    return _told("router_config", lambda found: {**found, **values})


def _heard(kind: str, change: Callable[[Document], Document | None]) -> Setup:
    """The server sees other messages of a kind than stations sent, or none."""

    def setup(core: Core) -> None:
        stations = core.stack.gateways.stations
        heard = stations.text

        def changed(socket_id: int, text: str, now_us: int) -> None:
            document = json.loads(text)
            if isinstance(document, dict) and document.get("msgtype") == kind:
                document = change(document)
            if document is not None:
                heard(socket_id, json.dumps(document), now_us)

        stations.text = changed  # type: ignore[method-assign]

    return setup


def _any_right(core: Core) -> None:
    """A key has to be somebody's, no more."""
    stations = core.stack.gateways.stations
    authorize = stations.authorize

    def changed(gateway: Gateway, authorization: str | None, now_us: int) -> None:
        if authorization is None:
            authorize(gateway, authorization, now_us)
        else:
            core.stack.identity.callers.caller(authorization, gateway.tenant, now_us)

    stations.authorize = changed  # type: ignore[method-assign]


def _strangers(core: Core) -> None:
    stations = core.stack.gateways.stations
    opened = stations.opened

    def changed(
        socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Refusal | None:
        refusal = opened(socket_id, path, headers, now_us)
        return None if refusal is not None and refusal.status == 404 else refusal

    stations.opened = changed  # type: ignore[method-assign]


def _sent_at_once(core: Core) -> None:
    stations = core.stack.gateways.stations
    send = stations.send

    def changed(socket_id: int, message: Any) -> None:
        send(socket_id, message)
        if isinstance(message, Downlink):
            told = encode(Transmitted(message.diid, 0, 0, message.dev_eui, message.xtime))
            core.stack.agenda.at(0, lambda now_us: stations.text(socket_id, told, now_us))

    stations.send = changed  # type: ignore[method-assign]


def _answers_only(stack: Stack, downlink: Asked, schedule: Schedule) -> Scheduled:
    """Whoever has a station is not spoken to unasked."""
    has_stations = bool(stack.gateways.stations._sockets)
    if has_stations and downlink.request.get("class") == "CLASS_C":
        raise StackError("pkg/gatewayserver:schedule")
    return schedule(downlink)


def _half_a_second_late(found: Document) -> Document:
    return found | {"gpstime": found["gpstime"] + 500_000} if found.get("dC") == 1 else found


def _without_last_channel(found: Document) -> Document:
    boards = [{**each, "chan_multiSF_7": {"enable": False}} for each in found["sx1301_conf"]]
    return {**found, "sx1301_conf": boards}


def _slow(found: Document) -> Document:
    return {**found, "RxDelay": found["RxDelay"] + 2}


def _without_session(found: Document) -> Document:
    return {**found, "xtime": found["xtime"] & _COUNT}


def _timed(found: Document) -> Document:
    info = found["upinfo"]
    return {**found, "upinfo": {**info, "xtime": info["xtime"] or 1 << 48}}


def _without_strength(found: Document) -> Document:
    return {**found, "upinfo": {**found["upinfo"], "rssi": -120}}


def _without_single_channels(found: Document) -> Document:
    boards = [
        {name: value for name, value in each.items() if name not in ("chan_Lora_std", "chan_FSK")}
        for each in found["sx1301_conf"]
    ]
    return {**found, "sx1301_conf": boards}


DEVIATIONS: dict[str, Deviation] = {
    "station-discovery-unnamed": Deviation(
        "Discovery does not say which station is answered.",
        effects=_told("", lambda found: {**found, "router": "::0"}),
    ),
    "stations-without-key": Deviation(
        "Stations need no key.", policy={"admits_unauthenticated_stations": True}
    ),
    "stations-with-any-key": Deviation(
        "Stations may have any key, whoever's and whatever its rights are.", setup=_any_right
    ),
    "stations-of-strangers": Deviation(
        "Stations that nobody has registered are let in.", setup=_strangers
    ),
    "station-not-configured": Deviation(
        "A station's version is not answered.",
        effects=_told("router_config", lambda found: None),
    ),
    "station-region-by-band": Deviation(
        "router_config names the band, not a region.", effects=_configured(region="EU_863_870")
    ),
    "station-data-rates-reversed": Deviation(
        "Data rates of router_config begin with the fastest.",
        effects=_told("router_config", lambda found: {**found, "DRs": found["DRs"][5::-1]}),
    ),
    "station-last-channel-off": Deviation(
        "A station does not listen to the last channel of its plan.",
        effects=_told("router_config", _without_last_channel),
    ),
    "station-range-narrow": Deviation(
        "freq_range is that of the first three channels.",
        effects=_configured(freq_range=[868_000_000, 868_600_000]),
    ),
    "station-hwspec-two-boards": Deviation(
        "hwspec is for two boards, whatever a plan needs.", effects=_configured(hwspec="sx1301/2")
    ),
    "station-filters-joins": Deviation(
        "Stations are told to hear the devices of one JoinEUI.",
        effects=_configured(JoinEui=[[1, 1]]),
    ),
    "station-without-duty-cycle": Deviation(
        "Every station is told that it has no duty cycle.", effects=_configured(nodc=True)
    ),
    "station-downlinks-late": Deviation(
        "Stations are to send two seconds after the first window.",
        effects=_told("dnmsg", _slow),
    ),
    "station-session-forgotten": Deviation(
        "Downlinks do not say which start of the radio they are for.",
        effects=_told("dnmsg", _without_session),
    ),
    "station-uplinks-lost": Deviation(
        "Uplinks with a port are lost when a station heard them.",
        setup=_heard("updf", lambda found: None if found["FPort"] >= 0 else found),
    ),
    "station-strength-made-up": Deviation(
        "Every frame of a station was heard with -120 dBm.",
        setup=_heard("updf", _without_strength),
    ),
    "station-downlinks-to-nobody": Deviation(
        "Downlinks for stations have no DevEui.",
        effects=_told("dnmsg", lambda found: {key: found[key] for key in found if key != "DevEui"}),
    ),
    "station-dntxed-overlooked": Deviation(
        "dntxed is overlooked.", setup=_heard("dntxed", lambda found: None)
    ),
    "station-sent-at-once": Deviation(
        "A downlink counts as sent as soon as a station has it.", setup=_sent_at_once
    ),
    "station-class-c-lost": Deviation(
        "Stations get downlinks in answer to an uplink only.", setup=on_schedule(_answers_only)
    ),
    "station-untimed-taken": Deviation(
        "Uplinks without xtime are taken.", setup=_heard("updf", _timed)
    ),
    "station-time-utc": Deviation(
        "timesync tells UTC, without leap seconds.",
        effects=_told(
            "timesync", lambda found: {**found, "gpstime": found["gpstime"] - 18_000_000}
        ),
    ),
    "station-times-late": Deviation(
        "Stations are told times half a second late.",
        effects=_told("dnmsg", _half_a_second_late),
    ),
    "station-single-channels-untold": Deviation(
        "Stations are not told of the channels for one data rate.",
        effects=_told("router_config", _without_single_channels),
    ),
    "station-downlinks-alike": Deviation(
        "All downlinks of a station have the same diid.",
        effects=_told("dnmsg", lambda found: {**found, "diid": 1}),
    ),
}
