"""Confirmation by e-mail: what an app that is not official was granted counts once confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.clients.mailbox import Mail
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.people import Home, People, User
from conformance.post import Confirming, Post
from conformance.run import Run
from conformance.thethings_io.app_shapes import is_4xx, seen
from conformance.thethings_io.shapes import ERROR, is_refused, shown, values
from conformance.thethings_io.sharing import GET, GRANT, NONE, POST
from conformance.thethings_io.waiting import eventually


class Asking(NamedTuple):
    """An app that is not official, its user's session, and the user's thing."""

    user: User
    home: Home

    def read(self, key: str) -> Response:
        """What the app reads."""
        return self.user.read(key, self.home.id)

    def reads(self, key: str) -> bool:
        """Whether the app sees the value ``here``, now or in a while."""
        return bool(eventually(lambda: bool(seen(["rig:here"], self.read(key))), True))

    def ask(self, key: str, flags: Mapping[str, bool]) -> Response:
        """Ask the user for permissions."""
        return self.user.grant({key: {self.home.id: dict(flags)}})


@pytest.fixture(scope="module")
def asking(home: Home, people: People, run: Run) -> Asking:
    """The owner in an app that is not official."""
    app_id = run.target.credential("unofficial_app_id")
    owner = home.owner
    return Asking(people.registered(owner.email, owner.password, app_id), home)


def asked(asking: Asking, post: Post, flags: Mapping[str, bool] = GET) -> tuple[str, Mail]:
    """
    A resource that the app has asked for, and the mail about it.

    Raises:
        Inconclusive: the request was refused, or no mail came.
    """
    key = asking.home.given("rig:here", datetime="20240131120000")
    post.new(asking.user.email)
    answer = asking.ask(key, flags)
    mail = post.wait_for(asking.user.email) if answer.is_success else None
    if mail is None:
        raise Inconclusive(f"no mail came after the request: {answer.summary()}")
    return key, mail


def confirmed(asking: Asking, post: Post, flags: Mapping[str, bool] = GET) -> tuple[str, str]:
    """A resource that the app was granted, and the link that did it."""
    key, mail = asked(asking, post, flags)
    link = post.link_in(mail)
    post.open(link)
    if not asking.reads(key):
        raise Inconclusive("the app cannot read what was confirmed")
    return key, link


@pytest.mark.requirement("TIO-CONF-001")
def test_request_sends_a_mail_with_a_link(asking: Asking, post: Post, requirement: Judge) -> None:
    key = asking.home.given("rig:here")
    post.new(asking.user.email)

    answer = asking.ask(key, GET)

    mail = post.wait_for(asking.user.email)
    requirement.check_that(
        answer.is_success and mail is not None,
        expected=f"a 2xx, and a mail with a link to {asking.user.email}",
        actual={"answer": shown(answer), "mail": mail and mail.subject},
    )


@pytest.mark.requirement("TIO-CONF-002")
@pytest.mark.parametrize("is_asked", [False, True], ids=["before", "asked"])
def test_unconfirmed_app_reads_nothing(
    asking: Asking, confirming: Confirming, requirement: Judge, is_asked: bool
) -> None:
    key = asking.home.given("rig:here")
    if is_asked:
        asking.ask(key, POST)
        confirming.put_aside(asking.user.email)

    answer, without = asking.read(key), asking.user.read(key)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(seen(["rig:here"], without), expected=[])


@pytest.mark.requirement("TIO-CONF-003")
def test_opened_link_confirms(asking: Asking, post: Post, requirement: Judge) -> None:
    key, mail = asked(asking, post)

    post.open(post.link_in(mail))

    requirement.check(
        [asking.reads(key), seen(["rig:here"], asking.user.read(key))],
        expected=[True, ["rig:here"]],
    )


@pytest.mark.requirement("TIO-CONF-004")
def test_link_confirms_its_own_request(asking: Asking, post: Post, requirement: Judge) -> None:
    waiting, _ = asked(asking, post)
    confirmed(asking, post)

    answer = asking.read(waiting)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-CONF-005")
@pytest.mark.parametrize("change", ["case", "short", "other"])
def test_link_that_was_not_sent_confirms_nothing(
    asking: Asking, post: Post, requirement: Judge, change: str
) -> None:
    key, mail = asked(asking, post)
    right = post.link_in(mail)
    start, secret = right[:-20], right[-20:]
    wrong = {"case": secret.swapcase(), "short": secret[:-1], "other": "A" * len(secret)}

    post.open(start + wrong[change])

    # It has as long as the link that was sent would have.
    requirement.check(asking.reads(key), expected=False)


@pytest.mark.requirement("TIO-CONF-006")
def test_link_confirms_once(
    asking: Asking, post: Post, confirming: Confirming, requirement: Judge
) -> None:
    key, link = confirmed(asking, post)
    asking.ask(key, NONE)
    if not confirming.until(lambda: not seen(["rig:here"], asking.read(key)), asking.user.email):
        raise Inconclusive("the permission cannot be taken back")

    post.open(link)
    confirmed(asking, post)  # what counts a while later has counted when a later one does

    requirement.check(seen(["rig:here"], asking.read(key)), expected=[])


@pytest.mark.requirement("TIO-CONF-007")
def test_write_waits_for_permission(asking: Asking, post: Post, requirement: Judge) -> None:
    key, mail = asked(asking, post, POST)
    home = asking.home

    before = asking.user.write(key, home.id, [{"value": "rig:early"}])
    post.open(post.link_in(mail))
    asking.reads(key)
    after = asking.user.write(key, home.id, [{"value": "rig:granted"}])

    found = [is_4xx(before), after.is_success, values(home.thing.read(key, limit=10))]
    requirement.check(found, expected=[True, True, ["rig:granted", "rig:here"]])


@pytest.mark.requirement("TIO-CONF-008")
def test_get_alone_does_not_write(asking: Asking, post: Post, requirement: Judge) -> None:
    key, _ = confirmed(asking, post, GET)
    home = asking.home

    answer = asking.user.write(key, home.id, [{"value": "rig:too much"}])

    requirement.check_that(is_4xx(answer), expected="a 4xx", actual=shown(answer))
    requirement.check(values(home.thing.read(key, limit=10)), expected=["rig:here"])


def share(home: Home, friend: User, post: Post) -> tuple[str, bool, Mail | None]:
    """A resource that was shared, whether the friend reads it at once, and the mail if not."""
    key = home.given("rig:here")
    post.new(home.owner.email, friend.email)
    answer = home.owner.grant({key: {home.id: dict(GET)}}, email=friend.email)
    if not answer.is_success:
        raise Inconclusive(f"the share was not accepted: {answer.summary()}")
    reads = bool(seen(["rig:here"], friend.read(key, home.id)))
    return key, reads, None if reads else post.wait_for(home.owner.email, friend.email)


@pytest.mark.requirement("TIO-CONF-009")
def test_sharing_is_confirmed_or_effective_at_once(
    home: Home, friend: User, post: Post, requirement: Judge
) -> None:
    key, reads, mail = share(home, friend, post)
    before = bool(seen(["rig:here"], friend.read(key, home.id)))

    if mail is not None:
        post.open(post.link_in(mail))

    after = eventually(lambda: bool(seen(["rig:here"], friend.read(key, home.id))), True)
    requirement.observe("effective", "at once" if reads else "after confirmation")
    requirement.check_that(
        after and (reads or not before),
        expected="the friend reads: at once, or after a mail with a link and not before",
        actual={"at once": reads, "mail": mail and mail.subject, "before": before, "after": after},
    )


@pytest.mark.requirement("TIO-CONF-010")
def test_permission_that_was_taken_back_is_gone(
    asking: Asking, post: Post, confirming: Confirming, requirement: Judge
) -> None:
    key, _ = confirmed(asking, post)

    asking.ask(key, NONE)

    is_gone = confirming.until(lambda: not seen(["rig:here"], asking.read(key)), asking.user.email)
    requirement.check(is_gone, expected=True)


@pytest.mark.requirement("TIO-CONF-011")
def test_other_resources_stay_closed(asking: Asking, post: Post, requirement: Judge) -> None:
    key, _ = confirmed(asking, post)
    home = asking.home
    other = f"{key}.a"
    home.thing.given([{"key": other, "value": "rig:closed"}])

    answer, without = asking.read(other), asking.user.read(other)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))
    requirement.check(seen(["rig:closed"], without), expected=[])


@pytest.mark.requirement("TIO-CONF-013")
def test_sharing_by_another_app_waits(
    asking: Asking, friend: User, post: Post, requirement: Judge
) -> None:
    key, _ = confirmed(asking, post, GRANT)
    home = asking.home
    post.new(asking.user.email, friend.email)

    answer = asking.user.grant({key: {home.id: dict(GET)}}, email=friend.email)
    mail = post.wait_for(asking.user.email, friend.email)
    before = seen(["rig:here"], friend.read(key, home.id))
    if mail is not None:
        post.open(post.link_in(mail))

    after = eventually(lambda: seen(["rig:here"], friend.read(key, home.id)), ["rig:here"])
    requirement.check_that(
        answer.is_success and mail is not None and not before and bool(after),
        expected="a 2xx and a mail; the friend reads once its link was opened, not before",
        actual={"answer": shown(answer), "mail": mail and mail.subject, "read": [before, after]},
    )


@pytest.mark.requirement("TIO-CONF-012")
def test_mail_about_sharing(home: Home, friend: User, post: Post, requirement: Judge) -> None:
    _, reads, mail = share(home, friend, post)

    to = [each for each in (mail.to if mail else ()) if each in (home.owner.email, friend.email)]
    requirement.check([reads, to], expected=[False, [friend.email]])
