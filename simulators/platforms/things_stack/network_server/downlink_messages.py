"""Downlinks as the API's messages, for events."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.messages import Downlink, Scheduled
from simulators.platforms.things_stack.network_server.uplink_messages import base64_text
from simulators.platforms.things_stack.times import duration_text

Document = dict[str, Any]


def downlink_message(downlink: Downlink) -> Document:
    """A DownlinkMessage, before a gateway has taken it."""
    return {
        "raw_payload": base64_text(downlink.phy),
        "end_device_ids": downlink.ids,
        "request": downlink.request,
        "correlation_ids": downlink.correlation_ids,
    }


def schedule_response(scheduled: Scheduled, now_us: int) -> Document:
    """A ScheduleDownlinkResponse."""
    document: Document = {"delay": duration_text(max(0, scheduled.at_us - now_us))}
    for name, is_used in (("rx1", scheduled.is_rx1), ("rx2", scheduled.is_rx2)):
        if is_used:
            document[name] = True
    return document
