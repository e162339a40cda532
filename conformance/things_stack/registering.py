"""
Registers devices as a user would, on the servers that they need, and knows their keys.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Callable
from functools import cached_property
from typing import Any

from conformance.clients.exchange import Response
from conformance.things_stack.answers import part, permitted
from conformance.things_stack.equipment.node import Node
from conformance.things_stack.equipment.values import abp_keys, root_keys

Call = Callable[..., Response]
Document = dict[str, Any]

CHANNELS_HZ = [868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000,
               867_700_000, 867_900_000]  # fmt: skip
QUIET: Document = {
    "status_count_periodicity": 0, "status_time_periodicity": "0s", "adr": {"disabled": {}},
    "desired_rx1_delay": 1,
}  # fmt: skip
"""Settings that leave a network nothing to change."""
EU868 = "EU_863_870"
"""How the names of plans begin that have ``CHANNELS_HZ``."""
_PHY = {
    "1.0.2": "PHY_V1_0_2_REV_B", "1.0.3": "PHY_V1_0_3_REV_A", "1.0.4": "RP002_V1_0_1",
    "1.1": "PHY_V1_1_REV_B",
}  # fmt: skip
_IDS = ["ids.device_id", "ids.dev_eui", "ids.join_eui"]
_OF_DEVICE = ("supports_class_b", "supports_class_c", "multicast", "frequency_plan_id")


def eui() -> str:
    """An EUI that nobody has used before."""
    return f"{random_source.randbits(64):016x}"


class Registrar:
    """
    Registers devices of one application.

    Args:
        call: a request to the target's API: method, path below ``/api/v3``, body.
        name: a fresh identifier of the run for a word.
    """

    def __init__(
        self, call: Call, application_id: str, name: Callable[[str], str], plan: str
    ) -> None:
        self.application_id = application_id
        self.plan = plan
        self.is_eu868 = plan.startswith(EU868)
        self._call = call
        self._name = name

    def otaa(
        self, version: str = "1.0.2", *, is_on_join_server: bool = True, **settings: Any
    ) -> Node:
        """
        A device that has yet to join; ``settings`` are MAC settings, None leaves one out.

        Raises:
            UnexpectedAnswer: a server did not take it.
        """
        root = root_keys(version)
        node = Node(self._name("dev"), eui(), self._join_eui(), root, is_1_1=version == "1.1")
        ids = self._identity(node)
        if is_on_join_server:
            self.to_join_server(node)
        self._network(ids, version, {"supports_join": True}, settings)
        self._set("as", {"ids": ids}, [])
        return node

    def to_join_server(self, node: Node) -> None:
        """Tell the Join Server of a device and its root keys."""
        root = node.root
        keys = {"app_key": _key(root.app_key)}
        if root.nwk_key:
            keys["nwk_key"] = _key(root.nwk_key)
        paths = [f"root_keys.{name}.key" for name in keys]
        self._set("js", {"ids": _ids_of(node), "root_keys": keys}, paths)

    def abp(
        self,
        version: str = "1.0.2",
        *,
        last_f_cnt_up: int = 0,
        dev_addr: str | None = None,
        formatters: Document | None = None,
        **settings: Any,
    ) -> Node:
        """A device with a session, whose address the network chooses if need be; else as otaa."""
        node = Node(self._name("dev"), eui(), self._join_eui(), is_1_1=version == "1.1")
        address = (dev_addr or self._call("GET", "/ns/dev_addr").ok_json()["dev_addr"]).upper()
        keys = abp_keys(version)
        node.activate(address.lower(), keys)
        ids = self._identity(node)
        shared = {"f_nwk_s_int_key": _key(keys.f_nwk_s_int_key)}
        if node.is_1_1:
            shared["s_nwk_s_int_key"] = _key(keys.s_nwk_s_int_key)
            shared["nwk_s_enc_key"] = _key(keys.nwk_s_enc_key)
        session: Document = {"dev_addr": address, "keys": shared}
        if last_f_cnt_up:
            session["last_f_cnt_up"] = last_f_cnt_up
        if self.is_eu868:
            settings.setdefault("factory_preset_frequencies", [str(each) for each in CHANNELS_HZ])
        self._network(ids, version, {"supports_join": False, "session": session}, settings)
        device: Document = {
            "ids": ids,
            "session": {"dev_addr": address, "keys": {"app_s_key": _key(keys.app_s_key)}},
        }
        paths = ["session.dev_addr", "session.keys.app_s_key.key"]
        if formatters:
            device["formatters"] = formatters
            paths.append("formatters")
        self._set("as", device, paths)
        return node

    def _join_eui(self) -> str:
        """One of those that the target's Join Server answers for."""
        start, length = self._join_eui_prefix
        free = 64 - length
        return f"{start >> free << free | random_source.randbits(free):016x}"

    @cached_property
    def _join_eui_prefix(self) -> tuple[int, int]:
        """Value and length in bits of the first prefix that is told; all EUIs without one."""
        answer = self._call("GET", "/js/join_eui_prefixes")
        first = next(iter(part(answer.json, "prefixes") or ()), None)
        return int(part(first, "join_eui") or "0", 16), int(part(first, "length") or 0)

    def _identity(self, node: Node) -> Document:
        ids = _ids_of(node)
        path = f"/applications/{self.application_id}/devices"
        permitted(self._call("POST", path, {"end_device": {"ids": ids}})).ok_json()
        return ids

    def _network(self, ids: Document, version: str, more: Document, settings: Document) -> None:
        of_device = {name: settings.pop(name) for name in _OF_DEVICE if name in settings}
        quiet = {**QUIET, "desired_rx2_data_rate_index": 0} if self.is_eu868 else QUIET
        wanted = {name: value for name, value in {**quiet, **settings}.items() if value is not None}
        device = {
            "ids": ids, **more, "lorawan_version": version, "lorawan_phy_version": _PHY[version],
            "frequency_plan_id": self.plan, "mac_settings": wanted, **of_device,
        }  # fmt: skip
        paths = [name for name in device if name not in ("ids", "session")]
        if "session" in device:
            session = device["session"]
            paths += ["session.dev_addr", *(f"session.keys.{key}.key" for key in session["keys"])]
            paths += ["session.last_f_cnt_up"] if "last_f_cnt_up" in session else []
        self._set("ns", device, paths)

    def _set(self, server: str, device: Document, paths: list[str]) -> None:
        path = f"/{server}/applications/{self.application_id}/devices/{device['ids']['device_id']}"
        body = {"end_device": device, "field_mask": {"paths": [*_IDS, *paths]}}
        permitted(self._call("PUT", path, body)).ok_json()


def _key(key: bytes) -> Document:
    return {"key": key.hex().upper()}


def _ids_of(node: Node) -> Document:
    return {
        "device_id": node.device_id, "dev_eui": node.dev_eui.upper(),
        "join_eui": node.join_eui.upper(),
    }  # fmt: skip
