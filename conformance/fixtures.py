"""
Fixtures of the conformance tests. The only file here that imports simulators, as test equipment.
"""

from __future__ import annotations

import secrets as random_source
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from conformance.clients.exchange import Exchange, Headers, Response, answered, unanswered
from conformance.clients.stream import Stream
from conformance.clients.thethings_io import ThethingsClient
from conformance.ledger import fingerprint
from conformance.outcomes import Inconclusive, NotRun
from conformance.run import Run
from conformance.targets import Target, from_document
from conformance.tidy import remove_tag

ENOUGH_CODES = 20
LONGEST_LOAN_S = 300.0
JUDGED_ACTIVATIONS = 2
"""Activations that tests judge; with several processes their things leave as many unused."""
_numbers = count(1)


@contextmanager
def embedded_target(platform: str) -> Iterator[Target]:
    """The reference server of a platform as a child process, for as long as the context lasts."""
    from simulators.platforms.embedded import EmbeddedError, embedded_server

    with ExitStack() as resources:
        try:
            server = resources.enter_context(embedded_server(platform))
        except EmbeddedError as problem:
            raise Inconclusive(str(problem)) from problem
        yield from_document(server.target, kind="embedded")


def built_in_target(platform: str, url: str) -> Target:
    """What ``thingrig serve`` knows when told nothing else, at another URL."""
    with embedded_target(platform) as target:
        document = {**target.document, "url": url}
    return from_document(document)


class Thing:
    """
    One thing of the target, and the client's calls with its token.

    ``thing_id`` and ``activation`` are None for a thing that the target file gave.
    """

    def __init__(
        self,
        run: Run,
        token: str,
        activation: Response | None = None,
        *,
        thing_id: str | None = None,
    ) -> None:
        self._run = run
        self.api = run.api
        self.token = token
        self.activation = activation
        answer = activation.json if activation else None
        told = answer.get("thingId") if isinstance(answer, dict) else None
        self.thing_id: str | None = thing_id or told

    def is_called(self, thing_id: str) -> None:
        """The id has become known; that of a thing of others is protected."""
        self.thing_id = thing_id
        if self.token in self._run.target.credential("thing_tokens", ()):
            self._run.protected.add(thing_id)

    def key(self, name: str = "key") -> str:
        """A resource key that nobody has used before."""
        return f"{self._run.prefix}{self._run.worker or 'w'}-{next(_numbers)}-{name}"

    def given(self, values: list[dict[str, Any]], **query: Any) -> Response:
        """
        Write values that the test builds upon.

        Raises:
            Inconclusive: the write was not accepted.
        """
        response = self.write(values, **query)
        if not response.is_success:
            raise Inconclusive(f"the write to build upon was not accepted: {response.summary()}")
        return response

    def write(self, values: list[dict[str, Any]], **query: Any) -> Response:
        """See ThethingsClient.write."""
        return self.api.write(self.token, values, query=query)

    def read(self, key: str, **query: Any) -> Response:
        """See ThethingsClient.read."""
        return self.api.read(self.token, key, **query)

    def resources(self) -> Response:
        """See ThethingsClient.resources."""
        return self.api.resources(self.token)

    def all_resources(self, **query: Any) -> Response:
        """See ThethingsClient.all_resources."""
        return self.api.all_resources(self.token, **query)

    def get_description(self) -> Response:
        """See ThethingsClient.get_description."""
        return self.api.get_description(self.token)

    def put_description(self, description: Any) -> Response:
        """See ThethingsClient.put_description."""
        return self.api.put_description(self.token, description)

    def add_tag(self, name: str) -> Response:
        """See ThethingsClient.add_tag."""
        return self.api.add_tag(self.token, name)

    def tags(self) -> Response:
        """See ThethingsClient.tags."""
        return self.api.tags(self.token)

    def delete_tag(self, tag_id: str) -> Response:
        """See ThethingsClient.delete_tag."""
        return self.api.delete_tag(self.token, tag_id)

    def latest_firmwares(self) -> Response:
        """See ThethingsClient.latest_firmwares."""
        return self.api.latest_firmwares(self.token)

    def download_firmware(self, firmware_id: str) -> Response:
        """See ThethingsClient.download_firmware."""
        return self.api.download_firmware(self.token, firmware_id)

    def server_date(self, **query: Any) -> Response:
        """See ThethingsClient.server_date."""
        return self.api.server_date(thingToken=self.token, **query)

    def call_function(self, name: str, params: Any) -> Response:
        """See ThethingsClient.call_function."""
        return self.api.call_function(self.token, name, params)


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The run of this process."""
    session = pytestconfig.pluginmanager.get_plugin("conformance-session")
    found: Run = session.run  # type: ignore[union-attr]
    return found


@pytest.fixture(scope="session")
def target(run: Run) -> Target:
    """The target file."""
    return run.target


@pytest.fixture(scope="session")
def api(run: Run) -> ThethingsClient:
    """The client of the target; everything it does is evidence."""
    return run.api


@pytest.fixture(scope="session")
def activation(run: Run) -> Response:
    """The target's answer to an activation with a code nobody has used."""
    if run.jobs == 1:
        return activate(run)
    with borrowed(run, "activation") as loan:
        if loan.told is None:
            response = activate(run)
            loan.told = _told(next(each for each in run.exchanges if each.response is response))
            return response
        return _heard(run, loan.told)


@pytest.fixture(scope="session")
def thing(run: Run, request: pytest.FixtureRequest) -> Iterator[Thing]:
    """The thing of this process: activated within the run's share of codes, or given."""
    if run.jobs == 1 and run.target.credential("activation_codes"):
        found = _activated(run, request.getfixturevalue("activation")) or _given(run)
    else:
        found = _given_or_new(run)
    yield found
    tidy_up(run, found.token)


@pytest.fixture(scope="module")
def own_thing(run: Run, thing: Thing) -> Iterator[Thing]:
    """A thing of this run, whose state nobody misses; for want of it a given one."""
    if run.jobs == 1 or thing.activation:
        yield thing
        return
    with ExitStack() as loans:
        found = None
        with suppress(NotRun):
            loan = loans.enter_context(borrowed(run, "thing"))
            found = _new_thing(run) if loan.told is None else _lent(run, loan.told)
            loan.told = {"token": found.token, "id": found.thing_id} if found else None
        yield found or thing
        tidy_up(run, (found or thing).token)


@pytest.fixture(scope="session")
def second_thing(run: Run, thing: Thing) -> Iterator[Thing]:
    """Another thing than ``thing``."""
    # With several workers the codes are for what only a new thing can show.
    is_free = run.jobs > 1 or "destroy" in run.target.allow
    found = _given_or_new(run) if is_free else _new_thing(run) or _given(run)
    yield found
    tidy_up(run, found.token)


@pytest.fixture
def stream(run: Run, thing: Thing) -> Iterator[Callable[..., Stream]]:
    """Opens subscriptions to ``thing``; all are closed at the end."""
    with stream_factory(run, thing) as open_stream:
        yield open_stream


@contextmanager
def stream_factory(run: Run, thing: Thing) -> Iterator[Callable[..., Stream]]:
    """
    A function that opens subscriptions, for fixtures of any scope.

    Its arguments: ``keep_alive`` in milliseconds or None, ``thing_token`` of another thing.
    """
    opened: list[Stream] = []

    def open_stream(
        *, keep_alive: Any = None, thing_token: str | None = None, query: str | None = None
    ) -> Stream:
        words = query if query is not None else f"keepAlive={keep_alive}" if keep_alive else ""
        target = f"/v2/things/{thing_token or thing.token}" + (f"?{words}" if words else "")
        opened.append(Stream(run.api.http, target))
        return opened[-1]

    try:
        yield open_stream
    finally:
        for each in opened:
            each.close()


@pytest.fixture
def unknown_token() -> str:
    """A token of the right shape that no thing has."""
    return random_source.token_urlsafe(32)


@dataclass
class Loan:
    """What the processes of a run share one after the other; ``told`` is None before it is made."""

    told: dict[str, Any] | None


@contextmanager
def borrowed(run: Run, name: str) -> Iterator[Loan]:
    """
    Something of the run for as long as the context lasts; whoever has it first makes it.

    Raises:
        NotRun: another process could not make it.
        Inconclusive: another process keeps it.
    """
    word, told = run.desk.borrow(name)
    deadline = time.monotonic() + LONGEST_LOAN_S
    while word == "wait" and time.monotonic() < deadline:
        time.sleep(0.1)
        word, told = run.desk.borrow(name)
    if word == "none":
        raise NotRun(f"no {name} could be had, which the processes of the run share")
    if word == "wait":
        raise Inconclusive(f"another process keeps the {name} that they share")
    loan = Loan(told)
    try:
        yield loan
    finally:
        run.desk.give_back(name, loan.told)


def _told(exchange: Exchange) -> dict[str, Any]:
    """An exchange for other processes."""
    response = exchange.response
    return {
        "target": exchange.target,
        "sent": exchange.body.decode(),
        "status": response.status,
        "headers": dict(response.headers),
        "body": response.body.decode("latin-1"),
        "error": response.error,
        "elapsed_s": response.elapsed_s,
    }


def _heard(run: Run, told: dict[str, Any]) -> Response:
    """The response of an exchange that another process had; it is evidence here as well."""
    body, elapsed_s = told["body"].encode("latin-1"), told["elapsed_s"]
    response = unanswered(str(told["error"]), elapsed_s)
    if told["status"] is not None:
        response = answered(told["status"], Headers(told["headers"]), body, elapsed_s)
    exchange = Exchange(
        "POST", told["target"], {}, told["sent"].encode(), response, 0.0, run.api.url
    )
    exchange.is_borrowed = True
    run.exchanges.append(exchange)
    return response


def _lent(run: Run, told: dict[str, Any]) -> Thing:
    return Thing(run, told["token"], thing_id=told["id"])


def activate(run: Run, *, keep: int = 0) -> Response:
    """
    Activate with codes until one is not refused as unknown.

    Args:
        keep: how many of the run's activations must remain for others.
    Returns:
        The answer to judge: of the first code that was not refused; or of the last one, when the
        codes are fresh or so many were refused that they cannot all be used up.
    Raises:
        NotRun: no codes, or no share left.
        Inconclusive: the few codes there are were all refused: they may be used up.
    """
    if not run.target.credential("activation_codes"):
        raise NotRun("the target file has no credentials.activation_codes")
    if not run.desk.take_activation(keep=keep):
        raise NotRun("the run has used its three activation codes")
    response: Response | None = None
    tried = 0
    while tried < _tries(run) and (code := run.desk.next_code()):
        tried += 1
        response = run.api.activate(code, run.target.credential("product_id"))
        if not _is_unknown_code(response):
            return response
    run.desk.return_activation()
    if response is None or (tried < ENOUGH_CODES and run.target.kind != "embedded"):
        raise Inconclusive(f"all {tried} activation codes tried were refused; they may be used up")
    return response


def tidy_up(run: Run, thing_token: str) -> None:
    """Remove the tags that the run has added to a thing; what remains is told as left behind."""
    for number, entry in run.desk.created("tag"):
        is_here = entry["thing"] == fingerprint(thing_token)
        if is_here and remove_tag(run.api, thing_token, entry["what"]):
            run.desk.mark(number, "removed", {})


def _tries(run: Run) -> int:
    return 2 if run.target.kind == "embedded" else ENOUGH_CODES


def _is_unknown_code(response: Response) -> bool:
    """The documented answer to a code that is unknown or used."""
    return response.status == 400 and isinstance(response.json, dict)


def _activated(run: Run, response: Response) -> Thing | None:
    answer = response.json
    token = answer.get("thingToken") if isinstance(answer, dict) else None
    return Thing(run, token, response) if isinstance(token, str) and token else None


def _new_thing(run: Run) -> Thing | None:
    try:
        return _activated(run, activate(run, keep=JUDGED_ACTIVATIONS if run.jobs > 1 else 0))
    except (NotRun, Inconclusive):
        return None


def _given_or_new(run: Run) -> Thing:
    token = run.desk.next_token()
    return Thing(run, token) if token else _new_thing(run) or _given(run)


def _given(run: Run) -> Thing:
    token = run.desk.next_token()
    if token:
        return Thing(run, token)
    raise NotRun("no thing is left: no code that works, no further credentials.thing_tokens")
