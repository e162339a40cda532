"""A fleet on the virtual clock: activation, writes, commands, and independence of devices."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from simulators.apps.actor import Actor, ActorHabits
from simulators.clock import VirtualClock
from simulators.devices.fleet import Fleet, FleetSpec, build_fleet
from simulators.devices.options import FleetError
from simulators.devices.switch import Switch
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpAnswer

from .toy_platform import ToyPlatform

SENSORS = FleetSpec("sensor", 2, "thermometer", {"key": "temperature", "period_s": 10})
SWITCHES = FleetSpec("switch", 2, "lamp", {"keep_alive_s": 20})


def a_fleet(
    *specs: FleetSpec, seed: int = 1, codes: int = 50, **options: Any
) -> tuple[VirtualClock, ToyPlatform, Fleet]:
    clock = VirtualClock()
    platform = ToyPlatform(clock)
    fleet = build_fleet(
        specs,
        clock=clock,
        streams=RandomStreams(seed),
        transport=platform,
        activation_codes=iter([f"code-{n}" for n in range(codes)]),
        **options,
    )
    fleet.start()
    return clock, platform, fleet


def values_of(fleet: Fleet, name: str) -> list[tuple[int, Any]]:
    return [(entry.due_us, entry.value) for entry in fleet.by_name[name].account.sent]


def test_sensors_activate_and_write_every_period() -> None:
    clock, platform, fleet = a_fleet(SENSORS)

    clock.play(60)

    first, second = fleet.devices
    assert (first.thing_token, second.thing_token) == ("token-of-code-0", "token-of-code-1")
    assert first.account.totals() == (6, 6, 0, 0, 0)
    due = [entry.due_us for entry in first.account.sent]
    assert [later - sooner for sooner, later in itertools.pairwise(due)] == [10_000_000] * 5
    stored = platform.rows[("token-of-code-0", "temperature")]
    assert stored == [entry.value for entry in first.account.sent]
    assert first.account.latencies_us() == [10_000] * 6


def test_a_refused_write_is_accounted_as_refused() -> None:
    clock, platform, fleet = a_fleet(SENSORS)
    platform.write_answer = HttpAnswer(400, {"status": "error", "message": "too warm"})

    clock.play(60)

    account = fleet.devices[0].account
    assert account.totals() == (6, 0, 6, 0, 0)
    assert account.sent[0].reason == "status 400: too warm"
    assert account.loss() == 1.0


def test_a_write_without_answer_is_accounted_as_failed() -> None:
    clock, platform, fleet = a_fleet(SENSORS)

    clock.play(30)
    platform.is_away = True
    clock.play(60)

    account = fleet.devices[0].account
    assert account.totals() == (6, 3, 0, 3, 0)
    assert account.sent[-1].reason == "could not connect"


def test_activation_is_tried_until_the_platform_is_back() -> None:
    clock, platform, fleet = a_fleet(SENSORS)
    platform.is_away = True

    clock.play(30)
    tries = [at for at, device, _, path, _ in platform.requests if device == "thermometer-1"]
    platform.is_away = False
    clock.play(100)

    gaps = [later - sooner for sooner, later in itertools.pairwise(tries)]
    assert len(tries) >= 4
    assert all(1.0 <= later / sooner <= 4.0 for sooner, later in itertools.pairwise(gaps))
    assert fleet.devices[0].thing_token == "token-of-code-0"
    assert {problem.what for problem in fleet.devices[0].account.problems} == {"activation"}


def test_thing_tokens_are_used_when_codes_run_out() -> None:
    clock, _, fleet = a_fleet(SENSORS, codes=1, thing_tokens=iter(["t" * 43]))

    clock.play(5)

    assert [device.thing_token for device in fleet.devices] == ["token-of-code-0", "t" * 43]


def test_too_few_credentials_are_told() -> None:
    with pytest.raises(FleetError, match=r"2 devices need as many .* got 1"):
        a_fleet(SENSORS, codes=1)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (FleetSpec("sensro", 1, "a"), "did you mean 'sensor'"),
        (FleetSpec("sensor", 1, "a", {"shape": "diurnl"}), "did you mean 'diurnal'"),
        (FleetSpec("sensor", 1, "a", {"amplitud": 2}), "did you mean 'amplitude'"),
        (FleetSpec("sensor", 1, "a", {"period_s": "soon"}), "period_s must be a number"),
        (FleetSpec("switch", 1, "a", {"keep_alive": 1}), "did you mean 'keep_alive_s'"),
        (FleetSpec("switch", 1, "a", {"keep_alive_s": -1}), "must not be negative"),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_word(spec: FleetSpec, message: str) -> None:
    with pytest.raises(FleetError, match=message):
        a_fleet(spec)


def test_the_same_seed_gives_the_same_life() -> None:
    lives = []
    for _ in range(2):
        clock, platform, _ = a_fleet(SENSORS, SWITCHES, seed=7)
        clock.play(120)
        lives.append(platform.requests)

    assert lives[0] == lives[1]


def test_another_seed_gives_another_life() -> None:
    lives = []
    for seed in (1, 2):
        clock, _, fleet = a_fleet(SENSORS, seed=seed)
        clock.play(120)
        lives.append(values_of(fleet, "thermometer-1"))

    assert lives[0] != lives[1]


def test_adding_devices_leaves_the_others_as_they_were() -> None:
    clock, _, few = a_fleet(SENSORS)
    clock.play(120)
    more = FleetSpec("sensor", 9, "thermometer", SENSORS.behaviour)
    clock, _, many = a_fleet(FleetSpec("sensor", 3, "barometer", {"key": "p"}), more, SWITCHES)
    clock.play(120)

    assert values_of(many, "thermometer-2") == values_of(few, "thermometer-2")
    assert many.by_name["thermometer-2"].identity == few.by_name["thermometer-2"].identity


def with_actor(clock: VirtualClock, platform: ToyPlatform, fleet: Fleet) -> Actor:
    actor = Actor(
        "actor",
        clock=clock,
        channel=platform.channel("actor"),
        rng=RandomStreams(1).stream("actor"),
        switches=fleet.of_type(Switch),
        habits=ActorHabits(period_s=5),
    )
    clock.process(actor.process())
    return actor


def test_every_switch_follows_every_command_and_reports_it() -> None:
    clock, platform, fleet = a_fleet(SWITCHES)
    actor = with_actor(clock, platform, fleet)

    clock.play(300)

    for lamp in fleet.of_type(Switch):
        turned = [c.entry for c in actor.commands if c.switch is lamp]
        assert len(turned) > 10
        assert [r.value for r in lamp.account.reactions] == [entry.value for entry in turned]
        delays = [
            reaction.done_us - entry.sent_us
            for reaction, entry in zip(lamp.account.reactions, turned, strict=True)
        ]
        assert all(50_000 < delay < 200_000 for delay in delays)
        assert platform.rows[(lamp.thing_token, "state")] == [entry.value for entry in turned]


@pytest.mark.parametrize("trouble", ["end_streams", "hush_streams"])
def test_a_switch_subscribes_again_and_catches_up(trouble: str) -> None:
    clock, platform, fleet = a_fleet(FleetSpec("switch", 1, "lamp", {"keep_alive_s": 20}))
    lamp = fleet.of_type(Switch)[0]
    clock.play(10)
    getattr(platform, trouble)()
    clock.process(with_actor(clock, platform, fleet).turn(lamp))

    clock.play(60)

    assert len(lamp.account.subscribed_us) == 2
    assert lamp.account.reactions[0].value == "on"
    reasons = {"end_streams": "the peer closed the stream", "hush_streams": "no keep-alive"}
    assert lamp.account.problems[0].reason == reasons[trouble]


def test_a_quiet_stream_with_keep_alives_is_kept() -> None:
    clock, _, fleet = a_fleet(FleetSpec("switch", 1, "lamp", {"keep_alive_s": 20}))

    clock.play(600)

    assert len(fleet.devices[0].account.subscribed_us) == 1
    assert fleet.devices[0].account.problems == []
