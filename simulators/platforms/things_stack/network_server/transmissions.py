"""
Downlinks on their way: through which gateways, what is told of it, and what becomes of an item.

What a frame says holds as soon as a gateway has taken it; its state is written before it leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Up
from simulators.platforms.things_stack.network_server import building, mac, queue, refusals
from simulators.platforms.things_stack.network_server.building import Draft, Failure, Slot
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.downlink_messages import (
    downlink_message,
    schedule_response,
)
from simulators.platforms.things_stack.network_server.in_flight import InFlight, Lost
from simulators.platforms.things_stack.network_server.mac.documents import cid_name
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

_MOST_PATHS = 8


class DataDownlink(Downlink):
    """
    A data frame on its way; ``item`` is the application's downlink in it.

    Attributes:
        name: under which it is in flight; empty when nobody needs to know.
    """

    number: int = 0
    item: Document | None = None
    name: str = ""


class Transmissions:
    """What is done with a frame that is to be sent, and after it was."""

    def __init__(self, stack: Stack, database: Database, devices: DeviceStore) -> None:
        self._stack = stack
        self._devices = devices
        self._in_flight = InFlight(database, stack.agenda)

    def drop(self, device: Device, failures: list[Failure], now_us: int) -> None:
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
        self.tell_application(
            device, "downlink_failed", message, item.get("correlation_ids", []), now_us
        )

    def tell_application(
        self, device: Device, kind: str, message: Document, told: list[str], now_us: int
    ) -> None:
        up = Up(device.tenant, device.ids, kind, message, told, now_us)
        self._stack.application.handle_up(up, now_us)

    # --- through a gateway

    def schedule(
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
        name = f"ns:downlink:{ulid(now_us, stack.rng)}"
        told.append(name)
        told = list(dict.fromkeys(told))
        request["frequency_plan_id"] = device.document["frequency_plan_id"]
        if drafted.priority != building.PRIORITIES[0]:
            request["priority"] = drafted.priority
        downlink = DataDownlink(drafted.phy, request, device.ids, told, device.number, drafted.item)
        self.tell("ns.down.data.schedule.attempt", device, told, now_us, downlink_message(downlink))
        try:
            scheduled = stack.gateways.schedule(downlink, now_us)
        except StackError as error:
            self.tell("ns.down.data.schedule.fail", device, told, now_us, error.details())
            self._give_up(device, drafted.item, error, now_us)
            return False
        self.tell(
            "ns.down.data.schedule.success",
            device,
            told,
            now_us,
            schedule_response(scheduled, now_us),
        )
        for each in drafted.asked:
            self._tell_asked(device, each, told, now_us)
        invalidated = building.commit(device, drafted, slot, scheduled.at_us, told)
        device.save()
        if drafted.item is not None and not drafted.is_confirmed:
            downlink.name = name
            lost = Lost(device.number, drafted.item, told)
            self._in_flight.add(name, lost, max(now_us, scheduled.at_us))
        if invalidated:
            self.tell_application(device, "downlink_queue_invalidated", invalidated, told, now_us)
        return True

    def _give_up(
        self, device: Device, item: Document | None, error: StackError, now_us: int
    ) -> None:
        reason = refusals.final(item, error) if item is not None else None
        if item is not None and reason is not None:
            self.drop(device, [Failure(item, reason)], now_us)

    def _tell_asked(self, device: Device, command: Any, told: list[str], now_us: int) -> None:
        if not self._stack.events.are_wanted:
            return
        name = cid_name(command).removeprefix("CID_").lower()
        content = mac.documents.content(command)
        self.tell(f"ns.mac.{name}.request", device, told, now_us, content or None)

    def tell(self, name: str, device: Device, told: list[str], now_us: int, data: Any) -> None:
        self._stack.events.publish(
            name, {"device_ids": device.ids}, data,
            tenant=device.tenant, now_us=now_us, correlation_ids=told,
        )  # fmt: skip

    def handle_tx_ack(self, downlink: Downlink, result: str, now_us: int) -> None:
        """A gateway has sent a downlink, or tells why it has not."""
        if not isinstance(downlink, DataDownlink):
            return
        if downlink.name:
            self._in_flight.remove(downlink.name)
        device = self._devices.by_number(downlink.number)
        if device is None:
            return
        told, item = downlink.correlation_ids, downlink.item
        if result == "SUCCESS":
            self.tell(
                "ns.down.transmission.success", device, told, now_us, downlink_message(downlink)
            )
            if item is not None:
                self.tell_application(device, "downlink_sent", item, told, now_us)
            return
        error = self._tell_failure(device, told, result, now_us)
        if item is None:
            return
        if device.state.get("mac_state", {}).get("pending_application_downlink") == item:
            del device.mac_state["pending_application_downlink"]
            device.save()
        self._fail(device, item, error, now_us)

    def _tell_failure(
        self, device: Device, told: list[str], result: str, now_us: int
    ) -> StackError:
        error = StackError("pkg/networkserver:transmission", {"result": result})
        self.tell("ns.down.transmission.fail", device, told, now_us, error.details())
        return error

    def resume(self, now_us: int) -> None:
        """Tell of items that were in flight when the process ended: nobody knows of them now."""
        for number, item, told in self._in_flight.take_all():
            device = self._devices.by_number(number)
            if device is not None:
                error = self._tell_failure(device, told, "UNKNOWN_ERROR", now_us)
                self._fail(device, item, error, now_us)


def answering_paths(info: UplinkInfo) -> list[Document]:
    return _sorted_paths([each.metadata for each in info.receptions])


def known_paths(device: Device) -> list[Document]:
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
