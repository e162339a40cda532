"""One uplink's MAC commands on their way through the handlers: what each of them may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.lorawan.mac_commands import MacCommand
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import (
    cid_name,
    content,
    document,
)
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

# Answers that a device repeats until it hears a downlink: a repetition is no news.
STICKY = ("CID_RX_PARAM_SETUP", "CID_RX_TIMING_SETUP", "CID_TX_PARAM_SETUP", "CID_DL_CHANNEL")
_RECENT = "recent_mac_command_identifiers"


class Handling:
    """A device, the uplink that carries commands, and the time."""

    def __init__(self, stack: Stack, device: Device, info: UplinkInfo, now_us: int) -> None:
        self.stack = stack
        self.device = device
        self.info = info
        self.now_us = now_us
        self.has_failed = False

    @property
    def current(self) -> Document:
        """What the device is known to work with."""
        current: Document = self.device.mac_state["current_parameters"]
        return current

    def own_channels(self) -> list[Document]:
        """The device's channels, to be changed: until now it may have shared them with others."""
        channels = [dict(each) for each in self.current["channels"]]
        self.current["channels"] = channels
        return channels

    def tell(self, name: str, command: MacCommand | None = None) -> None:
        """Publish an event of ``ns.mac``; with a command that is its data."""
        data = content(command) if command is not None and self.stack.events.are_wanted else None
        self.publish(f"ns.mac.{name}", data or None)

    def publish(self, name: str, data: Document | None = None) -> None:
        """Publish an event about the device."""
        self.stack.events.publish(
            name, {"device_ids": self.device.ids}, data,
            tenant=self.device.tenant, now_us=self.now_us,
            correlation_ids=self.info.correlation_ids,
        )  # fmt: skip

    def answer(self, command: MacCommand) -> None:
        """Send a command with the next downlink."""
        self.device.mac_state.setdefault("queued_responses", []).append(document(command))

    def requests(self, answer: MacCommand, *, all_of_them: bool = False) -> list[Document]:
        """
        Take back the request that an answer is about, or the block of all requests of its kind.

        Returns an empty list when there is none: a repeated answer, or one that nobody asked for.
        """
        cid, state = cid_name(answer), self.device.mac_state
        pending: list[Document] = state.get("pending_requests", [])
        found = [each for each in pending if each["cid"] == cid]
        taken = found if all_of_them else found[:1]
        if not taken:
            self._not_asked(cid)
            return []
        rest = [each for each in pending if not any(each is one for one in taken)]
        if rest:
            state["pending_requests"] = rest
        else:
            del state["pending_requests"]
        return taken

    def _not_asked(self, cid: str) -> None:
        if cid in STICKY and cid in self.device.mac_state.get(_RECENT, ()):
            return
        self.has_failed = True
        error = StackError("pkg/networkserver/mac:request_not_found")
        self.publish("ns.mac.command.process.fail", error.details())


def remember(parameters: Document, values: Document) -> None:
    """Put values into a message of the state, which leaves zeros out."""
    for name, value in values.items():
        if value:
            parameters[name] = value
        else:
            parameters.pop(name, None)


def reject(state: Document, name: str, value: Any) -> None:
    """Remember a value that the device does not take, in order and once."""
    rejected: list[Any] = state.setdefault(name, [])
    if value not in rejected:
        rejected.append(value)
        rejected.sort()
