"""
The windows of a downlink: when a gateway sends in one of them, how long and how strong.

Source: The Things Stack, pkg/gatewayserver (names of what is refused, time that frames take).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.gps_time import to_gps_us
from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server.connection import Connection
from simulators.platforms.things_stack.gateway_server.scheduling import QUEUE_DELAY_US, Emission
from simulators.platforms.things_stack.messages import Downlink
from simulators.platforms.things_stack.times import parse_duration, unix_us

Document = dict[str, Any]

SHORT_US = 100_000 + QUEUE_DELAY_US  # a frame reaches its gateway so long before it is sent
LONG_US = 500_000 + QUEUE_DELAY_US  # the same when nothing depends on the time
_FEWEST_ROUND_TRIPS = 5
_SECOND_US = 1_000_000
_AROUND_MAC_PAYLOAD = 5  # MHDR and MIC


class Window(NamedTuple):
    """One of the windows that a request names: 1 or 2."""

    number: int
    frequency_hz: int
    modulation: Modulation
    delay_us: int  # after the first window


def windows(request: Document, refusals: list[StackError]) -> list[Window]:
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
            found.append(Window(number, frequency_hz, modulation, (number - 1) * _SECOND_US))
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


def check_length(
    downlink: Downlink, window: Window, connection: Connection, plan: Document
) -> None:
    """
    Let no frame be longer than its data rate allows.

    Raises:
        StackError: ``too_long``, or there is no such data rate.
    """
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


def emission_of(
    downlink: Downlink, window: Window, connection: Connection, stamp: int | None, now_us: int
) -> tuple[Emission, int | None]:
    """
    When a window's frame is sent; beside it the GPS time, if the gateway goes by that.

    Args:
        stamp: the gateway's own time of the uplink, where the window counts from one.
    Raises:
        StackError: it cannot be sent then.
    """
    request = downlink.request
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
        assert stamp is not None
        start_us = connection.way.count_of(stamp) + delay_s * _SECOND_US + window.delay_us
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


def power_dbm(frequency_hz: int, connection: Connection, plan: Document) -> float:
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
