"""A switch on LoRaWAN: what it does about downlinks, and what it reports."""

from __future__ import annotations

from simulators.devices.lorawan.relay import Reaction, Relay, RelayHabits, live_switch
from simulators.devices.lorawan.reporting import Reporting
from simulators.lorawan.frames import DataFrame, FType

from .network import Bench

SECOND_US = 1_000_000


def command(payload: bytes, f_port: int = 1) -> DataFrame:
    return DataFrame(FType.UNCONFIRMED_DOWN, "260b0001", 0, f_port, payload)


def living(bench: Bench) -> Relay:
    relay = Relay(bench.clock, 1, RelayHabits(reaction_s=0.5))
    bench.clock.process(live_switch(bench.node, relay, Reporting(period_s=600, spread_s=0)))
    return relay


def test_a_command_is_followed_and_reported_at_once() -> None:
    bench = Bench()
    relay = living(bench)
    bench.clock.play(60)

    relay.take(command(b"\x01"))
    bench.clock.play(70)

    assert relay.position == "on"
    assert relay.reactions == [Reaction(60 * SECOND_US, 60 * SECOND_US + 500_000, "on")]
    assert [each.start_us for each in bench.radio.sent] == [0, 60 * SECOND_US + 500_000]


def test_reports_go_on_in_their_period() -> None:
    bench = Bench()
    relay = living(bench)
    bench.clock.play(60)
    relay.take(command(b"\x01"))

    bench.clock.play(1300)

    starts = [each.start_us // SECOND_US for each in bench.radio.sent]
    assert starts == [0, 60, 600, 1200]


def test_commands_that_come_together_are_followed_one_after_the_other() -> None:
    bench = Bench()
    relay = living(bench)
    bench.clock.play(60)

    relay.take(command(b"\x01"))
    relay.take(command(b"\x00"))
    bench.clock.play(70)

    assert [each.position for each in relay.reactions] == ["on", "off"]
    assert len(bench.radio.sent) == 2


def test_what_is_no_command_is_ignored() -> None:
    bench = Bench()
    relay = living(bench)

    for frame in (command(b"\x02"), command(b""), command(b"\x01\x00"), command(b"\x01", 2)):
        relay.take(frame)
    bench.clock.play(60)

    assert (relay.position, relay.ignored, relay.reactions) == ("off", 4, [])
