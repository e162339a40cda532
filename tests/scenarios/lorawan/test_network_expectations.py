"""What is expected of a network: kept and broken, one frame at a time."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.checks import NoRadio
from scenarios.lorawan.evidence import AtNetwork, LorawanEvidence
from scenarios.lorawan.expectations import (
    counters_rise,
    delivered_once,
    losses_explained,
    switches_turned,
    uplinks_genuine,
    windows_hit,
)
from scenarios.lorawan.traffic import Traffic
from scenarios.lorawan.watch import Watch
from simulators.apps.things_stack.api import Api, Doors
from simulators.apps.things_stack.application import Application, Order, Told, Uplink
from simulators.apps.things_stack.caretaker import Turn
from simulators.clock import VirtualClock
from simulators.devices.fleet import FleetSpec
from simulators.devices.lorawan.building import build_nodes
from simulators.devices.lorawan.relay import Reaction
from simulators.lorawan.modulation import Lora
from simulators.radio.transmission import Reception, Transmission
from simulators.randomness import RandomStreams

SECOND_US = 1_000_000
AIRTIME_US = 50_000
END_US = 100 * SECOND_US
SF7 = Lora(7, 125_000)


class Scene:
    """One lamp, one gateway, and an application; everything is told by hand."""

    def __init__(self, device_class: str = "A") -> None:
        clock = VirtualClock()
        options = {"activation": "abp", "relay": {}, "device_class": device_class}
        spec = FleetSpec("node", 1, "lamp", options)
        (built,) = build_nodes(
            [spec], clock=clock, streams=RandomStreams(1), radio=lambda name: NoRadio()
        )
        assert built.relay is not None
        assert built.node.session is not None
        self.relay = built.relay
        self.session = built.node.session
        self.traffic = Traffic()
        watch = Watch(clock, [("roof", "packet-forwarder")], None, self.traffic)
        self.application = Application(Api(clock, Doors(self), "key", user="app"), "app")
        self.at = AtNetwork(
            self.application,
            self.traffic,
            {"lamp-1": "lamp-1"},
            {"lamp-1": self.relay},
            {"lamp-1": 4 * SECOND_US},
        )
        self.evidence = LorawanEvidence([built.node], {"lamp-1": "lamp"}, watch, END_US)
        self.evidence.at_network = self.at

    def channel(self, device: str) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def uplink(
        self,
        f_cnt: int,
        at_s: float,
        *,
        is_heard: bool = True,
        is_passed: bool = True,
        reason: str = "collision",
    ) -> None:
        """On air, at the gateway, at its server."""
        phy = self.session.crypto.protect_uplink(f_cnt, 1, b"\x01\x00\x00")
        sent = transmission("lamp-1", phy, at_s)
        self.traffic.transmitted(sent)
        if not is_heard:
            if reason:
                self.traffic.lost("roof", sent, reason)
            return
        self.traffic.heard("roof", Reception(sent, -90.0, 5.0))
        self.traffic.pushed("roof", f_cnt, [{"data": b64encode(phy).decode()}])
        if is_passed:
            self.traffic.acknowledged("roof", f_cnt, sent.end_us)

    def message(
        self, f_cnt: int, at_s: float, payload: bytes = b"\x01\x00\x00", device: str = "lamp-1"
    ) -> None:
        """At the application."""
        address = self.session.dev_addr
        uplink = Uplink(round(at_s * SECOND_US), address, f_cnt, 1, payload, 1)
        self.application.uplinks.setdefault(device, []).append(uplink)

    def downlink(self, f_cnt: int, at_s: float, outcome: str = "received") -> None:
        """On air from the gateway, and what became of it at the lamp."""
        phy = self.session.crypto.protect_downlink(f_cnt, 1, b"\x01")
        sent = transmission("roof", phy, at_s, is_downlink=True)
        self.traffic.transmitted(sent)
        if outcome == "received":
            self.traffic.heard("lamp-1", Reception(sent, -90.0, 5.0))
        elif outcome:
            self.traffic.lost("lamp-1", sent, outcome)

    def turn(self, at_s: float, *, f_cnt: int | None = None, after_s: float | None = None) -> None:
        """An order, the downlink that it became, and when the lamp followed."""
        at_us = round(at_s * SECOND_US)
        order = Order("lamp-1", b"\x01", at_us)
        if f_cnt is not None:
            order.told.append(Told(at_us, "downlink_sent", f_cnt))
        self.at.turns.append(Turn("lamp-1", "on", order))
        if after_s is not None:
            done_us = at_us + round(after_s * SECOND_US)
            self.relay.reactions.append(Reaction(done_us - 1000, done_us, "on"))


def transmission(
    sender: str, phy: bytes, at_s: float, *, is_downlink: bool = False
) -> Transmission:
    start_us = round(at_s * SECOND_US)
    end_us = start_us + AIRTIME_US
    place = (0.0, 0.0, 1.5)
    return Transmission(sender, start_us, end_us, 868_100_000, SF7, 14.0, phy, is_downlink, place)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def outcome(judgement: Judgement) -> tuple[str, str | None]:
    return judgement.verdict, judgement.reason


def test_what_was_passed_on_came_once(scene: Scene) -> None:
    scene.uplink(0, 1)
    scene.uplink(1, 10)
    scene.uplink(2, 20, is_heard=False)
    scene.uplink(3, 30, is_passed=False)
    scene.uplink(4, 98)  # still under way
    scene.message(0, 1.3)
    scene.message(1, 10.3)

    judgement = delivered_once.judge(scene.evidence, None)

    assert (judgement.verdict, judgement.observed) == ("pass", 2)
    assert judgement.measured == {"passed_on": 3, "arrived": 2, "not_judged": 1}


@pytest.mark.parametrize(("times", "came"), [(0, "did not come"), (2, "came 2 times")])
def test_what_was_passed_on_came_otherwise(scene: Scene, times: int, came: str) -> None:
    scene.uplink(7, 1)
    for _ in range(times):
        scene.message(7, 1.3)

    told = f"lamp-1's frame 7, passed on at 1.050 s, {came} by the event stream"
    assert outcome(delivered_once.judge(scene.evidence, None)) == ("fail", told)


def test_a_broken_stream_proves_no_loss(scene: Scene) -> None:
    scene.uplink(7, 1)
    scene.application.interruptions.append("stream cut")

    assert delivered_once.judge(scene.evidence, None).verdict == "inconclusive"


def test_a_repetition_is_the_same_frame(scene: Scene) -> None:
    scene.uplink(0, 1, is_heard=False)
    scene.uplink(0, 10)
    scene.message(0, 10.3)

    assert delivered_once.judge(scene.evidence, None).verdict == "pass"
    assert losses_explained.judge(scene.evidence, None).measured == {"uplinks": 1, "lost": 0}


def test_losses_have_reasons(scene: Scene) -> None:
    scene.uplink(0, 1)
    scene.uplink(1, 10, is_heard=False)
    scene.uplink(2, 20, is_heard=False, reason="too weak")

    judgement = losses_explained.judge(scene.evidence, None)

    assert judgement.verdict == "pass"
    assert judgement.measured == {"uplinks": 3, "lost": 2, "collision": 1, "too weak": 1}
    told = "2 of 3 uplinks were lost, 1 for: collision, 1 for: too weak"
    assert outcome(losses_explained.judge(scene.evidence, None, at_most=0.5)) == ("fail", told)


def test_a_loss_without_a_reason(scene: Scene) -> None:
    scene.uplink(3, 1, is_heard=False, reason="")

    told = "lamp-1's frame 3 at 1.000 s: no gateway was on"
    assert outcome(losses_explained.judge(scene.evidence, None)) == ("fail", told)


def test_messages_are_what_was_sent(scene: Scene) -> None:
    scene.uplink(0, 1)
    scene.message(0, 1.3)

    judgement = uplinks_genuine.judge(scene.evidence, None)

    assert judgement.verdict == "pass"
    assert judgement.measured == {"messages": 1, "without_keys": 0}


def test_another_payload(scene: Scene) -> None:
    scene.uplink(0, 1)
    scene.message(0, 1.3, b"\x01\x00\x01")

    told = "frame 0 of lamp-1 came with another payload"
    assert outcome(uplinks_genuine.judge(scene.evidence, None)) == ("fail", told)


@pytest.mark.parametrize("at_s", [0.5, 1.3])
def test_a_message_of_what_was_not_sent_yet(scene: Scene, at_s: float) -> None:
    scene.uplink(8 if at_s < 1 else 0, 1)
    scene.message(8, at_s)

    told = f"lamp-1 had not sent frame 8 of {scene.session.dev_addr}"
    assert outcome(uplinks_genuine.judge(scene.evidence, None)) == ("fail", told)


def test_a_strangers_message(scene: Scene) -> None:
    scene.message(0, 1, device="lump-1")

    told = "there were messages of lump-1, which nobody registered"
    assert outcome(uplinks_genuine.judge(scene.evidence, None)) == ("fail", told)


def test_counters_rise_on_both_ways(scene: Scene) -> None:
    for f_cnt in (0, 1, 5):
        scene.uplink(f_cnt, 1 + f_cnt)
        scene.message(f_cnt, 1.3 + f_cnt)
        scene.downlink(f_cnt, 2 + f_cnt)

    judgement = counters_rise.judge(scene.evidence, None)

    assert (judgement.verdict, judgement.observed) == ("pass", 6)


def test_a_counter_that_stands_still(scene: Scene) -> None:
    scene.message(5, 1)
    scene.message(5, 2)
    scene.uplink(5, 1)
    scene.downlink(9, 3)
    scene.downlink(4, 4)

    assert counters_rise.judge(scene.evidence, None).broken == [
        "the application got uplink 5 after 5 of lamp-1",
        "device got downlink 4 after 9 of lamp-1",
    ]


def test_windows_are_hit(scene: Scene) -> None:
    scene.uplink(0, 1)
    scene.downlink(0, 2)
    scene.downlink(1, 3, "collision")

    judgement = windows_hit.judge(scene.evidence, None)

    assert judgement.verdict == "pass"
    assert judgement.measured == {"collision": 1, "received": 1, "busy": 0}


@pytest.mark.parametrize("reason", ["", "window missed"])
def test_a_window_is_missed(scene: Scene, reason: str) -> None:
    scene.uplink(0, 1)
    scene.downlink(3, 2.5, reason)

    told = "roof sent frame 3 to lamp-1 at 2.500000 s, when it did not listen there"
    assert outcome(windows_hit.judge(scene.evidence, None)) == ("fail", told)


@pytest.mark.parametrize("at_s", [1.02, 1.5, 2.5])
def test_nobody_knows_when_a_node_of_class_c_is_busy(at_s: float) -> None:
    """While it sends, or keeps its windows in between."""
    scene = Scene("C")
    scene.uplink(0, 1)
    scene.downlink(0, at_s, "")

    judgement = windows_hit.judge(scene.evidence, None)

    assert judgement.measured == {"busy": 1}
    assert judgement.verdict == "inconclusive"


def test_a_downlink_is_drowned_by_an_uplink() -> None:
    scene = Scene("C")
    scene.uplink(0, 1)
    phy = scene.session.crypto.protect_downlink(0, 1, b"\x01")
    scene.traffic.transmitted(transmission("roof", phy, 30, is_downlink=True))
    scene.uplink(1, 30.02)

    assert windows_hit.judge(scene.evidence, None).measured == {"busy": 1}


@pytest.mark.parametrize(("device_class", "at_s"), [("C", 2.051), ("C", 9), ("A", 1.5), ("A", 40)])
def test_no_excuse_for_missing_a_window(device_class: str, at_s: float) -> None:
    scene = Scene(device_class)
    scene.uplink(0, 1)
    scene.downlink(0, at_s, "")

    assert windows_hit.judge(scene.evidence, None).verdict == "fail"


def test_a_switch_follows_in_time(scene: Scene) -> None:
    scene.turn(10, f_cnt=1, after_s=3)
    scene.turn(95)  # not over yet

    judgement = switches_turned.judge(scene.evidence, "lamp", within=10 * SECOND_US)

    assert (judgement.verdict, judgement.observed) == ("pass", 1)
    assert judgement.measured == {
        "followed": 1, "lost_on_air": 0, "pending": 1, "median_ms": 3000.0, "slowest_ms": 3000.0,
    }  # fmt: skip


def test_a_short_run_judges_what_it_saw(scene: Scene) -> None:
    """Who was in time was in time; when nobody could have been late, the rest is not proven."""
    scene.turn(10, f_cnt=1, after_s=3)
    judged = switches_turned.judge(scene.evidence, None, within=1000 * SECOND_US)
    scene.turn(50)

    late = switches_turned.judge(scene.evidence, None, within=1000 * SECOND_US)

    assert (judged.verdict, judged.observed) == ("pass", 1)
    assert (late.verdict, late.unclear) == (
        "inconclusive", ["1 commands were not followed yet, and had time left"],
    )  # fmt: skip


def test_a_switch_has_no_longer_than_its_periods(scene: Scene) -> None:
    scene.turn(10, f_cnt=1, after_s=9)

    judgement = switches_turned.judge(scene.evidence, None, within=1000 * SECOND_US, periods=2.0)

    assert judgement.broken == ["lamp-1 was told 'on' at 10.000 s and followed after 9s"]


def test_a_switch_follows_late_or_never(scene: Scene) -> None:
    scene.turn(10, f_cnt=1, after_s=12)
    scene.turn(40, f_cnt=2)

    assert switches_turned.judge(scene.evidence, None, within=10 * SECOND_US).broken == [
        "lamp-1 was told 'on' at 10.000 s and followed after 12s",
        "lamp-1 was told 'on' at 40.000 s and did not follow (downlink_sent)",
    ]


def test_what_was_lost_on_air_is_no_fault_of_the_network(scene: Scene) -> None:
    scene.uplink(0, 1)
    scene.turn(10, f_cnt=1)
    scene.downlink(1, 10.5, "too weak")
    scene.turn(30, f_cnt=2, after_s=1)

    judgement = switches_turned.judge(scene.evidence, None, within=10 * SECOND_US)

    assert judgement.verdict == "pass"
    assert judgement.measured["lost_on_air"] == 1
