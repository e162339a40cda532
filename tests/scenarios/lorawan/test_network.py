"""What the scripted network does for its devices beside joins and acknowledgements."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from scenarios.lorawan.building import network_plan
from scenarios.lorawan.world import LorawanWorld, Ways
from scenarios.model import Scenario
from simulators.clock import VirtualClock
from simulators.devices.node import Node
from simulators.lorawan.mac_commands import DeviceTimeReq, LinkCheckReq
from simulators.platforms.scripted_network.core import ScriptedNetwork
from simulators.platforms.scripted_network.devices import Queued
from simulators.platforms.scripted_network.gathering import Gathering
from simulators.platforms.scripted_network.semtech_front import SemtechFront
from simulators.transports.udp import MemoryDatagrams

from .playing import changed, in_region, played


class Bench:
    """A world and its network, with hands on both."""

    def __init__(self, scenario: Scenario, **options: Any) -> None:
        self.clock = VirtualClock(start=scenario.start)
        datagrams = MemoryDatagrams(self.clock, delay_us=20_000)
        self.world = LorawanWorld(scenario, clock=self.clock, ways=Ways(datagrams))
        plan, known = network_plan(self.world.parts), self.world.registrations()
        self.network = ScriptedNetwork(plan, known, **options)
        front = SemtechFront(Gathering(self.clock, self.network))
        front.open(datagrams.listen(front.received))
        self.clock.process(self.world.conduct())

    @property
    def node(self) -> Node:
        """The one node."""
        return self.world.evidence.nodes[0]

    def at(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something at that time."""

        def wait() -> Generator[Any, Any, None]:
            yield self.clock.sleep(seconds)
            do()

        self.clock.process(wait())


@pytest.mark.parametrize("region", ["US915", "AU915", "CN470"])
@pytest.mark.parametrize("version", ["1.0.2", "1.0.4"])
def test_devices_use_the_channels_that_gateways_hear(region: str, version: str) -> None:
    """By the join accept's list, or where there is none by LinkADRReq."""
    scenario = in_region(
        region,
        "packet-forwarder",
        version,
        gateway__gateway__channels="usual",
        scenario__duration="60min",
    )
    _, evidence, _ = played(scenario)
    node, network = evidence.nodes[0], evidence.network
    assert network is not None

    assert node.is_joined
    assert node.parameters.enabled == network.plan.mask(node.parameters.region)


def test_a_device_that_is_heard_well_sends_with_less_power() -> None:
    """It joined at the highest data rate already; power comes next."""
    period = {"fleet__node__behaviour__period_s": 10, "scenario__duration": "10min"}
    _, evidence, _ = played(changed("join", **period))

    assert evidence.nodes[0].parameters.data_rate == 5
    assert evidence.nodes[0].parameters.tx_power == 7


def test_without_adr_nothing_is_set() -> None:
    period = {"fleet__node__behaviour__period_s": 10, "scenario__duration": "10min"}
    bench = Bench(changed("join", **period), has_adr=False)
    bench.clock.play(600)

    assert bench.node.parameters.tx_power == 0


def test_requests_of_the_device_are_answered() -> None:
    """LinkCheckReq and DeviceTimeReq."""
    bench = Bench(changed("join"))
    bench.at(20, lambda: bench.node.request(LinkCheckReq()))
    bench.at(50, lambda: bench.node.request(DeviceTimeReq()))
    bench.clock.play(100)

    link, time = bench.node.link_check, bench.node.time
    assert link is not None
    assert link.gateways == 1
    assert link.margin_db > 20
    assert time is not None


def test_queued_downlinks_go_out_one_by_one_in_order() -> None:
    """A confirmed one is acknowledged by the device's next uplink."""
    bench = Bench(changed("join"))
    seen: list[tuple[int | None, bytes]] = []
    bench.node.on_downlink = lambda frame: seen.append((frame.f_port, frame.frm_payload))
    dev_eui = bench.world.registrations()[0].dev_eui
    bench.network.enqueue(dev_eui, Queued(7, b"one", is_confirmed=True))
    bench.network.enqueue(dev_eui, Queued(8, b"two"))
    bench.clock.play(110)

    assert seen == [(7, b"one"), (8, b"two")]


def test_copies_from_several_gateways_are_one_uplink() -> None:
    """The answer goes through the gateway that heard best, once."""
    scenario = changed("uplink")
    assert scenario.lorawan is not None
    one = scenario.lorawan.gateways[0]
    others = [
        one.__class__(f"gateway-{n}", one.kind, position=(200.0 * n, 0.0, 15.0)) for n in (1, 2)
    ]
    object.__setattr__(scenario.lorawan, "gateways", (one, *others))
    run, evidence, trace = played(scenario)

    assert run.verdict == "pass"
    assert evidence.network is not None
    assert evidence.network.uplinks == evidence.counts(evidence.nodes[0]).sent
    assert trace.count('"type":"PULL_RESP"') == evidence.nodes[0].tally.downlinks + 1
