"""GET /v2/classes/{scope}/{collection}?subscribe=true: what changes in a collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from conformance.clients.app_session import Collection
from conformance.clients.exchange import Response
from conformance.clients.stream import Stream
from conformance.clients.thethings_io import ThethingsClient
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import User
from conformance.run import Run
from conformance.thethings_io.app_calls import LIMIT_S
from conformance.thethings_io.app_shapes import (
    SETTLE_S,
    id_in,
    messages,
    opened,
    order_in,
    told,
    told_before,
    told_in_all,
)
from conformance.thethings_io.shapes import ERROR, is_error, shown
from conformance.thethings_io.stored import SCOPES, filled, new_collection, new_name

Listen = Callable[[Collection], Stream]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Opens subscriptions to collections; all are closed at the end."""
    with ExitStack() as closing:

        def start(collection: Collection) -> Stream:
            stream = collection.subscribe()
            closing.callback(stream.close)
            return opened(stream)

        yield start


def done(answer: Response) -> None:
    """Inconclusive when a change that should bring a message was refused."""
    if not answer.is_success:
        raise Inconclusive(f"the change was not accepted: {answer.summary()}")


@pytest.mark.requirement("TIO-CLSUB-001")
@SCOPES
def test_subscription_is_200_and_stays_open(
    run: Run, owner: User, requirement: Judge, scope: str
) -> None:
    stream = new_collection(run, owner, scope).subscribe()
    stream.wait_for(2, SETTLE_S)
    first, ended = stream.values[:1], stream.ended
    stream.close()

    requirement.check_that(
        stream.status == 200 and not (first and is_error(first[0])),
        expected="status 200, and no error",
        actual=shown(stream.response),
    )
    requirement.check(ended, expected=None)


@pytest.mark.requirement("TIO-CLSUB-002")
@pytest.mark.parametrize("how", ["path", "body", "made-up"])
@SCOPES
def test_new_object_is_told(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str, how: str
) -> None:
    songs = new_collection(run, owner, scope)
    stream = listen(songs)

    document: dict[str, Any] = {"title": "title-one"}
    document |= {"_id": "rig-key-one"} if how == "body" else {}
    answer = songs.add(document, "rig-key-one" if how == "path" else None)

    done(answer)
    key = "rig-key-one" if how != "made-up" else key_of(answer)
    requirement.check(len(told(stream, key)), expected=1)


def key_of(answer: Response) -> str:
    """The key that the server chose."""
    key = id_in(answer)
    if key is None:
        raise Inconclusive("the answer names no _id")
    return key


@pytest.mark.requirement("TIO-CLSUB-003")
@SCOPES
def test_update_is_told(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    songs = filled(new_collection(run, owner, scope), "rig-key-one")
    stream = listen(songs)

    done(songs.update("rig-key-one", {"title": "changed"}))

    requirement.check(len(told(stream, "rig-key-one")), expected=1)


@pytest.mark.requirement("TIO-CLSUB-004")
@SCOPES
def test_deletion_is_told(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    songs = filled(new_collection(run, owner, scope), "rig-key-one")
    stream = listen(songs)

    done(songs.delete("rig-key-one"))

    requirement.check(len(told(stream, "rig-key-one")), expected=1)


@pytest.mark.requirement("TIO-CLSUB-005")
@SCOPES
def test_other_collections_are_not_told(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    name = new_name(run)
    songs = owner.collection(scope, name)
    stream = listen(songs)

    for other in (f"{name}2", f"{name}.a", new_name(run)):
        filled(owner.collection(scope, other), "rig-elsewhere")
    filled(songs, "rig-control")

    found = told_before(stream, "rig-control", "rig-elsewhere")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-CLSUB-005")
@pytest.mark.parametrize(("scope", "other"), [("me", "app"), ("app", "me")])
def test_the_other_scope_is_not_told(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str, other: str
) -> None:
    name = new_name(run)
    stream = listen(owner.collection(scope, name))

    filled(owner.collection(other, name), "rig-elsewhere")
    filled(owner.collection(scope, name), "rig-control")

    found = told_before(stream, "rig-control", "rig-elsewhere")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-CLSUB-006")
@SCOPES
def test_what_is_beneath_is_not_told_above(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    lists = new_name(run)
    top = filled(owner.collection(scope, lists), "25")
    stream = listen(top)

    inner = filled(owner.collection(scope, lists, "25", "Songs"), "rig-beneath")
    inner.update("rig-beneath", {"title": "changed"})
    filled(top, "rig-control")

    found = told_before(stream, "rig-control", "rig-beneath")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-CLSUB-006")
def test_what_is_above_is_not_told_beneath(
    run: Run, owner: User, listen: Listen, requirement: Judge
) -> None:
    lists, songs = new_name(run, "lists"), new_name(run, "songs")
    inner = owner.collection("me", lists, "25", songs)
    stream = listen(inner)

    filled(owner.collection("me", lists), "rig-above")
    filled(owner.collection("me", songs), "rig-at-the-top")
    filled(inner, "rig-control")

    found = told_before(stream, "rig-control", "rig-above", "rig-at-the-top")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-CLSUB-007")
@SCOPES
def test_collection_beneath_is_subscribed(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    inner = owner.collection(scope, new_name(run), "25", "Songs")
    stream = listen(inner)

    filled(inner, "rig-key-one")

    requirement.check(len(told(stream, "rig-key-one")), expected=1)


@pytest.mark.requirement("TIO-CLSUB-008")
def test_what_one_user_stores_is_told_to_another(
    run: Run, owner: User, stranger: User, listen: Listen, requirement: Judge
) -> None:
    songs = new_collection(run, owner, "app")
    stream = listen(Collection(stranger, songs.target))

    filled(songs, "rig-key-one")

    requirement.check(len(told(stream, "rig-key-one")), expected=1)


@pytest.mark.requirement("TIO-CLSUB-009")
def test_what_another_user_stores_is_not_told(
    run: Run, owner: User, stranger: User, listen: Listen, requirement: Judge
) -> None:
    songs = new_collection(run, owner, "me")
    stream = listen(songs)

    filled(Collection(stranger, songs.target), "rig-theirs")
    filled(songs, "rig-control")

    found = told_before(stream, "rig-control", "rig-theirs")
    requirement.check(found, expected=[])


@pytest.mark.requirement("TIO-CLSUB-010")
@pytest.mark.parametrize("token", [None, "no-such-session"], ids=["without", "unknown"])
@SCOPES
def test_subscription_without_a_session_is_401(
    api: ThethingsClient, requirement: Judge, scope: str, token: str | None
) -> None:
    headers = {} if token is None else {"Authorization": token}
    target = f"/v2/classes/{scope}/Songs?subscribe=true&keepAlive=60000"

    stream = Stream(api.http, target, headers=headers, timeout_s=LIMIT_S)
    stream.close()

    requirement.check_that(
        stream.status == 401 and is_error(stream.response.json),
        expected=f"status 401 with {ERROR}",
        actual=shown(stream.response),
    )


@pytest.mark.requirement("TIO-CLSUB-011")
def test_first_document(run: Run, owner: User, listen: Listen, requirement: Judge) -> None:
    first = listen(new_collection(run, owner, "me")).wait_for(1, 1.0)

    requirement.check(first, expected=[{"status": "success", "message": "subscribed"}])


@pytest.mark.requirement("TIO-CLSUB-012")
def test_shape_of_messages(run: Run, owner: User, listen: Listen, requirement: Judge) -> None:
    songs = new_collection(run, owner, "me")
    stream = listen(songs)

    filled(songs, "rig-key-one")
    songs.delete("rig-key-one")

    found = told(stream, "rig-key-one", count=2)
    expected = [
        [{"_id": "rig-key-one", "title": "title of rig-key-one"}],
        [{"_id": "rig-key-one", "_deleted": True}],
    ]
    requirement.check(found, expected=expected)


@pytest.mark.requirement("TIO-CLSUB-013")
@SCOPES
def test_changes_are_told_once_and_in_order(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    songs = new_collection(run, owner, scope)
    stream = listen(songs)
    keys = [f"key-{letter}" for letter in "cabed"]

    filled(songs, *keys)

    told(stream, keys[-1])
    counts = [len(told_in_all(stream, key)) for key in keys[:1]]
    counts += [len(messages(stream, key)) for key in keys[1:]]
    requirement.check([order_in(stream, keys), counts], expected=[keys, [1] * 5])


@pytest.mark.requirement("TIO-CLSUB-014")
@SCOPES
def test_refused_change_is_not_told(
    run: Run, owner: User, listen: Listen, requirement: Judge, scope: str
) -> None:
    songs = filled(new_collection(run, owner, scope), "rig-key-one")
    stream = listen(songs)

    songs.add({"title": "rig-refused"}, "rig-key-one")
    songs.add({"title": "rig-refused", "_id": "rig-key-one"})
    filled(songs, "rig-control")

    found = told_before(stream, "rig-control", "rig-refused")
    requirement.check(found, expected=[])
