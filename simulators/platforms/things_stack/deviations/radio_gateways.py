"""Defects of how gateways are treated: their datagrams, their ports, their limits."""

from __future__ import annotations

from typing import Any

import orjson

from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import body_without, with_body
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.hooks import on_uplink_message
from simulators.platforms.things_stack.gateway_server.semtech_udp import PUSH_DATA

Document = dict[str, Any]
_HEAD = 12
_UPDATE = ("GatewayRegistry/Update",)


def _to_the_last_port(core: Core) -> None:
    gateways = core.stack.gateways
    datagram = gateways.datagram
    forwarders = gateways._semtech._forwarders

    def changed(data: bytes, address: Any, now_us: int) -> None:
        datagram(data, address, now_us)
        forwarder = forwarders.get(data[4:_HEAD])
        if data[3] == PUSH_DATA and forwarder is not None and forwarder._pull is not None:
            forwarder._pull = (address, *forwarder._pull[1:])

    gateways.datagram = changed  # type: ignore[method-assign]


def _first_frame(core: Core) -> None:
    gateways = core.stack.gateways
    datagram = gateways.datagram

    def changed(data: bytes, address: Any, now_us: int) -> None:
        if data[3] == PUSH_DATA:
            body = orjson.loads(data[_HEAD:])
            body["rxpk"] = body.get("rxpk", [])[:1]
            data = data[:_HEAD] + orjson.dumps(body)
        datagram(data, address, now_us)

    gateways.datagram = changed  # type: ignore[method-assign]


def _without_places(message: Document, _: Any) -> None:
    message["rx_metadata"] = [
        {name: value for name, value in each.items() if name != "location"}
        for each in message["rx_metadata"]
    ]


def _public(document: Document) -> Document:
    document["gateway"]["location_public"] = True
    return document


DEVIATIONS: dict[str, Deviation] = {
    "downlinks-to-the-last-port": Deviation(
        "Downlinks go to the port that a gateway has spoken from last.", setup=_to_the_last_port
    ),
    "first-frame-of-a-datagram": Deviation(
        "Of several frames in a datagram the first alone counts.", setup=_first_frame
    ),
    "constraint-overlooked": Deviation(
        "Gateways that must not send are asked to.",
        rpcs=_UPDATE,
        before=body_without("gateway", "downlink_path_constraint"),
    ),
    "place-of-gateways-untold": Deviation(
        "Uplinks do not tell where gateways are.", setup=on_uplink_message(_without_places)
    ),
    "place-of-all-gateways": Deviation(
        "Uplinks tell where all gateways are.", rpcs=_UPDATE, before=with_body(_public)
    ),
}
