"""
What station and server tell each other, as values.

Source: lorabasics/basicstation 2.0.6, src/s2e.c, src/lora.c; documentation, "The LNS Protocol".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulators.wire.basics_station.router_config import RouterConfig

PROTOCOL = 2
LONGEST_FRAME = 255
INT64 = 2**63 - 1
HIGHEST_HZ = 10_000_000_000
FAR_S = 1e15  # no time in seconds is further away


class RouterInfoRequest(NamedTuple):
    """Discovery, station to server: who I am."""

    router: str


class RouterInfo(NamedTuple):
    """Discovery, server to station: where to go, or why not."""

    router: str
    muxs: str = "::0"
    uri: str | None = None
    error: str | None = None


class Version(NamedTuple):
    """Station to server, first of all; ``features`` are words parted by blanks."""

    station: str
    firmware: str | None = None
    package: str | None = None
    model: str | None = None
    protocol: int = PROTOCOL
    features: str = ""


class UpInfo(NamedTuple):
    """How a frame was received; ``gpstime`` is 0 without GPS, ``fts`` -1 without a fine time."""

    xtime: int
    rssi_dbm: float
    snr_db: float
    gpstime: int = 0
    rctx: int = 0
    rxtime_s: float = 0.0
    fts: int = -1


class Uplink(NamedTuple):
    """A frame that a station received: ``jreq``, ``updf`` or, for any other kind, ``propdf``."""

    phy_payload: bytes
    dr: int
    frequency_hz: int
    info: UpInfo
    ref_time_s: float = 0.0


class Window(NamedTuple):
    """Where and how fast a downlink is sent."""

    dr: int
    frequency_hz: int


class Downlink(NamedTuple):
    """
    ``dnmsg``, server to station: send this frame to a device of class A (0), B (1) or C (2).

    Class A: at ``xtime`` plus ``rx_delay_s`` in ``rx1``, one second later in ``rx2``, whichever is
    possible first. Class B: at ``gpstime`` in ``rx1`` (written ``DR``, ``Freq``). Class C: at once.
    """

    dev_eui: str
    device_class: int
    diid: int
    pdu: bytes
    rx_delay_s: int = 0
    rx1: Window | None = None
    rx2: Window | None = None
    xtime: int = 0
    gpstime: int = 0
    priority: int = 0
    rctx: int | None = None
    preamble: int = 8
    adds_crc: bool = False
    mux_time_s: float | None = None


class Scheduled(NamedTuple):
    """One frame of ``dnsched``: at ``gpstime``, or at ``xtime`` where that is 0."""

    pdu: bytes
    window: Window
    gpstime: int = 0
    xtime: int = 0
    diid: int = 0
    priority: int = 0
    rctx: int = 0
    preamble: int = 8
    adds_crc: bool = False


class Schedule(NamedTuple):
    """``dnsched``, server to station: multicast frames; nothing is told of them afterwards."""

    frames: tuple[Scheduled, ...]
    mux_time_s: float | None = None


class Transmitted(NamedTuple):
    """``dntxed``, station to server: this frame is on air; a frame that is not has no message."""

    diid: int
    dr: int
    frequency_hz: int
    dev_eui: str
    xtime: int
    rctx: int = 0
    txtime_s: float = 0.0
    gpstime: int = 0


class TimeSync(NamedTuple):
    """
    ``timesync``.

    Station to server: ``txtime_us``. The answer: the same and ``gpstime``. Pushed by the server:
    ``xtime`` and its ``gpstime``.
    """

    txtime_us: int | None = None
    gpstime: int | None = None
    xtime: int | None = None
    mux_time_s: float | None = None


class GetXTime(NamedTuple):
    """``getxtime``, server to station."""

    mux_time_s: float | None = None


class XTimes(NamedTuple):
    """``getxtime``, station to server: the clocks of its radio units."""

    xtimes: tuple[int, ...]
    ustime_s: float
    utc_s: float
    mux_time_s: float = 0.0


class RunCommand(NamedTuple):
    """``runcmd``, server to station."""

    command: str
    arguments: tuple[str, ...] = ()


class RemoteShell(NamedTuple):
    """``rmtsh``, in both directions; what it holds is not looked at."""

    document: dict[str, Any]


FromStation = Version | Uplink | Transmitted | TimeSync | XTimes | RemoteShell
FromServer = RouterConfig | Downlink | Schedule | TimeSync | GetXTime | RunCommand | RemoteShell


class XTime(NamedTuple):
    """What an ``xtime`` is made of: radio unit, session (never 0), µs of that session."""

    unit: int
    session: int
    micros: int

    @classmethod
    def of(cls, xtime: int) -> XTime:
        """Taken apart."""
        return cls(xtime >> 56 & 0x7F, xtime >> 48 & 0xFF, xtime & (1 << 48) - 1)

    def value(self) -> int:
        """Put together."""
        return self.unit << 56 | self.session << 48 | self.micros & (1 << 48) - 1
