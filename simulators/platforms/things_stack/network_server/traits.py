"""
What settings and MAC state come to for ordinary uplinks.

Many devices have all of it in common, so it is worked out, and kept in memory, once for all of
them. Nobody changes traits: a device whose settings or state change gets others.
"""

from __future__ import annotations

from typing import Any

import orjson

from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.uplink_channels import (
    UplinkChannel,
    channels_of,
)
from simulators.platforms.things_stack.plans import Plan, plan, region_of

Document = dict[str, Any]

MAC_VERSIONS = {
    "MAC_V1_0": MacVersion.V1_0_0,
    "MAC_V1_0_1": MacVersion.V1_0_1,
    "MAC_V1_0_2": MacVersion.V1_0_2,
    "MAC_V1_0_3": MacVersion.V1_0_3,
    "MAC_V1_0_4": MacVersion.V1_0_4,
    "MAC_V1_1": MacVersion.V1_1,
}
_SETTINGS = (
    "frequency_plan_id", "lorawan_version", "lorawan_phy_version", "mac_settings", "multicast",
    "supports_join", "supports_class_b", "version_ids",
)  # fmt: skip
_STATE = (
    "lorawan_version", "device_class", "current_parameters", "desired_parameters",
    "rejected_adr_data_rate_indexes", "rejected_adr_tx_power_indexes",
)  # fmt: skip
_MOST_KEPT = 16_384


class Traits:
    """
    What devices have in common.

    Attributes:
        number: by which they are found again; None when there are too many different ones.
        application_ids: of the application that ``application`` names uniquely over all tenants.
        id_names: which identifiers it has, in the order in which they are told.
        channels: the enabled ones by frequency.
        rx1_delay_s: in force at present.
        transmissions: how often a device may send the same frame.
        adr: what ADR makes of them, see adr.py; None before it was asked.
    """

    __slots__ = (
        "adr", "application", "application_ids", "channels", "counts_in_16_bits",
        "has_uplink_dwell_time", "id_names", "is_class_a", "is_multicast", "number", "plan",
        "region", "resets", "rx1_delay_s", "tenant", "transmissions", "version", "version_ids",
    )  # fmt: skip

    def __init__(
        self,
        number: int | None,
        tenant: str,
        application: str,
        application_ids: Document,
        id_names: list[str],
        settings: Document,
        state: Document,
        *,
        is_asked: bool,
    ) -> None:
        """``is_asked``: requests are under way, so it may use what is desired of it already."""
        self.number = number
        self.tenant = tenant
        self.application = application
        self.application_ids = application_ids
        self.id_names = id_names
        self.plan: Plan = plan(settings["frequency_plan_id"])
        self.region: Region = region_of(self.plan["band_id"], settings["lorawan_phy_version"])
        self.version = version_of(settings, state)
        self.version_ids: Document | None = settings.get("version_ids")
        self.is_multicast = bool(settings.get("multicast"))
        self.is_class_a = not settings.get("supports_class_b") and "device_class" not in state
        mac_settings = settings.get("mac_settings", {})
        self.counts_in_16_bits = mac_settings.get("supports_32_bit_f_cnt") is False
        # From 1.1 on a device tells in a command that it begins anew.
        is_told = settings.get("supports_join") or self.version >= MacVersion.V1_1
        self.resets = bool(not is_told and mac_settings.get("resets_f_cnt"))
        current = state.get("current_parameters", {})
        self.channels: dict[int, UplinkChannel] = channels_of(state, is_asked=is_asked)
        self.rx1_delay_s = int(current.get("rx1_delay") or 1)
        self.transmissions = int(current.get("adr_nb_trans", 1))
        self.has_uplink_dwell_time = bool(current.get("uplink_dwell_time"))
        self.adr: Any = None


class TraitsTable:
    """All that are known, up to a limit."""

    def __init__(self) -> None:
        self._by_text: dict[bytes, Traits] = {}
        self._by_number: list[Traits] = []

    def __getitem__(self, number: int) -> Traits:
        return self._by_number[number]

    def of(self, tenant: str, application: str, document: Document, state: Document) -> Traits:
        """Those of a device with these settings and this state."""
        mac_state = state.get("mac_state", {})
        ids = document["ids"]
        settings = {name: document[name] for name in _SETTINGS if name in document}
        known = {name: mac_state[name] for name in _STATE if name in mac_state}
        is_asked = "pending_requests" in mac_state
        shared = (ids["application_ids"], list(ids), settings, known)
        text = orjson.dumps((tenant, application, shared, is_asked))
        found = self._by_text.get(text)
        if found is None:
            # Read back, so that nobody who changes a device's document changes what is shared.
            parts = orjson.loads(text)[2]
            number = len(self._by_number) if len(self._by_number) < _MOST_KEPT else None
            found = Traits(number, tenant, application, *parts, is_asked=is_asked)
            if number is not None:
                self._by_text[text] = found
                self._by_number.append(found)
        return found


def version_of(settings: Document, mac_state: Document) -> MacVersion:
    """The version of the link layer: a session's, else the device's."""
    name = mac_state.get("lorawan_version") or settings["lorawan_version"]
    return MAC_VERSIONS.get(name, MacVersion.V1_0_2)
