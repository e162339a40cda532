"""
A device as the Application Server works with it: its sessions, and the keys set up for them.

Kept in memory for devices that talk, since setting a key up costs more than decrypting with it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from simulators.lorawan.contexts import Contexts
from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import SessionKeys
from simulators.platforms.things_stack.application_server.remembered import (
    NOTHING,
    Remembered,
    Said,
    Traits,
)
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable

Document = dict[str, Any]

MOST_KEPT = 20_000
_CONTEXTS = Contexts(MOST_KEPT)
_ACTIVATED, _NOWHERE = 1, 2
_NO_NUMBER = -1  # of no row
_SESSIONS = ("session", "pending_session")


class Device:
    """
    One device.

    Attributes:
        application: the application's id, unique over all tenants.
        settings: where its ``formatters`` and ``version_ids`` stand; not to be changed.
        said: what is remembered of these three, which the Identity Server has said:
        locations: where it is; None when that was not asked yet.
        is_activated: it was told there that the device talks.
        registration: the number of its row there, see ``Said``.
    """

    __slots__ = (
        "_cipher", "_of", "_plain_cipher", "_row", "_session", "_table", "_traits", "application",
        "device_id", "is_activated", "locations", "registration", "said", "settings", "tenant",
    )  # fmt: skip

    def __init__(
        self,
        table: DeviceTable,
        tenant: str,
        application: str,
        device_id: str,
        *,
        said: Said = NOTHING,
        traits: Traits | None = None,
        row: DeviceRow | None = None,
    ) -> None:
        """Either ``traits`` are given, or the ``row``, read already."""
        self._table = table
        self._row = row
        self._traits = traits
        if traits is not None:
            self.settings = traits.settings
        elif row is not None:
            self.settings = row.document
        self.tenant = tenant
        self.application = application
        self.device_id = device_id
        self.hear(said)
        self._session: Document | None = None  # while there is no row
        self._of: Document | None = None
        self._cipher: Session | None = None
        self._plain_cipher: Session | None = None

    def hear(self, said: Said) -> None:
        """Know what the Identity Server has said."""
        answers, self.registration = self.said = said
        self.is_activated = bool(answers & _ACTIVATED)
        self.locations: Document | None = {} if answers & _NOWHERE else None

    def heard(self) -> Said:
        """What can be remembered of what the Identity Server has said."""
        answers = _ACTIVATED * self.is_activated | _NOWHERE * (self.locations == {})
        return Said(answers, self.registration)

    @property
    def row(self) -> DeviceRow:
        """Its row, read when it is asked for."""
        if self._row is None:
            found = self._table.find(self.application, self.device_id)
            self._row = found or self._deleted()
        return self._row

    def _deleted(self) -> DeviceRow:
        """It went while something of it was under way: nothing of it is to be stored any more."""
        ids = {
            "device_id": self.device_id,
            "application_ids": {"application_id": self.application_id},
        }
        return DeviceRow(_NO_NUMBER, self.application, self.device_id, {"ids": ids})

    @property
    def document(self) -> Document:
        """What is stored; whoever changes it calls ``Devices.save``."""
        return self.row.document

    @property
    def application_id(self) -> str:
        """The application's id in its tenant."""
        return self.application.partition("@")[0]

    @property
    def ids(self) -> Document:
        """Its EndDeviceIdentifiers."""
        ids: Document = self.document["ids"]
        return ids

    @property
    def session_in_use(self) -> Document | None:
        """Its current session, to be looked at; who changes it takes it from ``document``."""
        if self._row is not None:
            return self._row.document.get("session")
        if self._session is None and self._traits is not None:
            self._session = self._traits.session()
        return self._session

    def sessions(self) -> list[Document]:
        """Its current session and the one that is not confirmed yet, as far as they exist."""
        return [self.document[name] for name in _SESSIONS if name in self.document]

    def session(self, session_key_id: str) -> Document | None:
        """The session with that key, "" for one that did not begin with a join."""
        for session in self.sessions():
            if key_id(session) == session_key_id:
                return session
        return None

    def plain_cipher(self, session_key_id: str) -> Session | None:
        """At once, of a remembered device in the session with that key; see ``cipher``."""
        traits = self._traits
        if traits is None or self._row is not None or traits.session_key_id != session_key_id:
            return None
        if self._plain_cipher is None:
            self._plain_cipher = _session(traits.dev_addr.hex(), traits.app_s_key)
        return self._plain_cipher

    def cipher(self, session: Document) -> Session | None:
        """What encrypts and decrypts payloads of a session; None without its key."""
        if session is self._of:
            return self._cipher
        cipher = _cipher(session)
        if session is self.session_in_use:  # the other one is seldom used
            self._of, self._cipher = session, cipher
        return cipher


def key_id(session: Document) -> str:
    """The id of a session's keys, "" for one that did not begin with a join."""
    found: str = session.get("keys", {}).get("session_key_id", "")
    return found


def has_key(session: Document) -> bool:
    """Whether the application's key of a session is at hand, and not wrapped in another."""
    return "key" in session.get("keys", {}).get("app_s_key", ())


def _cipher(session: Document) -> Session | None:
    if not has_key(session):
        return None
    key = bytes.fromhex(session["keys"]["app_s_key"]["key"])
    return _session(session.get("dev_addr", "00000000"), key)


def _session(dev_addr: str, app_s_key: bytes) -> Session:
    # Payloads need the application's key alone.
    return Session(dev_addr, SessionKeys(b"", b"", b"", app_s_key), contexts=_CONTEXTS)


class Devices(DeviceTable):
    """The table of devices, and those of them that are kept in memory."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "as_device")
        self.limit = MOST_KEPT
        self.remembered = Remembered()
        self._kept: OrderedDict[str, Device] = OrderedDict()

    def device(self, tenant: str, application: str, device_id: str) -> Device | None:
        """The device of that id, for working with its traffic."""
        key = _key(application, device_id)
        device = self._kept.get(key)
        if device is not None:
            self._kept.move_to_end(key)
            return device
        said, traits = self.remembered.recall(key)
        row = None
        if traits is None:
            row = self.find(application, device_id)
            if row is None:
                return None
            self.remembered.add(key, row.document)
        device = Device(self, tenant, application, device_id, said=said, traits=traits, row=row)
        self._kept[key] = device
        if len(self._kept) > self.limit:
            self._leave(*self._kept.popitem(last=False))
        return device

    def _leave(self, key: str, device: Device) -> None:
        said = device.heard()
        if said != device.said:
            self.remembered.note(key, said)

    def save(self, device: Device) -> None:
        """Store what traffic has changed of a device."""
        super().write(device.tenant, device.row)
        self.remembered.changed(_key(device.application, device.device_id))

    def write(self, tenant: str, row: DeviceRow, columns: Document | None = None) -> None:
        """See DeviceTable."""
        super().write(tenant, row, columns or {})
        self._void(row)

    def delete(self, row: DeviceRow) -> None:
        """See DeviceTable."""
        super().delete(row)
        self._void(row)

    def _void(self, row: DeviceRow) -> None:
        key = _key(row.application, row.device_id)
        self._kept.pop(key, None)
        self.remembered.drop(key)

    def moved(self, application: str, device_id: str) -> None:
        """What the Identity Server has said of a device is true no more."""
        key = _key(application, device_id)
        device = self._kept.get(key)
        if device is not None:
            device.hear(NOTHING)
        self.remembered.note(key, NOTHING)

    def forget(self) -> None:
        """The database was rolled back."""
        self._kept.clear()
        self.remembered.clear()


def _key(application: str, device_id: str) -> str:
    return f"{application}.{device_id}"  # no id has a dot
