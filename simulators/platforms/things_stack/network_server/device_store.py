"""
The rows of the Network Server's devices, and those of them that are in memory.

Those that have talked lately are whole in memory, of those before them what they need to talk
again (resting.py). What changes is written once for each message that the process takes, before
anything leaves it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import orjson

from simulators.platforms.things_stack import newest_rows
from simulators.platforms.things_stack.database import Database, Row
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable, table
from simulators.platforms.things_stack.network_server import channel_lists, traffic
from simulators.platforms.things_stack.network_server.channel_lists import ChannelLists
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.in_memory import InMemory
from simulators.platforms.things_stack.network_server.resting import Resting, rest_of, unpack
from simulators.platforms.things_stack.network_server.traits import TraitsTable
from simulators.platforms.things_stack.newest_rows import NewestRows

Document = dict[str, Any]

TABLES = (
    table("ns_device", "state TEXT, dev_addr TEXT, pending_dev_addr TEXT,")
    + channel_lists.TABLES
    + """
CREATE INDEX IF NOT EXISTS ns_device_address ON ns_device (dev_addr)
    WHERE dev_addr IS NOT NULL;
CREATE INDEX IF NOT EXISTS ns_device_pending ON ns_device (pending_dev_addr)
    WHERE pending_dev_addr IS NOT NULL;
"""
    + newest_rows.table("ns_traffic")
)
_DEVICES = "SELECT number, tenant, application, device_id, document, state FROM ns_device "
_BY_ADDRESS = _DEVICES + "WHERE dev_addr = ? OR pending_dev_addr = ?"
_BY_NUMBER = _DEVICES + "WHERE number = ?"
_BY_ID = _DEVICES + "WHERE application = ? AND device_id = ?"
_BY_EUIS = _DEVICES + "WHERE dev_eui = ? AND join_eui = ?"

_AT_ONCE = 4  # more than a message brings into memory
DEFAULT_CACHE = 50_000  # devices, with two kilobytes each
MOST_WHOLE = 10_000  # of them have their document and state in memory, ten kilobytes more


class DeviceStore(DeviceTable):
    """The rows; calls of the API write and delete them, traffic changes devices in memory."""

    def __init__(self, database: Database, *, cache: int = DEFAULT_CACHE) -> None:
        super().__init__(database, "ns_device")
        self.most_whole = MOST_WHOLE
        self.traits = TraitsTable()
        self.resting = Resting()
        self._channels = ChannelLists(database)
        self._traffic = NewestRows(database, "ns_traffic")
        self.memory = InMemory(cache)
        self._whole: deque[Device] = deque()  # in the order in which they were read
        self._by_address: dict[str, list[Device]] = {}
        self._changed: dict[Device, bool] = {}  # with whether the whole state is to be written

    def __len__(self) -> int:
        """How many devices are in memory."""
        return len(self.memory)

    # --- devices for traffic

    def by_address(self, dev_addr: str) -> list[Device]:
        """Every device with a current or pending session of that address."""
        found = self._by_address.get(dev_addr)
        if found is None:
            rested = self._rested(dev_addr)
            found = self._read(dev_addr) if rested is None else [rested]
            if found:
                self._by_address[dev_addr] = found
        else:
            for device in found:
                self.memory.stay(device)
        return found

    def _rested(self, dev_addr: str) -> Device | None:
        """The device at rest with that address."""
        found = self.resting.take(dev_addr)
        if found is None:
            return None
        packed, heard, age = found
        rest = unpack(packed)
        traits = self.traits[rest.traits]
        device = Device(
            self, rest.number, tenant=traits.tenant, application=traits.application,
            device_id=rest.device_id, traffic=heard, rest=rest, traits=traits,
        )  # fmt: skip
        device.packed_rest = packed
        if age < self.memory.limit:
            self.memory.stay(device)
        else:
            self.memory.invite(device)
        return device

    def _read(self, dev_addr: str) -> list[Device]:
        self._write()
        rows = self.database.all(_BY_ADDRESS, dev_addr, dev_addr)
        rows.sort()  # by number, which no two have in common
        return [self._device(row) for row in rows]

    def by_number(self, number: int) -> Device | None:
        """The device of that row."""
        found = self.memory.get(number)
        return found or self._one(self.database.one(_BY_NUMBER, number))

    def by_id(self, application: str, device_id: str) -> Device | None:
        """The device of an application; ``application`` is unique over all tenants."""
        return self._one(self.database.one(_BY_ID, application, device_id))

    def joining(self, join_eui: str, dev_eui: str) -> list[Device]:
        """The devices with both EUIs, in capitals: one for each tenant at most."""
        rows = self.database.all(_BY_EUIS, dev_eui, join_eui)
        return [self._device(row) for row in rows]

    def _one(self, row: Row | None) -> Device | None:
        return None if row is None else self._device(row)

    def _device(self, row: Row) -> Device:
        """The device in memory, else as the row has it."""
        number, tenant, application, device_id, text, state_text = row
        known = self.memory.get(number)
        if known is not None:
            self.memory.stay(known)
            return known
        state: Document = self._loaded(state_text)
        device = Device(
            self, number, tenant=tenant, application=application, device_id=device_id,
            traffic=_traffic(state, self._traffic.read(number)),
            document=orjson.loads(text), state=state,
        )  # fmt: skip
        for address in device.addresses():
            self.resting.drop(address)
        self.memory.stay(device)
        self._whole.append(device)
        return device

    def _make_room(self) -> None:
        """Send the devices to rest that were not used for longest."""
        for _ in range(min(_AT_ONCE, len(self._whole) - self.most_whole)):
            device = self._whole.popleft()
            if not device.is_gone:
                self._let_go(device)
                if device.is_read:  # something is under way: its turn comes again
                    self._whole.append(device)
        for device in self.memory.too_many():
            age = self.memory.age(device)
            if self._put_to_rest(device, age=age) or not self.memory.is_guest(device):
                self._drop(device)
            else:
                self.memory.stay(device)

    def _put_to_rest(self, device: Device, *, age: int) -> bool:
        """Keep what the device needs to talk again, if it is at rest and alone at its address."""
        address, _ = device.addresses()
        if address is None or len(self._by_address.get(address, ())) != 1 or not device.is_resting:
            return False
        self._let_go(device)
        packed = device.packed_rest
        if packed is None or device.is_read:
            return False
        heard = device.packed_traffic or traffic.encode(device.traffic)
        self.resting.put(address, packed, heard, age=age)
        return True

    def _let_go(self, device: Device) -> None:
        """Keep no more of a device at rest than it needs to talk."""
        if device.is_read and device.is_resting:
            rest = rest_of(device.number, device.document, device.state, device.traits)
            if rest is not None:
                device.let_go(rest)

    def _drop(self, device: Device) -> None:
        device.is_gone = True
        self.memory.leave(device)
        addresses = device.addresses()
        for address in addresses:
            self._by_address.pop(address or "", None)
        if device.saved_addresses != addresses:
            for address in device.saved_addresses:
                self._by_address.pop(address or "", None)

    # --- what changes

    def note(self, device: Device, is_whole: bool) -> None:
        """See ``Home``."""
        if not device.is_gone:
            device.packed_traffic = None
            self._changed[device] = is_whole or self._changed.get(device, False)

    def flush(self) -> None:
        """Write what has changed; a message was dealt with, so devices may leave memory."""
        if self._changed:
            for device in self._write():
                # Its frame is through: what it takes up is still in the processor's caches.
                if self.memory.is_guest(device) and self._put_to_rest(device, age=0):
                    self._drop(device)
        self._make_room()

    def _write(self) -> Iterable[Device]:
        """Which ones had changed."""
        changed, self._changed = self._changed, {}
        for device, is_whole in changed.items():
            if is_whole:
                self._write_whole(device)
            device.packed_traffic = heard = traffic.encode(device.traffic)
            self._traffic.write(device.number, heard)
        return changed

    def _write_whole(self, device: Device) -> None:
        columns = self._columns(device.state)
        self.database.change(
            "UPDATE ns_device SET state = ?, dev_addr = ?, pending_dev_addr = ? WHERE number = ?",
            *columns.values(),
            device.number,
        )
        addresses = device.addresses()
        if addresses != device.saved_addresses:
            for address in {*addresses, *device.saved_addresses}:
                if address is not None:
                    self._forget_address(address)
            device.saved_addresses = addresses

    def _forget_address(self, address: str) -> None:
        self._by_address.pop(address, None)
        self.resting.drop(address)

    def documents(self, device: Device) -> tuple[Document, Document]:
        """See ``Home``."""
        query = "SELECT document, state FROM ns_device WHERE number = ?"
        row = self.database.one(query, device.number)
        assert row is not None, f"no device has the number {device.number}"
        self._whole.append(device)
        return orjson.loads(row[0]), self._loaded(row[1])

    # --- calls of the API

    def state(self, number: int) -> Document:
        """The part of a device that traffic changes."""
        row = self.database.one("SELECT state FROM ns_device WHERE number = ?", number)
        if row is None or row[0] is None:
            return {}
        state = self._loaded(row[0])
        _traffic(state, self._traffic.read(number))
        return state

    def traffic(self, number: int) -> traffic.Traffic | None:
        """The last uplinks of the current session; None before the first."""
        counted = self._traffic.read(number)
        return None if counted is None else traffic.decode(counted)

    def store(self, tenant: str, row: DeviceRow, state: Document) -> None:
        """Add a row or replace it, with its state; what is in memory of the device is void."""
        columns = self._columns(state)
        self._void(row.number)
        super().write(tenant, row, columns)
        self._traffic.delete(row.number)
        for name in ("dev_addr", "pending_dev_addr"):
            self._forget_address(columns.get(name) or "")

    def delete(self, row: DeviceRow) -> None:
        """See DeviceTable."""
        self._void(row.number)
        super().delete(row)
        self._traffic.delete(row.number)

    def _void(self, number: int) -> None:
        """A call is about to change or delete the row of a device, if it has one yet."""
        device = self.memory.get(number)
        if device is not None:
            self._changed.pop(device, None)
            self._drop(device)
        else:
            query = "SELECT dev_addr FROM ns_device WHERE number = ?"
            for (address,) in self.database.all(query, number):
                self.resting.drop(address)

    def resume(self) -> None:
        """Read what the first uplinks would have to wait for."""
        self._traffic.know()

    def forget(self) -> None:
        """The database was rolled back: nothing in memory can be trusted."""
        self._changed.clear()
        for device in self.memory:
            device.is_gone = True
        self.memory.clear()
        self._whole.clear()
        self._by_address.clear()
        self.resting.clear()
        self._channels.forget()
        self._traffic.forget()

    # --- the state in its row

    def _columns(self, state: Document) -> Document:
        """A state with the addresses that it is found by."""
        return {
            "state": orjson.dumps(self._channels.stored(state)).decode() if state else None,
            "dev_addr": state.get("session", {}).get("dev_addr"),
            "pending_dev_addr": state.get("pending_session", {}).get("dev_addr"),
        }

    def _loaded(self, text: str | None) -> Document:
        return self._channels.load(orjson.loads(text)) if text else {}


def _traffic(state: Document, counted: bytes | None) -> traffic.Traffic:
    """The last uplinks; their counter, which is newer than the state's, goes into the state."""
    session = state.get("session", {})
    if counted is None:
        return traffic.Traffic(session.get("last_f_cnt_up", 0))
    heard = traffic.decode(counted)
    if heard.f_cnt_up:
        session["last_f_cnt_up"] = heard.f_cnt_up
    return heard
