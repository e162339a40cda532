"""
A device as the Network Server works with it: settings, state, and what follows from both.

``document`` holds what calls of the API set, ``state`` what traffic changes, both in canonical
form. Whoever changes ``state`` calls ``save``; it is written before anything leaves the process.
Keep a device's number over time, not the device: a call of the API may have replaced it meanwhile,
and then ``is_gone`` is set and ``save`` does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from simulators.lorawan.contexts import Contexts
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Modulation
from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.messages import Uplink
from simulators.platforms.things_stack.network_server.traffic import Traffic
from simulators.platforms.things_stack.plans import Plan

Document = dict[str, Any]

MAC_VERSIONS = {
    "MAC_V1_0": MacVersion.V1_0_0,
    "MAC_V1_0_1": MacVersion.V1_0_1,
    "MAC_V1_0_2": MacVersion.V1_0_2,
    "MAC_V1_0_3": MacVersion.V1_0_3,
    "MAC_V1_0_4": MacVersion.V1_0_4,
    "MAC_V1_1": MacVersion.V1_1,
}

# As many as there are devices in memory: one that talks again finds its keys set up.
_CONTEXTS = Contexts(50_000)
_SESSIONS = (("session", "mac_state", False), ("pending_session", "pending_mac_state", True))


class UplinkChannel(NamedTuple):
    """An enabled channel of a device: its index, and the data rates that may be used in it."""

    number: int
    min_data_rate: int
    max_data_rate: int


class Device:
    """
    One device.

    Attributes:
        number: of its row.
        application: the application's id, unique over all tenants.
        traffic: its last uplinks.
        serial: grows with each change of ``traffic``.
        adr_limits: what ADR may choose from; None: it has to be found out.
        is_gone: this is no longer what is stored; ask for the number again.
    """

    __slots__ = (
        "_channels", "_current", "_ids", "_note", "_pending", "adr_limits", "application",
        "device_id", "document", "is_gone", "number", "plan", "region", "saved_addresses",
        "serial", "state", "tenant", "traffic",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        *,
        tenant: str,
        application: str,
        device_id: str,
        document: Document,
        state: Document,
        traffic: Traffic,
        plan: Plan,
        region: Region,
        note: Callable[[Device, bool], None],
    ) -> None:
        """``note`` is told that the device has to be written, and whether with its whole state."""
        self.number = number
        self.tenant = tenant
        self.application = application
        self.device_id = device_id
        self.document = document
        self.state = state
        self.traffic = traffic
        self.plan = plan
        self.region = region
        self.serial = 0
        self.is_gone = False
        self.adr_limits: Any = None
        self._note = note
        self._ids: Document | None = None
        self._channels: dict[int, UplinkChannel] | None = None
        self._current: tuple[Document, Session] | None = None
        self._pending: tuple[Document, Session] | None = None
        self.saved_addresses = self.addresses()

    # --- what is kept

    def save(self) -> None:
        """The state has changed: it is written before anything leaves."""
        self._channels = self.traffic.settled_until = self.adr_limits = None
        self._note(self, True)

    def save_traffic(self) -> None:
        """Nothing but ``traffic`` and the counter of uplinks has changed."""
        self._note(self, False)

    # --- who it is

    @property
    def ids(self) -> Document:
        """Its EndDeviceIdentifiers, with the address of the current session."""
        if self._ids is None:
            session = self.state.get("session")
            ids: Document = self.document["ids"]
            self._ids = {**ids, "dev_addr": session["dev_addr"]} if session else ids
        return self._ids

    def addresses(self) -> tuple[str | None, str | None]:
        """The addresses of its current and of its pending session."""
        return (
            self.state.get("session", {}).get("dev_addr"),
            self.state.get("pending_session", {}).get("dev_addr"),
        )

    def sessions(self, dev_addr: str) -> Iterator[tuple[Document, bool]]:
        """Its sessions with that address, each with whether it is the pending one."""
        for name, mac_state, is_pending in _SESSIONS:
            session = self.state.get(name)
            if (
                session is not None
                and session.get("dev_addr") == dev_addr
                and mac_state in self.state
                and _is_whole(session)
            ):
                yield session, is_pending

    # --- what it is like

    @property
    def mac_state(self) -> Document:
        """The MAC state of the current session."""
        found: Document = self.state["mac_state"]
        return found

    def setting(self, name: str, default: Any = None) -> Any:
        """One of its MAC settings."""
        return self.document.get("mac_settings", {}).get(name, default)

    def version(self, *, is_pending: bool = False) -> MacVersion:
        """The version of the link layer that a session has."""
        state = self.state.get("pending_mac_state" if is_pending else "mac_state", self.document)
        name = state.get("lorawan_version") or self.document["lorawan_version"]
        return MAC_VERSIONS.get(name, MacVersion.V1_0_2)

    def crypto(self, *, is_pending: bool = False) -> Session:
        """
        Keys of a session, set up; the application's key is not among them.

        Raises:
            KeyError: the device has no such session.
        """
        document = self.state["pending_session" if is_pending else "session"]
        kept = self._pending if is_pending else self._current
        if kept is not None and kept[0] is document:
            return kept[1]
        made = _crypto(document, is_1_1=self.version(is_pending=is_pending) >= MacVersion.V1_1)
        if is_pending:
            self._pending = (document, made)
        else:
            self._current = (document, made)
        return made

    def confirm_session(self) -> None:
        """The pending session becomes the current one."""
        self.state["session"] = self.state.pop("pending_session")
        self.state["mac_state"] = self.state.pop("pending_mac_state")
        self._current, self._pending = self._pending, None
        self.start_counting()

    def drop_pending_session(self) -> None:
        """The device has spoken by its current session: the other one is void."""
        self.state.pop("pending_session")
        del self.state["pending_mac_state"]
        self._pending = None

    def start_counting(self) -> None:
        """Nothing was heard in the current session yet."""
        self.traffic = Traffic()
        self.serial += 1
        self._ids = self._channels = None

    def channel(self, frequency_hz: int, *, is_pending: bool = False) -> UplinkChannel | None:
        """The enabled channel at that frequency."""
        if is_pending:
            return _channels(self.state["pending_mac_state"]).get(frequency_hz)
        if self._channels is None:
            self._channels = _channels(self.state.get("mac_state", {}))
        return self._channels.get(frequency_hz)


def _is_whole(session: Document) -> bool:
    """Whether it has the key without which there is no session; a call may have set less."""
    return "key" in session.get("keys", {}).get("f_nwk_s_int_key", ())


def _crypto(session: Document, *, is_1_1: bool) -> Session:
    keys = session["keys"]
    first = bytes.fromhex(keys["f_nwk_s_int_key"]["key"])

    def key(name: str) -> bytes:
        return bytes.fromhex(keys[name]["key"]) if "key" in keys.get(name, ()) else first

    network = SessionKeys(first, key("s_nwk_s_int_key"), key("nwk_s_enc_key"), b"")
    return Session(session["dev_addr"], network, is_1_1=is_1_1, contexts=_CONTEXTS)


def _channels(mac_state: Document) -> dict[int, UplinkChannel]:
    """
    The enabled channels by frequency.

    A device that was asked to use others uses them from the uplink on that carries its answer.
    """
    found = _enabled(mac_state.get("current_parameters", {}))
    if "pending_requests" in mac_state:
        found = _enabled(mac_state.get("desired_parameters", {})) | found
    return found


def _enabled(parameters: Document) -> dict[int, UplinkChannel]:
    return _channel_table(orjson.dumps(parameters.get("channels", ())))


@lru_cache(maxsize=4096)  # many devices have the same
def _channel_table(channels: bytes) -> dict[int, UplinkChannel]:
    """Enabled channels by frequency; of two with the same, the first."""
    return {
        int(channel["uplink_frequency"]): UplinkChannel(
            number, channel.get("min_data_rate_index", 0), channel.get("max_data_rate_index", 0)
        )
        for number, channel in reversed(list(enumerate(orjson.loads(channels))))
        if channel.get("enable_uplink") and "uplink_frequency" in channel
    }


@lru_cache(maxsize=4096)
def uplink_data_rate(region: Region, modulation: Modulation) -> int | None:
    """The index of an uplink's data rate."""
    return region.find_data_rate(modulation, is_downlink=False)


@dataclass(slots=True, kw_only=True)
class UplinkInfo:
    """
    An uplink that was found to be a device's.

    Attributes:
        frame: FOpts and network payload decrypted, the application's payload not; with ``f_cnt``
            in full.
        receptions: what each gateway told of it, in the order they came.
        settings: TxSettings of the first one.
        received_us: when the first gateway's message came.
        channel_index: the device's own index.
        transmission: 1, or more when the device sends the same frame again.
        is_pending_session: it has confirmed the session that was pending.
    """

    frame: DataFrame
    f_cnt: int
    receptions: list[Uplink]
    settings: Document
    received_us: int
    data_rate_index: int
    channel_index: int
    is_pending_session: bool
    transmission: int
    correlation_ids: list[str]

    @property
    def is_confirmed(self) -> bool:
        """The device wants an acknowledgement."""
        return self.frame.is_confirmed

    @property
    def has_ack(self) -> bool:
        """The device acknowledges a confirmed downlink."""
        return self.frame.ack

    @property
    def adr(self) -> bool:
        """The device lets the network set its data rate."""
        return self.frame.adr

    @property
    def adr_ack_req(self) -> bool:
        """The device has heard nothing for long."""
        return self.frame.adr_ack_req

    @property
    def max_snr(self) -> float | None:
        """The best SNR in dB that a gateway told; zero is left out of messages."""
        found = [
            each.metadata.get("snr", 0.0)
            for each in self.receptions
            if "snr" in each.metadata or "rssi" in each.metadata
        ]
        return max(found, default=None)
