"""
What the Network Server wants to be sent: through which gateway, in which window, and when.

Source: The Things Stack, pkg/gatewayserver (order of paths and windows, names of what is refused).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack import plans
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server import uplink_tokens
from simulators.platforms.things_stack.gateway_server.connection import Connection, Transmission
from simulators.platforms.things_stack.gateway_server.windows import (
    check_length,
    emission_of,
    power_dbm,
    windows,
)
from simulators.platforms.things_stack.messages import Downlink, Scheduled
from simulators.platforms.things_stack.times import time_text, unix_us

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]


class _Path(NamedTuple):
    connection: Connection
    antenna: int
    stamp: int | None


class Downstream:
    """Schedules downlinks."""

    def __init__(self, stack: Stack, connections: Mapping[str, Connection]) -> None:
        self._stack = stack
        self._connections = connections

    def schedule(self, downlink: Downlink, now_us: int) -> Scheduled:
        """
        Let the first gateway send a downlink that can, in its first window that is possible.

        Raises:
            StackError: no path can send it; ``path_errors`` says why, path by path.
        """
        refusals = []
        for path in downlink.request.get("downlink_paths", ()):
            uid = ""
            try:
                uid, antenna, stamp = self._identify(path, downlink.request)
                connection = self._connections.get(uid)
                if connection is None:
                    raise StackError("pkg/gatewayserver:not_connected", {"gateway_uid": uid})
                return self._try(downlink, _Path(connection, antenna, stamp), now_us)
            except StackError as error:
                attributes = {"gateway_uid": uid}
                refusals.append(
                    StackError("pkg/gatewayserver:schedule_path", attributes, cause=error)
                )
        raise ScheduleError("pkg/gatewayserver:schedule", refusals)

    def _identify(self, path: Document, request: Document) -> tuple[str, int, int | None]:
        token = path.get("uplink_token")
        if token:
            return uplink_tokens.decode(token)
        if request.get("class", "CLASS_A") == "CLASS_A":
            raise StackError("pkg/gatewayserver/io:no_uplink_token")
        fixed = path.get("fixed")
        if fixed is None:
            raise StackError("pkg/gatewayserver/io:downlink_path")
        gateway_id = fixed["gateway_ids"]["gateway_id"]
        tenants = self._stack.policy.tenants
        uids = [gateway_id, *(f"{gateway_id}@{tenant}" for tenant in tenants)]
        uid = next((each for each in uids if each in self._connections), gateway_id)
        return uid, fixed.get("antenna_index", 0), None

    def _try(self, downlink: Downlink, path: _Path, now_us: int) -> Scheduled:
        connection = path.connection
        told = downlink.correlation_ids
        connection.publish(
            "gs.down.schedule.attempt", lambda: _message(downlink, {"request": downlink.request}),
            now_us, told,
        )  # fmt: skip
        try:
            return self._scheduled(downlink, path, now_us)
        except StackError as error:
            connection.publish("gs.down.schedule.fail", error.details, now_us, told)
            raise

    def _scheduled(self, downlink: Downlink, path: _Path, now_us: int) -> Scheduled:
        connection, request = path.connection, downlink.request
        gateway = connection.gateway
        if gateway.document.get("downlink_path_constraint") == _NEVER:
            raise StackError("pkg/gatewayserver/io:not_allowed")
        plan = _plan(request, connection)
        connection.way.check(now_us)
        refusals: list[StackError] = []
        for window in windows(request, refusals):
            check_length(downlink, window, connection, plan)
            try:
                emission, gps_us = emission_of(downlink, window, connection, path.stamp, now_us)
            except StackError as error:
                attributes = {"window": window.number}
                refusals.append(
                    StackError("pkg/gatewayserver/io:rx_window_schedule", attributes, cause=error)
                )
                continue
            eirp_dbm = power_dbm(window.frequency_hz, connection, plan)
            transmission = Transmission(
                downlink, window.frequency_hz, window.modulation, emission.start_us, path.stamp,
                gps_us, eirp_dbm - gateway.gain_dbi(path.antenna), path.antenna,
            )  # fmt: skip
            self._send(connection, transmission, now_us)
            at_us = connection.clock.server_at(emission.start_us)
            return Scheduled(at_us, gateway.uid, window.number == 1, window.number == 2)
        raise ScheduleError("pkg/gatewayserver/io:tx_schedule", refusals)

    def _send(self, connection: Connection, transmission: Transmission, now_us: int) -> None:
        connection.downlinks += 1
        connection.last_downlink_us = now_us
        connection.way.send(transmission, now_us)
        downlink = transmission.downlink
        connection.publish(
            "gs.down.send", lambda: _message(downlink, {"scheduled": _settings(transmission)}),
            now_us, downlink.correlation_ids,
        )  # fmt: skip


class ScheduleError(StackError):
    """Nothing can be sent; ``path_errors`` are the reasons, one per path or window."""

    def __init__(self, name: str, path_errors: list[StackError]) -> None:
        super().__init__(name)
        self.path_errors = path_errors

    def details(self, correlation_id: str = "") -> Document:
        """See StackError."""
        document = super().details(correlation_id)
        if self.path_errors:
            errors = [error.details() for error in self.path_errors]
            document["details"] = [{"@type": _PATH_ERRORS, "path_errors": errors}]
        return document


_NEVER = "DOWNLINK_PATH_CONSTRAINT_NEVER"
_PATH_ERRORS = "type.googleapis.com/ttn.lorawan.v3.ScheduleDownlinkErrorDetails"


def _plan(request: Document, connection: Connection) -> Document:
    plan_id = request.get("frequency_plan_id")
    if not plan_id:
        if len(connection.gateway.plans) != 1:
            raise StackError("pkg/gatewayserver/io:no_frequency_plan_id_in_tx_request")
        return connection.gateway.plans[0]
    try:
        plan = plans.plan(plan_id)
    except StackError as error:
        attributes = {"id": plan_id}
        name = "pkg/gatewayserver/io:frequency_plan_not_configured"
        raise StackError(name, attributes, cause=error) from error
    if plan["band_id"] != connection.gateway.region.band_id:
        raise StackError("pkg/gatewayserver/io:frequency_plans_not_from_same_band")
    return plan


# --- events


def _message(downlink: Downlink, settings: Document) -> Document:
    """A DownlinkMessage."""
    return {
        "raw_payload": b2a_base64(downlink.phy, newline=False).decode(),
        "end_device_ids": downlink.ids,
        **settings,
        "correlation_ids": downlink.correlation_ids,
    }


def _settings(transmission: Transmission) -> Document:
    """TxSettings."""
    modulation = transmission.modulation
    downlink: Document = {"tx_power": transmission.power_dbm}
    settings: Document = {
        "data_rate": rate_document(modulation),
        "frequency": str(transmission.frequency_hz),
        "downlink": downlink,
        "concentrator_timestamp": str(transmission.count_us * 1000),
    }
    if isinstance(modulation, Lora):
        downlink["invert_polarization"] = True
    if transmission.antenna:
        downlink["antenna_index"] = transmission.antenna
    absolute = transmission.downlink.request.get("absolute_time")
    if absolute is not None:
        return settings | {"time": time_text(unix_us(absolute))}
    return settings | {"timestamp": transmission.count_us & 0xFFFFFFFF}
