"""Defects of downlinks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.versions import MacVersion
from simulators.platforms.effects import Datagram, Effects
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import with_body
from simulators.platforms.things_stack.deviations.deviation import Deviation, Setup
from simulators.platforms.things_stack.deviations.hooks import (
    is_signed,
    on_data,
    on_up,
    sign,
    through_every_path,
    with_frame,
    with_request,
    without_up,
)
from simulators.platforms.things_stack.messages import Up, Uplink
from simulators.platforms.things_stack.network_server import queue
from simulators.platforms.things_stack.network_server.device import Device

Document = dict[str, Any]
_PUSH = ("AppAs/DownlinkQueuePush",)


def _late(request: Document) -> None:
    request["rx1_delay"] = request.get("rx1_delay", 1) + 1


def _other_rx2(request: Document) -> None:
    if "rx2_data_rate" in request:
        lora = request["rx2_data_rate"]["lora"]
        request["rx2_data_rate"] = {"lora": {**lora, "spreading_factor": 9}}


def _on_push(change: Any) -> Setup:
    """The Network Server gets other items than the Application Server sent."""

    def setup(core: Core) -> None:
        network = core.stack.network
        push = network.push

        def changed(
            tenant: str, application: str, device_id: str, items: list[Document], now_us: int
        ) -> None:
            push(tenant, application, device_id, [change(each) for each in items], now_us)

        network.push = changed  # type: ignore[method-assign]

    return setup


def _garbled(item: Document) -> Document:
    payload = bytes(each ^ 0xFF for each in base64.b64decode(item.get("frm_payload", "")))
    return {**item, "frm_payload": base64.b64encode(payload).decode()}


def _always_confirmed(device: Device, frame: DataFrame, uplink: Uplink) -> None:
    """Every uplink is answered as if it had asked for it."""
    if device.version() < MacVersion.V1_1 and is_signed(device, frame, uplink):
        sign(device, frame, uplink, b"\x80" + uplink.phy[1:-4])


def _plain_polarity(effects: Effects) -> Effects:
    return [
        replace(each, data=each.data.replace(b'"ipol":true', b'"ipol":false'))
        if isinstance(each, Datagram)
        else each
        for each in effects
    ]


def _counter(change: Callable[[int], int]) -> Setup:
    def changed(message: bytes, crypto: Session) -> bytes:
        if crypto.is_1_1:  # FOpts would need to be encrypted anew
            return message
        f_cnt = change(int.from_bytes(message[6:8], "little"))
        return message[:6] + f_cnt.to_bytes(2, "little") + message[8:]

    return with_frame(changed)


def _never_pending(message: bytes, _: Session) -> bytes:
    return message[:5] + bytes((message[5] & ~0x10,)) + message[6:]


def _retried(up: Up) -> list[Up]:
    """An item that was not acknowledged forgets how often it was tried."""
    if up.kind == "downlink_nack" and "confirmed_retry" in up.message:
        retry = {**up.message["confirmed_retry"]}
        retry.pop("attempt", None)
        up.message = {**up.message, "confirmed_retry": retry}
    return [up]


def _once_by_default(up: Up) -> list[Up]:
    """An item that does not say how often it is to be tried is forgotten after the first time."""
    retry = up.message.get("confirmed_retry", {})
    return [] if up.kind == "downlink_nack" and "max_attempts" not in retry else [up]


def _retries_first(core: Core) -> None:
    """An item that comes again takes the place of the next one, which gets a later counter."""
    network = core.stack.network
    push = network.push

    def changed(
        tenant: str, application: str, device_id: str, items: list[Document], now_us: int
    ) -> None:
        push(tenant, application, device_id, items, now_us)
        device = network.devices.by_id(application, device_id)
        if device is None or items[0].get("confirmed_retry", {}).get("attempt", 1) < 2:
            return
        queued = queue.items(device.state["session"])
        queue.put(device.state["session"], [*queued[-1:], *queued[:-1]])
        device.save()

    network.push = changed  # type: ignore[method-assign]


def _reversed(document: Document) -> Document:
    return {**document, "downlinks": document.get("downlinks", [])[::-1]}


def _blind_to_refusals(core: Core) -> None:
    network = core.stack.network
    handle = network.handle_tx_ack

    def changed(downlink: Any, result: str, now_us: int) -> None:
        handle(downlink, "SUCCESS", now_us)

    network.handle_tx_ack = changed  # type: ignore[method-assign]


DEVIATIONS: dict[str, Deviation] = {
    "downlink-late": Deviation(
        "Downlinks are sent a second after their window.", setup=with_request(_late)
    ),
    "downlink-garbled": Deviation(
        "Payloads of downlinks are garbled on their way to the device.", setup=_on_push(_garbled)
    ),
    "downlink-for-every-uplink": Deviation(
        "Every uplink of a device before 1.1 is answered.", setup=on_data(_always_confirmed)
    ),
    "downlink-plain-polarity": Deviation(
        "Downlinks are sent with the polarity of uplinks.", effects=_plain_polarity
    ),
    "downlink-through-every-gateway": Deviation(
        "Every gateway that heard an uplink sends the downlink.",
        setup=through_every_path(is_join=False),
    ),
    "downlink-counter-from-0": Deviation(
        "Before 1.1 counters of downlinks begin with 0.",
        setup=_counter(lambda f_cnt: max(0, f_cnt - 1)),
    ),
    "downlink-counter-stands-still": Deviation(
        "Before 1.1 all downlinks of a session have the counter 1.", setup=_counter(lambda _: 1)
    ),
    "downlink-rx2-data-rate": Deviation(
        "Downlinks in RX2 use SF9 whatever the device expects.", setup=with_request(_other_rx2)
    ),
    "downlink-ack-not-told": Deviation(
        "Applications are not told of acknowledgements.", setup=without_up("downlink_ack")
    ),
    "downlink-nack-not-told": Deviation(
        "Nobody is told of missing acknowledgements.", setup=without_up("downlink_nack")
    ),
    "downlink-tried-for-ever": Deviation(
        "Confirmed downlinks are tried without end.", setup=on_up(_retried)
    ),
    "downlink-tried-once-by-default": Deviation(
        "Confirmed downlinks that name no attempts are tried once, and nobody hears the end of it.",
        setup=on_up(_once_by_default),
    ),
    "downlink-sent-not-told": Deviation(
        "Applications are not told of downlinks that were sent.",
        setup=without_up("downlink_sent"),
    ),
    "downlink-failed-not-told": Deviation(
        "The Network Server tells nobody of downlinks that failed.",
        setup=without_up("downlink_failed"),
    ),
    "downlink-refusal-overlooked": Deviation(
        "A gateway's refusal counts as success.", setup=_blind_to_refusals
    ),
    "downlink-last-first": Deviation(
        "Downlinks that are pushed together are sent the last one first.",
        rpcs=_PUSH,
        before=with_body(_reversed),
    ),
    "downlink-never-pending": Deviation("FPending is never set.", setup=with_frame(_never_pending)),
    "downlink-retry-first": Deviation(
        "What is tried again goes in front of what waits.", setup=_retries_first
    ),
}
