"""
Uplink tokens: what a downlink is answered through, opaque to everybody but the Gateway Server.

They hold the gateway, its antenna and its stamp of the reception, in base64.
"""

from __future__ import annotations

import struct
from binascii import Error, a2b_base64, b2a_base64
from typing import NamedTuple

from simulators.platforms.things_stack.errors import StackError

_HEAD = struct.Struct(">BBq")
_FORM = 1


class UplinkToken(NamedTuple):
    """``stamp`` means something to the gateway's frontend alone."""

    gateway: str
    antenna: int
    stamp: int


def encode(gateway: bytes, antenna: int, stamp: int) -> str:
    """A token's text; ``gateway`` is the uid's text."""
    return b2a_base64(_HEAD.pack(_FORM, antenna, stamp) + gateway, newline=False).decode()


def decode(text: str) -> UplinkToken:
    """
    What ``encode`` was given.

    Raises:
        StackError: something else.
    """
    try:
        data = a2b_base64(text, strict_mode=True)
        form, antenna, stamp = _HEAD.unpack_from(data)
        gateway = data[_HEAD.size :].decode()
    except (Error, struct.error, UnicodeDecodeError) as error:
        raise StackError("pkg/gatewayserver:uplink_token") from error
    if form != _FORM:
        raise StackError("pkg/gatewayserver:uplink_token")
    return UplinkToken(gateway, antenna, stamp)
