"""
Devices at rest: what ordinary uplinks need of them, in a compact form in memory.

A device is at rest when nothing is under way between it and the network, which is nearly always. Of
such a one no row has to be read when it talks: its session keys, its last uplinks and the number of
its traits are enough. All of it stands in its rows as well; here it can be dropped at any time.
"""

from __future__ import annotations

from itertools import islice
from struct import Struct
from typing import Any

import msgspec

from simulators.lorawan.keys import SessionKeys
from simulators.platforms.things_stack.network_server.traffic import Traffic, decode
from simulators.platforms.things_stack.network_server.traits import Traits

Document = dict[str, Any]

MOST_RESTING = 1_200_000  # with about 500 bytes each, and their share of the index

# What a state, a session and a MAC state may have when nothing is under way. Whatever else they
# have, now or in times to come, keeps a device from being at rest.
_STATE = {
    "session", "mac_state", "battery_percentage", "downlink_margin", "power_state",
    "last_dev_status_received_at",
}  # fmt: skip
_SESSION = {
    "dev_addr", "keys", "started_at", "last_f_cnt_up", "last_n_f_cnt_down", "last_a_f_cnt_down",
    "last_conf_f_cnt_down",
}  # fmt: skip
_MAC_STATE = {
    "current_parameters", "desired_parameters", "lorawan_version", "ping_slot_periodicity",
    "last_adr_change_f_cnt_up", "last_confirmed_downlink_at", "last_dev_status_f_cnt_up",
    "last_downlink_at", "last_network_initiated_downlink_at", "recent_downlinks",
    "rejected_adr_data_rate_indexes", "rejected_adr_tx_power_indexes",
    "rejected_data_rate_ranges", "rejected_frequencies", "rx_windows_available",
}  # fmt: skip
_IDS = {"device_id", "application_ids", "dev_eui", "join_eui"}


_HEAD = Struct("<IH")  # when it was put there; the size of the first part


class Rest(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """
    What does not change while a device is at rest.

    Attributes:
        traits: their number.
        f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key: the second and third are empty where they
            are the same as the first, as before 1.1.
    """

    number: int
    traits: int
    device_id: str
    dev_eui: str | None
    join_eui: str | None
    dev_addr: str
    session_key_id: str
    f_nwk_s_int_key: bytes
    s_nwk_s_int_key: bytes
    nwk_s_enc_key: bytes
    adr_changed_f_cnt: int

    def ids(self, traits: Traits) -> Document:
        """EndDeviceIdentifiers."""
        known = {
            "device_id": self.device_id, "application_ids": traits.application_ids,
            "dev_eui": self.dev_eui, "join_eui": self.join_eui,
        }  # fmt: skip
        return {name: known[name] for name in traits.id_names} | {"dev_addr": self.dev_addr}

    def keys(self) -> SessionKeys:
        """The network's keys of its session."""
        first = self.f_nwk_s_int_key
        return SessionKeys(first, self.s_nwk_s_int_key or first, self.nwk_s_enc_key or first, b"")


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Rest).decode


def is_resting(state: Document) -> bool:
    """Whether nothing is under way in a device of class A."""
    session, mac_state = state.get("session"), state.get("mac_state")
    return (
        session is not None
        and mac_state is not None
        and state.keys() <= _STATE
        and session.keys() <= _SESSION
        and mac_state.keys() <= _MAC_STATE
        and "key" in session.get("keys", {}).get("f_nwk_s_int_key", ())
    )


def rest_of(number: int, document: Document, state: Document, traits: Traits) -> Rest | None:
    """A device that is at rest; None where there is more to it than fits."""
    ids, session = document["ids"], state["session"]
    keys = session_keys(session)
    first = keys.f_nwk_s_int_key
    if traits.number is None or not ids.keys() <= _IDS:
        return None
    return Rest(
        number, traits.number, ids["device_id"], ids.get("dev_eui"), ids.get("join_eui"),
        session["dev_addr"], session["keys"].get("session_key_id", ""), first,
        b"" if keys.s_nwk_s_int_key == first else keys.s_nwk_s_int_key,
        b"" if keys.nwk_s_enc_key == first else keys.nwk_s_enc_key,
        state["mac_state"].get("last_adr_change_f_cnt_up", -1),
    )  # fmt: skip


def session_keys(session: Document) -> SessionKeys:
    """The network's keys of a session; before 1.1 all are the first."""
    keys = session["keys"]
    first = bytes.fromhex(keys["f_nwk_s_int_key"]["key"])

    def key(name: str) -> bytes:
        return bytes.fromhex(keys[name]["key"]) if "key" in keys.get(name, ()) else first

    return SessionKeys(first, key("s_nwk_s_int_key"), key("nwk_s_enc_key"), b"")


class Resting:
    """Devices at rest by their address, which no other device may have; the oldest go first."""

    def __init__(self, limit: int = MOST_RESTING) -> None:
        self.limit = limit
        self._by_address: dict[str, bytes] = {}
        self._count = 0  # how often one was put here

    def __len__(self) -> int:
        return len(self._by_address)

    def put(self, dev_addr: str, packed: bytes, traffic: bytes, *, age: int) -> None:
        """
        Keep one, packed, and its traffic as it is stored; the only one with its address.

        ``age``: how many others have been used since it was.
        """
        self._count += 1
        head = _HEAD.pack(self._count - age & 0xFFFF_FFFF, len(packed))
        self._by_address[dev_addr] = head + packed + traffic
        if len(self._by_address) > self.limit:
            # Many at once: to find the first one, a dict looks at all that were there before.
            for oldest in list(islice(self._by_address, 1 + self.limit // 16)):
                del self._by_address[oldest]

    def take(self, dev_addr: str) -> tuple[bytes, Traffic, int] | None:
        """
        The one with that address, which is in use from now on, and its traffic.

        The third is how many others have been used since it was.
        """
        found = self._by_address.pop(dev_addr, None)
        if found is None:
            return None
        put_at, size = _HEAD.unpack_from(found)
        end = _HEAD.size + size
        age = self._count - put_at & 0xFFFF_FFFF
        return found[_HEAD.size : end], decode(found[end:]), age

    def drop(self, dev_addr: str | None) -> None:
        """What was known of an address is void."""
        if dev_addr is not None:
            self._by_address.pop(dev_addr, None)

    def clear(self) -> None:
        """Everything is void."""
        self._by_address.clear()
