"""
What the servers hand to each other.

Documents are messages of the API in their canonical JSON form; times are microseconds since 1970.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from simulators.lorawan.frames import JoinRequest as JoinFrame
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Modulation

Document = dict[str, Any]


class Uplink(msgspec.Struct, gc=False):
    """
    One reception by one gateway.

    ``metadata`` is an RxMetadata with its ``uplink_token``, ``settings`` a TxSettings; ``gateway``
    is an id that is unique over all tenants.
    """

    phy: bytes
    frequency_hz: int
    modulation: Modulation
    metadata: Document
    settings: Document
    gateway: str
    received_us: int
    correlation_ids: list[str]


class Downlink(msgspec.Struct):
    """A frame for a gateway; ``request`` is a TxRequest, ``ids`` those of the device."""

    phy: bytes
    request: Document
    ids: Document
    correlation_ids: list[str]


class Scheduled(NamedTuple):
    """Which gateway will send a downlink when, and in which of the two windows."""

    at_us: int
    gateway: str
    is_rx1: bool
    is_rx2: bool


class JoinRequest(NamedTuple):
    """What the Join Server is asked: ``phy`` as it came, and what the join accept shall say."""

    tenant: str
    phy: bytes
    frame: JoinFrame
    net_id: str
    dev_addr: str
    mac_version: str  # such as MAC_V1_0_2
    rx1_data_rate_offset: int
    rx2_data_rate_index: int
    rx_delay: int
    cf_list: bytes
    correlation_ids: list[str]


class JoinAnswer(NamedTuple):
    """The encrypted join accept and the keys of the new session."""

    phy: bytes
    keys: SessionKeys
    session_key_id: str


class Up(msgspec.Struct):
    """
    Something for the application.

    ``kind`` is the field of an ApplicationUp that ``message`` stands for. Of an uplink ``message``
    lacks ``frm_payload``: ``payload`` is it, still encrypted.
    """

    tenant: str
    ids: Document
    kind: str
    message: Document
    correlation_ids: list[str]
    received_us: int
    payload: bytes = b""
