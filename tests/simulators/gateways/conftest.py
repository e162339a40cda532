"""A packet forwarder on the virtual clock, before a server that only takes notes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from simulators.clock import VirtualClock
from simulators.gateways.access import Access
from simulators.gateways.channels import usual_plan
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.counter import Counter
from simulators.gateways.forwarder_settings import ForwarderSettings, transmit_range_hz
from simulators.gateways.packet_forwarder import PacketForwarder
from simulators.lorawan.regions import region
from simulators.transports.udp import Address, MemoryDatagrams
from simulators.wire.semtech_packets import TxPk
from simulators.wire.semtech_udp import Datagram, PullData, PullResp, decode, encode
from tests.simulators.gateways.stage import Notebook, PaperAir

EUI = "b827ebfffe000001"
EU868 = region("EU868")
SETTINGS = ForwarderSettings(transmits_hz=transmit_range_hz(EU868))


@dataclass
class Forwarder:
    """Everything around one gateway."""

    clock: VirtualClock
    air: PaperAir
    notebook: Notebook
    datagrams: MemoryDatagrams
    gateway: PacketForwarder
    received: list[tuple[int, Datagram, Address]] = field(default_factory=list)

    def take(self, data: bytes, address: Address) -> None:
        self.received.append((self.clock.now_us(), decode(data), address))

    def play(self, until_s: float) -> None:
        self.clock.play(until_s)

    def of(self, kind: type[Any]) -> list[Any]:
        """The datagrams of one kind that came."""
        return [datagram for _, datagram, _ in self.received if isinstance(datagram, kind)]

    def answer(self, data: bytes) -> None:
        """Send to where downlinks go."""
        address = next(a for _, each, a in reversed(self.received) if isinstance(each, PullData))
        self.datagrams.send(data, address)

    def pull_resp(self, packet: TxPk, token: int = 7) -> None:
        self.answer(encode(PullResp(token, packet)))


Build = Callable[..., Forwarder]


@pytest.fixture
def forwarder() -> Build:
    """Builds and starts a gateway; settings of the forwarder by name."""

    def build(
        *,
        drift_ppm: float = 0.0,
        counter_start: int = 0,
        delay_us: int = 0,
        access: Access | None = None,
        is_observed: bool = True,
        **settings: Any,
    ) -> Forwarder:
        clock = VirtualClock()
        air, notebook = PaperAir(clock), Notebook(clock)
        datagrams = MemoryDatagrams(clock, delay_us=delay_us)
        concentrator = Concentrator(
            "gateway-1",
            clock,
            air,
            eui=EUI,
            plan=usual_plan(EU868),
            counter=Counter(start=counter_start, drift_ppm=drift_ppm),
            access=access,
            observer=notebook if is_observed else None,
        )
        gateway = PacketForwarder(
            concentrator,
            clock=clock,
            datagrams=datagrams,
            rng=random.Random(1),
            settings=replace(SETTINGS, **settings),
            observer=notebook if is_observed else None,
        )
        made = Forwarder(clock, air, notebook, datagrams, gateway)
        datagrams.listen(made.take)
        gateway.start()
        return made

    return build
