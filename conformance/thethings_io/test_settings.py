"""$settings: a thing's settings, whole or by path."""

from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import body_status, column_of, values
from conformance.thethings_io.waiting import eventually

EMPTY = {"no": False, "zero": 0, "text": "", "list": [], "object": {}}


def fresh(thing: Thing, name: str) -> str:
    """A setting's name that no run before has used, without dots."""
    return thing.key(name).replace(".", "-")


def write(thing: Thing, path: str, value: Any) -> None:
    """Arrange a setting; ``path`` is empty for the whole."""
    thing.given([{"key": f"$settings.{path}" if path else "$settings", "value": value}])


def setting(thing: Thing, path: str) -> Any:
    """The value of one path; the answer whole when it is none."""
    return values(thing.read(f"$settings.{path}"))


def members(thing: Thing, *wanted: str) -> Any:
    """Some members of the whole settings; the answer whole when it has none."""
    found = values(thing.read("$settings"))
    whole = found[0] if isinstance(found, list) and len(found) == 1 else None
    return {name: whole.get(name) for name in wanted} if isinstance(whole, dict) else found


@pytest.mark.requirement("TIO-SET-013")
def test_settings_never_written_are_empty(second_thing: Thing, requirement: Judge) -> None:
    rows = second_thing.read("$settings").json

    requirement.check(rows, expected=[{"key": "$settings", "value": {}}])


@pytest.mark.requirement("TIO-SET-001")
def test_write_of_settings_is_accepted(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": "$settings", "value": {fresh(thing, "name"): "My Thing"}}])

    requirement.check_in(answer.status, accepted=[201, 200])
    requirement.check_in(body_status(answer), accepted=["created", "success"])


@pytest.mark.requirement("TIO-SET-002")
def test_settings_are_read_whole(thing: Thing, requirement: Judge) -> None:
    name, other = fresh(thing, "name"), fresh(thing, "other")
    expected = {name: "My Thing", other: "bar"}

    thing.write([{"key": "$settings", "value": {name: "My Thing", other: "bar"}}])

    seen = eventually(lambda: members(thing, name, other), expected)
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-SET-002")
def test_members_without_content_are_read_too(thing: Thing, requirement: Judge) -> None:
    stem = fresh(thing, "empty")
    expected = {f"{stem}-{name}": value for name, value in EMPTY.items()}

    thing.write([{"key": "$settings", "value": dict(expected)}])

    seen = eventually(lambda: members(thing, *expected), expected)
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-SET-003")
def test_whole_read_has_key_and_value_only(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "name")
    write(thing, "", {name: 1})
    eventually(lambda: members(thing, name), {name: 1})

    rows = thing.read("$settings").json

    shape = [[column_of(rows, "key", otherwise=rows)], [sorted(row) for row in objects(rows)]]
    requirement.check(shape, expected=[[["$settings"]], [["key", "value"]]])


@pytest.mark.requirement("TIO-SET-004")
def test_path_is_read_as_written(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "name")
    expected = [{"key": f"$settings.{name}", "value": "My Thing"}]

    thing.write([{"key": f"$settings.{name}", "value": "My Thing"}])

    seen = eventually(lambda: thing.read(f"$settings.{name}").json, expected)
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-SET-005")
def test_path_keeps_its_neighbours(thing: Thing, requirement: Judge) -> None:
    name, other = fresh(thing, "name"), fresh(thing, "other")
    expected = {name: "new", other: "bar"}
    write(thing, "", {name: "old", other: "bar"})
    eventually(lambda: members(thing, name, other), {name: "old", other: "bar"})

    thing.write([{"key": f"$settings.{name}", "value": "new"}])

    seen = eventually(lambda: members(thing, name, other), expected)
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-SET-005")
def test_path_keeps_its_neighbours_within_an_object(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "net")
    expected = [{"ssid": "lab", "channel": 6}]
    write(thing, f"{name}.wifi.ssid", "lab")
    eventually(lambda: setting(thing, f"{name}.wifi"), [{"ssid": "lab"}])

    thing.write([{"key": f"$settings.{name}.wifi.channel", "value": 6}])

    seen = eventually(lambda: setting(thing, f"{name}.wifi"), expected)
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-SET-006")
def test_path_reaches_into_objects(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "net")

    thing.write([{"key": f"$settings.{name}.wifi.ssid", "value": "lab"}])

    expected = {name: {"wifi": {"ssid": "lab"}}}
    requirement.check(eventually(lambda: members(thing, name), expected), expected=expected)
    requirement.check(setting(thing, f"{name}.wifi"), expected=[{"ssid": "lab"}])


@pytest.mark.requirement("TIO-SET-006")
def test_path_reads_out_of_objects(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "net")

    thing.write([{"key": "$settings", "value": {name: {"wifi": {"ssid": "lab"}}}}])

    seen = eventually(lambda: setting(thing, f"{name}.wifi.ssid"), ["lab"])
    requirement.check(seen, expected=["lab"])


@pytest.mark.requirement("TIO-SET-007")
def test_further_write_replaces_the_value(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "mode")
    write(thing, name, "first")
    eventually(lambda: setting(thing, name), ["first"])

    thing.write([{"key": f"$settings.{name}", "value": "second"}])

    seen = eventually(lambda: setting(thing, name), ["second"])
    requirement.check(seen, expected=["second"])


@pytest.mark.requirement("TIO-SET-007")
def test_further_object_replaces_the_one_before(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "mode")
    write(thing, name, {"first": 1})
    eventually(lambda: setting(thing, name), [{"first": 1}])

    thing.write([{"key": f"$settings.{name}", "value": {"second": 2}}])

    seen = eventually(lambda: setting(thing, name), [{"second": 2}])
    requirement.check(seen, expected=[{"second": 2}])


@pytest.mark.requirement("TIO-SET-008")
def test_settings_keep_their_types(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "types")
    kinds = {"n": 21.5, "s": "21", "b": False, "l": [1, "2", True], "o": {"p": {}}, "u": "°C 😀"}

    for kind, value in kinds.items():
        thing.write([{"key": f"$settings.{name}-{kind}", "value": value}])

    expected = [[21.5], ["21"], [False], [[1, "2", True]], [{"p": {}}], ["°C 😀"]]
    seen = eventually(lambda: [setting(thing, f"{name}-{kind}") for kind in kinds], expected)
    requirement.check(seen, expected=expected)


@pytest.mark.requirement("TIO-SET-009")
@pytest.mark.parametrize("dollar", ["$", "%24"], ids=["raw", "escaped"])
def test_dollar_raw_or_escaped(
    thing: Thing, api: ThethingsClient, requirement: Judge, dollar: str
) -> None:
    name = fresh(thing, "name")
    write(thing, name, "x")
    path = f"/v2/things/{thing.token}/resources/{dollar}settings.{name}"

    seen = eventually(lambda: values(api.send("GET", path)), ["x"])

    requirement.check(seen, expected=["x"])


@pytest.mark.requirement("TIO-SET-010")
def test_things_have_settings_of_their_own(
    thing: Thing, second_thing: Thing, requirement: Judge
) -> None:
    name = fresh(thing, "owner")
    write(thing, name, "first")
    eventually(lambda: setting(thing, name), ["first"])

    write(second_thing, name, "second")

    look = lambda: [setting(each, name) for each in (thing, second_thing)]  # noqa: E731
    requirement.check(eventually(look, [["first"], ["second"]]), expected=[["first"], ["second"]])


@pytest.mark.requirement("TIO-SET-011")
def test_path_never_written_is_null(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "never")

    requirement.check(
        thing.read(f"$settings.{name}").json,
        expected=[{"key": f"$settings.{name}", "value": None}],
    )


@pytest.mark.requirement("TIO-SET-012")
def test_object_is_merged(thing: Thing, requirement: Judge) -> None:
    name, other = fresh(thing, "name"), fresh(thing, "other")
    write(thing, "", {name: 1})
    eventually(lambda: members(thing, name), {name: 1})

    write(thing, "", {other: 2})

    expected = {name: 1, other: 2}
    requirement.check(eventually(lambda: members(thing, name, other), expected), expected=expected)


@pytest.mark.requirement("TIO-SET-014")
def test_path_through_a_scalar_is_400(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "scalar")
    write(thing, name, 1)
    eventually(lambda: setting(thing, name), [1])

    answer = thing.write([{"key": f"$settings.{name}.deeper", "value": 2}])

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TIO-SET-015")
def test_unknown_magic_name_has_no_effect(thing: Thing, requirement: Judge) -> None:
    name = fresh(thing, "later")

    answer = thing.write([{"key": "$thingrig", "value": 1}])
    thing.write([{"key": f"$settings.{name}", "value": 1}])
    eventually(lambda: setting(thing, name), [1])  # by then the one before has its effect, too

    requirement.check([answer.status, thing.read("$thingrig").status], expected=[201, 404])


def objects(rows: Any) -> list[dict[str, Any]]:
    """The objects of an array; none when it is no array."""
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
