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
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable

Document = dict[str, Any]

MOST_KEPT = 20_000
_CONTEXTS = Contexts(MOST_KEPT)
_ACTIVATED, _NOWHERE = 1, 2
_SESSIONS = ("session", "pending_session")


class Device:
    """
    One device.

    Attributes:
        application: the application's id, unique over all tenants.
        document: what is stored; whoever changes it calls ``Devices.save``.
        locations: what the Identity Server knows of where it is; None when that was not asked yet.
        is_activated: the Identity Server was told that it talks.
    """

    __slots__ = (
        "_cipher", "_of", "application", "document", "is_activated", "locations", "row", "tenant",
    )  # fmt: skip

    def __init__(self, tenant: str, row: DeviceRow) -> None:
        self.tenant = tenant
        self.row = row
        self.application = row.application
        self.document = row.document
        self.locations: Document | None = None
        self.is_activated = False
        self._of: Document | None = None
        self._cipher: Session | None = None

    @property
    def ids(self) -> Document:
        """Its EndDeviceIdentifiers."""
        ids: Document = self.document["ids"]
        return ids

    def sessions(self) -> list[Document]:
        """Its current session and the one that is not confirmed yet, as far as they exist."""
        return [self.document[name] for name in _SESSIONS if name in self.document]

    def session(self, session_key_id: str) -> Document | None:
        """The session with that key, "" for one that did not begin with a join."""
        for session in self.sessions():
            if key_id(session) == session_key_id:
                return session
        return None

    def cipher(self, session: Document) -> Session | None:
        """What encrypts and decrypts payloads of a session; None without its key."""
        if session is self._of:
            return self._cipher
        cipher = _cipher(session)
        if session is self.document.get("session"):  # the other one is seldom used
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
    # Payloads need the application's key alone.
    keys = SessionKeys.legacy(b"", key)
    return Session(session.get("dev_addr", "00000000"), keys, contexts=_CONTEXTS)


class Devices(DeviceTable):
    """The table of devices, and those of them that are kept in memory."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "as_device")
        self.limit = MOST_KEPT
        self._kept: OrderedDict[tuple[str, str], Device] = OrderedDict()
        self._left = bytearray()  # what was known of those that left memory, by number

    def device(self, tenant: str, application: str, device_id: str) -> Device | None:
        """The device of that id, for working with its traffic."""
        key = (application, device_id)
        device = self._kept.get(key)
        if device is not None:
            self._kept.move_to_end(key)
            return device
        row = self.find(application, device_id)
        if row is None:
            return None
        device = self._kept[key] = Device(tenant, row)
        self._remind(device)
        if len(self._kept) > self.limit:
            self._note_left(self._kept.popitem(last=False)[1])
        return device

    def _note_left(self, device: Device) -> None:
        """Two answers of the Identity Server that hold until it tells otherwise, in one byte."""
        number, left = device.row.number, self._left
        if number >= len(left):
            left.extend(bytes(number + 1 - len(left)))
        left[number] = _ACTIVATED * device.is_activated | _NOWHERE * (device.locations == {})

    def _remind(self, device: Device) -> None:
        number = device.row.number
        known = self._left[number] if number < len(self._left) else 0
        device.is_activated = bool(known & _ACTIVATED)
        device.locations = {} if known & _NOWHERE else None

    def _void(self, number: int) -> None:
        if number < len(self._left):
            self._left[number] = 0

    def save(self, device: Device) -> None:
        """Store what traffic has changed of a device."""
        super().write(device.tenant, device.row)

    def write(self, tenant: str, row: DeviceRow, columns: Document | None = None) -> None:
        """See DeviceTable."""
        self._kept.pop((row.application, row.device_id), None)
        super().write(tenant, row, columns or {})
        self._void(row.number)

    def delete(self, row: DeviceRow) -> None:
        """See DeviceTable."""
        self._kept.pop((row.application, row.device_id), None)
        super().delete(row)
        self._void(row.number)

    def moved(self, application: str, device_id: str) -> None:
        """The Identity Server got to know a device, or knows better where it is."""
        device = self._kept.get((application, device_id))
        if device is not None:
            device.locations = None
            device.is_activated = False
        elif self._left:
            row = self.find(application, device_id)
            if row is not None:
                self._void(row.number)

    def forget(self) -> None:
        """The database was rolled back."""
        self._kept.clear()
        self._left.clear()
