"""What every server tells of its configuration: frequency plans, bands, versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.lorawan.modulation import Lora, Modulation
from simulators.lorawan.regions.region import (
    ADR_ACK_LIMIT,
    JOIN_ACCEPT_DELAY1_US,
    MAX_FCNT_GAP,
    RECEIVE_DELAY1_US,
    Channel,
    Region,
    SubBand,
)
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.plans import bands, plans, region_of
from simulators.platforms.things_stack.times import duration_text

Document = dict[str, Any]

_PLAN_FIELDS = ("id", "base_id", "name", "base_frequency", "band_id")
_SECOND_US = 1_000_000


def list_frequency_plans(call: Call) -> Document:
    """Plans, narrowed by frequency in MHz, band or use for gateways."""
    base, band = call.message.get("base_frequency"), call.message.get("band_id")
    found = [
        {name: plan[name] for name in _PLAN_FIELDS if name in plan}
        for plan in plans().values()
        if base in (None, plan["base_frequency"])
        and band in (None, plan["band_id"])
        and (plan.get("gateways") or not call.message.get("gateways_only"))
    ]
    return {"frequency_plans": found} if found else {}


def get_phy_versions(call: Call) -> Document:
    """Versions of each band."""
    found = [
        {"band_id": band, "phy_versions": list(versions)} for band, versions in _bands(call).items()
    ]
    return {"version_info": found}


def list_bands(call: Call) -> Document:
    """Bands as they are described in each version."""
    wanted = call.message.get("phy_version")
    described = {
        band: {
            "band": {
                version: _description(region_of(band, version))
                for version in versions
                if wanted in (None, version)
            }
        }
        for band, versions in _bands(call).items()
    }
    return {"descriptions": described}


def _bands(call: Call) -> dict[str, tuple[str, ...]]:
    wanted = call.message.get("band_id")
    if wanted is None:
        return bands()
    if wanted not in bands():
        attributes = {"id": wanted, "version": call.message.get("phy_version", "")}
        raise StackError("pkg/band:band_not_found", attributes)
    return {wanted: bands()[wanted]}


def _description(region: Region) -> Document:
    beacon, ping = region.class_b.beacon, region.class_b.ping_slots
    rates = enumerate(region.data_rates)
    description: Document = {
        "id": region.band_id,
        "beacon": {
            "data_rate_index": beacon.data_rate,
            "coding_rate": "4/5",
            "frequencies": [str(each) for each in beacon.frequencies_hz],
        },
        "ping_slot_frequencies": [str(each) for each in ping.frequencies_hz],
        "max_uplink_channels": region.max_channels,
        "uplink_channels": [_channel(each) for each in region.uplink_channels],
        "sub_bands": [_sub_band(each) for each in region.sub_bands],
        "data_rates": {
            f"{index}": {"rate": rate_document(row.modulation)}
            for index, row in rates
            if row is not None
        },
        "implements_cf_list": region.cf_list_type is not None,
        "cf_list_type": "CHANNEL_MASKS" if region.cf_list_type == 1 else None,
        "receive_delay_1": duration_text(RECEIVE_DELAY1_US),
        "receive_delay_2": duration_text(RECEIVE_DELAY1_US + _SECOND_US),
        "join_accept_delay_1": duration_text(JOIN_ACCEPT_DELAY1_US),
        "join_accept_delay_2": duration_text(JOIN_ACCEPT_DELAY1_US + _SECOND_US),
        "max_fcnt_gap": str(MAX_FCNT_GAP),
        "adr_ack_limit": f"ADR_ACK_LIMIT_{ADR_ACK_LIMIT}",
        "tx_offset": list(region.tx_power_offsets_db),
        "max_adr_data_rate_index": region.max_adr_data_rate,
        "tx_param_setup_req_support": region.has_tx_param_setup,
        "default_max_eirp": region.max_eirp_dbm,
        "default_rx2_parameters": _rx2(region),
    }
    return {name: value for name, value in description.items() if value}


def _rx2(region: Region) -> Document:
    index = region.rx2.data_rate
    frequency = {"frequency": str(region.rx2.frequency_hz)}
    return {"data_rate_index": index, **frequency} if index else frequency


def rate_document(modulation: Modulation) -> Document:
    """A modulation as a ``DataRate``."""
    if isinstance(modulation, Lora):
        return {
            "lora": {
                "bandwidth": modulation.bandwidth_hz,
                "spreading_factor": modulation.spreading_factor,
                "coding_rate": modulation.coding_rate,
            }
        }
    return {"fsk": {"bit_rate": modulation.bit_rate}}


def _channel(channel: Channel) -> Document:
    document: Document = {"frequency": str(channel.frequency_hz)}
    if channel.min_data_rate:
        document["min_data_rate"] = channel.min_data_rate
    if channel.max_data_rate:
        document["max_data_rate"] = channel.max_data_rate
    return document


def _sub_band(sub_band: SubBand) -> Document:
    return {
        "min_frequency": str(sub_band.low_hz),
        "max_frequency": str(sub_band.high_hz),
        "duty_cycle": 1 / sub_band.duty_cycle_divisor,
        "max_eirp": sub_band.max_eirp_dbm,
    }


HANDLERS: dict[str, Callable[[Call], Document]] = {
    "Configuration/ListFrequencyPlans": list_frequency_plans,
    "Configuration/GetPhyVersions": get_phy_versions,
    "Configuration/ListBands": list_bands,
}
