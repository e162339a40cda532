"""
Downlinks to devices: when one is sent, through which gateways, and what becomes of it.

Class A answers in the windows of an uplink. Those windows live in memory: a process that ends
misses them, and all that was to be said is still in the device's state. Work for class B and C has
a row, from which it is taken up again. Of what a gateway had taken, see in_flight.py.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.agenda import Ticket
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server import building, mac, queue
from simulators.platforms.things_stack.network_server.building import Draft, Slot
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.mac import dev_status, requests
from simulators.platforms.things_stack.network_server.mac_settings import (
    CLASS_B_TIMEOUT,
    CLASS_C_TIMEOUT,
)
from simulators.platforms.things_stack.network_server.transmissions import (
    DataDownlink,
    Transmissions,
    answering_paths,
    known_paths,
)
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo
from simulators.platforms.things_stack.network_server.windows import (
    SECOND_US,
    Windows,
    longest_in,
    ping_slot,
    rx1_us,
    rx2_now,
)
from simulators.platforms.things_stack.times import parse_duration, time_text, unix_us

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

__all__ = ["TABLES", "DataDownlink", "Downlinks", "after_uplink"]

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS ns_downlink_task (number INTEGER PRIMARY KEY, due_us INTEGER NOT NULL);
"""
# How long before RX1 a gateway is asked: till then more may be put into the frame.
_AHEAD_US = 3_200_000
_INTERVAL = "1s"  # between two frames that no uplink has asked for, when a device does not say so
_RETRY_US = 2_000_000  # when no gateway could send in class B or C


class Downlinks:
    """All devices' downlinks but join accepts."""

    def __init__(self, stack: Stack, database: Database, devices: DeviceStore) -> None:
        self._stack = stack
        self._database = database
        self._devices = devices
        self._open: dict[int, UplinkInfo] = {}  # uplinks whose windows are not over, by device
        self._closing: deque[tuple[int, int, UplinkInfo]] = deque()
        self._tickets: dict[int, Ticket] = {}
        self.sent = Transmissions(stack, database, devices)
        self._planned: set[int] = set()  # devices that have a row

    # --- class A

    def after_uplink(self, device: Device, info: UplinkInfo, now_us: int) -> None:
        """The windows of an uplink are open, also after a repetition."""
        if info.transmission == 1:
            mac.close_uplink(self._stack, device, info, now_us)
        self._forget_closed(now_us)
        self._open[device.number] = info
        closes_us = rx1_us(device, info) + SECOND_US
        self._closing.append((closes_us, device.number, info))
        if self._is_wanted(device, info, now_us):
            self._arm_windows(device, info, now_us)

    def _forget_closed(self, now_us: int) -> None:
        closing = self._closing
        while closing and closing[0][0] <= now_us:
            _, number, info = closing.popleft()
            if self._open.get(number) is info:
                del self._open[number]

    def _is_wanted(self, device: Device, info: UplinkInfo, now_us: int) -> bool:
        """Whether anything is to be said to the device in these windows."""
        if info.is_confirmed or info.adr_ack_req:
            return True
        if not device.is_resting:
            if "queued_responses" in device.mac_state or mac.is_repeating(device):
                return True
            waiting = device.state["session"].get(queue.ITEMS)
            if waiting and queue.is_for_class_a(waiting[0]):
                return True
        return self._is_asking(device, info.f_cnt, now_us)

    def _is_asking(self, device: Device, f_cnt: int, now_us: int) -> bool:
        """Whether there are requests; a device found settled stays so until its state changes."""
        settled = device.traffic.settled_until
        if settled is not None and f_cnt < settled[0] and now_us < settled[1]:
            return False
        if requests.is_anything(device, now_us):
            return True
        device.traffic.settled_until = dev_status.due(device)
        return False

    def _arm_windows(self, device: Device, info: UplinkInfo, now_us: int) -> None:
        due_us = max(now_us, rx1_us(device, info) - _AHEAD_US)
        number = device.number
        self._arm(number, due_us, lambda due: self._answer(number, info, due))

    def _arm(self, number: int, due_us: int, job: Any) -> None:
        before = self._tickets.pop(number, None)
        if before is not None:
            before.cancel()
        self._tickets[number] = self._stack.agenda.at(due_us, job)

    def _answer(self, number: int, info: UplinkInfo, now_us: int) -> None:
        """Send what there is in the windows of an uplink."""
        self._tickets.pop(number, None)
        device = self._devices.by_number(number)
        if device is None or not _is_active(device):
            return
        windows = Windows.of(device, info, now_us)
        if windows is not None and self._open.get(number) is info:
            is_forced = info.is_confirmed or info.adr_ack_req or mac.is_repeating(device)
            self._send_in_windows(device, windows, now_us, is_forced=is_forced)
        self._arm_network_slot(device, now_us)

    def _send_in_windows(
        self, device: Device, windows: Windows, now_us: int, *, is_forced: bool
    ) -> None:
        slot = Slot(windows.longest, windows.info)
        drafted = self._draft(device, slot, now_us, is_forced=is_forced)
        if drafted is None:
            return
        request = windows.request(drafted)
        request["downlink_paths"] = answering_paths(windows.info)
        told = [*windows.info.correlation_ids]
        if self.sent.schedule(device, slot, drafted, request, told, now_us):
            self._open.pop(device.number, None)

    def _draft(self, device: Device, slot: Slot, now_us: int, *, is_forced: bool) -> Draft | None:
        failures = building.prune(device, now_us)
        drafted = building.draft(device, slot, now_us, is_forced=is_forced)
        if drafted is not None:
            failures += drafted.dropped
        if failures:
            self.sent.drop(device, failures, now_us)
        return drafted if drafted is not None and drafted.phy else None

    # --- class B and C

    def _arm_network_slot(self, device: Device, now_us: int) -> None:
        """Plan the next frame that needs no uplink, if the device can hear one."""
        due_us = self._network_slot_us(device, now_us)
        number = device.number
        if due_us is None:
            self._forget_task(number)
            return
        query = "REPLACE INTO ns_downlink_task VALUES (?, ?)"
        self._database.change(query, number, due_us)
        self._planned.add(number)
        self._arm(number, due_us, lambda due: self._send_unasked(number, due))

    def _forget_task(self, number: int) -> None:
        if number in self._planned:
            self._planned.discard(number)
            self._database.change("DELETE FROM ns_downlink_task WHERE number = ?", number)

    def _network_slot_us(self, device: Device, now_us: int) -> int | None:
        state = device.state.get("mac_state", {})
        waiting = queue.items(device.state.get("session", {}))
        if state.get("device_class") not in ("CLASS_B", "CLASS_C") or not waiting:
            return None
        due_us = now_us
        if "last_downlink_at" in state:  # a frame for RX1, or in its stead RX2, may still be ahead
            due_us = max(due_us, unix_us(state["last_downlink_at"]) + SECOND_US)
        if "last_network_initiated_downlink_at" in state:
            interval = device.setting("class_b_c_downlink_interval", _INTERVAL)
            last_us = unix_us(state["last_network_initiated_downlink_at"])
            due_us = max(due_us, last_us + parse_duration(interval) // 1000)
        time_us = queue.absolute_us(waiting[0])
        if time_us is not None:
            due_us = max(due_us, time_us - queue.AHEAD_US)
        if waiting[0].get("confirmed") and "last_confirmed_downlink_at" in state:
            due_us = max(due_us, _unanswered_us(device, state))
        return due_us

    def _send_unasked(self, number: int, now_us: int) -> None:
        """Send the next item of a device in class B or C."""
        self._tickets.pop(number, None)
        device = self._devices.by_number(number)
        if device is None or not _is_active(device):
            self._forget_task(number)
            return
        due_us = self._network_slot_us(device, now_us)
        if due_us is not None and due_us <= now_us:
            self._give_up_waiting(device, now_us)
            if not self._send_in_network_slot(device, now_us):
                now_us += _RETRY_US
        self._arm_network_slot(device, now_us)

    def _give_up_waiting(self, device: Device, now_us: int) -> None:
        """A confirmed downlink that nothing answered for so long counts as not heard."""
        item = queue.items(device.state["session"])[0]
        pending = device.mac_state.get("pending_application_downlink")
        if pending is None or not item.get("confirmed"):
            return
        del device.mac_state["pending_application_downlink"]
        device.save()
        self.sent.tell_application(
            device, "downlink_nack", pending, pending.get("correlation_ids", []), now_us
        )

    def _send_in_network_slot(self, device: Device, now_us: int) -> bool:
        is_b = device.mac_state["device_class"] == "CLASS_B"
        request, row = (ping_slot if is_b else rx2_now)(device, now_us)
        slot = Slot(longest_in(device, row), None)
        drafted = self._draft(device, slot, now_us, is_forced=False)
        if drafted is None or drafted.item is None:
            return not queue.items(device.state["session"])
        item = drafted.item
        time_us = queue.absolute_us(item)
        if time_us is not None:
            request["absolute_time"] = time_text(time_us)
        fixed = queue.fixed_gateways(item)
        paths = [{"fixed": each} for each in fixed] or known_paths(device)
        request["downlink_paths"] = paths
        return self.sent.schedule(device, slot, drafted, request, [], now_us)

    # --- the queue of the application

    def push(
        self,
        application: str,
        device_id: str,
        items: list[Document],
        now_us: int,
        *,
        replaces: bool,
    ) -> None:
        """
        Change a device's queue, and send what can be sent.

        Raises:
            StackError: the items do not fit, or not this device.
        """
        device = self._devices.by_id(application, device_id)
        if device is None:
            raise StackError("pkg/networkserver:device_not_found")
        queue.push(device, items, now_us, replaces=replaces)
        info = self._open.get(device.number)
        is_on = info is not None and now_us < rx1_us(device, info) + SECOND_US
        if info is not None and is_on and self._is_wanted(device, info, now_us):
            self._arm_windows(device, info, now_us)
        elif not (is_on and device.number in self._tickets):
            self._arm_network_slot(device, now_us)

    def queue(self, application: str, device_id: str) -> list[Document]:
        """
        What waits for a device.

        Raises:
            StackError: there is no such device.
        """
        device = self._devices.by_id(application, device_id)
        if device is None:
            raise StackError("pkg/networkserver:device_not_found")
        return queue.all_items(device)

    # --- a process that begins

    def resume(self, now_us: int) -> None:
        """Tell what was lost, and take up again what was planned for class B and C."""
        self.sent.resume(now_us)
        for number, due_us in self._rows():
            self._planned.add(number)
            self._resume(number, max(due_us, now_us))

    def _rows(self) -> list[tuple[int, int]]:
        return self._database.all("SELECT number, due_us FROM ns_downlink_task ORDER BY number")

    def _resume(self, number: int, due_us: int) -> None:
        self._arm(number, due_us, lambda due: self._send_unasked(number, due))

    def forget(self) -> None:
        """The database was rolled back: open windows stay, void plans notice it."""
        self._planned = {number for number, _ in self._rows()}


def after_uplink(stack: Stack, device: Device, info: UplinkInfo, now_us: int) -> None:
    """The windows of an uplink are open, also after a repetition."""
    stack.network.downlinks.after_uplink(device, info, now_us)


def _is_active(device: Device) -> bool:
    return "session" in device.state and "mac_state" in device.state


def _unanswered_us(device: Device, state: Document) -> int:
    """When a confirmed downlink counts as not heard."""
    is_b = state["device_class"] == "CLASS_B"
    name = "class_b_timeout" if is_b else "class_c_timeout"
    timeout = device.setting(name, CLASS_B_TIMEOUT if is_b else CLASS_C_TIMEOUT)
    return unix_us(state["last_confirmed_downlink_at"]) + parse_duration(timeout) // 1000
