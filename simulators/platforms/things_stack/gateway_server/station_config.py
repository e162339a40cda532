"""
What a station is told to listen to, from its gateway's frequency plans.

Source: The Things Stack, pkg/gatewayserver/io/semtechws/lbslns; lorabasics/basicstation 2.0.6.
"""

from __future__ import annotations

from typing import Any

from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.gateway_server.gateways import Gateway
from simulators.wire.basics_station.region_config import router_config_of
from simulators.wire.basics_station.router_config import RouterConfig

Document = dict[str, Any]

# A station that does not know a region's name takes no downlinks. It knows these; where the stack
# itself would send another one (AS923), the name that works is sent.
_NAMES = {
    "EU_863_870": "EU863",
    "US_902_928": "US902",
    "AU_915_928": "AU915",
    "AS_923": "AS923-1",
    "KR_920_923": "KR920",
}
_NAMES_OF_PLANS = {"AS_920_923_TTN_JP": "AS923JP", "IL_917_920": "IL915"}


def region_name(plan: Document) -> str:
    """The name of a plan's region in this protocol, a station's own where it has one."""
    for start, name in _NAMES_OF_PLANS.items():
        if plan["id"].startswith(start):
            return name
    band: str = plan["band_id"]
    return _NAMES.get(band) or "".join(band.split("_")[:2])


def router_config(gateway: Gateway, *, is_production: bool, mux_time_s: float) -> RouterConfig:
    """The configuration; a production build would refuse to have its limits lifted."""
    region, plans = gateway.region, gateway.plans
    config = router_config_of(
        region,
        multi_sf_hz=[hertz for plan in plans for hertz, *_ in plan["uplink_channels"]],
        standard=[
            (channel["frequency"], rate)
            for channel in _channels(plans, "lora_standard_channel")
            if isinstance(rate := region.data_rate(channel["data-rate"]).modulation, Lora)
        ],
        fsk_hz=[channel["frequency"] for channel in _channels(plans, "fsk_channel")],
        name=region_name(plans[0]),
        beacons=True,
    )
    return config._replace(
        has_no_cca=not is_production,
        has_no_duty_cycle=not is_production,
        has_no_dwell=not is_production,
        mux_time_s=mux_time_s,
    )


def _channels(plans: list[Document], name: str) -> list[Document]:
    return [plan[name] for plan in plans if name in plan]
