"""
The last uplinks of a session as ``mac_state.recent_uplinks`` shows them.

Only what is kept of them can be told: counter, data rate and the best SNR of each; of the last one
also who heard it and when. Their types are not.
"""

from __future__ import annotations

from typing import Any

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.regions.region import Region
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.network_server.traffic import Heard, Traffic
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]

_SHOWN = ("gateway_ids", "channel_rssi", "snr", "downlink_path_constraint", "uplink_token")


def recent_uplinks(traffic: Traffic, dev_addr: str, region: Region) -> list[Document]:
    """MACState.UplinkMessages, the newest last."""
    found = [_message(each, dev_addr, region) for each in traffic.heard]
    if found:
        found[-1] |= {
            "rx_metadata": [
                {name: each[name] for name in _SHOWN if name in each} for each in traffic.paths
            ],
            "received_at": time_text(traffic.received_us),
        }
    return found


def _message(heard: Heard, dev_addr: str, region: Region) -> Document:
    header: Document = {"dev_addr": dev_addr}
    if heard.f_cnt & 0xFFFF:
        header["f_cnt"] = heard.f_cnt & 0xFFFF
    payload: Document = {"f_hdr": header}
    if heard.f_cnt:
        payload["full_f_cnt"] = heard.f_cnt
    message: Document = {"payload": {"mac_payload": payload}}
    try:
        rate = rate_document(region.data_rate(heard.data_rate_index).modulation)
    except LoRaWanError:  # the device has another region now
        return message
    message["settings"] = {"data_rate": rate}
    return message | ({"rx_metadata": [{"snr": heard.max_snr}]} if heard.max_snr else {})
