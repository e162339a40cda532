"""
Random lives of several users against a model of who may do what: no sequence leaks a value.

After every step each user tries, through each app, to read each resource of each thing in every way
there is, and hears what is written; what comes back is what the model allows and nothing else.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from simulators.platforms.effects import Mail, OpenStream, StreamDocument
from simulators.platforms.provisioning import DEMO_APP, DEMO_UNOFFICIAL_APP

from ..conftest import Bench, Phone
from .permission_model import EVERYTHING, Model

USERS = ("ada", "ben", "cem")
THINGS = (0, 1)
RESOURCES = ("t", "u")

# Mostly what is worth something: with nothing to pass on little happens.
RIGHTS = (
    EVERYTHING,
    EVERYTHING,
    frozenset({"get", "grant"}),
    frozenset({"get", "grant"}),
    frozenset({"get", "post"}),
    frozenset({"get"}),
    frozenset({"post", "grant"}),
    frozenset(),
    frozenset(),
)
# What a step may be given, by the names of its arguments.
CHOICES: dict[str, tuple[Any, ...]] = {
    "user": USERS,
    "friend": USERS,
    "app": (DEMO_APP, DEMO_UNOFFICIAL_APP, DEMO_UNOFFICIAL_APP),
    "thing": (0, 0, 0, 0, 0, 1),
    "resource": ("t", "t", "t", "t", "t", "u"),
    "rights": RIGHTS,
    "by_token": (True, False),
    "is_able": (True, True, True, False),
    "which": (0, 0, 0, 1, 2, 3, 4, 5),
}
# Kinds of steps, their arguments, and how often they come.
STEPS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("share", ("user", "app", "friend", "thing", "resource", "rights", "is_able"), 8),
    ("ask", ("user", "app", "thing", "resource", "rights", "is_able"), 5),
    ("confirm", ("which",), 6),
    ("register", ("user", "app"), 2),
    ("link", ("user", "app", "thing", "by_token"), 3),
    ("unlink", ("user", "app", "thing", "is_able"), 1),
    ("device_writes", ("thing", "resource"), 1),
    ("app_writes", ("user", "app", "thing", "resource", "by_token"), 2),
)
Step = tuple[str, dict[str, Any]]


def random_steps(seed: int, count: int) -> list[Step]:
    rng = random.Random(seed)
    kinds = rng.choices(STEPS, weights=[weight for _, _, weight in STEPS], k=count)
    return [(name, {each: rng.choice(CHOICES[each]) for each in given}) for name, given, _ in kinds]


class Lives:
    """The server's core on one side, the model on the other."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.model = Model(official=frozenset({DEMO_APP}))
        self.phones: dict[tuple[str, str], Phone] = {}
        self.streams: dict[int, tuple[str, str, str]] = {}  # app, user, resource
        self.values: dict[tuple[int, str], str] = {}
        self.letters: list[tuple[int, str]] = []
        self.count = 0
        for thing in THINGS:
            for resource in RESOURCES:
                self.device_writes(thing, resource)
        for user in USERS:
            self.register(user, DEMO_APP)
        for user in USERS[:2]:
            self.register(user, DEMO_UNOFFICIAL_APP)
        self.link("ada", DEMO_APP, 0, by_token=True)

    def take(self, name: str, arguments: dict[str, Any]) -> None:
        """One step, and what has to hold after it."""
        getattr(self, name)(**arguments)
        self.count += 1
        self.nobody_reads_what_they_may_not()
        if self.count % 5 == 0:
            self.all_resources_are_those_that_may_be_read()
            self.roles_are_what_the_model_says()

    # --- what users do

    def register(self, user: str, app: str) -> None:
        if (app, user) in self.phones:
            return
        phone = self.phones[app, user] = self.bench.phone(user, app=app)
        self.model.register(app, user)
        for resource in RESOURCES:
            self._listen(app, user, phone, resource)

    def link(self, user: str, app: str, thing: int, by_token: bool) -> None:
        if phone := self.phones.get((app, user)):
            provisioned = self.bench.provisioning.things[thing]
            token = {"thingToken": provisioned.thing_token}
            body = token if by_token else {"thingId": provisioned.thing_id}
            status, _ = phone.ask("POST", "/me/things", body)
            assert (status == 200) == self.model.link(app, user, self._id(thing))
            for resource in RESOURCES:
                self._listen(app, user, phone, resource)

    def unlink(self, user: str, app: str, thing: int, is_able: bool) -> None:
        if is_able:
            user, app = self.model.owners.get(self._id(thing), user), DEMO_APP
        if phone := self.phones.get((app, user)):
            status, _ = phone.ask("DELETE", f"/me/things/{self._id(thing)}")
            assert (status == 200) == self.model.unlink(app, user, self._id(thing))

    def ask(
        self,
        user: str,
        app: str,
        thing: int,
        resource: str,
        rights: frozenset[str],
        is_able: bool,
    ) -> None:
        if is_able:
            held = self.model.of_users(self._id(thing), resource)
            user = next((one for one in _from(user) if held.get(one)), user)
        if phone := self.phones.get((app, user)):
            expected = self.model.ask(app, user, self._id(thing), resource, rights)
            self._grant(phone, thing, resource, rights, None, expected)

    def share(
        self,
        user: str,
        app: str,
        friend: str,
        thing: int,
        resource: str,
        rights: frozenset[str],
        is_able: bool,
    ) -> None:
        name = self._id(thing)
        if is_able:  # somebody who may, if there is anybody, beginning at the one named
            able = (
                (one, each)
                for each in (app, DEMO_APP)
                for one in _from(user)
                if "grant" in self.model.of_session(each, one, name, resource)
            )
            user, app = next(able, (user, app))
        phone = self.phones.get((app, user))
        is_known = any(each == friend for _, each in self.phones)
        if phone is not None and is_known and friend != user:
            expected = self.model.share(app, user, friend, name, resource, rights)
            self._grant(phone, thing, resource, rights, friend, expected)

    def confirm(self, which: int) -> None:
        """Open the link of some letter, perhaps one of old or one that was opened before."""
        if not self.letters:
            return
        number, link = self.letters[-1 - which % len(self.letters)]
        status, _ = self.bench.ask("GET", link)
        assert (status == 200) == self.model.confirm(number)
        assert self.bench.ask("GET", link)[0] == 404

    def app_writes(self, user: str, app: str, thing: int, resource: str, by_token: bool) -> None:
        if phone := self.phones.get((app, user)):
            provisioned = self.bench.provisioning.things[thing]
            name = provisioned.thing_token if by_token else provisioned.thing_id
            value = self._next_value()
            body = {"values": [{"value": value}]}
            path = f"/v2/me/resources/{resource}/{name}"
            effects = self.bench.effects("POST", path, body, session=phone.token)
            may = "post" in self.model.of_session(app, user, self._id(thing), resource)
            assert (effects[0].status == 201) == may
            if may:
                self.values[thing, resource] = value
            self._hold_told(effects, thing, resource, value if may else None)

    # --- what holds after every step

    def nobody_reads_what_they_may_not(self) -> None:
        for (app, user), phone in self.phones.items():
            for resource in RESOURCES:
                self._hold_reads(app, user, phone, resource)

    def all_resources_are_those_that_may_be_read(self) -> None:
        for (app, user), phone in self.phones.items():
            for thing in THINGS:
                expected = {
                    resource: self.values[thing, resource]
                    for resource in RESOURCES
                    if self._may_read(app, user, thing, resource)
                }
                status, entries = phone.ask("GET", f"/me/all_resources/{self._id(thing)}")
                found = {e["key"]: e["values"][0]["value"] for e in entries if status == 200}
                assert found == expected

    def roles_are_what_the_model_says(self) -> None:
        for (app, user), phone in self.phones.items():
            _, answer = self.bench.ask("POST", "/v2/login", phone.credentials)
            found = {
                (thing_id, resource): frozenset(name for name, has in flags.items() if has)
                for resource, entries in answer["roles"].items()
                for thing_id, flags in entries.items()
            }
            wanted = {
                (self._id(thing), resource): self.model.of_session(
                    app, user, self._id(thing), resource
                )
                for thing in THINGS
                for resource in RESOURCES
            }
            assert found == {key: held for key, held in wanted.items() if held}

    def _hold_reads(self, app: str, user: str, phone: Phone, resource: str) -> None:
        expected = {
            self._id(thing): self.values[thing, resource]
            for thing in THINGS
            if self._may_read(app, user, thing, resource)
        }
        status, entries = phone.ask("GET", f"/me/resources/{resource}")
        assert (status == 200) == bool(expected)
        found = {e["thingId"]: e["values"][0]["value"] for e in entries if status == 200}
        assert found == expected
        for thing in THINGS:
            status, rows = phone.ask("GET", f"/me/resources/{resource}/{self._id(thing)}")
            assert (status == 200) == (self._id(thing) in expected)
            if status == 200:
                assert [row["value"] for row in rows] == [expected[self._id(thing)]]

    # --- how the two sides are asked

    def _id(self, thing: int) -> str:
        return self.bench.provisioning.things[thing].thing_id

    def _may_read(self, app: str, user: str, thing: int, resource: str) -> bool:
        return "get" in self.model.of_session(app, user, self._id(thing), resource)

    def _next_value(self) -> str:
        self.count += 1
        return f"value {self.count}"

    def device_writes(self, thing: int, resource: str) -> None:
        value = self.values[thing, resource] = self._next_value()
        token = self.bench.provisioning.things[thing].thing_token
        body = {"values": [{"key": resource, "value": value}]}
        effects = self.bench.effects("POST", f"/v2/things/{token}", body)
        assert effects[0].status == 201
        self._hold_told(effects, thing, resource, value)

    def _hold_told(self, effects: Any, thing: int, resource: str, value: str | None) -> None:
        """Exactly those hear of a write who may read the resource now."""
        told = [effect for effect in effects if isinstance(effect, StreamDocument)]
        for effect in told:
            assert [(row["thingId"], row["value"]) for row in effect.document] == [
                (self._id(thing), value)
            ]
        heard = [stream_id for effect in told for stream_id in effect.stream_ids]
        expected = [
            stream_id
            for stream_id, (app, user, name) in self.streams.items()
            if value is not None and name == resource and self._may_read(app, user, thing, name)
        ]
        assert sorted(heard) == sorted(expected)

    def _listen(self, app: str, user: str, phone: Phone, resource: str) -> None:
        """One stream for each user, app and resource, as soon as there is something to hear."""
        if (app, user, resource) in self.streams.values():
            return
        target = f"/v2/me/resources/{resource}?subscribe=true"
        opened = self.bench.effects("GET", target, session=phone.token)[0]
        may = any(self._may_read(app, user, thing, resource) for thing in THINGS)
        assert isinstance(opened, OpenStream) == may
        if isinstance(opened, OpenStream):
            self.streams[opened.stream_id] = (app, user, resource)

    def _grant(
        self,
        phone: Phone,
        thing: int,
        resource: str,
        rights: frozenset[str],
        friend: str | None,
        expected: str,
    ) -> None:
        flags = {name: name in rights for name in sorted(EVERYTHING)}
        body: dict[str, Any] = {"permissions": {resource: {self._id(thing): flags}}}
        if friend is not None:
            body["email"] = f"{friend}@example.org"
        effects = self.bench.effects("PUT", "/v2/me/grant", body, session=phone.token)
        mails = [effect for effect in effects if isinstance(effect, Mail)]
        answer = effects[0].document["message"]
        if expected == "refused":
            assert (effects[0].status, mails) == (403, [])
        elif expected == "granted":
            assert (answer, mails) == ("granted", [])
        else:
            (mail,) = mails
            assert answer == "confirmation sent"
            assert mail.recipient == body.get("email", phone.email)
            self.letters.append((int(expected), re.search(r"http://localhost(\S+)", mail.text)[1]))


def _from(user: str) -> tuple[str, ...]:
    """All users, beginning at one of them."""
    return USERS[USERS.index(user) :] + USERS


def failure_of(steps: list[Step]) -> Exception | None:
    """Live through these steps; what went wrong, if anything did."""
    lives = Lives()
    try:
        for name, arguments in steps:
            lives.take(name, arguments)
    except Exception as failure:
        return failure
    finally:
        lives.bench.core.store.connection.close()
    return None


def shortest(steps: list[Step]) -> list[Step]:
    """The same failure with every step left out that it does not need."""
    for index in reversed(range(len(steps))):
        fewer = steps[:index] + steps[index + 1 :]
        if failure_of(fewer) is not None:
            steps = fewer
    return steps


@pytest.mark.parametrize("seed", range(40))
def test_no_sequence_leaks_a_value(seed):
    steps = random_steps(seed, 150)
    if failure_of(steps) is not None:
        few = shortest(steps)
        told = "\n".join(f"  {name} {arguments}" for name, arguments in few)
        raise AssertionError(f"after these steps:\n{told}") from failure_of(few)
