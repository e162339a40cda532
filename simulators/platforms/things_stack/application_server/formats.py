"""The forms in which webhooks send messages, and get downlinks back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from simulators.platforms.things_stack import proto_json
from simulators.platforms.things_stack.errors import ApiError, StackError
from simulators.platforms.things_stack.protobuf import decoding, encoding
from simulators.platforms.things_stack.schema import message

Document = dict[str, Any]

_UP = message("ApplicationUp")
_DOWNLINKS = message("ApplicationDownlinks")


class Format(NamedTuple):
    """
    One form.

    ``to_downlinks`` raises StackError when a body has not that form.
    """

    name: str
    content_type: str
    from_up: Callable[[Document], bytes]
    to_downlinks: Callable[[bytes], list[Document]]


def _json_downlinks(body: bytes) -> list[Document]:
    try:
        decoded = proto_json.decode(_DOWNLINKS, proto_json.parse(body))
    except ApiError as error:
        raise StackError("pkg/applicationserver/io/web:decode_body") from error
    downlinks: list[Document] = decoded.get("downlinks", [])
    return downlinks


def _protobuf_up(up: Document) -> bytes:
    return encoding.encode(_UP, up)


def _protobuf_downlinks(body: bytes) -> list[Document]:
    try:
        decoded = decoding.decode(_DOWNLINKS, body)
    except decoding.ProtobufError as error:
        raise StackError("pkg/applicationserver/io/web:decode_body") from error
    downlinks: list[Document] = decoded.get("downlinks", [])
    return downlinks


FORMATS = {
    "json": Format("JSON", "application/json", orjson.dumps, _json_downlinks),
    "protobuf": Format(
        "Protocol Buffers", "application/octet-stream", _protobuf_up, _protobuf_downlinks
    ),
}


def of(name: str) -> Format:
    """
    The form of that name.

    Raises:
        StackError: ``format_not_found``.
    """
    found = FORMATS.get(name)
    if found is None:
        raise StackError("pkg/applicationserver/io/web:format_not_found", {"format": name})
    return found
