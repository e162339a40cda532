"""What comes from gateways, on its way to the Network Server and to those who listen."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.modulation import Modulation
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server import uplink_tokens
from simulators.platforms.things_stack.gateway_server.connection import Connection
from simulators.platforms.things_stack.messages import Downlink, Uplink
from simulators.platforms.things_stack.times import time_text

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

_UNCONFIRMED_UP, _CONFIRMED_UP = 2, 4
_MOVES_US = 3_600_000_000
# Of what the Network Server refuses, only this kind counts as dropped.
_DROPPED = (1, 2, 4, 12, 13, 14)


class Reception(NamedTuple):
    """
    A frame as a gateway's protocol tells it.

    Attributes:
        settings: TxSettings.
        metadata: an RxMetadata per antenna that heard it, with what the protocol knows.
        stamp: the frontend's stamp, by which an answer is sent; ``count_us`` is what it counts.
        gps_us: the gateway's absolute time of it, microseconds since the GPS epoch.
    """

    phy: bytes
    frequency_hz: int
    modulation: Modulation
    settings: Document
    metadata: list[Document]
    stamp: int
    count_us: int
    gps_us: int | None = None
    is_broken: bool = False


class Upstream:
    """Shared by all frontends."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        address, _, bits = stack.policy.dev_addr_prefix.partition("/")
        self._mask = (0xFFFFFFFF << (32 - int(bits))) & 0xFFFFFFFF
        self._prefix = int(address, 16) & self._mask

    def uplink(self, connection: Connection, reception: Reception, now_us: int) -> None:
        """A gateway has heard a frame."""
        phy, frequency_hz, modulation, settings, metadata, stamp, count_us, gps_us, broken = (
            reception
        )
        frame = (phy, frequency_hz, stamp)
        if frame == connection.last_frame:
            connection.publish("gs.io.up.repeat", connection.gateway.ids, now_us, [])
            return
        connection.last_frame = frame
        connection.clock.sync(count_us, now_us, gps_us)
        connection.uplinks += 1
        connection.last_uplink_us = now_us
        self._complete(connection, metadata, stamp, now_us)
        told = [connection.correlation_id("uplink", now_us)]
        if self._stack.events.are_wanted:
            self._tell_receive(connection, reception, now_us, told)
        if broken:
            error = StackError("pkg/gatewayserver:message_crc")
            connection.publish("gs.up.drop", error.details, now_us, told)
            return
        if not self._is_ours(phy):
            return
        uid = connection.gateway.uid
        try:
            for each in metadata:
                self._stack.network.handle_uplink(
                    Uplink(phy, frequency_hz, modulation, each, settings, uid, now_us, told), now_us
                )
        except StackError as error:
            if error.code in _DROPPED:
                connection.publish("gs.up.drop", error.details, now_us, told)
                return
        connection.publish("gs.up.forward", None, now_us, told)

    def _complete(
        self, connection: Connection, metadata: list[Document], stamp: int, now_us: int
    ) -> None:
        """Add what no gateway tells."""
        gateway = connection.gateway
        received_at = time_text(now_us - connection.median_round_trip_us() // 2)
        constraint = gateway.document.get("downlink_path_constraint")
        for each in metadata:
            antenna = each.get("antenna_index", 0)
            each["gateway_ids"] = gateway.ids
            each["received_at"] = received_at
            each["uplink_token"] = uplink_tokens.encode(
                connection.token_part, antenna & 0xFF, stamp
            )
            if (location := gateway.location(antenna)) is not None:
                each["location"] = location
            if constraint:
                each["downlink_path_constraint"] = constraint

    def _is_ours(self, phy: bytes) -> bool:
        """Whether a frame may be of a device of this network: data frames by their address."""
        if len(phy) < 5 or phy[0] >> 5 not in (_UNCONFIRMED_UP, _CONFIRMED_UP):
            return True
        return int.from_bytes(phy[1:5], "little") & self._mask == self._prefix

    def _tell_receive(
        self, connection: Connection, reception: Reception, now_us: int, told: list[str]
    ) -> None:
        def message() -> Document:
            uplink: Document = {
                "raw_payload": b2a_base64(reception.phy, newline=False).decode(),
                "settings": reception.settings,
                "rx_metadata": reception.metadata,
                "received_at": time_text(now_us),
                "correlation_ids": told,
            }
            if reception.is_broken:
                uplink["crc_status"] = False
            return {"message": uplink, "band_id": connection.gateway.region.band_id}

        connection.publish("gs.up.receive", message, now_us, told)

    def status(self, connection: Connection, status: Document, now_us: int) -> None:
        """A gateway tells how it is."""
        connection.last_status = status
        connection.last_status_us = now_us
        told = [connection.correlation_id("status", now_us)]
        connection.publish("gs.status.receive", status, now_us, told)
        if "antenna_locations" in status:
            self._move(connection, status["antenna_locations"][0], now_us)

    def _move(self, connection: Connection, location: Document, now_us: int) -> None:
        """Write down where a gateway is that is to tell that itself, once an hour at most."""
        gateway = connection.gateway
        is_wanted = gateway.is_registered and gateway.document.get("update_location_from_status")
        if not is_wanted or now_us < connection.next_move_us:
            return
        connection.next_move_us = now_us + _MOVES_US
        moved = self._stack.identity.move_gateway(
            gateway.tenant, gateway.ids["gateway_id"], location, now_us
        )
        if moved is not None:
            document = gateway.document | {"antennas": moved["antennas"]}
            connection.gateway = replace(gateway, document=document)
            connection.publish("gateway.update", ["antennas"], now_us, [])

    def tx_ack(
        self, connection: Connection, downlink: Downlink | None, result: str, now_us: int
    ) -> None:
        """A gateway tells what became of a downlink, or of one that nobody knows."""
        connection.tx_acks += 1
        connection.last_tx_ack_us = now_us
        known = [] if downlink is None else downlink.correlation_ids
        told = [*known, connection.correlation_id("tx_ack", now_us)]
        acknowledgment: Document = {"correlation_ids": told}
        if result != "SUCCESS":
            acknowledgment["result"] = result
        connection.publish("gs.txack.receive", acknowledgment, now_us, told)
        is_sent = result == "SUCCESS"
        name, data = (
            ("gs.down.tx.success", None) if is_sent else ("gs.down.tx.fail", acknowledgment)
        )
        connection.publish(name, data, now_us, told)
        try:
            if downlink is not None:
                self._stack.network.handle_tx_ack(downlink, result, now_us)
        except StackError as error:
            connection.publish("gs.txack.drop", error.details, now_us, told)
        else:
            connection.publish("gs.txack.forward", None, now_us, told)
