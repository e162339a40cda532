"""A scenario file is read, or its first mistake is told with its line and the nearest word."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.files import FileError
from scenarios.reading import Setting, library, read_scenario

GOOD = """\
[scenario]
name = "small"
duration = "10min"
platform = "thethings-io"

[[fleet]]
name = "room"
kind = "sensor"
count = 2
behaviour = { key = "temperature", period_s = 30 }

[[fleet]]
name = "light"
kind = "switch"

[[fleet]]
name = "person"
kind = "actor"
behaviour = { turns = "light" }

[[step]]
at = "1min"
do = "turn"
on = "light"
value = "on"

[[fault]]
at = "2min"
for = "30s"
kind = "loss"
on = "room"
share = 0.5

[[expect]]
kind = "loss"
on = "room-1"
at_most = 0.5
"""

FIRST_LINES = "".join(GOOD.splitlines(keepends=True)[:5])


def told(folder: Path, text: str) -> str:
    path = folder / "scenario.toml"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        read_scenario(str(path))
    return str(caught.value).removeprefix(f"{path}:")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(GOOD)
    scenario = read_scenario(str(path))
    assert (scenario.name, scenario.duration_us, scenario.seed) == ("small", 600_000_000, 1)
    assert [(fleet.name, fleet.count) for fleet in scenario.fleets] == [("room", 2), ("light", 1)]
    assert [actor.turns for actor in scenario.actors] == ["light"]
    assert [(step.at_us, step.do, step.value) for step in scenario.steps] == [
        (60_000_000, "turn", "on")
    ]
    assert [(f.kind, f.at_us, f.end_us, f.share) for f in scenario.faults] == [
        ("loss", 120_000_000, 150_000_000, 0.5)
    ]
    assert [expectation.name for expectation in scenario.expectations] == ["loss on room-1"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "small"', 'nmae = "small"', "2: expected a key of [scenario] (duration, latency, "
         "name, platform, seed, sentence, start, workers); got 'nmae'; did you mean 'name'?"),
        ('duration = "10min"\n', "", "1: expected the key 'duration' in [scenario]; got none"),
        ('"10min"', '"10 min"', "3: expected duration to be a time such as 250ms, 90s, 5min or 1h; "
         "got '10 min'"),
        ('"10min"', "10", "3: expected duration to be a time such as 250ms, 90s, 5min or 1h; "
         "got 10"),
        ('"thethings-io"', '"thethingsio"', "4: expected platform to be one of thethings-io, "
         "things-stack; got 'thethingsio'; did you mean 'thethings-io'?"),
        ('"thethings-io"', '"thethings-io"\nseed = -1', "5: expected seed to be at least 0; "
         "got -1"),
        ('"10min"', '"0s"', "3: expected duration to be longer than nothing; got '0s'"),
        ('"thethings-io"', '"thethings-io"\nstart = "2024-02-30T00:00:00Z"', "5: expected start to "
         "be a day that exists; got '2024-02-30T00:00:00Z'"),
        ('"thethings-io"', '"thethings-io"\nstart = 2024-01-01', "5: expected start to be a UTC "
         "time such as 2024-01-01T00:00:00Z; got '2024-01-01'"),
        ('"sensor"', '"senosr"', "8: expected kind to be one of sensor, switch, tracker, "
         "actor, household, node; got 'senosr'; did you mean 'sensor'?"),
        ("count = 2", "count = 0", "9: expected count to be at least 1; got 0"),
        ("count = 2", "count = 2.5", "9: expected count to be a whole number; got 2.5"),
        ("count = 2", "count = nan", "9: expected a finite number; got 'nan'"),
        ("count = 2", "cuont = 2", "9: expected a key of [[fleet]] (behaviour, count, kind, name, "
         "position, radius_m, route, walk); got 'cuont'; did you mean 'count'?"),
        ('name = "light"', 'name = "room"', "13: expected a name that no other fleet has; "
         "got 'room'"),
        ('name = "light"', 'name = "Light"', "13: expected name to be a name of small letters, "
         "digits and dashes; got 'Light'"),
        ('{ turns = "light" }', '{ turns = "lihgt" }', "19: expected turns to be a fleet or device "
         "(light); got 'lihgt'; did you mean 'light'?"),
        ('{ turns = "light" }', '{ turn = "light" }', "19: expected a key of [fleet.behaviour] "
         "(first_after_s, period_s, turns); got 'turn'; did you mean 'turns'?"),
        ('value = "on"', 'value = "up"', "25: expected value to be one of on, off; got 'up'"),
        ('value = "on"\n', "", "21: expected the key 'value' in [[step]]; got none"),
        ('do = "turn"', 'do = "trun"', "23: expected do to be one of start, turn, write; "
         "got 'trun'; did you mean 'turn'?"),
        ('on = "light"', 'on = "room"', "24: expected on to be a fleet or device (light); "
         "got 'room'"),
        ("share = 0.5", "share = 1.5", "32: expected share to be at most 1; got 1.5"),
        ("share = 0.5", "shrae = 0.5", "32: expected a key of [[fault]] (at, for, kind, on, share, "
         "timeout); got 'shrae'; did you mean 'share'?"),
        ('kind = "loss"\non = "room"', 'kind = "outge"\non = "room"', "30: expected kind to be one "
         "of outage, latency, loss; got 'outge'; did you mean 'outage'?"),
        ('on = "room"', 'on = "rooms"', "31: expected on to be a fleet or device (room, light, "
         "person, platform); got 'rooms'; did you mean 'room'?"),
        ('on = "room-1"', 'on = "room-9"', "36: expected on to be a fleet or device (room, light); "
         "got 'room-9'; did you mean 'room-2'?"),
        ("at_most = 0.5", "atmost = 0.5", "37: expected a key of [[expect]] (at_most, kind, name, "
         "on); got 'atmost'; did you mean 'at_most'?"),
        ('on = "room-1"', 'on = "room-1', "36: expected TOML; "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert told(tmp_path, GOOD.replace(old, new, 1)).startswith(message)


def test_a_wrong_option_of_a_behaviour_has_its_line(tmp_path: Path) -> None:
    text = (
        FIRST_LINES
        + '[[fleet]]\nname = "room"\nkind = "sensor"\n[fleet.behaviour]\n'
        + ('key = "temperature"\nperiods = 5\n')
    )
    problem = told(tmp_path, text)
    assert problem.startswith("11: ")
    assert "got 'periods'" in problem


def test_settings_replace_values_and_answer_for_them(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(GOOD)

    def read(setting: str, value: str) -> object:
        return read_scenario(str(path), [Setting(setting, value, f"--set {setting}={value}")])

    assert read("fleet.room.count", "7").fleets[0].count == 7  # type: ignore[attr-defined]
    assert read("fleet.0.count", "8").fleets[0].count == 8  # type: ignore[attr-defined]
    assert read("scenario.duration", "90s").duration_us == 90_000_000  # type: ignore[attr-defined]
    with pytest.raises(FileError, match=r"^--set fleet\.0\.count=many: expected count to be a "):
        read("fleet.0.count", "many")
    with pytest.raises(FileError, match=r"did you mean 'light'\?$"):
        read("fleet.lihgt.count", "2")


TWO = """
[[expect]]
kind = "loss"
name = "most-arrive"
at_most = 0.25
"""


def test_expectations_of_one_kind_are_told_apart_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(GOOD + TWO)
    settings = [
        Setting("expect.loss.at_most", "0.75", "--set one"),
        Setting("expect.most-arrive.at_most", "0.125", "--set two"),
    ]
    found = read_scenario(str(path), settings).expectations
    assert [(each.name, each.options) for each in found] == [
        ("loss on room-1", {"at_most": 0.75}),
        ("most-arrive", {"at_most": 0.125}),
    ]


def test_names_of_expectations_are_not_repeated(tmp_path: Path) -> None:
    line = (GOOD + TWO + TWO).rstrip().count("\n")
    assert told(tmp_path, GOOD + TWO + TWO) == (
        f"{line}: expected a name that no other expectation has; got 'most-arrive'"
    )


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(FileError, match="got 'ofice'; did you mean 'office'"):
        read_scenario("ofice")


@pytest.mark.parametrize("name", library())
def test_every_scenario_of_the_library_is_right(name: str) -> None:
    assert read_scenario(name).name == name


HOMES = """\
[scenario]
name = "small"
duration = "10min"
platform = "thethings-io"

[[fleet]]
name = "room"
kind = "sensor"

[[fleet]]
name = "home"
kind = "household"
count = 2
behaviour = { things = ["room"], couples = 0.5 }

[[fault]]
at = "2min"
for = "30s"
kind = "outage"
on = "home-2-1"

[[expect]]
kind = "turns-seen"
within = "2s"
on = "home-1"
"""


def test_households_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(HOMES)
    scenario = read_scenario(str(path))
    assert [(home.name, home.count, home.things) for home in scenario.households] == [
        ("home", 2, ["room"])
    ]
    assert scenario.households[0].habits.couples == 0.5
    assert scenario.device_count == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("household", "houshold", "12: expected kind to be one of sensor, switch, tracker, actor, "
         "household, node; got 'houshold'; did you mean 'household'?"),
        ('{ things = ["room"], ', "{ ", "14: expected the key 'things' in [fleet.behaviour]; "
         "got none"),
        ('["room"]', '["rom"]', "14: expected things to be a fleet or device (room); got 'rom'; "
         "did you mean 'room'?"),
        ('["room"]', '["room", "room"]', "14: expected a fleet that belongs to no household yet; "
         "got 'room'"),
        ("couples =", "cuoples =", "14: expected a key of [fleet.behaviour] (arrive_s, by_mail, "
         "couples, grace_s, keep_alive_s, mail_every_s, read_every_s, share_every_s, share_for_s, "
         "things, turn_every_s, watch); got 'cuoples'; did you mean 'couples'?"),
        ("couples = 0.5", "couples = 2", "14: expected couples to be at most 1; got 2"),
        ("home-2-1", "home-3-1", "20: expected on to be a fleet or device (room, home, platform); "
         "got 'home-3-1'; did you mean 'home-2-1'?"),
        ('on = "home-1"', 'on = "room-1"', "25: expected on to be a fleet or device (home); "
         "got 'room-1'; did you mean 'home-1'?"),
        ("turns-seen", "turn-seen", "23: expected kind to be one of switches-follow, "
         "acknowledged-values-readable, no-duplicates, values-in-order, loss, latency, "
         "devices-active, resubscribed, carries, nothing-foreign, turns-seen, watchers-told, "
         "phones-return, joined, uplinks-heard, acknowledged, downlinks-received, "
         "delivered-once, losses-explained, windows-hit, counters-rise, uplinks-genuine, "
         "switches-turned, decoded; "
         "got 'turn-seen'; did you mean 'turns-seen'?"),
        ('"10min"', '"10min"\nworkers = 2', "4: expected workers to be 1 with a fleet of kind "
         "'household'; got 2"),
    ],
)  # fmt: skip
def test_a_mistake_about_households_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in HOMES
    assert told(tmp_path, HOMES.replace(old, new, 1)).startswith(message)


def test_a_setting_for_all_items_of_a_list(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(HOMES)

    scenario = read_scenario(str(path), [Setting("fleet.*.count", "7", "test")])

    assert [fleet.count for fleet in [*scenario.fleets, *scenario.households]] == [7, 7]
