"""
What a device on the Network Server must and must not be, as a list of named rules.

Each looks at the device as it would be stored, and at what was stored before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simulators.lorawan.regions.region import Region
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import find
from simulators.platforms.things_stack.plans import Plan, plan, region_of

Document = dict[str, Any]

NETWORK_KEYS = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")
_REQUIRED = ("frequency_plan_id", "lorawan_version", "lorawan_phy_version")
_NEED_DEV_EUI = ("MAC_V1_0_4", "MAC_V1_1")
_DATA_RATES = (
    "rx2_data_rate_index", "desired_rx2_data_rate_index", "ping_slot_data_rate_index",
    "desired_ping_slot_data_rate_index",
)  # fmt: skip
_ZERO_KEY, _ZERO_ADDRESS = "0" * 32, "00000000"


def field_value(field: str, cause: StackError | None = None) -> StackError:
    """A field whose value cannot be."""
    return StackError("pkg/networkserver:field_value", {"field": field}, cause=cause)


def is_zero(field: str, of: str | None = None) -> StackError:
    """A field that must be set; ``of``: the field that is told to be wrong for it."""
    return field_value(of or field, StackError("pkg/networkserver:field_is_zero", {"name": field}))


def not_zero(field: str, of: str | None = None) -> StackError:
    """A field that must not be set."""
    cause = StackError("pkg/networkserver:field_not_zero", {"name": field})
    return field_value(of or field, cause)


@dataclass
class Draft:
    """
    A device as it would be stored.

    Attributes:
        device: settings and state together.
        stored: the same before the call, None when it is new.
    """

    device: Document
    stored: Document | None
    plan: Plan
    region: Region

    def has(self, *path: str) -> bool:
        """Whether a field is set."""
        return find(self.device, path) not in (None, _ZERO_KEY, _ZERO_ADDRESS)

    @property
    def is_abp(self) -> bool:
        """The device has its session from the start."""
        return not self.device.get("supports_join")

    @property
    def settings(self) -> Document:
        """The device's MAC settings."""
        settings: Document = self.device.get("mac_settings", {})
        return settings


def check_masked(given: Document, paths: Iterable[str]) -> None:
    """
    Let no field be set to nothing that must be something.

    Raises:
        StackError: ``field_value``.
    """
    needed = (*_REQUIRED, "session.dev_addr", *(f"session.keys.{key}.key" for key in NETWORK_KEYS))
    for path in needed:
        if path in paths and find(given, tuple(path.split("."))) in (None, _ZERO_KEY):
            raise is_zero(path)


def draft(device: Document, stored: Document | None) -> Draft:
    """
    A device that satisfies all rules.

    Raises:
        StackError: ``field_value`` of the first rule that is broken, or an unknown plan.
    """
    for field in _REQUIRED:
        if field not in device:
            raise is_zero(field)
    found = plan(device["frequency_plan_id"])
    try:
        region = region_of(found["band_id"], device["lorawan_phy_version"])
    except StackError as error:
        raise field_value("lorawan_phy_version", error) from error
    result = Draft(device, stored, found, region)
    for rule in RULES:
        rule(result)
    return result


def _kinds_stay(of: Draft) -> None:
    for field in ("multicast", "supports_join"):
        if of.stored is not None and of.stored.get(field) != of.device.get(field):
            raise not_zero(field) if of.device.get(field) else is_zero(field)


def _who_joins_has_both_euis(of: Draft) -> None:
    if of.is_abp:
        return
    for name in ("dev_eui", "join_eui"):
        if not of.has("ids", name):
            raise is_zero(f"ids.{name}")
    if of.has("multicast"):
        raise not_zero("multicast")


def _who_does_not_join_has_a_session(of: Draft) -> None:
    if not of.is_abp:
        return
    if not of.has("session", "dev_addr"):
        raise is_zero("session.dev_addr")
    if not of.has("session", "keys", "f_nwk_s_int_key", "key"):
        raise is_zero("session.keys.f_nwk_s_int_key.key")


def _newer_versions_know_each_device(of: Draft) -> None:
    is_single = of.is_abp and not of.has("multicast")
    if is_single and of.device["lorawan_version"] in _NEED_DEV_EUI and not of.has("ids", "dev_eui"):
        raise is_zero("ids.dev_eui")


def _keys_fit_the_version(of: Draft) -> None:
    """1.1 has three keys; before there was one, which stands for all."""
    keys = of.device.get("session", {}).get("keys")
    if not of.is_abp or not keys:
        return
    first = keys["f_nwk_s_int_key"]
    for name in NETWORK_KEYS[1:]:
        is_newest = of.device["lorawan_version"] == "MAC_V1_1"
        if is_newest and not of.has("session", "keys", name, "key"):
            raise is_zero(f"session.keys.{name}.key")
        if not is_newest:
            if keys.get(name, first).get("key", first["key"]) != first["key"]:
                raise field_value(f"session.keys.{name}.key")
            keys[name] = first


def _multicast_needs_windows(of: Draft) -> None:
    if of.has("multicast") and not (of.has("supports_class_b") or of.has("supports_class_c")):
        raise is_zero("supports_class_b", of="multicast")


def _class_b_needs_slots(of: Draft) -> None:
    """A device that joins tells its periodicity itself, by PingSlotInfoReq."""
    is_known = "ping_slot_periodicity" in of.settings
    if of.is_abp and of.has("supports_class_b") and not is_known:
        raise is_zero("mac_settings.ping_slot_periodicity.value")


def _preset_frequencies_are_the_bands(of: Draft) -> None:
    """Others, as those of RX2, ping slots and beacons, may lie anywhere."""
    for frequency in of.settings.get("factory_preset_frequencies", ()):
        if not _is_allowed(of.region, int(frequency)):
            raise field_value("mac_settings.factory_preset_frequencies")


def _is_allowed(region: Region, frequency: int) -> bool:
    """Where all channels are given, presets enable some of them."""
    if len(region.uplink_channels) == region.max_channels:
        return any(each.frequency_hz == frequency for each in region.uplink_channels)
    bands = region.sub_bands
    return not bands or any(band.low_hz <= frequency <= band.high_hz for band in bands)


def _data_rates_exist(of: Draft) -> None:
    rates = of.region.data_rates
    for name in _DATA_RATES:
        index = of.settings.get(name, 0)
        if not isinstance(index, int) or index >= len(rates) or rates[index] is None:
            raise field_value(f"mac_settings.{name}")
    for prefix in ("", "desired_"):
        name = f"{prefix}rx1_data_rate_offset"
        if of.settings.get(name, 0) > of.region.max_rx1_offset:
            raise field_value(f"mac_settings.{name}")


def _adr_is_told_one_way(of: Draft) -> None:
    for name in ("use_adr", "adr_margin"):
        if "adr" in of.settings and name in of.settings:
            raise not_zero(f"mac_settings.{name}", of="mac_settings.adr")


RULES: tuple[Callable[[Draft], None], ...] = (
    _kinds_stay,
    _who_joins_has_both_euis,
    _who_does_not_join_has_a_session,
    _newer_versions_know_each_device,
    _keys_fit_the_version,
    _multicast_needs_windows,
    _class_b_needs_slots,
    _preset_frequencies_are_the_bands,
    _data_rates_exist,
    _adr_is_told_one_way,
)
