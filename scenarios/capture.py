"""
The frames on air that a trace tells of, as they are written to a capture file.

A frame stands once for each device that tells of it: gateways hear the same uplink with different
strengths. Without a choice these are the gateways, since theirs is the view of a capture; in a
trace without any, everybody.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from scenarios.trace import Event, Trace
from simulators.lorawan.modulation import Lora, Modulation, parse_datr
from simulators.wire import fields
from simulators.wire.errors import WireError
from simulators.wire.loratap import Capture

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 255
_HIGHEST_HZ = 2**32 - 1
_LATEST_US = 2**32 * 1_000_000
_BANDWIDTHS_HZ = (125_000, 250_000, 500_000)
_CODING_RATES = ("4/5", "4/6", "4/7", "4/8")


class CaptureError(Exception):
    """A radio event that tells of no frame as others do; ``line`` is its line in the trace."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class OnAir(NamedTuple):
    """A radio event with a frame, and its line in the trace."""

    line: int
    event: Event


def on_air(trace: Trace) -> list[OnAir]:
    """Every radio event that has a frame."""
    events = enumerate(trace.events, start=2)
    return [OnAir(line, event) for line, event in events if _has_frame(event)]


def devices_of(frames: Collection[OnAir]) -> list[str]:
    """Whose view is taken when nobody is named: the gateways', or everybody's."""
    gateways = dict.fromkeys(f.event.device for f in frames if "gateway_eui" in f.event.message)
    return list(gateways or dict.fromkeys(f.event.device for f in frames))


def captures(trace: Trace, frames: Collection[OnAir], devices: Collection[str]) -> list[Capture]:
    """
    What these devices sent and heard, in order.

    Raises:
        CaptureError: an event tells of a frame in another way than gateways and nodes do, or of a
            time that a capture cannot hold.
    """
    start_us = _start_us(trace.header["start"])
    return [_capture(line, event, start_us) for line, event in frames if event.device in devices]


def _start_us(text: str) -> int:
    try:
        since_1970: timedelta = datetime.fromisoformat(text) - _UNIX
    except ValueError as problem:
        raise CaptureError(1, f"expected start to be a time; got {text!r}") from problem
    return since_1970 // timedelta(microseconds=1)


def _has_frame(event: Event) -> bool:
    if event.channel != "radio" or not isinstance(event.message, dict):
        return False
    return "payload" in event.message and "unsent" not in event.message


def _capture(line: int, event: Event, start_us: int) -> Capture:
    told, unix_us = event.message, start_us + event.at
    if not 0 <= unix_us < _LATEST_US:
        raise CaptureError(line, "expected a time between 1970 and 2106")
    try:
        return Capture(
            unix_us,
            fields.integer(told, "frequency_hz", 1, _HIGHEST_HZ),
            _modulation(told),
            fields.hexadecimal(told, "payload", _LONGEST),
            fields.number(told, "rssi_dbm", -1000, 1000, None),
            fields.number(told, "snr_db", -1000, 1000, None),
            _gateway_eui(told),
            fields.integer(told, "tmst", 0, 2**32 - 1, 0),
            is_downlink=event.direction == "downlink",
            has_implicit_header=fields.boolean(told, "implicit_header", False),
        )
    except WireError as problem:
        raise CaptureError(line, str(problem)) from problem


def _gateway_eui(told: dict[str, Any]) -> str:
    if "gateway_eui" not in told:
        return "0" * 16
    eui = fields.hexadecimal(told, "gateway_eui", 8)
    if len(eui) != 8:
        raise WireError(f"expected gateway_eui of 8 bytes; got {len(eui)}")
    return eui.hex()


def _modulation(told: dict[str, Any]) -> Modulation:
    coding_rate = fields.text(told, "coding_rate", "4/5")
    try:
        modulation = parse_datr(told.get("data_rate"), coding_rate)
    except ValueError as problem:
        raise WireError(str(problem)) from problem
    if isinstance(modulation, Lora) and not (
        5 <= modulation.spreading_factor <= 12
        and modulation.bandwidth_hz in _BANDWIDTHS_HZ
        and coding_rate in _CODING_RATES
    ):
        got = f"{told['data_rate']}, {coding_rate}"
        raise WireError(f"expected a data rate and coding rate of LoRa; got {got}")
    return modulation
