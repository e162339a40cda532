"""
What the Network Server wants to be sent: through which gateway, in which window, and when.

Source: The Things Stack, pkg/gatewayserver (order of paths and windows, names of what is refused).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.gps_time import to_gps_us
from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.platforms.things_stack import plans
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server import uplink_tokens
from simulators.platforms.things_stack.gateway_server.connection import Connection, Transmission
from simulators.platforms.things_stack.gateway_server.scheduling import QUEUE_DELAY_US, Emission
from simulators.platforms.things_stack.messages import Downlink, Scheduled
from simulators.platforms.things_stack.times import parse_duration, time_text, unix_us

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

SHORT_US = 100_000 + QUEUE_DELAY_US  # a frame reaches its gateway so long before it is sent
LONG_US = 500_000 + QUEUE_DELAY_US  # the same when nothing depends on the time
_FEWEST_ROUND_TRIPS = 5
_SECOND_US = 1_000_000
_AROUND_MAC_PAYLOAD = 5  # MHDR and MIC


class _Window(NamedTuple):
    number: int
    frequency_hz: int
    modulation: Modulation
    delay_us: int  # after the first window


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
        for window in _windows(request, refusals):
            _check_length(downlink, window, connection, plan)
            try:
                emission, gps_us = _emission(downlink, window, path, now_us)
            except StackError as error:
                attributes = {"window": window.number}
                refusals.append(
                    StackError("pkg/gatewayserver/io:rx_window_schedule", attributes, cause=error)
                )
                continue
            power_dbm = _power_dbm(window.frequency_hz, connection, plan)
            transmission = Transmission(
                downlink, window.frequency_hz, window.modulation, emission.start_us, path.stamp,
                gps_us, power_dbm - gateway.gain_dbi(path.antenna), path.antenna,
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


def _windows(request: Document, refusals: list[StackError]) -> list[_Window]:
    """The windows that a request names; the others are told in ``refusals``."""
    found = []
    for number in (1, 2):
        frequency_hz = int(request.get(f"rx{number}_frequency", 0))
        modulation = _modulation(request.get(f"rx{number}_data_rate"))
        if not frequency_hz:
            refusals.append(StackError("pkg/gatewayserver/io:rx_empty"))
        elif modulation is None:
            attributes = {"window": number}
            refusals.append(StackError("pkg/gatewayserver/io:data_rate_rx_window", attributes))
        else:
            found.append(_Window(number, frequency_hz, modulation, (number - 1) * _SECOND_US))
    return found


def _modulation(data_rate: Document | None) -> Modulation | None:
    if data_rate is None:
        return None
    if (lora := data_rate.get("lora")) is not None:
        return Lora(
            lora.get("spreading_factor", 0),
            lora.get("bandwidth", 0),
            lora.get("coding_rate") or "4/5",
        )
    fsk = data_rate.get("fsk")
    return None if fsk is None else Fsk(fsk.get("bit_rate", 0))


def _check_length(
    downlink: Downlink, window: _Window, connection: Connection, plan: Document
) -> None:
    region = connection.gateway.region
    index = region.find_data_rate(window.modulation, is_downlink=True)
    if index is None:
        attributes: Document = {"window": window.number}
        raise StackError("pkg/gatewayserver/io:data_rate_rx_window", attributes)
    row = region.data_rate(index)
    most = row.max_mac_payload
    if plan.get("dwell_time", {}).get("downlinks") and row.max_payload_dwell is not None:
        most += row.max_payload_dwell - row.max_payload
    most += _AROUND_MAC_PAYLOAD
    if len(downlink.phy) > most:
        attributes = {
            "payload_length": len(downlink.phy),
            "maximum_length": most,
            "data_rate": _rate_text(window.modulation),
        }
        raise StackError("pkg/gatewayserver/io:too_long", attributes)


def _rate_text(modulation: Modulation) -> str:
    if isinstance(modulation, Fsk):
        return str(modulation.bit_rate)
    return f"SF{modulation.spreading_factor}BW{modulation.bandwidth_hz // 1000}"


def _emission(
    downlink: Downlink, window: _Window, path: _Path, now_us: int
) -> tuple[Emission, int | None]:
    """When a window's frame is sent; beside it the GPS time, if the gateway goes by that."""
    connection, request = path.connection, downlink.request
    clock, scheduler = connection.clock, connection.scheduler
    if not clock.is_synced:
        raise StackError("pkg/gatewayserver/scheduling:no_clock_sync")
    airtime_us = time_on_air_us(window.modulation, len(downlink.phy), has_crc=False)
    priority = request.get("priority", "LOWEST")
    now_count_us = clock.count_at(now_us)
    lead_us = _lead_us(connection, SHORT_US)
    absolute = request.get("absolute_time")
    if request.get("class", "CLASS_A") == "CLASS_A":
        delay_s = request.get("rx1_delay", 0)
        if not delay_s:
            raise StackError("pkg/gatewayserver/io:no_rx_delay")
        assert path.stamp is not None
        start_us = connection.way.count_of(path.stamp) + delay_s * _SECOND_US + window.delay_us
    elif absolute is not None:
        if not clock.is_absolute:
            raise StackError("pkg/gatewayserver/io:no_gps_sync")
        start_us = clock.count_at_absolute(unix_us(absolute))
    elif request["class"] == "CLASS_B":
        raise StackError("pkg/gatewayserver/io:no_absolute_time")
    else:
        earliest_us = now_count_us + _any_time_us(connection)
        return scheduler.any_time(
            earliest_us, airtime_us, window.frequency_hz, priority, now_us=now_count_us
        ), None
    emission = scheduler.at(
        start_us, airtime_us, window.frequency_hz, priority, now_us=now_count_us, lead_us=lead_us
    )
    return emission, to_gps_us(unix_us(absolute)) if absolute is not None else None


def _lead_us(connection: Connection, usual_us: int) -> int:
    """As long as frames take to the gateway, when that is known."""
    if len(connection.round_trips_us) < _FEWEST_ROUND_TRIPS:
        return usual_us
    ordered = sorted(connection.round_trips_us)
    return min(usual_us, ordered[len(ordered) * 9 // 10] // 2 + QUEUE_DELAY_US)


def _any_time_us(connection: Connection) -> int:
    """How long before a gateway is told of what may be sent at any time; its owner may say so."""
    delay = connection.gateway.document.get("schedule_anytime_delay")
    return max(SHORT_US, parse_duration(delay) // 1000) if delay else LONG_US


def _power_dbm(frequency_hz: int, connection: Connection, plan: Document) -> float:
    """EIRP: what the plan says of the sub-band or all, else what the band allows there."""
    for each in plan.get("sub_bands", ()):
        if each["min-frequency"] <= frequency_hz <= each["max-frequency"] and "max-eirp" in each:
            return float(each["max-eirp"])
    if "max_eirp" in plan:
        return float(plan["max_eirp"])
    region = connection.gateway.region
    for band in region.sub_bands:
        if band.low_hz <= frequency_hz < band.high_hz:
            return band.max_eirp_dbm
    return region.max_eirp_dbm


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
