"""
Payload formatters: what turns bytes into values, and values into bytes.

What they make of a message is a document of members to add to it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from simulators.platforms.things_stack.application_server import cayenne_lpp
from simulators.platforms.things_stack.errors import StackError

if TYPE_CHECKING:
    from simulators.platforms.effects import Request
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
Outcome: TypeAlias = "Document | StackError"  # members to add to a message, or why there are none
Then: TypeAlias = Callable[[Outcome, int], None]


class Formatter(NamedTuple):
    """One formatter with its parameter, such as a script, and the device's versions."""

    kind: str  # such as FORMATTER_CAYENNELPP
    parameter: str
    version_ids: Document


class Formatters:
    """All formatters."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def decode_uplink(
        self, formatter: Formatter, uplink: Document, then: Then, now_us: int
    ) -> None:
        """Decode an uplink, and call ``then`` with what it adds and the time, maybe later."""
        then(_outcome(_decoded, formatter, uplink), now_us)

    def encode_downlink(
        self, request: Request | None, formatter: Formatter, item: Document
    ) -> Document:
        """
        The bytes of a downlink's values.

        Raises:
            StackError: they cannot be encoded.
        """
        if formatter.kind != "FORMATTER_CAYENNELPP":
            raise _not_there(formatter)
        if "decoded_payload" not in item:
            return {}
        payload = cayenne_lpp.encode(item["decoded_payload"])
        return {"frm_payload": base64.b64encode(payload).decode()} if payload else {}

    def decode_downlink(
        self, request: Request | None, formatter: Formatter, item: Document
    ) -> Document:
        """
        The values of a downlink's bytes.

        Raises:
            StackError: they cannot be decoded.
        """
        return _decoded(formatter, item)

    def decode_queued(self, formatter: Formatter, item: Document, then: Then, now_us: int) -> None:
        """Decode an item that the network tells about, as ``decode_uplink`` does."""
        then({}, now_us)

    def worked(self, number: int, result: Any, now_us: int) -> None:
        """A script has ended."""


def chosen(device: Document, link: Document, name: str) -> Formatter | None:
    """
    A device's formatter, or else its application's; None when nothing is to be done.

    Args:
        name: ``up_formatter`` or ``down_formatter``.
    """
    formatters = device.get("formatters")
    if formatters is None:
        formatters = link.get("default_formatters", {})
    kind = formatters.get(name)
    if kind is None:
        return None
    return Formatter(kind, formatters.get(f"{name}_parameter", ""), device.get("version_ids", {}))


def _outcome(
    work: Callable[[Formatter, Document], Document], formatter: Formatter, message: Document
) -> Outcome:
    try:
        return work(formatter, message)
    except StackError as error:
        return error


def _decoded(formatter: Formatter, message: Document) -> Document:
    if formatter.kind != "FORMATTER_CAYENNELPP":
        raise _not_there(formatter)
    decoded = cayenne_lpp.decode(base64.b64decode(message.get("frm_payload", "")))
    return {"decoded_payload": decoded}


def _not_there(formatter: Formatter) -> StackError:
    """
    Why a formatter cannot be used.

    This deployment has no Device Repository and calls no service of somebody else.
    """
    if formatter.kind == "FORMATTER_REPOSITORY" and not formatter.version_ids:
        return StackError("pkg/messageprocessors/devicerepository:no_version_identifiers")
    name = "pkg/messageprocessors:formatter_not_configured"
    return StackError(name, {"formatter": formatter.kind})
