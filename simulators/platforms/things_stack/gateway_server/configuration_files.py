"""
What a gateway's owner puts on it: the packet forwarder's configuration, and where MQTT would be.

Source: Lora-net/packet_forwarder 4.0.1, global_conf.json; The Things Stack, pkg/pfconfig.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.gateway_server.gateways import Gateway, Registry
from simulators.platforms.things_stack.gateway_server.station_config import router_config
from simulators.wire.basics_station.router_config import encode_router_config

Document = dict[str, Any]

_RADIO = {"type": "SX1257", "rssi_offset": -166}
_FSK = {"bandwidth": 125_000, "datarate": 50_000}
_MQTT = {"Gs": (1882, 8882), "V2": (1881, 8881)}
_USUAL_PORT = 1700


def get_semtech_udp(call: Call) -> Document:
    """``global_conf.json``: the channels of its plan, and this server's address."""
    gateway_id = call.message["gateway_id"]
    call.require("gateway", gateway_id, "RIGHT_GATEWAY_INFO")
    gateway = Registry(call.stack).by_id(call.tenant, gateway_id)
    config = router_config(gateway, is_production=False, mux_time_s=0.0)
    board = encode_router_config(config)["sx1301_conf"][0]
    low_hz, high_hz = config.frequency_range_hz
    sends = {"tx_enable": True, "tx_freq_min": low_hz, "tx_freq_max": high_hz}
    for name, more in (("radio_0", sends), ("radio_1", {"tx_enable": False})):
        board[name] = {**board[name], **_RADIO, **more}
    if "chan_FSK" in board:
        board["chan_FSK"] = board["chan_FSK"] | _FSK
    server = _server(gateway, call.stack.gateways.public_url)
    return {
        "SX1301_conf": {"lorawan_public": True, "clksrc": 1, **board},
        "gateway_conf": {**server, "servers": [{**server, "serv_enabled": True}]},
    }


def _server(gateway: Gateway, public_url: str) -> Document:
    url = urlsplit(public_url)
    address = gateway.document.get("gateway_server_address") or url.hostname or ""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        host, port = address, str(url.port or _USUAL_PORT)
    return {
        "gateway_ID": gateway.ids.get("eui", ""),
        "server_address": host,
        "serv_port_up": int(port),
        "serv_port_down": int(port),
    }


def get_mqtt(call: Call) -> Document:
    """Addresses by which nobody is reached here, and the gateway as a user."""
    return _mqtt(call, "Gs")


def get_mqtt_v2(call: Call) -> Document:
    """The same of the older format."""
    return _mqtt(call, "V2")


def _mqtt(call: Call, form: str) -> Document:
    gateway_id = call.message["gateway_id"]
    call.require("gateway", gateway_id, "RIGHT_GATEWAY_INFO")
    host, (port, tls_port) = call.stack.policy.host, _MQTT[form]
    return {
        "public_address": f"{host}:{port}",
        "public_tls_address": f"{host}:{tls_port}",
        "username": call.uid(gateway_id),
    }
