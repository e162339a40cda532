"""
One station's connection: its messages, its downlinks, its time.

Source: lorabasics/basicstation 2.0.6, documentation, "The LNS Protocol"; The Things Stack,
pkg/gatewayserver/io/semtechws.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from simulators.lorawan.gps_time import to_gps_us, to_unix_us
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.gateway_server.connection import Connection, Transmission
from simulators.platforms.things_stack.gateway_server.station_config import router_config
from simulators.platforms.things_stack.gateway_server.upstream import Reception
from simulators.platforms.things_stack.messages import Downlink
from simulators.platforms.things_stack.times import time_text
from simulators.wire.basics_station import messages
from simulators.wire.basics_station.coding import decode_from_station
from simulators.wire.errors import WireError

if TYPE_CHECKING:
    from simulators.platforms.things_stack.gateway_server.basics_station import StationFrontend

Document = dict[str, Any]

DEV_EUI = "0000000000000001"  # of every downlink: a station does not look at it
PRIORITY = 25
TRANSFER_US = 200_000_000  # between the times that the server tells by itself
_SECOND_US = 1_000_000
_MOST_DOWNLINKS = 32
_LONGEST_ROUND_TRIP_US = 60 * _SECOND_US
_COUNT_BITS = 48
_COUNT = (1 << _COUNT_BITS) - 1
_PROPRIETARY = 7


class Station:
    """
    One gateway; its frames are stamped by ``xtime``.

    Of that 48 bits are a count of microseconds, the others say of which radio and which session.
    """

    protocol = "ws"

    def __init__(self, frontend: StationFrontend, socket_id: int) -> None:
        self.connection: Connection
        self._frontend = frontend
        self._server = frontend.server
        self._socket_id = socket_id
        self._session = 0
        self._diid = 0
        self._sent: OrderedDict[int, Downlink] = OrderedDict()
        self._is_closed = False

    # --- from the station

    def received(self, text: str, now_us: int) -> None:
        """A message came; one that is wrong is ignored."""
        try:
            message = decode_from_station(text)
        except WireError:
            return
        if isinstance(message, messages.Uplink):
            self._frame(message, now_us)
        elif isinstance(message, messages.Version):
            self._version(message, now_us)
        elif isinstance(message, messages.Transmitted):
            downlink = self._sent.pop(message.diid, None)
            if downlink is not None:
                self._server.upstream.tx_ack(self.connection, downlink, "SUCCESS", now_us)
        elif isinstance(message, messages.TimeSync) and message.txtime_us is not None:
            answer = messages.TimeSync(
                message.txtime_us, to_gps_us(now_us), mux_time_s=now_us / _SECOND_US
            )
            self._frontend.send(self._socket_id, answer)

    def _version(self, version: messages.Version, now_us: int) -> None:
        features = version.features.split()
        config = router_config(
            self.connection.gateway,
            is_production="prod" in features,
            mux_time_s=now_us / _SECOND_US,
        )
        self._frontend.send(self._socket_id, config)
        words = {
            "station": version.station,
            "firmware": version.firmware,
            "package": version.package,
            "platform": f"{version.model or ''} - Firmware {version.firmware or ''} "
            f"- Protocol {version.protocol}",
        }
        status: Document = {
            "time": time_text(now_us),
            "versions": {name: word for name, word in words.items() if word},
            "advanced": {"model": version.model or "", "features": version.features},
        }
        if self.connection.remote_ip:
            status["ip"] = [self.connection.remote_ip]
        self._server.upstream.status(self.connection, status, now_us)

    def _frame(self, uplink: messages.Uplink, now_us: int) -> None:
        phy, data_rate, frequency_hz, info, ref_time_s = uplink
        rows = self.connection.gateway.region.data_rates
        row = rows[data_rate] if data_rate < len(rows) else None
        is_proprietary = not phy or phy[0] >> 5 == _PROPRIETARY
        if info.xtime <= 0 or row is None or is_proprietary or not frequency_hz:
            return
        self._session = info.xtime & ~_COUNT
        self._note_round_trip(ref_time_s, now_us)
        timestamp = info.xtime & 0xFFFFFFFF
        metadata = _metadata(info, timestamp)
        settings: Document = {
            "data_rate": rate_document(row.modulation),
            "frequency": str(frequency_hz),
            "timestamp": timestamp,
        }
        if "time" in metadata:
            settings["time"] = metadata["time"]
        reception = Reception(
            phy, frequency_hz, row.modulation, settings, [metadata], info.xtime,
            self.count_of(info.xtime), info.gpstime or None,
        )  # fmt: skip
        self._server.upstream.uplink(self.connection, reception, now_us)

    def _note_round_trip(self, ref_time_s: float, now_us: int) -> None:
        """A station tells the server's own time, and how long ago it was told."""
        duration_us = now_us - round(ref_time_s * _SECOND_US)
        if ref_time_s > 0 and 0 <= duration_us < _LONGEST_ROUND_TRIP_US:
            self.connection.note_round_trip(duration_us)

    # --- Way

    def count_of(self, stamp: int) -> int:
        """See Way."""
        return stamp & _COUNT

    def check(self, now_us: int) -> None:
        """See Way."""
        if not self._session:
            name = "pkg/gatewayserver/io/semtechws/lbslns:session_state_not_found"
            raise StackError(name)

    def send(self, transmission: Transmission, now_us: int) -> None:
        """See Way: the station keeps it until its time."""
        region = self.connection.gateway.region
        data_rate = region.find_data_rate(transmission.modulation, is_downlink=True)
        assert data_rate is not None  # the scheduler has looked for it
        self._diid = diid = self._diid + 1
        self._sent[diid] = transmission.downlink
        if len(self._sent) > _MOST_DOWNLINKS:
            self._sent.popitem(last=False)
        window = messages.Window(data_rate, transmission.frequency_hz)
        phy, mux_time_s = transmission.downlink.phy, now_us / _SECOND_US
        if transmission.gps_us is not None:
            message = messages.Downlink(
                DEV_EUI, 1, diid, phy, rx1=window, gpstime=transmission.gps_us,
                priority=PRIORITY, rctx=transmission.antenna, mux_time_s=mux_time_s,
            )  # fmt: skip
        else:
            # Another class may be sent by a token of a session that is long over.
            answered = transmission.stamp if transmission.is_answer else None
            session = self._session if answered is None else answered & ~_COUNT
            xtime = session | max(0, transmission.count_us - _SECOND_US) & _COUNT
            message = messages.Downlink(
                DEV_EUI, 0, diid, phy, 1, window, xtime=xtime,
                priority=PRIORITY, rctx=transmission.antenna, mux_time_s=mux_time_s,
            )  # fmt: skip
        self._frontend.send(self._socket_id, message)

    def close(self, reason: str) -> None:
        """See Way."""
        self._is_closed = True
        self._frontend.close(self._socket_id, reason)

    def is_silent(self, now_us: int) -> bool:
        """See Way: whether its WebSocket still answers is found out below."""
        return False

    # --- time

    def transfer_later(self, now_us: int) -> None:
        """Tell the station the time again and again."""
        self._server.stack.agenda.at(now_us + TRANSFER_US, self._transfer)

    def _transfer(self, now_us: int) -> None:
        if self._is_closed:
            return
        clock = self.connection.clock
        if self._session and clock.is_synced:
            xtime = self._session | clock.count_at(now_us) & _COUNT
            transfer = messages.TimeSync(
                gpstime=to_gps_us(now_us), xtime=xtime, mux_time_s=now_us / _SECOND_US
            )
            self._frontend.send(self._socket_id, transfer)
        self.transfer_later(now_us)


def _metadata(info: messages.UpInfo, timestamp: int) -> Document:
    """RxMetadata."""
    document: Document = {
        "timestamp": timestamp,
        "rssi": info.rssi_dbm,
        "channel_rssi": info.rssi_dbm,
        "snr": info.snr_db,
    }
    document = {name: value for name, value in document.items() if value}
    if info.gpstime:
        document["time"] = document["gps_time"] = _time(to_unix_us(info.gpstime))
    elif info.rxtime_s > 0:
        document["time"] = _time(round(info.rxtime_s * _SECOND_US))
    return {name: value for name, value in document.items() if value}


_LAST_US = 253_402_300_799_000_000  # the end of the year 9999


def _time(unix_us: int) -> str:
    return time_text(unix_us) if 0 < unix_us < _LAST_US else ""
