"""Whether an item that no gateway can send now may be sent later, by the gateways' reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server.queue import absolute_us, fixed_gateways

Document = dict[str, Any]

_NOT_FOUND, _EXISTS, _EXHAUSTED, _PRECONDITION, _ABORTED, _DATA_LOSS = 5, 6, 8, 9, 10, 15
# A gateway that is not there, or cannot send like that.
_NO_SUCH_PATH = (_NOT_FOUND, _PRECONDITION, _DATA_LOSS)
# A time that is taken or over, or that the gateway does not know.
_NO_SUCH_TIME = (_EXISTS, _EXHAUSTED, _PRECONDITION, _ABORTED)


def final(item: Document, error: StackError) -> StackError | None:
    """Why an item will never be sent the way it asks for; None when it may be tried again."""
    codes = set(_codes(error))
    if absolute_us(item) is not None and codes and codes.issubset(_NO_SUCH_TIME):
        return StackError("pkg/networkserver:absolute_time", cause=error)
    if fixed_gateways(item) and codes and codes.issubset(_NO_SUCH_PATH):
        return StackError("pkg/networkserver:fixed_paths", cause=error)
    return None


def _codes(error: StackError) -> Iterator[int]:
    """Codes of the innermost reasons; that a window was not asked for is none."""
    inner: list[StackError] = getattr(error, "path_errors", [])
    if error.cause is not None:
        inner = [*inner, error.cause]
    for each in inner:
        yield from _codes(each)
    if not inner and error.name != "pkg/gatewayserver/io:rx_empty":
        yield error.code
