"""
Where scripts work: an application of the run, its devices, gateways from a pool, its events.

Registers with the API as a user would; knows no reference server.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from conformance.clients.exchange import Response
from conformance.outcomes import Inconclusive, NotRun
from conformance.things_stack.answers import permitted
from conformance.things_stack.equipment.gateway import Downlink, Gateway, delay_us
from conformance.things_stack.equipment.node import Node
from conformance.things_stack.equipment.rates import (
    EU868_RATES,
    Modulation,
    airtime_s,
    rate_text,
)
from conformance.things_stack.equipment.station import FOUND, Station
from conformance.things_stack.event_stream import Subscription, events_in, is_about
from conformance.things_stack.registering import CHANNELS_HZ, Call, Document, Registrar, eui

AIRTIME_BUDGET_S = 120.0
"""Of all scripts of a process together; a real channel would be shared with others."""
PLANS = {"EU_863_870": 0, "EU_863_870_TTN": 3}
"""Frequency plans whose literals the tests know, with the RX2 data rate that each wants."""
LONGEST_CONNECT_S = 15.0
CALLS_AT_ONCE = 4
"""Requests under way: scripts begin at the same time, and a distant target takes its time."""


@dataclass
class Place:
    """Where the radio side of a target is: Semtech UDP, and the plan of its gateways."""

    host: str
    port: int
    plan: str
    lns: str | None = None
    context: ssl.SSLContext | None = None

    @property
    def rx2_data_rate(self) -> int:
        """The data rate that the plan wants for RX2."""
        return PLANS[self.plan]


class Lab:
    """
    What all scripts of a process share.

    Args:
        call: a request to the target's API: method, path below ``/api/v3``, body.
        registrar: for devices of an application of the run.
        new_gateway: registers a gateway (id, EUI, plan) and notes it for removal.
        events: the application's events.
        name: a fresh identifier of the run for a word.
        patience_s: how long to wait for an event.
    """

    def __init__(
        self,
        call: Call,
        registrar: Registrar,
        new_gateway: Callable[[str, str, str], None],
        events: Subscription,
        name: Callable[[str], str],
        place: Place,
        patience_s: float,
    ) -> None:
        self.call = call
        self.patience_s = patience_s
        self.registrar = registrar
        self.application_id = registrar.application_id
        self.events = events
        self.name = name
        self.place = place
        self.free: list[Gateway] = []
        self.opened: list[Gateway] = []
        self.airtime_s = 0.0
        self._plans: set[str] | None = None
        self._asking = asyncio.Lock()
        self._new_gateway = new_gateway
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="calls")

    async def ask(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Call something that blocks, without stopping the radio."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def plans(self) -> set[str]:
        """The frequency plans that the target offers."""
        async with self._asking:
            if self._plans is None:
                answer = await self.ask(self.call, "GET", "/configuration/frequency-plans")
                found = answer.ok_json().get("frequency_plans", [])
                self._plans = {str(each.get("id")) for each in found}
        return self._plans

    async def borrow_gateway(self, plan: str | None = None, *, has_gps: bool = False) -> Gateway:
        """A connected gateway that no other script uses meanwhile; by default with our plan."""
        plan = plan or self.place.plan
        free = [each for each in self.free if (each.plan, each.has_gps) == (plan, has_gps)]
        if free:
            # What the script before has left on the air is over first, or it would be in the way.
            gateway = min(free, key=lambda each: each.busy_until_s)
            self.free.remove(gateway)
            await asyncio.sleep(gateway.busy_until_s - asyncio.get_running_loop().time())
        else:
            gateway = Gateway(self.name("gtw"), eui(), plan, has_gps)
            await self.ask(self._new_gateway, gateway.gateway_id, gateway.eui.upper(), plan)
            await gateway.open(self.place.host, self.place.port)
            self.opened.append(gateway)
        gateway.downlinks.clear()
        gateway.tx_error, gateway.lacks_ack = None, False
        await self._connect(gateway)
        return gateway

    async def new_gateway(self, settings: Document) -> Gateway:
        """A connected gateway whose registration says more than others' does."""
        gateway = Gateway(self.name("gtw"), eui(), self.place.plan)
        await self.ask(self._new_gateway, gateway.gateway_id, gateway.eui.upper(), self.place.plan)
        document = {"gateway": settings, "field_mask": {"paths": list(settings)}}
        path = f"/gateways/{gateway.gateway_id}"
        permitted(await self.ask(self.call, "PUT", path, document)).ok_json()
        await gateway.open(self.place.host, self.place.port)
        self.opened.append(gateway)
        await self._connect(gateway)
        return gateway

    async def new_station(self) -> Station:
        """
        A registered gateway that speaks Basics Station's protocol; it has yet to connect.

        Raises:
            NotRun: the target file does not tell where to.
        """
        if self.place.lns is None:
            raise NotRun("the target file has no gateway.lns")
        station = Station(self.name("station"), eui(), self.place.context)
        await self.ask(self._new_gateway, station.gateway_id, station.eui.upper(), self.place.plan)
        return station

    async def _connect(self, gateway: Gateway) -> None:
        path = f"/gs/gateways/{gateway.gateway_id}/connection/stats"
        deadline = time.monotonic() + LONGEST_CONNECT_S
        while time.monotonic() < deadline:
            if not await gateway.pull():
                raise Inconclusive(
                    f"{self.place.host}:{self.place.port} does not acknowledge PULL_DATA"
                )
            if (await self.ask(self.call, "GET", path)).is_success:
                return
            await asyncio.sleep(0.2)
        raise Inconclusive(f"the gateway {gateway.gateway_id} did not become connected")

    def spend(self, seconds: float) -> None:
        """
        Use some of the airtime that the run may use.

        Raises:
            NotRun: there is not so much left.
        """
        self.airtime_s += seconds
        if self.airtime_s > AIRTIME_BUDGET_S:
            raise NotRun(f"the run has used its {AIRTIME_BUDGET_S:g} s of airtime")

    async def close(self) -> None:
        """Give the sockets back."""
        for gateway in self.opened:
            gateway.close()
        self._pool.shutdown(wait=True)


@dataclass(frozen=True)
class Sent:
    """An uplink: per gateway the end of its reception, and how it was sent."""

    phy: bytes
    heard: dict[str, int]
    frequency_hz: int
    data_rate: int
    f_cnt: int = 0


@dataclass(frozen=True)
class Answer:
    """A downlink that answers an uplink, with what a node would make of it."""

    downlink: Downlink
    delay_us: int | None
    frame: Any = None

    @property
    def where(self) -> Document:
        """When and how it is to be sent, as literals compare."""
        packet = self.downlink.packet
        return {
            "delay_us": self.delay_us,
            "frequency_hz": packet.frequency_hz,
            "data_rate": rate_text(packet.modulation),
        }


@dataclass
class Stage:
    """What one script has: its devices and gateways, and what was on the air."""

    lab: Lab
    frames: list[str] = field(default_factory=list)
    _gateways: list[Gateway] = field(default_factory=list)
    _others: list[Gateway] = field(default_factory=list)
    _stations: list[Station] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    async def end(self) -> None:
        """Give the gateways back."""
        self.lab.free += self._gateways
        for each in self._stations:
            await each.close()

    async def call(self, method: str, path: str, body: Any = None) -> Response:
        """A request to the API, with ``{a}`` for the application."""
        path = path.replace("{a}", self.lab.application_id)
        arguments = (method, path) if body is None else (method, path, body)
        found: Response = await self.lab.ask(self.lab.call, *arguments)
        return found

    async def needed(self, method: str, path: str, body: Any = None) -> Any:
        """
        As call, for what the script builds upon.

        Raises:
            UnexpectedAnswer: it was not accepted.
        """
        return permitted(await self.call(method, path, body)).ok_json()

    async def gateway(
        self, plan: str | None = None, *, has_gps: bool = False, settings: Document | None = None
    ) -> Gateway:
        """A gateway of this script alone; one with settings is of no use to others."""
        if settings is not None:
            self._others.append(await self.lab.new_gateway(settings))
            return self._others[-1]
        gateway = await self.lab.borrow_gateway(plan, has_gps=has_gps)
        self._gateways.append(gateway)
        return gateway

    async def station(self) -> tuple[Station, str]:
        """A station of this script alone, which has yet to connect, and a key that may link it."""
        station = await self.lab.new_station()
        self._stations.append(station)
        return station, await self.key(station.gateway_id, "RIGHT_GATEWAY_LINK")

    def be_unlimited(self) -> None:
        """
        Let pass what was not kept from the stations of this script by a limit of connections.

        Raises:
            Inconclusive: it was.
        """
        if any(each.is_limited for each in self._stations):
            raise Inconclusive("the target limits how many stations may connect in a time: 429")

    async def key(self, gateway_id: str, *rights: str) -> str:
        """A key of a gateway with these rights."""
        body = {"name": self.lab.name("key"), "rights": list(rights)}
        return str((await self.needed("POST", f"/gateways/{gateway_id}/api-keys", body))["key"])

    async def linked(self, features: str = "rmtsh") -> tuple[Station, Document]:
        """
        A station of this script that has connected, and what it has been told to listen to.

        Raises:
            Inconclusive: it could not connect.
        """
        station, key = await self.station()
        found = await station.discover(str(self.lab.place.lns), key)
        status = await station.open(str(found.get("uri")), key) if "uri" in found else None
        if status != FOUND:
            raise Inconclusive(f"the station could not connect: {found}, {status}")
        return station, await station.configuration(features)

    async def otaa(self, version: str = "1.0.2", **settings: Any) -> Node:
        """A registered node that has yet to join; see Registrar.otaa."""
        work = partial(self.lab.registrar.otaa, version, **settings)
        node: Node = await self.lab.ask(work)
        return node

    async def to_join_server(self, node: Node) -> None:
        """See Registrar.to_join_server."""
        await self.lab.ask(self.lab.registrar.to_join_server, node)

    async def abp(self, version: str = "1.0.2", **settings: Any) -> Node:
        """A registered node with a session; see Registrar.abp."""
        work = partial(self.lab.registrar.abp, version, **settings)
        node: Node = await self.lab.ask(work)
        return node

    def send(
        self,
        phy: bytes,
        *gateways: Gateway,
        data_rate: int = 5,
        frequency_hz: int = CHANNELS_HZ[0],
        snr_db: float = 9.5,
        f_cnt: int = 0,
        tmst: int | None = None,
        rate: Modulation | None = None,
    ) -> Sent:
        """A frame on the air, heard by all these gateways at once; ``rate`` is one of elsewhere."""
        rate = rate or EU868_RATES[data_rate]
        self.lab.spend(airtime_s(rate, len(phy)))
        heard = {
            each.gateway_id: each.hear(
                phy, frequency_hz=frequency_hz, modulation=rate, snr_db=snr_db, tmst=tmst
            )
            for each in gateways
        }
        names = "+".join(heard)
        self._note(f"up {names} DR{data_rate} {frequency_hz} {phy.hex()}")
        return Sent(phy, heard, frequency_hz, data_rate, f_cnt)

    def quiet(self, *gateways: Gateway) -> Sent:
        """No frame, now: from here on answers are waited for that nothing has asked for."""
        return Sent(b"", {each.gateway_id: each.now() for each in gateways}, 0, 0)

    def rate(self, data_rate: int) -> Any:
        """A data rate of EU868."""
        return EU868_RATES[data_rate]

    async def answer(
        self,
        sent: Sent,
        *,
        within_s: float,
        read: Callable[[bytes], Any] = lambda phy: phy,
        only_us: Collection[int] = (),
    ) -> Answer | None:
        """
        The first downlink that ``read`` understands and that is meant for a window after ``sent``.

        ``only_us`` are delays after ``sent``, where downlinks for other uplinks are under way too.
        None when there is none in time for the last window, which ``within_s`` ends.
        """
        deadline = asyncio.get_running_loop().time() + within_s
        seen: dict[int, Downlink] = {}
        while True:
            for each in (*self._gateways, *self._others):
                # Others who wait take downlinks away meanwhile.
                for downlink in [one for one in each.downlinks if id(one) not in seen]:
                    seen[id(downlink)] = downlink
                    frame = read(downlink.phy)
                    if frame is None or each.gateway_id not in sent.heard:
                        continue
                    delay = delay_us(sent.heard[each.gateway_id], downlink)
                    if delay is not None and delay > 20_000_000:
                        continue
                    if only_us and delay not in only_us:
                        continue
                    each.downlinks.remove(downlink)
                    self._note(f"down {each.gateway_id} {delay} us {downlink.phy.hex()}")
                    return Answer(downlink, delay, frame)
            if asyncio.get_running_loop().time() >= deadline:
                return None
            await asyncio.sleep(0.01)

    async def uplink(
        self, node: Node, payload: bytes = b"", *gateways: Gateway, data_rate: int = 5,
        frequency_hz: int = CHANNELS_HZ[0], snr_db: float = 9.5, tmst: int | None = None,
        rate: Modulation | None = None, **options: Any,
    ) -> Sent:  # fmt: skip
        """The next uplink of a node; ``options`` as those of ``Node.uplink``."""
        options.setdefault("tx_dr", data_rate)
        options.setdefault(
            "tx_ch", CHANNELS_HZ.index(frequency_hz) if frequency_hz in CHANNELS_HZ else 0
        )
        f_cnt = options.get("f_cnt") if options.get("f_cnt") is not None else node.f_cnt
        phy = node.uplink(payload, **options)
        return self.send(
            phy, *gateways, data_rate=data_rate, frequency_hz=frequency_hz, snr_db=snr_db,
            f_cnt=f_cnt or 0, tmst=tmst, rate=rate,
        )  # fmt: skip

    async def join(self, node: Node, gateway: Gateway, dev_nonce: int, **how: Any) -> Answer | None:
        """Send a join request, and take up the session that the answer offers."""
        sent = self.send(node.join_request(dev_nonce), gateway, **how)
        answer = await self.answer(
            sent, within_s=6.2, read=lambda phy: node.open_accept(phy, dev_nonce)
        )
        if answer:
            node.follow(answer.frame, dev_nonce)
        return answer

    def events(self, node: Node, *names: str) -> list[Document]:
        """Events of these names about a device, so far."""
        return [
            each
            for each in events_in(self.lab.events)
            if each.get("name") in names and is_about(each, node.device_id)
        ]

    async def wait_events(
        self, node: Node, *names: str, count: int = 1, within_s: float | None = None
    ) -> list[Document]:
        """
        As events, as soon as there are so many, or when the time is over.

        Raises:
            Inconclusive: there are not, and the stream of events has ended.
        """
        deadline = time.monotonic() + (self.lab.patience_s if within_s is None else within_s)
        while len(self.events(node, *names)) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        found = self.events(node, *names)
        if len(found) < count:
            self.lab.events.be_open()
        return found

    async def uplinks(
        self, node: Node, *, count: int, within_s: float | None = None
    ) -> list[Document]:
        """What the application has got as uplink messages, once there are so many."""
        found = await self.wait_events(node, "as.up.data.forward", count=count, within_s=within_s)
        return [each.get("data", {}).get("uplink_message", {}) for each in found]

    async def push(self, node: Node, *items: Document) -> Response:
        """Put downlinks into the device's queue."""
        path = f"/as/applications/{{a}}/devices/{node.device_id}/down/push"
        return await self.call("POST", path, {"downlinks": list(items)})

    def _note(self, words: str) -> None:
        self.frames.append(f"{time.monotonic() - self._started:8.3f} {words}")


def payload_of(message: Document) -> bytes:
    """The payload of a message."""
    return base64.b64decode(message.get("frm_payload", ""))
