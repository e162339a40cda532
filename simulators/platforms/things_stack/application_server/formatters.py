"""Payload formatters: what turns bytes into values, and values into bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

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
        then({}, now_us)

    def encode_downlink(
        self, request: Request | None, formatter: Formatter, item: Document
    ) -> Document:
        """
        The bytes of a downlink's values.

        Raises:
            StackError: they cannot be encoded.
        """
        return {}

    def decode_downlink(
        self, request: Request | None, formatter: Formatter, item: Document
    ) -> Document:
        """
        The values of a downlink's bytes.

        Raises:
            StackError: they cannot be decoded.
        """
        return {}

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
