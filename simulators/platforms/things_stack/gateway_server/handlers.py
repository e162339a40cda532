"""The Gateway Server's part of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server import configuration_files
from simulators.platforms.things_stack.masks import select
from simulators.platforms.things_stack.schema import message

Document = dict[str, Any]

_STATS = message("GatewayConnectionStats")


def get_stats(call: Call) -> Document:
    """How the connection of a gateway is doing."""
    gateway_id = call.message["gateway_id"]
    call.require("gateway", gateway_id, "RIGHT_GATEWAY_STATUS_READ")
    uid = call.uid(gateway_id)
    stats = call.stack.gateways.stats(uid, call.now_us)
    if stats is None:
        raise StackError("pkg/gatewayserver:not_connected", {"gateway_uid": uid})
    return stats


def get_batch_of_stats(call: Call) -> Document:
    """The same of several gateways; those that are not connected are left out."""
    ids = [each["gateway_id"] for each in call.message["gateway_ids"]]
    for gateway_id in ids:
        call.require("gateway", gateway_id, "RIGHT_GATEWAY_STATUS_READ")
    found = (
        (gateway_id, call.stack.gateways.stats(call.uid(gateway_id), call.now_us))
        for gateway_id in ids
    )
    entries = {
        gateway_id: select(_STATS, stats, call.paths) if call.paths else stats
        for gateway_id, stats in found
        if stats is not None
    }
    return {"entries": entries} if entries else {}


HANDLERS: dict[str, Callable[[Call], Document]] = {
    "Gs/BatchGetGatewayConnectionStats": get_batch_of_stats,
    "Gs/GetGatewayConnectionStats": get_stats,
    "GatewayConfigurationService/GetSemtechUDP": configuration_files.get_semtech_udp,
    "GtwGs/GetMQTTConnectionInfo": configuration_files.get_mqtt,
    "GtwGs/GetMQTTV2ConnectionInfo": configuration_files.get_mqtt_v2,
}
