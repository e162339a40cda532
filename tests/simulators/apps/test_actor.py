"""An actor keeps account of every command, whatever became of it."""

from __future__ import annotations

from simulators.apps.actor import Actor, ActorHabits
from simulators.clock import VirtualClock
from simulators.devices.fleet import FleetSpec, build_fleet
from simulators.devices.switch import Switch
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpAnswer

from ..devices.toy_platform import ToyPlatform


def at_work(seed: int = 1) -> tuple[VirtualClock, ToyPlatform, Actor]:
    clock = VirtualClock()
    platform = ToyPlatform(clock)
    streams = RandomStreams(seed)
    fleet = build_fleet(
        [FleetSpec("switch", 3, "lamp")],
        clock=clock,
        streams=streams,
        transport=platform,
        activation_codes=iter(["a", "b", "c"]),
    )
    actor = Actor(
        "person",
        clock=clock,
        channel=platform.channel("person"),
        rng=streams.stream("person"),
        switches=fleet.of_type(Switch),
        habits=ActorHabits(period_s=2, first_after_s=5),
    )
    fleet.start()
    clock.process(actor.process())
    return clock, platform, actor


def test_each_switch_is_told_on_and_off_in_turn() -> None:
    clock, _, actor = at_work()

    clock.play(120)

    assert actor.commands[0].entry.sent_us >= 5_000_000
    assert 40 <= len(actor.commands) <= 80
    assert {command.entry.state for command in actor.commands} == {"acknowledged"}
    for name in ("lamp-1", "lamp-2", "lamp-3"):
        told = [c.entry.value for c in actor.commands if c.switch.name == name]
        assert told == (["on", "off"] * len(told))[: len(told)]
        assert len(told) > 5


def test_a_command_that_fails_or_is_refused_stays_in_the_account() -> None:
    clock, platform, actor = at_work()
    clock.play(30)
    platform.is_away = True
    clock.play(60)
    platform.is_away = False
    platform.write_answer = HttpAnswer(429, {"status": "error", "message": "slow down"})
    clock.play(90)

    reasons = {(c.entry.state, c.entry.reason) for c in actor.commands}
    assert reasons == {
        ("acknowledged", None),
        ("failed", "could not connect"),
        ("refused", "status 429: slow down"),
    }


def test_the_same_seed_turns_the_same_switches() -> None:
    runs = []
    for seed in (1, 1, 2):
        clock, _, actor = at_work(seed)
        clock.play(60)
        runs.append([(c.switch.name, c.entry.sent_us) for c in actor.commands])

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
