"""
Downlinks to devices: when one is sent, through which gateways, and what becomes of it.

Class A answers in the windows of an uplink. Those windows live in memory: a process that ends
misses them, and all that was to be said is still in the device's state. Work for class B and C has
a row, from which it is taken up again.
"""

from __future__ import annotations

import base64
from collections import deque
from typing import TYPE_CHECKING, Any

from simulators.lorawan.class_b import next_ping_slot_us
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.gps_time import to_gps_us, to_unix_us
from simulators.lorawan.regions.region import FHDR_AND_PORT, DataRate
from simulators.platforms.things_stack.agenda import Ticket
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Scheduled, Up
from simulators.platforms.things_stack.network_server import building, mac, queue, refusals
from simulators.platforms.things_stack.network_server.building import Draft, Failure, Slot
from simulators.platforms.things_stack.network_server.device import Device, UplinkInfo
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.joins import data_rate_message
from simulators.platforms.things_stack.network_server.mac import dev_status, requests
from simulators.platforms.things_stack.network_server.mac.documents import PING_PERIODS, cid_name
from simulators.platforms.things_stack.network_server.mac_settings import (
    CLASS_B_TIMEOUT,
    CLASS_C_TIMEOUT,
)
from simulators.platforms.things_stack.times import (
    duration_text,
    parse_duration,
    time_text,
    unix_us,
)
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS ns_downlink_task (number INTEGER PRIMARY KEY, due_us INTEGER NOT NULL);
"""
_SECOND_US = 1_000_000
# How long before RX1 a gateway is asked: till then more may be put into the frame.
_AHEAD_US = 3_200_000
# How long before a time that an application has set, or a ping slot.
_AHEAD_OF_SLOT_US = 2_000_000
_INTERVAL = "1s"  # between two frames that no uplink has asked for, when a device does not say so
_RETRY_US = 1_000_000  # when no gateway could send in class B or C
_MOST_PATHS = 8


class DataDownlink(Downlink):
    """A data frame on its way; ``item`` is the application's downlink in it."""

    number: int = 0
    item: Document | None = None


class Downlinks:
    """All devices' downlinks but join accepts."""

    def __init__(self, stack: Stack, database: Database, devices: DeviceStore) -> None:
        self._stack = stack
        self._database = database
        self._devices = devices
        self._open: dict[int, UplinkInfo] = {}  # uplinks whose windows are not over, by device
        self._closing: deque[tuple[int, int, UplinkInfo]] = deque()
        self._tickets: dict[int, Ticket] = {}
        self._planned: set[int] = set()  # devices that have a row

    # --- class A

    def after_uplink(self, device: Device, info: UplinkInfo, now_us: int) -> None:
        """The windows of an uplink are open, also after a repetition."""
        if info.transmission == 1:
            mac.close_uplink(self._stack, device, info, now_us)
        self._forget_closed(now_us)
        self._open[device.number] = info
        closes_us = _rx1_us(device, info) + _SECOND_US
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
        state = device.mac_state
        if "queued_responses" in state or mac.is_repeating(device):
            return True
        if any(map(queue.is_for_class_a, queue.items(device.state["session"]))):
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
        due_us = max(now_us, _rx1_us(device, info) - _AHEAD_US)
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
        windows = _Windows.of(device, info, now_us)
        if windows is not None and self._open.get(number) is info:
            is_forced = info.is_confirmed or info.adr_ack_req or mac.is_repeating(device)
            self._send_in_windows(device, windows, now_us, is_forced=is_forced)
        self._arm_network_slot(device, now_us)

    def _send_in_windows(
        self, device: Device, windows: _Windows, now_us: int, *, is_forced: bool
    ) -> None:
        slot = Slot(windows.longest, windows.info, windows.at_us)
        drafted = self._draft(device, slot, now_us, is_forced=is_forced)
        if drafted is None:
            return
        request = windows.request(device, drafted)
        request["downlink_paths"] = _paths(windows.info)
        told = [*windows.info.correlation_ids]
        if self._schedule(device, slot, drafted, request, told, now_us):
            self._open.pop(device.number, None)

    def _draft(self, device: Device, slot: Slot, now_us: int, *, is_forced: bool) -> Draft | None:
        failures = building.prune(device, now_us)
        drafted = building.draft(device, slot, now_us, is_forced=is_forced)
        if drafted is not None:
            failures += drafted.dropped
        if failures:
            self._drop(device, failures, now_us)
        return drafted if drafted is not None and drafted.phy else None

    def _drop(self, device: Device, failures: list[Failure], now_us: int) -> None:
        """Tell the application of items that will not be sent."""
        session = device.state["session"]
        gone = [each.item for each in failures]
        left = [each for each in queue.items(session) if not any(each is one for one in gone)]
        queue.put(session, left)
        device.save()
        for each in failures:
            self._fail(device, each.item, each.error, now_us)

    def _fail(self, device: Device, item: Document, error: StackError, now_us: int) -> None:
        message = {"downlink": item, "error": error.details()}
        self._up(device, "downlink_failed", message, item.get("correlation_ids", []), now_us)

    def _up(
        self, device: Device, kind: str, message: Document, told: list[str], now_us: int
    ) -> None:
        up = Up(device.tenant, device.ids, kind, message, told, now_us)
        self._stack.application.handle_up(up, now_us)

    # --- through a gateway

    def _schedule(
        self,
        device: Device,
        slot: Slot,
        drafted: Draft,
        request: Document,
        told: list[str],
        now_us: int,
    ) -> bool:
        """Ask for a gateway; what the frame says holds as soon as one has taken it."""
        stack = self._stack
        told = [*told, *(drafted.item or {}).get("correlation_ids", ())]
        told.append(f"ns:downlink:{ulid(now_us, stack.rng)}")
        told = list(dict.fromkeys(told))
        request["frequency_plan_id"] = device.document["frequency_plan_id"]
        if drafted.priority != building.PRIORITIES[0]:
            request["priority"] = drafted.priority
        downlink = DataDownlink(drafted.phy, request, device.ids, told, device.number, drafted.item)
        self._tell("ns.down.data.schedule.attempt", device, told, now_us, _message(downlink))
        try:
            scheduled = stack.gateways.schedule(downlink, now_us)
        except StackError as error:
            self._tell("ns.down.data.schedule.fail", device, told, now_us, error.details())
            self._give_up(device, drafted.item, error, now_us)
            return False
        self._tell(
            "ns.down.data.schedule.success", device, told, now_us, _response(scheduled, now_us)
        )
        for each in drafted.asked:
            self._tell_asked(device, each, told, now_us)
        invalidated = building.commit(device, drafted, slot, now_us, told)
        device.save()
        if invalidated:
            self._up(device, "downlink_queue_invalidated", invalidated, told, now_us)
        return True

    def _give_up(
        self, device: Device, item: Document | None, error: StackError, now_us: int
    ) -> None:
        reason = refusals.final(item, error) if item is not None else None
        if item is not None and reason is not None:
            self._drop(device, [Failure(item, reason)], now_us)

    def _tell_asked(self, device: Device, command: Any, told: list[str], now_us: int) -> None:
        if not self._stack.events.are_wanted:
            return
        name = cid_name(command).removeprefix("CID_").lower()
        content = mac.documents.content(command)
        self._tell(f"ns.mac.{name}.request", device, told, now_us, content or None)

    def _tell(self, name: str, device: Device, told: list[str], now_us: int, data: Any) -> None:
        self._stack.events.publish(
            name, {"device_ids": device.ids}, data,
            tenant=device.tenant, now_us=now_us, correlation_ids=told,
        )  # fmt: skip

    def handle_tx_ack(self, downlink: Downlink, result: str, now_us: int) -> None:
        """A gateway has sent a downlink, or tells why it has not."""
        if not isinstance(downlink, DataDownlink):
            return
        device = self._devices.by_number(downlink.number)
        if device is None:
            return
        told, item = downlink.correlation_ids, downlink.item
        if result == "SUCCESS":
            self._tell("ns.down.transmission.success", device, told, now_us, _message(downlink))
            if item is not None:
                self._up(device, "downlink_sent", item, told, now_us)
            return
        error = StackError("pkg/networkserver:transmission", {"result": result})
        self._tell("ns.down.transmission.fail", device, told, now_us, error.details())
        if item is None:
            return
        if device.state.get("mac_state", {}).get("pending_application_downlink") == item:
            del device.mac_state["pending_application_downlink"]
            device.save()
        self._fail(device, item, error, now_us)

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
        self._up(device, "downlink_nack", pending, pending.get("correlation_ids", []), now_us)

    def _send_in_network_slot(self, device: Device, now_us: int) -> bool:
        is_b = device.mac_state["device_class"] == "CLASS_B"
        request, row, at_us = (_ping_slot if is_b else _rx2_now)(device, now_us)
        parameters = device.mac_state["current_parameters"]
        is_dwell = bool(parameters.get("downlink_dwell_time"))
        limit = (row.max_payload_dwell or 0) if is_dwell else row.max_payload
        slot = Slot(limit + FHDR_AND_PORT, None, at_us)
        drafted = self._draft(device, slot, now_us, is_forced=False)
        if drafted is None or drafted.item is None:
            return not queue.items(device.state["session"])
        item = drafted.item
        time_us = queue.absolute_us(item)
        if time_us is not None:
            request["absolute_time"] = time_text(time_us)
        fixed = queue.fixed_gateways(item)
        paths = [{"fixed": each} for each in fixed] or _known_paths(device)
        request["downlink_paths"] = paths
        return self._schedule(device, slot, drafted, request, [], now_us)

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
        is_on = info is not None and now_us < _rx1_us(device, info) + _SECOND_US
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
        """Take up again what was planned for class B and C."""
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


# --- windows


class _Windows:
    """Those of both windows after an uplink that can still be met."""

    def __init__(
        self, info: UplinkInfo, rx1: tuple[int, DataRate] | None, rx2: tuple[int, DataRate],
        delay: int, at_us: int, *, is_dwell: bool,
    ) -> None:  # fmt: skip
        self.info = info
        self.at_us = at_us
        self._rx1 = rx1
        self._rx2 = rx2
        self._delay = delay
        self._is_dwell = is_dwell

    @classmethod
    def of(cls, device: Device, info: UplinkInfo, now_us: int) -> _Windows | None:
        """The windows; None when both are over."""
        rx1_us = _rx1_us(device, info)
        if now_us >= rx1_us + _SECOND_US:
            return None
        parameters = device.mac_state["current_parameters"]
        delay = parameters.get("rx1_delay") or 1
        is_dwell = bool(parameters.get("downlink_dwell_time"))
        rx2 = int(parameters["rx2_frequency"]), _rx2_row(device)
        rx1 = _rx1(device, info, parameters) if now_us < rx1_us else None
        at_us = rx1_us if rx1 else rx1_us + _SECOND_US
        return cls(info, rx1, rx2, delay, at_us, is_dwell=is_dwell)

    def _size(self, window: tuple[int, DataRate]) -> int:
        row = window[1]
        limit = (row.max_payload_dwell or 0) if self._is_dwell else row.max_payload
        return limit + FHDR_AND_PORT

    @property
    def longest(self) -> int:
        """M of the window that takes more."""
        return max(self._size(each) for each in (self._rx1, self._rx2) if each is not None)

    def request(self, device: Device, drafted: Draft) -> Document:
        """A TxRequest with the windows that the frame fits into."""
        request: Document = {"rx1_delay": self._delay}
        for name, window in (("rx1", self._rx1), ("rx2", self._rx2)):
            if window is not None and drafted.payload_size <= self._size(window):
                request[f"{name}_data_rate"] = data_rate_message(window[1].modulation)
                request[f"{name}_frequency"] = str(window[0])
        return request


def _rx1_us(device: Device, info: UplinkInfo) -> int:
    delay = device.mac_state["current_parameters"].get("rx1_delay") or 1
    received_us: int = info.received_us
    return received_us + int(delay) * _SECOND_US


def _rx1(device: Device, info: UplinkInfo, parameters: Document) -> tuple[int, DataRate] | None:
    """Frequency and data rate of RX1, None where the region has none for this uplink."""
    channels = parameters["channels"]
    if info.channel_index >= len(channels):
        return None
    frequency = int(channels[info.channel_index].get("downlink_frequency", "0"))
    region = device.region
    try:
        rate = region.rx1_data_rate(
            info.data_rate_index,
            parameters.get("rx1_data_rate_offset", 0),
            downlink_dwell=bool(parameters.get("downlink_dwell_time")),
        )
        row = region.data_rate(rate)
    except LoRaWanError:
        return None
    return (frequency, row) if frequency else None


def _rx2_row(device: Device) -> DataRate:
    """The data rate of RX2; the region's, where a caller has set one that it does not have."""
    index = device.mac_state["current_parameters"].get("rx2_data_rate_index", 0)
    return _row(device, index, device.region.rx2.data_rate)


def _row(device: Device, index: int, default: int) -> DataRate:
    try:
        return device.region.data_rate(index)
    except LoRaWanError:
        return device.region.data_rate(default)


def _rx2_now(device: Device, now_us: int) -> tuple[Document, DataRate, int]:
    """Class C listens where RX2 is, always."""
    parameters, row = device.mac_state["current_parameters"], _rx2_row(device)
    request = {
        "class": "CLASS_C",
        "rx2_data_rate": data_rate_message(row.modulation),
        "rx2_frequency": parameters["rx2_frequency"],
    }
    return request, row, now_us


def _ping_slot(device: Device, now_us: int) -> tuple[Document, DataRate, int]:
    """The next slot of a device in class B that a gateway can still be asked for."""
    region, state = device.region, device.mac_state
    parameters = state["current_parameters"]
    period = PING_PERIODS.index(state.get("ping_slot_periodicity", PING_PERIODS[-1]))
    address = device.state["session"]["dev_addr"]
    gps_us = next_ping_slot_us(to_gps_us(now_us + _AHEAD_OF_SLOT_US), address, period)
    usual = region.class_b.ping_slots.data_rate
    row = _row(device, parameters.get("ping_slot_data_rate_index_value", usual), usual)
    beacon_s = gps_us // 128_000_000 * 128
    frequency = parameters.get("ping_slot_frequency") or str(
        region.ping_slot_frequency_hz(address, beacon_s)
    )
    at_us = to_unix_us(gps_us)
    request = {
        "class": "CLASS_B",
        "rx2_data_rate": data_rate_message(row.modulation),
        "rx2_frequency": frequency,
        "absolute_time": time_text(at_us),
    }
    return request, row, at_us


def _unanswered_us(device: Device, state: Document) -> int:
    """When a confirmed downlink counts as not heard."""
    is_b = state["device_class"] == "CLASS_B"
    name = "class_b_timeout" if is_b else "class_c_timeout"
    timeout = device.setting(name, CLASS_B_TIMEOUT if is_b else CLASS_C_TIMEOUT)
    return unix_us(state["last_confirmed_downlink_at"]) + parse_duration(timeout) // 1000


# --- paths and messages


def _paths(info: UplinkInfo) -> list[Document]:
    return _sorted_paths([each.metadata for each in info.receptions])


def _known_paths(device: Device) -> list[Document]:
    """The gateways that heard the last uplink."""
    return _sorted_paths(device.traffic.paths)


def _sorted_paths(metadata: list[Document]) -> list[Document]:
    """Gateways that can send, the one with the best SNR first; some only if nobody else can."""
    usable = [
        each
        for each in metadata
        if "uplink_token" in each
        and each.get("downlink_path_constraint") != "DOWNLINK_PATH_CONSTRAINT_NEVER"
    ]
    usable.sort(key=lambda each: ("downlink_path_constraint" in each, -each.get("snr", 0.0)))
    return [{"uplink_token": each["uplink_token"]} for each in usable[:_MOST_PATHS]]


def _message(downlink: Downlink) -> Document:
    """A DownlinkMessage as events carry it."""
    return {
        "raw_payload": base64.b64encode(downlink.phy).decode(),
        "end_device_ids": downlink.ids,
        "request": downlink.request,
        "correlation_ids": downlink.correlation_ids,
    }


def _response(scheduled: Scheduled, now_us: int) -> Document:
    """A ScheduleDownlinkResponse."""
    document: Document = {"delay": duration_text(max(0, scheduled.at_us - now_us))}
    if scheduled.is_rx1:
        document["rx1"] = True
    return document | ({"rx2": True} if scheduled.is_rx2 else {})
