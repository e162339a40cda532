"""
The rows of the Network Server's devices, and those of them that are in memory.

What changes is written once for each message that the process takes, before anything leaves it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import orjson

from simulators.platforms.things_stack import newest_rows
from simulators.platforms.things_stack.database import Database, Row
from simulators.platforms.things_stack.device_table import DeviceRow, DeviceTable, table
from simulators.platforms.things_stack.network_server import channel_lists, traffic
from simulators.platforms.things_stack.network_server.channel_lists import ChannelLists
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.newest_rows import NewestRows
from simulators.platforms.things_stack.plans import plan, region_of

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

DEFAULT_CACHE = 50_000  # devices, with about ten kilobytes each


class DeviceStore(DeviceTable):
    """The rows; calls of the API write and delete them, traffic changes devices in memory."""

    def __init__(self, database: Database, *, cache: int = DEFAULT_CACHE) -> None:
        super().__init__(database, "ns_device")
        self.limit = cache
        self._channels = ChannelLists(database)
        self._traffic = NewestRows(database, "ns_traffic")
        self._devices: OrderedDict[int, Device] = OrderedDict()
        self._by_address: dict[str, list[Device]] = {}
        self._changed: dict[Device, bool] = {}  # with whether the whole state is to be written

    def __len__(self) -> int:
        """How many devices are in memory."""
        return len(self._devices)

    # --- devices for traffic

    def by_address(self, dev_addr: str) -> list[Device]:
        """Every device with a current or pending session of that address."""
        found = self._by_address.get(dev_addr)
        if found is None:
            self.flush()
            rows = self.database.all(_BY_ADDRESS, dev_addr, dev_addr)
            rows.sort()  # by number, which no two have in common
            found = [self._device(row) for row in rows]
            if found:
                self._by_address[dev_addr] = found
        else:
            for device in found:
                self._devices.move_to_end(device.number)
        return found

    def by_number(self, number: int) -> Device | None:
        """The device of that row."""
        found = self._devices.get(number)
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
        known = self._devices.get(number)
        if known is not None:
            self._devices.move_to_end(number)
            return known
        document: Document = orjson.loads(text)
        state: Document = self._loaded(state_text)
        found = plan(document["frequency_plan_id"])
        heard = _traffic(state, self._traffic.read(number))
        device = Device(
            number, tenant=tenant, application=application, device_id=device_id,
            document=document, state=state, traffic=heard, plan=found,
            region=region_of(found["band_id"], document["lorawan_phy_version"]),
            note=self._note,
        )  # fmt: skip
        self._devices[number] = device
        if len(self._devices) > self.limit:
            self._make_room()
        return device

    def _make_room(self) -> None:
        """Drop the device that was not used for longest; what it changed is written first."""
        oldest = next(iter(self._devices.values()))
        if oldest in self._changed:
            self.flush()
        self._drop(oldest)

    def _drop(self, device: Device) -> None:
        device.is_gone = True
        del self._devices[device.number]
        for address in {*device.addresses(), *device.saved_addresses}:
            if address is not None:
                self._by_address.pop(address, None)

    # --- what changes

    def _note(self, device: Device, is_whole: bool) -> None:
        if not device.is_gone:
            self._changed[device] = is_whole or self._changed.get(device, False)

    def flush(self) -> None:
        """Write what has changed."""
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        for device, is_whole in changed.items():
            if is_whole:
                self._write_whole(device)
            self._traffic.write(device.number, traffic.encode(device.traffic))

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
                    self._by_address.pop(address, None)
            device.saved_addresses = addresses

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
        super().write(tenant, row, columns)
        self._traffic.delete(row.number)
        self._void(row.number)
        for name in ("dev_addr", "pending_dev_addr"):
            self._by_address.pop(columns.get(name) or "", None)

    def delete(self, row: DeviceRow) -> None:
        """See DeviceTable."""
        super().delete(row)
        self._traffic.delete(row.number)
        self._void(row.number)

    def _void(self, number: int) -> None:
        device = self._devices.get(number)
        if device is not None:
            self._changed.pop(device, None)
            self._drop(device)

    def forget(self) -> None:
        """The database was rolled back: nothing in memory can be trusted."""
        self._changed.clear()
        for device in self._devices.values():
            device.is_gone = True
        self._devices.clear()
        self._by_address.clear()
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
