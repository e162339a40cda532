"""Collections beneath objects, to any depth."""

from __future__ import annotations

import pytest

from conformance.clients.app_session import Collection
from conformance.judge import Judge
from conformance.people import User
from conformance.run import Run
from conformance.thethings_io.app_shapes import ids, is_4xx
from conformance.thethings_io.shapes import shown
from conformance.thethings_io.stored import SCOPES, filled, new_name, title

PATHS = {
    2: ["25", "Songs"],
    3: ["25", "Songs", "100", "Artists"],
    6: ["25", "Songs", "100", "Artists", "10", "Labels", "x", "Places", "y", "Streets"],
}


@pytest.mark.requirement("TIO-NEST-001")
@pytest.mark.parametrize("depth", PATHS)
@SCOPES
def test_objects_beneath_objects(
    run: Run, owner: User, requirement: Judge, scope: str, depth: int
) -> None:
    inner = owner.collection(scope, new_name(run), *PATHS[depth])

    stored = [inner.add({"title": f"title of {key}"}, key).is_success for key in ("k1", "k2")]

    found = [stored, title(inner.get("k1")), ids(inner.all())]
    requirement.check(found, expected=[[True, True], "title of k1", ["k2", "k1"]])


@pytest.mark.requirement("TIO-NEST-002")
@SCOPES
def test_collection_beneath_is_not_the_one_at_the_top(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    lists, songs = new_name(run, "lists"), new_name(run, "songs")
    top = filled(owner.collection(scope, songs), "k1")
    inner = filled(owner.collection(scope, lists, "25", songs), "k2")

    found = [ids(top.all()), ids(inner.all()), is_4xx(top.get("k2")), is_4xx(inner.get("k1"))]

    requirement.check(found, expected=[["k1"], ["k2"], True, True])


@pytest.mark.requirement("TIO-NEST-003")
@SCOPES
def test_order_of_a_path_matters(run: Run, owner: User, requirement: Judge, scope: str) -> None:
    lists, songs = new_name(run, "lists"), new_name(run, "songs")
    filled(owner.collection(scope, lists, "25", songs), "100")

    reverse = owner.collection(scope, songs, "100", lists)

    found = [is_4xx(reverse.get("25")), ids(reverse.all()) == ["25"]]
    requirement.check(found, expected=[True, False])


@pytest.mark.requirement("TIO-NEST-003")
def test_order_of_a_longer_path_matters(run: Run, owner: User, requirement: Judge) -> None:
    a, b, c = (new_name(run, word) for word in "abc")
    filled(owner.collection("me", a, "1", b, "2", c), "3")

    found = [
        is_4xx(owner.collection("me", *path[:-1]).get(path[-1]))
        for path in ([b, "2", a, "1", c, "3"], [a, "1", c, "3", b, "2"], [c, "3", b, "2", a, "1"])
    ]

    requirement.check(found, expected=[True, True, True])


@pytest.mark.requirement("TIO-NEST-004")
@SCOPES
def test_object_above_need_not_exist(run: Run, owner: User, requirement: Judge, scope: str) -> None:
    inner = owner.collection(scope, new_name(run), "never stored", "Songs")

    answer = inner.add({"title": "One"}, "k1")

    requirement.check_that(answer.is_success, expected="a 2xx", actual=shown(answer))
    requirement.check(title(inner.get("k1")), expected="One")


@pytest.mark.requirement("TIO-NEST-005")
@SCOPES
def test_collections_beneath_two_objects_are_two(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    lists = new_name(run)
    first, second = (owner.collection(scope, lists, key, "Songs") for key in ("25", "26"))
    filled(first, "k1")
    filled(second, "k2")

    found = [ids(first.all()), ids(second.all())]

    requirement.check(found, expected=[["k1"], ["k2"]])


@pytest.mark.requirement("TIO-NEST-006")
@SCOPES
def test_object_beneath_is_not_among_those_above(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    lists = new_name(run)
    top = filled(owner.collection(scope, lists), "25")
    filled(owner.collection(scope, lists, "25", "Songs"), "k1")
    filled(owner.collection(scope, lists, "26", "Songs"), "k2")

    requirement.check(ids(top.all()), expected=["25"])


@pytest.mark.requirement("TIO-NEST-007")
@SCOPES
def test_update_and_deletion_go_by_the_path(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    lists, songs = new_name(run, "lists"), new_name(run, "songs")
    top = filled(owner.collection(scope, songs), "k1", "k2")
    inner = filled(owner.collection(scope, lists, "25", songs), "k1", "k2")

    inner.update("k1", {"title": "changed"})
    inner.delete("k2")

    found = [[title(each.get("k1")), ids(each.all())] for each in (inner, top)]
    requirement.check(found, expected=[["changed", ["k1"]], ["title of k1", ["k2", "k1"]]])


@pytest.mark.requirement("TIO-NEST-008")
@SCOPES
def test_key_exists_in_its_own_collection(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    lists, songs = new_name(run, "lists"), new_name(run, "songs")
    inner = filled(owner.collection(scope, lists, "25", songs), "k1")

    again = inner.add({"title": "Two"}, "k1")
    others: list[Collection] = [
        owner.collection(scope, songs),
        owner.collection(scope, lists, "26", songs),
    ]

    free = [each.add({"title": "Two"}, "k1").is_success for each in others]
    requirement.check([is_4xx(again), free], expected=[True, [True, True]])


@pytest.mark.requirement("TIO-NEST-009")
def test_deletion_leaves_what_is_beneath(run: Run, owner: User, requirement: Judge) -> None:
    lists = new_name(run)
    top = filled(owner.collection("me", lists), "25")
    inner = filled(owner.collection("me", lists, "25", "Songs"), "k1")

    top.delete("25")

    requirement.check(title(inner.get("k1")), expected="title of k1")
