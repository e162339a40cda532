"""
The bodies of the document's multi-step examples, with EUIs, keys and addresses of our own.

Source: HTTP queries, chapter Multi-step Actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ADDRESS = "thethings.example.com"
PLAN = "EU_863_870_TTN"
APP_KEY = "000102030405060708090a0b0c0d0e0f"
SESSION_KEY = "101112131415161718191a1b1c1d1e1f"
OTAA_IDS = ("ids.device_id", "ids.dev_eui", "ids.join_eui")
ABP_IDS = ("ids.device_id", "ids.dev_eui")
FREQUENCIES = [
    "868100000", "868300000", "868500000", "867100000", "867300000", "867500000", "867700000",
    "867900000",
]  # fmt: skip

Document = dict[str, Any]


def identity(ids: Mapping[str, str]) -> Document:
    """The Identity Server's: with a field mask, which creating does not have."""
    servers = (
        ["join", "network", "application"] if "join_eui" in ids else ["network", "application"]
    )
    addresses = {f"{server}_server_address": ADDRESS for server in servers}
    paths = [*addresses, *(f"ids.{name}" for name in ids if name != "device_id")]
    return {"end_device": {"ids": ids, **addresses}, "field_mask": {"paths": paths}}


def join(ids: Mapping[str, str]) -> Document:
    """The Join Server's."""
    device = {
        "ids": ids,
        "network_server_address": ADDRESS,
        "application_server_address": ADDRESS,
        "root_keys": {"app_key": {"key": APP_KEY}},
    }
    paths = ["network_server_address", "application_server_address", *OTAA_IDS]
    return {"end_device": device, "field_mask": {"paths": [*paths, "root_keys.app_key.key"]}}


def network_otaa(ids: Mapping[str, str], **more: Any) -> Document:
    """The Network Server's of a device that joins; ``more`` adds or replaces fields."""
    device = {
        "supports_join": True,
        "lorawan_version": "1.0.2",
        "ids": ids,
        "lorawan_phy_version": "1.0.2-b",
        "frequency_plan_id": PLAN,
        **more,
    }
    paths = ["supports_join", "lorawan_version", *OTAA_IDS, "lorawan_phy_version"]
    return {"end_device": device, "field_mask": {"paths": [*paths, "frequency_plan_id", *more]}}


def network_abp(ids: Mapping[str, str], dev_addr: str) -> Document:
    """The Network Server's of a device with a session; its own resets_f_cnt is no field."""
    device = {
        "supports_join": False,
        "lorawan_version": "1.0.2",
        "ids": ids,
        "session": {"keys": {"f_nwk_s_int_key": {"key": SESSION_KEY}}, "dev_addr": dev_addr},
        "mac_settings": {"resets_f_cnt": True, "factory_preset_frequencies": list(FREQUENCIES)},
        "resets_f_cnt": False,
        "lorawan_phy_version": "1.0.2-b",
        "frequency_plan_id": PLAN,
    }
    paths = [
        "supports_join", "lorawan_version", *ABP_IDS, "session.keys.f_nwk_s_int_key.key",
        "session.dev_addr", "mac_settings.resets_f_cnt",
        "mac_settings.factory_preset_frequencies", "lorawan_phy_version", "frequency_plan_id",
    ]  # fmt: skip
    return {"end_device": device, "field_mask": {"paths": paths}}


def application_otaa(ids: Mapping[str, str]) -> Document:
    """The Application Server's of a device that joins."""
    return {"end_device": {"ids": ids}, "field_mask": {"paths": list(OTAA_IDS)}}


def application_abp(ids: Mapping[str, str], dev_addr: str) -> Document:
    """The Application Server's of a device with a session."""
    session = {"keys": {"app_s_key": {"key": SESSION_KEY}}, "dev_addr": dev_addr}
    device = {"ids": ids, "session": session, "skip_payload_crypto": False}
    paths = [*ABP_IDS, "session.keys.app_s_key.key", "session.dev_addr", "skip_payload_crypto"]
    return {"end_device": device, "field_mask": {"paths": paths}}


def without(document: Document, *path: str) -> Document:
    """The same without one field of the device; the mask keeps naming it."""
    device = dict(document["end_device"])
    inner = device
    for name in path[:-1]:
        inner[name] = dict(inner[name])
        inner = inner[name]
    inner.pop(path[-1])
    return {**document, "end_device": device}
