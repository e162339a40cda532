"""
A gateway that a script holds: LoRa Basics Station, every message of its server kept as it came.

Its messages are written here once more, apart from the codec that reference servers use.
Source: lorabasics/basicstation 2.0.6, src/s2e.c; its documentation, "The LNS Protocol".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

Document = dict[str, Any]
SESSION = 0x2B << 48
"""The bits of ``xtime`` that say of which radio and of which of its starts the count is."""
COUNT = (1 << 48) - 1
OPEN_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 5.0
FOUND, TOO_MANY = 101, 429
TRIES, SOME_WAIT_S, LONGEST_WAIT_S = 4, 15.0, 90.0


@dataclass
class Station:
    """
    One gateway. ``lacks_ack`` keeps it silent about downlinks; ``messages`` came from the server.

    ``is_limited`` says that the server let too few connect in a time, however long we waited.
    """

    gateway_id: str
    eui: str
    context: ssl.SSLContext | None = None
    lacks_ack: bool = False
    messages: list[Document] = field(default_factory=list)
    socket: ClientConnection | None = None
    last_count: int = 0
    is_limited: bool = False

    async def discover(self, address: str, key: str | None, eui: str | None = None) -> Document:
        """
        Ask on ``/router-info`` where to go; ``eui`` asks in another gateway's name.

        Returns:
            The answer; ``{"status": …}`` when the WebSocket was refused.
        """
        try:
            async with await self._opened(f"{address.rstrip('/')}/router-info", key) as socket:
                await socket.send(json.dumps({"router": id6(eui or self.eui)}))
                text = await asyncio.wait_for(socket.recv(), ANSWER_TIMEOUT_S)
                return _document(text)
        except InvalidStatus as refusal:
            return {"status": refusal.response.status_code}
        except (InvalidHandshake, InvalidMessage, ConnectionClosed, OSError) as problem:
            return {"problem": type(problem).__name__}

    async def open(self, uri: str, key: str | None) -> int | str:
        """The data connection: 101 when it stands, another status, or why there is none."""
        try:
            self.socket = await self._opened(uri, key)
        except InvalidStatus as refusal:
            return refusal.response.status_code
        except (InvalidHandshake, InvalidMessage, OSError) as problem:
            return type(problem).__name__
        self._reading = asyncio.get_running_loop().create_task(self._read(self.socket))
        return FOUND

    async def _opened(self, uri: str, key: str | None) -> ClientConnection:
        """
        A WebSocket; a limit of how many may be opened in a time is waited for.

        Raises:
            InvalidStatus: it was refused, or the limit does not end.
        """
        for _ in range(TRIES):
            try:
                return await self._connect(uri, key)
            except InvalidStatus as refusal:
                if refusal.response.status_code != TOO_MANY:
                    raise
                text = refusal.response.headers.get("X-Rate-Limit-Retry", "")
                wait_s = float(text) if text.isdigit() else SOME_WAIT_S
                await asyncio.sleep(min(wait_s, LONGEST_WAIT_S))
        self.is_limited = True
        return await self._connect(uri, key)

    def _connect(self, uri: str, key: str | None) -> connect:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return connect(
            uri,
            additional_headers=headers,
            open_timeout=OPEN_TIMEOUT_S,
            compression=None,
            proxy=None,
            ssl=self.context if uri.startswith("wss:") else None,
        )

    async def close(self) -> None:
        """End the data connection."""
        if self.socket is not None:
            self._reading.cancel()
            await self.socket.close()

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                message = _document(text)
                self.messages.append(message)
                if message.get("msgtype") == "dnmsg" and not self.lacks_ack:
                    await self.say(_transmitted(message))

    async def say(self, message: Document) -> None:
        """Send a message; on a connection that has ended it is lost."""
        with contextlib.suppress(ConnectionClosed):
            if self.socket is not None:
                await self.socket.send(json.dumps(message))

    async def wait(
        self, is_meant: Callable[[Document], Any], *, within_s: float = ANSWER_TIMEOUT_S
    ) -> Document | None:
        """The first message that is meant, also of those that came before; None in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while True:
            found = next((each for each in self.messages if is_meant(each)), None)
            if found is not None or loop.time() >= deadline:
                return found
            await asyncio.sleep(0.01)

    async def configuration(self, features: str = "rmtsh") -> Document:
        """What the server answers to the station's version; empty when it does not."""
        await self.say({
            "msgtype": "version", "station": "2.0.6(linux/std)", "firmware": "thingrig",
            "package": "thingrig", "model": "linux", "protocol": 2, "features": features,
        })  # fmt: skip
        return await self.wait(lambda each: each.get("msgtype") == "router_config") or {}

    async def hear(
        self,
        phy: bytes,
        *,
        data_rate: int = 5,
        frequency_hz: int = 868_100_000,
        rssi_dbm: int = -42,
        snr_db: float = 9.5,
        has_xtime: bool = True,
        gpstime: int = 0,
    ) -> int:
        """
        Pass a frame on as if it had just been received; ``gpstime`` 0 is a station without GPS.

        Returns:
            ``xtime``, the end of the reception.
        """
        count = int(asyncio.get_running_loop().time() * 1_000_000)
        self.last_count = max(count, self.last_count + 1000) & COUNT
        xtime = SESSION | self.last_count
        await self.say({
            **fields_of(phy), "RefTime": 0.0, "DR": data_rate, "Freq": frequency_hz,
            "upinfo": {
                "rctx": 0, "xtime": xtime if has_xtime else 0, "gpstime": gpstime,
                "fts": -1,
                "rssi": rssi_dbm, "snr": snr_db, "rxtime": 0.0,
            },
        })  # fmt: skip
        return xtime


def id6(eui: str) -> str:
    """An EUI as a station writes its own: four groups, ``58a0:cbff:fe00:1``."""
    return ":".join(f"{int(eui[at : at + 4], 16):x}" for at in range(0, 16, 4))


def fields_of(phy: bytes) -> Document:
    """A join request as ``jreq``, a data uplink as ``updf``."""
    mic = int.from_bytes(phy[-4:], "little", signed=True)
    if phy[0] >> 5 == 0:
        return {
            "msgtype": "jreq", "MHdr": phy[0], "JoinEui": _dashed(phy[1:9]),
            "DevEui": _dashed(phy[9:17]), "DevNonce": int.from_bytes(phy[17:19], "little"),
            "MIC": mic,
        }  # fmt: skip
    body = 8 + (phy[5] & 15)
    has_port = len(phy) > body + 4
    return {
        "msgtype": "updf", "MHdr": phy[0],
        "DevAddr": int.from_bytes(phy[1:5], "little", signed=True), "FCtrl": phy[5],
        "FCnt": int.from_bytes(phy[6:8], "little"), "FOpts": phy[8:body].hex().upper(),
        "FPort": phy[body] if has_port else -1,
        "FRMPayload": phy[body + 1 : -4].hex().upper() if has_port else "", "MIC": mic,
    }  # fmt: skip


def windows_of(message: Document, xtime: int) -> list[list[int]]:
    """
    When and how a ``dnmsg`` of class A may be sent: µs after the uplink, frequency, data rate.

    Empty when it has no window, or answers another start of the radio.
    """
    begin = message.get("xtime", 0)
    if message.get("dC") != 0 or begin & ~COUNT != xtime & ~COUNT:
        return []
    delay_us = begin - xtime + 1_000_000 * max(1, message.get("RxDelay", 0))
    found = []
    for number in (1, 2):
        names = [f"RX{number}Freq", f"RX{number}DR"]
        if all(name in message for name in names):
            values = [message[name] for name in names]
            found.append([delay_us + 1_000_000 * (number - 1), *values])
    return found


def place_of(message: Document) -> list[int] | None:
    """Frequency and data rate of the first way in which a ``dnmsg`` may be sent."""
    for word in ("", "RX1", "RX2"):
        if f"{word}Freq" in message and f"{word}DR" in message:
            return [message[f"{word}Freq"], message[f"{word}DR"]]
    return None


def channels_of(configuration: Document) -> list[int]:
    """The frequencies in Hz on which the station is to listen to all spreading factors."""
    found = []
    for board in configuration.get("sx1301_conf", ()):
        for number in range(8):
            channel = board.get(f"chan_multiSF_{number}", {})
            radio = board.get(f"radio_{channel.get('radio', 0)}", {})
            if channel.get("enable", bool(channel)) and radio.get("enable"):
                found.append(radio["freq"] + channel["if"])
    return sorted(found)


def single_channels_of(configuration: Document) -> list[int]:
    """The frequencies in Hz of the channels for one LoRa data rate, and for FSK."""
    found = []
    for board in configuration.get("sx1301_conf", ()):
        for name in ("chan_Lora_std", "chan_FSK"):
            channel = board.get(name, {})
            radio = board.get(f"radio_{channel.get('radio', 0)}", {})
            if channel.get("enable", bool(channel)) and radio.get("enable"):
                found.append(radio["freq"] + channel["if"])
    return sorted(found)


def _transmitted(message: Document) -> Document:
    """What a station tells when it sends, in the first window that it may use."""
    frequency_hz, data_rate = place_of(message) or (0, 0)
    return {
        "msgtype": "dntxed", "seqno": message.get("diid"), "diid": message.get("diid"),
        "DR": data_rate, "Freq": frequency_hz, "DevEui": message.get("DevEui"),
        "rctx": message.get("rctx", 0), "xtime": message.get("xtime", 0), "txtime": 0.0,
        "gpstime": 0,
    }  # fmt: skip


def _dashed(reversed_eui: bytes) -> str:
    return reversed_eui[::-1].hex("-").upper()


def _document(text: str | bytes) -> Document:
    """A message; what is no JSON object has no fields."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
