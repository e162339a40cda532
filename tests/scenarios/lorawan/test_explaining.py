"""Why joins fail: each cause is arranged once, and the paragraph has to name it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scenarios.lorawan.building import network_plan
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.world import LorawanWorld, Ways
from scenarios.model import Scenario
from simulators.clock import VirtualClock
from simulators.lorawan.frames import JoinRequest
from simulators.lorawan.keys import RootKeys
from simulators.platforms.scripted_network.core import Answer, ScriptedNetwork, Uplink, Window
from simulators.platforms.scripted_network.devices import Member, Registration
from simulators.platforms.scripted_network.gathering import Gathering
from simulators.platforms.scripted_network.semtech_front import SemtechFront
from simulators.transports.udp import MemoryDatagrams

from .playing import changed, played, why

KEY = bytes(range(16))
NWK_KEY = bytes(range(16, 32))


class Unknowing(ScriptedNetwork):
    """Knows no device."""

    def register(self, registration: Registration) -> None:
        pass


class OtherKey(ScriptedNetwork):
    """Has another root key."""

    def register(self, registration: Registration) -> None:
        super().register(replace(registration, root=RootKeys(KEY)))


class Careless(ScriptedNetwork):
    """Answers requests whose MIC it finds wrong."""

    def _refusal(self, member: Member | None, request: JoinRequest, phy: bytes) -> str | None:
        return None


class CarelessOtherKey(Careless, OtherKey):
    """Answers with another root key."""


class Swapped(Careless):
    """Has AppKey and NwkKey the wrong way round."""

    def register(self, registration: Registration) -> None:
        app_key, nwk_key = registration.root
        super().register(replace(registration, root=RootKeys(nwk_key, app_key)))


class Reversed(ScriptedNetwork):
    """Has the DevEUI byte-reversed."""

    def register(self, registration: Registration) -> None:
        dev_eui = bytes.fromhex(registration.dev_eui)[::-1].hex()
        super().register(replace(registration, dev_eui=dev_eui))


class Experienced(ScriptedNetwork):
    """Has seen all DevNonces."""

    def register(self, registration: Registration) -> None:
        super().register(registration)
        self.members[registration.dev_eui].dev_nonces = (65_535,)


class Early(ScriptedNetwork):
    """Takes the delay of data for joins."""

    def take(self, uplink: Uplink) -> Answer | None:
        answer = super().take(uplink)
        return None if answer is None else answer._replace(delay_s=1)


class Elsewhere(ScriptedNetwork):
    """Answers on a frequency of its own."""

    def take(self, uplink: Uplink) -> Answer | None:
        answer = super().take(uplink)
        if answer is None:
            return None
        return answer._replace(rx1=Window(867_900_000, answer.rx1.modulation))


NODE_1_1 = {
    "fleet__node__behaviour__version": '"1.1"',
    "fleet__node__behaviour__nwk_key": NWK_KEY.hex(),
}
NODE_1_0_4 = {"fleet__node__behaviour__version": '"1.0.4"'}
STRICT = {
    "radio__region": "IN865",
    "gateway__gateway__kind": "basics-station",
    "gateway__gateway__strict": "true",
}


@pytest.mark.parametrize(
    ("network", "settings", "cause"),
    [
        pytest.param(
            ScriptedNetwork, {"fleet__node__position": "[100000, 0]"}, "no gateway is in reach",
            id="no gateway in reach",
        ),
        pytest.param(
            ScriptedNetwork, {"fleet__node__behaviour__region": "RU864"},
            "no gateway listens to the node's channels", id="another region",
        ),
        pytest.param(
            Unknowing, {}, "the server refused the request: DevEUI 02000000000000a1 is unknown",
            id="unknown device",
        ),
        pytest.param(
            Reversed, {}, "DevEUI 02000000000000a1 is unknown, byte-reversed it is not",
            id="byte-reversed EUI",
        ),
        pytest.param(
            OtherKey, {}, "the MIC of the join request is wrong: another root key", id="other key"
        ),
        pytest.param(
            Experienced, NODE_1_0_4, "the server refused the request: DevNonce", id="used DevNonce"
        ),
        pytest.param(
            CarelessOtherKey, {}, "the network has another root key", id="answer with other key"
        ),
        pytest.param(
            Swapped, NODE_1_1, "AppKey and NwkKey are swapped in the network", id="swapped keys"
        ),
        pytest.param(
            ScriptedNetwork, {"scenario__latency": "3s"}, "the server answered too late",
            id="too late",
        ),
        pytest.param(
            Early, {}, "the accept was sent 1 s after the request; joins have RX1 after 5 s",
            id="wrong delay",
        ),
        pytest.param(
            Elsewhere, {}, "the accept was sent where the node does not listen",
            id="wrong frequency",
        ),
        pytest.param(
            ScriptedNetwork, STRICT, "a strict station takes no downlinks", id="strict station"
        ),
    ],
)  # fmt: skip
def test_the_likeliest_cause_is_told(
    network: type[ScriptedNetwork], settings: dict[str, Any], cause: str
) -> None:
    """In the order of the way that a request takes."""
    _, evidence, _ = played(changed("join", **settings), network)

    told = why(evidence)
    assert f"Likeliest cause: {cause}" in told or cause in told.split("Likeliest cause: ")[1]


def test_nothing_is_explained_when_all_joined() -> None:
    run, _, _ = played(changed("join"))

    assert run.verdict == "pass"
    assert run.evidence.watch.requests == {}


def test_without_the_servers_own_view_the_suspects_are_named() -> None:
    """Against a target nobody tells why it is silent."""
    _, evidence, _ = played(changed("join"), Unknowing)
    evidence.network = None

    told = why(evidence)
    assert "the server sent nothing back" in told
    assert "does not know DevEUI 02000000000000a1" in told
    assert "DevNonce" in told


class Bench:
    """A world whose server a test builds itself."""

    def __init__(self, scenario: Scenario) -> None:
        self.clock = VirtualClock(start=scenario.start)
        self.datagrams = MemoryDatagrams(self.clock, delay_us=20_000)
        ways = Ways(self.datagrams)
        self.world = LorawanWorld(scenario, clock=self.clock, ways=ways)

    def play(self) -> LorawanEvidence:
        self.clock.run(until=self.clock.process(self.world.conduct()))
        return self.world.evidence


def test_a_gateway_without_a_server() -> None:
    evidence = Bench(changed("join")).play()

    assert "Likeliest cause: the server does not answer the gateway" in why(evidence)


def test_a_server_that_takes_no_frames_of_the_gateway() -> None:
    """It answers PULL_DATA, and no PUSH_DATA."""
    bench = Bench(changed("join"))
    port = bench.datagrams.listen(
        lambda data, address: port.send(data[:3] + b"\x04", address) if data[3] == 2 else None
    )

    assert "got no PUSH_ACK" in why(bench.play())


def test_a_join_nonce_that_was_used() -> None:
    """The server has lost its counter; the device has kept its own."""
    bench = Bench(changed("join", **NODE_1_0_4))
    network = ScriptedNetwork(network_plan(bench.world.parts), bench.world.registrations())
    front = SemtechFront(Gathering(bench.clock, network))
    front.open(bench.datagrams.listen(front.received))
    bench.world.evidence.nodes[0].nonces.join_nonce = 1000

    told = why(bench.play())
    assert "JoinNonce is not greater than the last one that the node accepted" in told
    assert "after 1000" in told


def test_a_counter_that_begins_later_is_past_what_the_server_has_seen() -> None:
    """``first_dev_nonce``, for the second run against the same server."""

    class Seen(ScriptedNetwork):
        def register(self, registration: Registration) -> None:
            super().register(registration)
            self.members[registration.dev_eui].dev_nonces = (41,)

    settings = {**NODE_1_0_4, "fleet__node__behaviour__first_dev_nonce": 42}
    run, evidence, _ = played(changed("join", **settings), Seen)

    assert run.verdict == "pass"
    assert evidence.nodes[0].join_report.requests == 1
