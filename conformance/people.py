"""
Users of apps as test equipment: registered under the run's prefix where that is allowed, else given
by the target file. And homes: a user with a thing that is linked for as long as a file's tests run.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import pytest

from conformance.clients.app_session import AppSession
from conformance.clients.exchange import Response
from conformance.clients.mailbox import address_of
from conformance.fixtures import Thing
from conformance.outcomes import Inconclusive, NotRun
from conformance.run import Run
from conformance.tidy import keys_in, remove, remove_permissions, unlink

_numbers = count(1)


class User(AppSession):
    """
    A user of an app with a session.

    ``is_registered`` tells users of this run from those that the target file gave.
    """

    def __init__(
        self, run: Run, email: str, password: str, app_id: str, token: str, *, is_registered: bool
    ) -> None:
        super().__init__(run.api.http, token)
        self._api = run.api
        self.email = email
        self.password = password
        self.app_id = app_id
        self.is_registered = is_registered

    def login(self, password: str | None = None) -> Response:
        """Log in once more, with another password if one is given."""
        given = self.password if password is None else password
        return self._api.login(self.email, given, self.app_id)


class Home(NamedTuple):
    """A user and a thing that belongs to them."""

    owner: User
    thing: Thing
    id: str

    def key(self, name: str = "key") -> str:
        """A resource that nobody has used before."""
        return self.thing.key(name)

    def given(self, value: Any, name: str = "key", **more: Any) -> str:
        """A resource to which the thing has written one value; its name."""
        key = self.key(name)
        self.thing.given([{"key": key, "value": value, **more}])
        return key

    def read(self, key: str, **query: Any) -> Response:
        """What the owner reads of a resource of the thing."""
        return self.owner.read(key, self.id, **query)


class People:
    """Everybody of one process; what they created is removed as far as the API can."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[tuple[str, str], User] = {}
        self._is_closed = "registration" in run.target.lacks
        self.app_id = run.target.credential("app_id")

    def somebody(self) -> User:
        """
        A user whom no other test process has.

        Raises:
            NotRun: there is no app, or nobody is left.
            Inconclusive: registering was tried, and brought no session.
        """
        if not self.app_id:
            raise NotRun("the target file has no credentials.app_id")
        user = self._given() if self._is_closed else self.newcomer()
        self._known[user.email, user.app_id] = user
        return user

    def newcomer(self, *, app_id: str | None = None, password: str | None = None) -> User:
        """
        Somebody who has just registered.

        Raises:
            Inconclusive: no session came of it.
        """
        return self.registered(self.address(), password or self.secret(), app_id or self.app_id)

    def registered(self, email: str, password: str, app_id: str) -> User:
        """Register, and log in if that brings no session; also somebody known from another app."""
        self._run.secrets.add("password", password)
        answer = self._run.api.register(email, password, app_id)
        token = token_of(answer)
        if token is None or not self._serves(token):
            token = token_of(self._run.api.login(email, password, app_id)) or token
            self._serves(token)  # some sessions wake up late, which other tests judge
        if token is None:
            raise Inconclusive(f"a user could not be registered: {answer.summary()}")
        user = User(self._run, email, password, app_id, token, is_registered=True)
        self._known.setdefault((email, app_id), user)
        return user

    def _serves(self, token: str | None) -> bool:
        return token is not None and self._run.api.session(token).settings().status != 401

    def address(self) -> str:
        """An e-mail address nobody has used before, whose mail lands in the mailbox."""
        name = f"{self._run.prefix}{self._run.worker or 'w'}-{next(_numbers)}"
        return address_of(self._run.target.document.get("mailbox", {}), name)

    def secret(self) -> str:
        """A new password."""
        password = random_source.token_urlsafe(15)
        self._run.secrets.add("password", password)
        return password

    def _given(self) -> User:
        document = self._run.desk.next_user()
        if document is None:
            raise NotRun("no user is left in credentials.users, and registration is lacking")
        email, password = document["email"], document["password"]
        answer = self._run.api.login(email, password, self.app_id)
        token = token_of(answer)
        if token is None:
            raise Inconclusive(f"a user of the target file cannot log in: {answer.summary()}")
        return User(self._run, email, password, self.app_id, token, is_registered=False)

    def tidy_up(self, *kinds: str) -> None:
        """Remove what these users have created, one kind after the other."""
        for kind in kinds:
            for user in list(self._known.values()):
                self._remove(kind, user)

    def _remove(self, kind: str, user: User) -> None:
        entries = [
            (number, entry)
            for number, entry in self._run.desk.created(kind)
            if (entry.get("user"), entry.get("app", self.app_id)) == (user.email, user.app_id)
        ]
        if kind == "permission" and remove_permissions(user, [entry for _, entry in entries]):
            removed = entries  # with one request, not with one for each
        else:
            removed = [each for each in entries if remove(user, each[1])]
        for number, _ in removed:
            self._run.desk.mark(number, "removed", {})


def token_of(answer: Response) -> str | None:
    """The session token that register and login hand out."""
    token = answer.json.get("token") if isinstance(answer.json, dict) else None
    return token if answer.is_success and isinstance(token, str) and token else None


@pytest.fixture(scope="session")
def people(run: Run) -> Iterator[People]:
    """Where users come from."""
    found = People(run)
    yield found
    found.tidy_up("permission", "objects", "link")


@pytest.fixture(scope="session")
def owner(people: People) -> User:
    """The user whose things the tests are about."""
    return people.somebody()


@pytest.fixture(scope="session")
def friend(people: People) -> User:
    """Somebody with whom the owner shares."""
    return people.somebody()


@pytest.fixture(scope="session")
def stranger(people: People) -> User:
    """Somebody with whom nobody shares anything."""
    return people.somebody()


@pytest.fixture(scope="module")
def home(people: People, owner: User, thing: Thing) -> Iterator[Home]:
    """The owner with a thing."""
    with moved_in(people, owner, thing) as found:
        yield found


@pytest.fixture(scope="module")
def annex(people: People, owner: User, second_thing: Thing) -> Iterator[Home]:
    """The owner with a second thing."""
    with moved_in(people, owner, second_thing) as found:
        yield found


@pytest.fixture(scope="module")
def neighbour(people: People, stranger: User, second_thing: Thing) -> Iterator[Home]:
    """The stranger with a thing of their own."""
    with moved_in(people, stranger, second_thing) as found:
        yield found


@pytest.fixture(scope="module")
def own_home(people: People, owner: User, own_thing: Thing) -> Iterator[Home]:
    """The owner with a thing whose state nobody misses."""
    with moved_in(people, owner, own_thing) as found:
        yield found


@contextmanager
def moved_in(people: People, user: User, thing: Thing) -> Iterator[Home]:
    """
    A thing that is linked to a user for as long as the context lasts.

    Raises:
        Inconclusive: it could not be linked, neither by its token nor by its id.
    """
    thing_id = linked(user, thing)
    try:
        yield Home(user, thing, thing_id)
    finally:
        people.tidy_up("permission", "link")
        if thing_id in keys_in(user.things()):  # the answer to the link did not tell its id
            unlink(user, thing_id)


def linked(user: User, thing: Thing) -> str:
    """Link, unless that was done already; the thing's id."""
    before = keys_in(user.things())
    answer = user.link(thing_token=thing.token)
    if not answer.is_success and thing.thing_id:
        answer = user.link(thing_id=thing.thing_id)
    told = answer.json.get("thingId") if isinstance(answer.json, dict) else None
    new = [each for each in keys_in(user.things()) if each not in before]
    known = thing.thing_id or (told if isinstance(told, str) else next(iter(new), None))
    if known is None or not (answer.is_success or known in before):
        raise Inconclusive(f"a thing could not be linked: {answer.summary()}")
    thing.is_called(known)
    return known
