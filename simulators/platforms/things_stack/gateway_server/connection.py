"""
A connected gateway: what came from it, what went to it, and the numbers of both.

A frontend feeds it and gives the way back; what passes on to other servers is upstream.py's and
downstream.py's.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from simulators.lorawan.modulation import Modulation
from simulators.platforms.things_stack.gateway_server.concentrator_clock import ConcentratorClock
from simulators.platforms.things_stack.gateway_server.gateways import Gateway
from simulators.platforms.things_stack.gateway_server.scheduling import scheduler_of
from simulators.platforms.things_stack.messages import Downlink
from simulators.platforms.things_stack.times import duration_text, time_text
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

_MOST_ROUND_TRIPS = 20


class Transmission(NamedTuple):
    """
    A downlink as one gateway is to send it.

    Attributes:
        count_us: when, by the concentrator's clock.
        stamp: the frontend's stamp of the uplink that is answered, None without one.
        gps_us: when, by GPS time, if the gateway is to go by that.
        power_dbm: at the antenna's connector, for an antenna without gain.
    """

    downlink: Downlink
    frequency_hz: int
    modulation: Modulation
    count_us: int
    stamp: int | None
    gps_us: int | None
    power_dbm: float
    antenna: int

    @property
    def is_answer(self) -> bool:
        """Whether its time follows from the uplink's."""
        return bool(self.downlink.request.get("class", "CLASS_A") == "CLASS_A")


class Way(Protocol):
    """A frontend's side of one connection."""

    protocol: str

    def count_of(self, stamp: int) -> int:
        """The concentrator's count that a stamp stands for."""

    def check(self, now_us: int) -> None:
        """
        Let pass when something can be sent.

        Raises:
            StackError: nothing can.
        """

    def send(self, transmission: Transmission, now_us: int) -> None:
        """Have a frame sent."""

    def close(self, reason: str) -> None:
        """The connection is over."""

    def is_silent(self, now_us: int) -> bool:
        """Whether the gateway seems to be gone."""


class Connection:
    """One gateway's."""

    def __init__(
        self, stack: Stack, gateway: Gateway, way: Way, remote_ip: str, now_us: int
    ) -> None:
        self.gateway = gateway
        self.way = way
        self.remote_ip = remote_ip
        self.token_part = gateway.uid.encode()
        self.clock = ConcentratorClock()
        self.scheduler = scheduler_of(
            gateway.region,
            gateway.plans,
            enforces_duty_cycle=bool(gateway.document.get("enforce_duty_cycle")),
        )
        self.round_trips_us: deque[int] = deque(maxlen=_MOST_ROUND_TRIPS)
        self.connected_us = now_us
        self.uplinks = self.downlinks = self.tx_acks = 0
        self.last_uplink_us = self.last_downlink_us = self.last_tx_ack_us = 0
        self.last_status: Document | None = None
        self.last_status_us = 0
        self.next_move_us = 0
        self.last_frame: tuple[bytes, int, int] | None = None
        self._stack = stack

    @property
    def ids(self) -> Document:
        """EntityIdentifiers."""
        return {"gateway_ids": self.gateway.ids}

    def correlation_id(self, what: str, now_us: int) -> str:
        """A new one."""
        return f"gs:{what}:{ulid(now_us, self._stack.rng)}"

    def publish(self, name: str, data: Any, now_us: int, correlation_ids: list[str]) -> None:
        """Tell those who listen to the gateway."""
        events = self._stack.events
        if events.are_wanted:
            events.publish(
                name, self.ids, data, tenant=self.gateway.tenant, now_us=now_us,
                correlation_ids=correlation_ids,
            )  # fmt: skip

    # --- round trips

    def note_round_trip(self, duration_us: int) -> None:
        """How long an answer of the gateway took."""
        self.round_trips_us.append(duration_us)

    def median_round_trip_us(self) -> int:
        """The median of the last ones; 0 when there are none."""
        ordered = sorted(self.round_trips_us)
        return ordered[len(ordered) // 2] if ordered else 0

    # --- statistics

    def stats(self, now_us: int) -> Document:
        """GatewayConnectionStats."""
        document: Document = {
            "connected_at": time_text(self.connected_us),
            "protocol": self.way.protocol,
        }
        if self.last_status is not None:
            document["last_status_received_at"] = time_text(self.last_status_us)
            document["last_status"] = self.last_status
        for name, count, last_us in (
            ("uplink", self.uplinks, self.last_uplink_us),
            ("downlink", self.downlinks, self.last_downlink_us),
            ("tx_acknowledgment", self.tx_acks, self.last_tx_ack_us),
        ):
            if count:
                document[f"last_{name}_received_at"] = time_text(last_us)
                document[f"{name}_count"] = str(count)
        if self.round_trips_us:
            document["round_trip_times"] = self._round_trip_times()
        count_us = self.clock.count_at(now_us)
        document["sub_bands"] = [band.document(count_us) for band in self.scheduler.bands]
        if self.remote_ip:
            document["gateway_remote_address"] = {"ip": self.remote_ip}
        return document

    def _round_trip_times(self) -> Document:
        times = {
            "min": min(self.round_trips_us),
            "max": max(self.round_trips_us),
            "median": self.median_round_trip_us(),
        }
        document: Document = {name: duration_text(value) for name, value in times.items()}
        return document | {"count": len(self.round_trips_us)}
