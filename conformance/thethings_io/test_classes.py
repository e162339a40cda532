"""Classes: objects that an app stores, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.app_session import Collection
from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import User
from conformance.run import Run
from conformance.thethings_io.app_shapes import given_object, id_in, ids, is_4xx
from conformance.thethings_io.shapes import ERROR, is_refused, shown
from conformance.thethings_io.stored import new_collection


@pytest.fixture(params=["me", "app"])
def songs(run: Run, owner: User, request: pytest.FixtureRequest) -> Collection:
    """A new collection in either scope."""
    return new_collection(run, owner, request.param)


def stored(collection: Collection, key: str, **members: Any) -> None:
    """Store an object to build upon; Inconclusive when that is refused."""
    answer = collection.add(members, key)
    if not answer.is_success:
        raise Inconclusive(f"an object could not be stored: {answer.summary()}")


def members_of(answer: Response) -> Any:
    """The members of an object; the answer whole when there is none."""
    is_object = answer.is_success and isinstance(answer.json, dict)
    return answer.json if is_object else shown(answer)


@pytest.mark.requirement("TIO-CLS-001")
@pytest.mark.parametrize("key", [None, "k1"], ids=["without-key", "with-key"])
def test_storing_is_200_or_201(songs: Collection, requirement: Judge, key: str | None) -> None:
    requirement.check_in(songs.add({"title": "One"}, key).status, accepted=[200, 201])


@pytest.mark.requirement("TIO-CLS-002")
def test_answer_names_the_id(songs: Collection, requirement: Judge) -> None:
    answer = songs.add({"title": "One"})

    key = id_in(answer)
    found = members_of(songs.get(key)) if key else shown(answer)
    title = found.get("title") if isinstance(found, dict) else found
    requirement.check_that(
        bool(key) and title == "One", expected="the _id of the new object", actual=shown(answer)
    )


@pytest.mark.requirement("TIO-CLS-003")
def test_ids_are_made_up(songs: Collection, requirement: Judge) -> None:
    answers = [songs.add({"n": n}) for n in range(3)]

    refused = [shown(answer) for answer in answers if not answer.is_success]
    requirement.check(refused, expected=[])
    keys = [given_object(answer) for answer in answers]
    found = [members_of(songs.get(key)).get("n") for key in keys]
    requirement.check([found, len(set(keys))], expected=[[0, 1, 2], 3])


@pytest.mark.requirement("TIO-CLS-004")
def test_object_has_the_id_it_came_with(songs: Collection, requirement: Judge) -> None:
    answer = songs.add({"_id": "mine", "title": "One"})

    found = members_of(songs.get("mine"))
    requirement.check([id_in(answer), found.get("title")], expected=["mine", "One"])


@pytest.mark.requirement("TIO-CLS-005")
def test_object_has_the_key_of_the_path(songs: Collection, requirement: Judge) -> None:
    songs.add({"title": "One"}, "k1")

    found = members_of(songs.get("k1"))

    requirement.check([found.get("_id"), found.get("title")], expected=["k1", "One"])


def store_again(songs: Collection, how: str) -> Response:
    """Store under ``k1`` once more."""
    document = {"title": "Two", "new": True}
    return songs.add(document, "k1") if how == "path" else songs.add({**document, "_id": "k1"})


@pytest.mark.requirement("TIO-CLS-006")
@pytest.mark.parametrize("how", ["path", "body"])
def test_key_that_exists_is_refused(songs: Collection, requirement: Judge, how: str) -> None:
    stored(songs, "k1", title="One")

    answer = store_again(songs, how)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-CLS-007")
@pytest.mark.parametrize("how", ["path", "body"])
def test_refused_object_changes_nothing(songs: Collection, requirement: Judge, how: str) -> None:
    stored(songs, "k1", title="One")

    store_again(songs, how)

    found = members_of(songs.get("k1"))
    told = {name: found.get(name) for name in ("title", "new")}
    requirement.check([told, ids(songs.all())], expected=[{"title": "One", "new": None}, ["k1"]])


@pytest.mark.requirement("TIO-CLS-008")
def test_id_that_is_not_the_key_is_400(songs: Collection, requirement: Judge) -> None:
    requirement.check(songs.add({"_id": "other"}, "k1").status, expected=400)


DOCUMENTS = [
    pytest.param({"title": "One"}, id="text"),
    pytest.param({"n": 21.5, "s": "21", "b": True, "l": [1, "2", []], "o": {"p": {}}}, id="types"),
    pytest.param({"title": 'Küche 😀 "°"', "z": 0, "f": False, "e": ""}, id="unicode"),
]


@pytest.mark.requirement("TIO-CLS-011")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_object_comes_back(songs: Collection, requirement: Judge, document: dict[str, Any]) -> None:
    stored(songs, "k1", **document)

    answer = songs.get("k1")

    found = members_of(answer)
    told = {name: found.get(name) for name in ("_id", *document)}
    requirement.check([answer.status, told], expected=[200, {"_id": "k1", **document}])


@pytest.mark.requirement("TIO-CLS-012")
@pytest.mark.parametrize("key", ["k", "k2", "K1", "k1.a"])
def test_missing_object_is_refused(songs: Collection, requirement: Judge, key: str) -> None:
    stored(songs, "k1", title="One")

    answer = songs.get(key)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-CLS-013")
def test_missing_object_is_404(songs: Collection, requirement: Judge) -> None:
    requirement.check(songs.get("k1").status, expected=404)


@pytest.mark.requirement("TIO-CLS-021")
def test_update_keeps_other_members(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", title="One", year=1992, tags=["a"])

    songs.update("k1", {"title": "Two", "more": 1})

    found = members_of(songs.get("k1"))
    told = {name: found.get(name) for name in ("_id", "title", "year", "tags", "more")}
    expected = {"_id": "k1", "title": "Two", "year": 1992, "tags": ["a"], "more": 1}
    requirement.check(told, expected=expected)


@pytest.mark.requirement("TIO-CLS-022")
def test_update_is_200_or_201(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", title="One")

    requirement.check_in(songs.update("k1", {"title": "Two"}).status, accepted=[200, 201])


@pytest.mark.requirement("TIO-CLS-023")
def test_update_changes_no_other_object(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", title="One")
    stored(songs, "k2", title="One")

    songs.update("k1", {"title": "Two"})

    found = [members_of(songs.get(key)).get("title") for key in ("k1", "k2")]
    requirement.check(found, expected=["Two", "One"])


@pytest.mark.requirement("TIO-CLS-024")
def test_update_of_a_missing_object_is_404(songs: Collection, requirement: Judge) -> None:
    requirement.check(songs.update("k1", {"title": "Two"}).status, expected=404)


@pytest.mark.requirement("TIO-CLS-025")
def test_update_keeps_the_id(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", title="One")

    songs.update("k1", {"_id": "k2"})

    requirement.check(ids(songs.all()), expected=["k1"])


@pytest.mark.requirement("TIO-CLS-026")
def test_update_replaces_inner_objects(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", inner={"a": 1})

    songs.update("k1", {"inner": {"b": 2}})

    requirement.check(members_of(songs.get("k1")).get("inner"), expected={"b": 2})


@pytest.mark.requirement("TIO-CLS-027")
def test_update_among_the_things_is_404(run: Run, owner: User, requirement: Judge) -> None:
    songs = new_collection(run, owner, "me")
    stored(songs, "k1", title="One")

    answer = owner.send(
        "PUT", songs.target.replace("classes/me", "things") + "/k1", json={"title": "Two"}
    )

    requirement.check(answer.status, expected=404)


@pytest.mark.requirement("TIO-CLS-031")
def test_deleted_object_is_gone(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", title="One")
    stored(songs, "k2", title="Two")

    answer = songs.delete("k1")

    found = [answer.is_success, is_4xx(songs.get("k1")), ids(songs.all())]
    requirement.check(found, expected=[True, True, ["k2"]])


@pytest.mark.requirement("TIO-CLS-032")
def test_deleting_leaves_the_others(songs: Collection, requirement: Judge) -> None:
    for key in ("k1", "k2", "k10"):
        stored(songs, key, title=key)

    songs.delete("k1")

    found = [members_of(songs.get(key)).get("title") for key in ("k2", "k10")]
    requirement.check(found, expected=["k2", "k10"])


@pytest.mark.requirement("TIO-CLS-033")
def test_deleting_a_missing_object_is_404(songs: Collection, requirement: Judge) -> None:
    requirement.check(songs.delete("k1").status, expected=404)


@pytest.mark.requirement("TIO-CLS-034")
def test_key_of_a_deleted_object_is_free(songs: Collection, requirement: Judge) -> None:
    stored(songs, "k1", title="One", old=True)
    songs.delete("k1")

    answer = songs.add({"title": "Two"}, "k1")

    found = members_of(songs.get("k1"))
    told = [answer.is_success, found.get("title"), found.get("old")]
    requirement.check(told, expected=[True, "Two", None])
