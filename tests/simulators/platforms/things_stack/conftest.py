"""A core of The Things Stack in memory, with an admin, a user and their keys."""

from __future__ import annotations

import random
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from simulators.platforms.effects import Answer, Effects, Hash, OpenStream, Request, Work
from simulators.platforms.scripting.worker import Job, Result, ScriptWorker, by_key
from simulators.platforms.slow_hash import hashed
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.provisioning import (
    ProvisionedKey,
    ProvisionedUser,
    Provisioning,
)
from simulators.platforms.things_stack.stock import provision
from simulators.platforms.things_stack.tables_of_servers import TABLES
from tests.simulators.platforms.things_stack.traffic import IDS, Traffic

NOON_US = 1_706_702_400_000_000  # 2024-01-31T12:00:00Z
NOON = "2024-01-31T12:00:00Z"
SECOND_US = 1_000_000
ADMIN_KEY = f"NNSXS.{'A' * 39}.{'A' * 52}"
USER_KEY = f"NNSXS.{'B' * 39}.{'B' * 52}"
OTHER_KEY = f"NNSXS.{'C' * 39}.{'C' * 52}"


def provisioning() -> Provisioning:
    """An admin and two users."""
    everything = ("RIGHT_ALL",)
    return Provisioning(
        users=[
            ProvisionedUser("boss", "boss@example.com", "boss-password", is_admin=True),
            ProvisionedUser("user1", "user1@example.com", "user1-password"),
            ProvisionedUser("user2", "user2@example.com", "user2-password"),
        ],
        api_keys=[
            ProvisionedKey(ADMIN_KEY, "user", "boss", everything),
            ProvisionedKey(USER_KEY, "user", "user1", everything),
            ProvisionedKey(OTHER_KEY, "user", "user2", everything),
        ],
    )


@dataclass
class Bench:
    """A core, a clock that only the test moves, and shortcuts for requests."""

    policy: Policy = field(default_factory=lambda: Policy(password_cost=1))
    now_us: int = NOON_US
    headers: dict[str, str] = field(default_factory=dict)  # of the last answer

    def __post_init__(self) -> None:
        self._worker: ScriptWorker | None = None
        self.connection = open_database(None, TABLES)
        self.close = weakref.finalize(self, self.connection.close)  # by whoever is the last
        self.core = Core(self.connection, random.Random(8), policy=self.policy)
        for tenant in self.policy.tenants or ("",):
            provision(self.core.stack, provisioning(), tenant=tenant, now_us=NOON_US)

    def effects(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = USER_KEY,
        headers: dict[str, str] | None = None,
        http_1_0: bool = False,
    ) -> Effects:
        path, _, query = target.partition("?")
        path = path if path.startswith("//") else f"/api/v3{path}"
        lines = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        if key is not None:
            lines.append((b"Authorization", f"Bearer {key}".encode()))
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        request = Request(
            method, path.replace("//", "/", 1), query, lines, data, is_http_1_0=http_1_0
        )
        effects = self.core.handle(request, self.now_us)
        while isinstance(effects[0], Hash | Work):
            if isinstance(effects[0], Hash):
                request.hashed = hashed(effects[0])
            else:
                jobs = effects[0].jobs
                request.worked = (request.worked or {}) | by_key(jobs, self.results(jobs))
            effects = self.core.handle(request, self.now_us)
        return effects

    def results(self, jobs: Sequence[Job]) -> list[Result]:
        """What comes of scripts."""
        if self._worker is None:
            self._worker = ScriptWorker()
            weakref.finalize(self, self._worker.close)
        return [self._worker.run(job) for job in jobs]

    def run_scripts(self) -> None:
        """Let the messages go on that wait for scripts."""
        outbox = self.core.stack.outbox
        while works := [effect for effect in outbox if isinstance(effect, Work)]:
            outbox[:] = [effect for effect in outbox if not isinstance(effect, Work)]
            for work in works:
                results = self.results(work.jobs)
                outbox += self.core.worked(work.number, results, self.now_us)

    def ask(self, method: str, target: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and document of the answer."""
        answer = self.effects(method, target, body, **options)[0]
        assert isinstance(answer, Answer)
        self.headers = dict(answer.headers)
        return answer.status, answer.document

    def get(self, target: str, **options: Any) -> tuple[int, Any]:
        return self.ask("GET", target, **options)

    def post(self, target: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        return self.ask("POST", target, body, **options)

    def put(self, target: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        return self.ask("PUT", target, body, **options)

    def delete(self, target: str, **options: Any) -> tuple[int, Any]:
        return self.ask("DELETE", target, **options)

    def made(self, target: str, body: Any, *, method: str = "POST", **options: Any) -> Any:
        """The document of something that has to be made."""
        status, document = self.ask(method, target, body, **options)
        assert status == 200, document
        return document

    def refused(self, method: str, target: str, body: Any = None, **options: Any) -> Any:
        """Status, name and public attributes of an error."""
        status, document = self.ask(method, target, body, **options)
        if "details" not in document:
            return status, document["code"], document["message"]
        (details,) = document["details"]
        assert details["code"] == document["code"]
        name = f"{details['namespace']}:{details['name']}"
        assert document["message"].startswith(f"error:{name} (")
        return status, name.removeprefix("pkg/"), details.get("attributes", {})

    def listen(self, body: Any, **options: Any) -> Any:
        """The opened stream and everything in it so far."""
        effects = self.effects("POST", "/events", body, **options)
        assert isinstance(effects[0], OpenStream)
        return effects[0]

    def application(self, application_id: str = "app1", **options: Any) -> Any:
        body = {"application": {"ids": {"application_id": application_id}}}
        return self.made("/users/user1/applications", body, **options)

    def key(self, entity: str, *rights: str, **options: Any) -> str:
        """A new API key: ``key("applications/app1", "RIGHT_APPLICATION_INFO")``."""
        document = self.made(f"/{entity}/api-keys", {"rights": list(rights)}, **options)
        return str(document["key"])

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A core with default policy."""
    made = Bench()
    yield made
    made.close()


@pytest.fixture
def with_policy():
    """Makes a core with another policy."""

    made: list[Bench] = []

    def make(**values: Any) -> Bench:
        made.append(Bench(policy=Policy(**({"password_cost": 1} | values))))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def traffic(bench):
    """An application that listens to itself and its device ``dev1``, which is not there yet."""
    bench.application()
    application = {"application_ids": {"application_id": "app1"}}
    bench.listen({"identifiers": [application, {"device_ids": IDS}]})
    return Traffic(bench)
