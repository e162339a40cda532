"""
A device as the Network Server works with it: settings, state, and what follows from both.

``document`` holds what calls of the API set, ``state`` what traffic changes, both in canonical
form; of a device that was at rest they are read when somebody asks for them. Whoever changes
``state`` calls ``save``; it is written before anything leaves the process. Keep a device's number
over time, not the device: a call of the API may have replaced it meanwhile, and then ``is_gone`` is
set and ``save`` does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from simulators.lorawan.contexts import Contexts
from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.resting import (
    Rest,
    is_resting,
    pack,
    session_keys,
)
from simulators.platforms.things_stack.network_server.traffic import Traffic
from simulators.platforms.things_stack.network_server.traits import Traits, TraitsTable, version_of
from simulators.platforms.things_stack.network_server.uplink_channels import (
    UplinkChannel,
    channels_of,
)
from simulators.platforms.things_stack.plans import Plan

Document = dict[str, Any]

# As many as there are devices in memory: one that talks again finds its keys set up.
_CONTEXTS = Contexts(50_000)
_SESSIONS = (("session", "mac_state", False), ("pending_session", "pending_mac_state", True))


class Home(Protocol):
    """Where devices come from."""

    traits: TraitsTable

    def note(self, device: Device, is_whole: bool) -> None:
        """The device has to be written, with its whole state or with its traffic alone."""

    def documents(self, device: Device) -> tuple[Document, Document]:
        """What is stored of a device: document and state."""


class Device:
    """
    One device.

    Attributes:
        number: of its row.
        application: the application's id, unique over all tenants.
        rest: what it is at rest, while its document and state are not in memory.
        packed_rest: the same, packed.
        traffic: its last uplinks.
        packed_traffic: the same, as they are stored; None when that is not at hand.
        serial: grows with each change of ``traffic``.
        is_gone: this is no longer what is stored; ask for the number again.
    """

    __slots__ = (
        "_current", "_document", "_home", "_ids", "_is_resting", "_pending", "_state", "_traits",
        "application", "device_id", "is_gone", "number", "packed_rest", "packed_traffic", "rest",
        "saved_addresses", "serial", "tenant", "traffic",
    )  # fmt: skip

    def __init__(
        self, home: Home, number: int, *, tenant: str, application: str, device_id: str,
        traffic: Traffic, document: Document | None = None, state: Document | None = None,
        rest: Rest | None = None, traits: Traits | None = None,
    ) -> None:  # fmt: skip
        """Either ``document`` and ``state`` are given, or ``rest`` and ``traits``."""
        self.number = number
        self.tenant = tenant
        self.application = application
        self.device_id = device_id
        self.traffic = traffic
        self.rest = rest
        self.packed_rest: bytes | None = None
        self.packed_traffic: bytes | None = None
        self.serial = 0
        self.is_gone = False
        self._home = home
        self._document = document
        self._state = state
        self._traits = traits
        self._is_resting: bool | None = True if rest is not None else None
        self._ids: Document | None = None
        self._current: tuple[Document | None, Session] | None = None
        self._pending: tuple[Document | None, Session] | None = None
        self.saved_addresses = self.addresses()

    # --- what is kept

    @property
    def document(self) -> Document:
        """What calls of the API have set."""
        if self._document is None:
            self._read()
        assert self._document is not None
        return self._document

    @property
    def state(self) -> Document:
        """What traffic changes."""
        if self._state is None:
            self._read()
        assert self._state is not None
        return self._state

    @property
    def is_read(self) -> bool:
        """Whether more is known than what ``rest`` holds."""
        return self._state is not None

    def _read(self) -> None:
        self._document, self._state = self._home.documents(self)
        if self.traffic.f_cnt_up:
            self._state["session"]["last_f_cnt_up"] = self.traffic.f_cnt_up

    def let_go(self, rest: Rest) -> None:
        """Document and state are not needed at present: what the device is at rest is enough."""
        self.rest, self.packed_rest = rest, pack(rest)
        if self._current is not None:
            self._current = (None, self._current[1])
        self._document = self._state = None

    def save(self) -> None:
        """The state has changed: it is written before anything leaves."""
        self.traffic.settled_until = None
        self.look_again()
        self._home.note(self, True)

    def save_traffic(self) -> None:
        """Nothing but ``traffic`` and the counter of uplinks has changed."""
        self._home.note(self, False)

    def look_again(self) -> None:
        """What follows from document and state is no longer known."""
        self._traits = self._is_resting = self._ids = None

    # --- who it is

    @property
    def ids(self) -> Document:
        """Its EndDeviceIdentifiers, with the address of the current session."""
        if self._ids is None:
            if self._state is None:
                assert self.rest is not None
                self._ids = self.rest.ids(self.traits)
            else:
                session = self._state.get("session")
                ids: Document = self.document["ids"]
                self._ids = {**ids, "dev_addr": session["dev_addr"]} if session else ids
        return self._ids

    def addresses(self) -> tuple[str | None, str | None]:
        """The addresses of its current and of its pending session."""
        if self._state is None:
            assert self.rest is not None
            return self.rest.dev_addr, None
        return (
            self._state.get("session", {}).get("dev_addr"),
            self._state.get("pending_session", {}).get("dev_addr"),
        )

    def sessions(self, dev_addr: str) -> Iterator[bool]:
        """For each of its sessions with that address, whether it is the pending one."""
        if self._state is None:
            assert self.rest is not None
            if self.rest.dev_addr == dev_addr:
                yield False
            return
        for name, mac_state, is_pending in _SESSIONS:
            session = self._state.get(name)
            if (
                session is not None
                and session.get("dev_addr") == dev_addr
                and mac_state in self._state
                and _is_whole(session)
            ):
                yield is_pending

    # --- what it is like

    @property
    def traits(self) -> Traits:
        """What it has in common with others."""
        if self._traits is None:
            table = self._home.traits
            self._traits = table.of(self.tenant, self.application, self.document, self.state)
        return self._traits

    @property
    def plan(self) -> Plan:
        """Its frequency plan."""
        return self.traits.plan

    @property
    def region(self) -> Region:
        """The parameters of its region."""
        return self.traits.region

    @property
    def is_resting(self) -> bool:
        """Nothing is under way: it has one session, and neither asks nor owes anything."""
        if self._is_resting is None:
            self._is_resting = self.traits.is_class_a and is_resting(self.state)
        return self._is_resting

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
        if is_pending:
            return version_of(self.document, self.state.get("pending_mac_state", self.document))
        return self.traits.version

    @property
    def session_key_id(self) -> str:
        """Of the current session; "" when that has not begun with a join."""
        if self._state is None:
            assert self.rest is not None
            return self.rest.session_key_id
        return str(self._state["session"]["keys"].get("session_key_id", ""))

    @property
    def adr_changed_f_cnt(self) -> int:
        """The counter at which ADR's last request was answered, -1 before the first."""
        if self._state is None:
            assert self.rest is not None
            return self.rest.adr_changed_f_cnt
        return int(self.mac_state.get("last_adr_change_f_cnt_up", -1))

    def crypto(self, *, is_pending: bool = False) -> Session:
        """
        Keys of a session, set up; the application's key is not among them.

        Raises:
            KeyError: the device has no such session.
        """
        if self._state is None and not is_pending:
            return self._crypto_at_rest()
        document = self.state["pending_session" if is_pending else "session"]
        kept = self._pending if is_pending else self._current
        if kept is not None and kept[0] is document:
            return kept[1]
        made = _crypto(
            document["dev_addr"],
            session_keys(document),
            is_1_1=self.version(is_pending=is_pending) >= MacVersion.V1_1,
        )
        if is_pending:
            self._pending = (document, made)
        else:
            self._current = (document, made)
        return made

    def _crypto_at_rest(self) -> Session:
        if self._current is None:
            assert self.rest is not None
            is_1_1 = self.traits.version >= MacVersion.V1_1
            made = _crypto(self.rest.dev_addr, self.rest.keys(), is_1_1=is_1_1)
            self._current = (None, made)
        return self._current[1]

    def count(self, f_cnt: int) -> None:
        """An uplink of the current session had that counter."""
        if self._state is not None and f_cnt:
            self._state["session"]["last_f_cnt_up"] = f_cnt

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
        self.look_again()

    def channel(self, frequency_hz: int, *, is_pending: bool = False) -> UplinkChannel | None:
        """The enabled channel at that frequency."""
        if is_pending:
            state = self.state["pending_mac_state"]
            return channels_of(state, is_asked="pending_requests" in state).get(frequency_hz)
        return self.traits.channels.get(frequency_hz)


def _is_whole(session: Document) -> bool:
    """Whether it has the key without which there is no session; a call may have set less."""
    return "key" in session.get("keys", {}).get("f_nwk_s_int_key", ())


def _crypto(dev_addr: str, keys: SessionKeys, *, is_1_1: bool) -> Session:
    return Session(dev_addr, keys, is_1_1=is_1_1, contexts=_CONTEXTS)
