"""Collections: all objects of a class, and who sees them."""

from __future__ import annotations

import pytest

from conformance.clients.app_session import Collection
from conformance.judge import Judge
from conformance.people import People, User
from conformance.run import Run
from conformance.thethings_io.app_shapes import ids, is_4xx, mentions, objects
from conformance.thethings_io.stored import SCOPES, filled, new_collection, new_name, title


def collection_of(user: User, collection: Collection) -> Collection:
    """The collection of the same path, for another user."""
    return Collection(user, collection.target)


@pytest.mark.requirement("TIO-COLL-001")
@SCOPES
def test_collection_has_all_its_objects(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    songs = filled(new_collection(run, owner, scope), "k1", "k2", "k3")

    answer = songs.all()

    rows = objects(answer)
    told = {row.get("_id"): row.get("title") for row in rows} if isinstance(rows, list) else rows
    expected = {"k1": "title of k1", "k2": "title of k2", "k3": "title of k3"}
    requirement.check([answer.status, told], expected=[200, expected])


@pytest.mark.requirement("TIO-COLL-001")
def test_collection_has_many_objects(run: Run, owner: User, requirement: Judge) -> None:
    songs = filled(new_collection(run, owner, "me"), *(f"k{n:03}" for n in range(25)))

    requirement.check(ids(songs.all()), expected=[f"k{n:03}" for n in range(24, -1, -1)])


@pytest.mark.requirement("TIO-COLL-002")
@SCOPES
def test_keys_descend(run: Run, owner: User, requirement: Judge, scope: str) -> None:
    songs = filled(new_collection(run, owner, scope), "kc", "ka", "ke", "kb", "kd")

    requirement.check(ids(songs.all()), expected=["ke", "kd", "kc", "kb", "ka"])


@pytest.mark.requirement("TIO-COLL-003")
@SCOPES
def test_collection_has_no_object_of_another(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    name = new_name(run)
    songs = filled(owner.collection(scope, name), "k1")
    for other in (f"{name}2", f"{name}.a", name[:-1]):
        filled(owner.collection(scope, other), "k2")

    requirement.check(ids(songs.all()), expected=["k1"])


@pytest.mark.requirement("TIO-COLL-004")
@pytest.mark.parametrize(("scope", "other"), [("me", "app"), ("app", "me")])
def test_scopes_are_two(run: Run, owner: User, requirement: Judge, scope: str, other: str) -> None:
    name = new_name(run)
    filled(owner.collection(scope, name), "k1")

    there = owner.collection(other, name)

    found = [is_4xx(there.get("k1")), mentions(there.all().json, "title of k1")]
    requirement.check(found, expected=[True, False])


@pytest.mark.requirement("TIO-COLL-005")
def test_another_user_does_not_see_mine(
    run: Run, owner: User, stranger: User, requirement: Judge
) -> None:
    theirs = collection_of(stranger, filled(new_collection(run, owner, "me"), "k1"))

    found = [is_4xx(theirs.get("k1")), mentions(theirs.all().json, "title of k1")]

    requirement.check(found, expected=[True, False])


@pytest.mark.requirement("TIO-COLL-006")
def test_another_user_does_not_change_mine(
    run: Run, owner: User, stranger: User, requirement: Judge
) -> None:
    songs = filled(new_collection(run, owner, "me"), "k1", "k2")
    theirs = collection_of(stranger, songs)

    theirs.update("k1", {"title": "changed"})
    theirs.delete("k2")

    found = [title(songs.get(key)) for key in ("k1", "k2")]
    requirement.check(found, expected=["title of k1", "title of k2"])


@pytest.mark.requirement("TIO-COLL-007")
def test_users_of_the_app_see_what_is_the_apps(
    run: Run, owner: User, stranger: User, requirement: Judge
) -> None:
    theirs = collection_of(stranger, filled(new_collection(run, owner, "app"), "k1", "k2"))

    found = [title(theirs.get("k1")), ids(theirs.all())]

    requirement.check(found, expected=["title of k1", ["k2", "k1"]])


@pytest.mark.requirement("TIO-COLL-008")
def test_users_of_another_app_do_not_see_it(
    run: Run, owner: User, people: People, requirement: Judge
) -> None:
    outsider = people.newcomer(app_id=run.target.credential("unofficial_app_id"))
    theirs = collection_of(outsider, filled(new_collection(run, owner, "app"), "k1"))

    found = [is_4xx(theirs.get("k1")), mentions(theirs.all().json, "title of k1")]

    requirement.check(found, expected=[True, False])


@pytest.mark.requirement("TIO-COLL-009")
def test_order_of_unlike_keys(run: Run, owner: User, requirement: Judge) -> None:
    songs = filled(new_collection(run, owner, "me"), "9", "10", "a", "B", "é", "_")

    requirement.check(ids(songs.all()), expected=["é", "a", "_", "B", "9", "10"])


@pytest.mark.requirement("TIO-COLL-010")
@SCOPES
def test_empty_collection(run: Run, owner: User, requirement: Judge, scope: str) -> None:
    answer = new_collection(run, owner, scope).all()

    requirement.check([answer.status, answer.json], expected=[200, []])


@pytest.mark.requirement("TIO-COLL-011")
def test_users_of_the_app_change_what_is_the_apps(
    run: Run, owner: User, stranger: User, requirement: Judge
) -> None:
    songs = filled(new_collection(run, owner, "app"), "k1")

    collection_of(stranger, songs).update("k1", {"title": "changed"})

    requirement.check(title(songs.get("k1")), expected="changed")


@pytest.mark.requirement("TIO-COLL-012")
def test_users_have_the_same_key_each_their_own(
    run: Run, owner: User, stranger: User, requirement: Judge
) -> None:
    songs = new_collection(run, owner, "me")
    theirs = collection_of(stranger, songs)

    answers = [songs.add({"title": "mine"}, "k1"), theirs.add({"title": "theirs"}, "k1")]

    found = [
        [each.is_success for each in answers],
        [title(each.get("k1")) for each in (songs, theirs)],
    ]
    requirement.check(found, expected=[[True, True], ["mine", "theirs"]])
