"""
Join requests: from a gateway's message to the Join Server, and the join accept back to the device.

The Join Server is asked when the first copy comes. What the device then has is pending until it
uses it; the application hears of the join when a gateway has taken the join accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import JoinRequest as JoinFrame
from simulators.lorawan.regions.region import JOIN_ACCEPT_DELAY1_US
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import (
    Document,
    Downlink,
    JoinAnswer,
    JoinRequest,
    Up,
    Uplink,
)
from simulators.platforms.things_stack.network_server.deduplication import (
    Deduplication,
    Gathering,
)
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.device_store import DeviceStore
from simulators.platforms.things_stack.network_server.downlink_messages import (
    downlink_message,
    schedule_response,
)
from simulators.platforms.things_stack.network_server.join_accepts import (
    asked_message,
    cf_list,
    start_pending_session,
    tx_request,
)
from simulators.platforms.things_stack.network_server.mac_settings import desired_parameters
from simulators.platforms.things_stack.network_server.uplink_messages import (
    base64_text,
    uplink_message,
)
from simulators.platforms.things_stack.times import time_text

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

# How long before RX1 a gateway is asked to send.
_AHEAD_US = 3_200_000


class _Join(NamedTuple):
    """A device that may join, by its row's number."""

    number: int
    frame: JoinFrame
    request: JoinRequest
    answer: JoinAnswer


class Joins:
    """Devices on their way into the network."""

    def __init__(self, stack: Stack, devices: DeviceStore, copies: Deduplication) -> None:
        self._stack = stack
        self._devices = devices
        self._copies = copies

    def handle(self, uplink: Uplink, frame: JoinFrame, now_us: int) -> None:
        """
        Take the first copy of a join request.

        Raises:
            StackError: no such device, or the Join Server's refusal.
        """
        found = self._devices.joining(frame.join_eui.upper(), frame.dev_eui.upper())
        if not found:
            raise StackError("pkg/networkserver:device_not_found")
        device = found[0]
        told = uplink.correlation_ids
        self._tell(
            "ns.up.join.receive", device, told, now_us, lambda: uplink_message([uplink], frame)
        )
        if not device.document.get("supports_join"):
            error = StackError("pkg/networkserver:abp_join_request")
            self._tell("ns.up.join.drop", device, told, now_us, error.details)
            raise error
        try:
            request = self._request(device, uplink, frame)
            answer = self._ask(device, request, now_us)
        except LoRaWanError as error:
            raise StackError("pkg/networkserver:data_rate_not_found") from error
        join = _Join(device.number, frame, request, answer)
        self._copies.gather(uplink, join, now_us, self._close)

    def _request(self, device: Device, uplink: Uplink, frame: JoinFrame) -> JoinRequest:
        desired = desired_parameters(device.document, device.region, device.plan)
        return JoinRequest(
            device.tenant,
            uplink.phy,
            frame,
            self._stack.policy.net_id,
            self._stack.network.new_dev_addr(),
            device.document["lorawan_version"],
            desired.get("rx1_data_rate_offset", 0),
            desired.get("rx2_data_rate_index", 0),
            desired.get("rx1_delay", 0),
            cf_list(device, uplink.modulation, desired),
            uplink.correlation_ids,
        )

    def _ask(self, device: Device, request: JoinRequest, now_us: int) -> JoinAnswer:
        told = request.correlation_ids
        self._tell(
            "ns.up.join.cluster.attempt", device, told, now_us, lambda: asked_message(request)
        )
        try:
            answer = self._stack.join.handle_join(request, now_us)
        except StackError as error:
            self._tell("ns.up.join.cluster.fail", device, told, now_us, error.details)
            raise
        self._tell(
            "ns.up.join.cluster.success",
            device,
            told,
            now_us,
            lambda: {
                "raw_payload": base64_text(answer.phy),
                "session_keys": {"session_key_id": answer.session_key_id},
                "correlation_ids": told,
            },
        )
        return answer

    # --- all copies

    def _close(self, gathering: Gathering, now_us: int) -> None:
        join: _Join = gathering.found
        device = self._devices.by_number(join.number)
        if device is None or not device.document.get("supports_join"):
            return
        receptions, told = gathering.receptions, join.request.correlation_ids
        self._tell(
            "ns.up.join.process",
            device,
            told,
            now_us,
            lambda: uplink_message(receptions, join.frame),
        )
        due_us = receptions[0].received_us + JOIN_ACCEPT_DELAY1_US - _AHEAD_US
        self._stack.agenda.at(due_us, lambda due: self._accept(join, receptions, due))

    def _accept(self, join: _Join, receptions: list[Uplink], now_us: int) -> None:
        """Let a gateway send the join accept; what it says holds from then on, when it is used."""
        device = self._devices.by_number(join.number)
        if device is None or not device.document.get("supports_join"):
            return
        told = join.request.correlation_ids
        ids = {**device.document["ids"], "dev_addr": join.request.dev_addr}
        downlink = Downlink(join.answer.phy, tx_request(device, receptions), ids, told)
        message = downlink_message(downlink)
        self._tell("ns.down.join.schedule.attempt", device, told, now_us, message)
        try:
            scheduled = self._stack.gateways.schedule(downlink, now_us)
        except StackError as error:
            self._tell("ns.down.join.schedule.fail", device, told, now_us, error.details)
            return
        self._tell(
            "ns.down.join.schedule.success",
            device,
            told,
            now_us,
            schedule_response(scheduled, now_us),
        )
        invalidated = device.state.get("session", {}).get("queued_application_downlinks")
        start_pending_session(device, join.request, join.answer)
        device.save()
        self._forward(device, ids, join, receptions[0], invalidated, now_us)

    def _forward(
        self,
        device: Device,
        ids: Document,
        join: _Join,
        first: Uplink,
        invalidated: list[Document] | None,
        now_us: int,
    ) -> None:
        message: Document = {
            "session_key_id": join.answer.session_key_id,
            "received_at": time_text(first.received_us),
        }
        if invalidated:
            message["invalidated_downlinks"] = invalidated
        told = join.request.correlation_ids
        up = Up(device.tenant, ids, "join_accept", message, told, first.received_us)
        data = {"end_device_ids": ids, "correlation_ids": told, "join_accept": message}
        self._tell("ns.up.join.accept.forward", device, told, now_us, data)
        self._stack.application.handle_up(up, now_us)

    def _tell(
        self, name: str, device: Device, correlation_ids: list[str], now_us: int, data: Any
    ) -> None:
        self._stack.events.publish(
            name, {"device_ids": device.document["ids"]}, data,
            tenant=device.tenant, now_us=now_us, correlation_ids=correlation_ids,
        )  # fmt: skip
