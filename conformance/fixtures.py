"""
Fixtures of the conformance tests. The only file here that imports simulators, as test equipment.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.clients.stream import Stream
from conformance.clients.thethings_io import ThethingsClient
from conformance.ledger import fingerprint
from conformance.outcomes import Inconclusive, NotRun
from conformance.run import Run
from conformance.targets import Target, from_document
from conformance.tidy import remove_tag

ENOUGH_CODES = 20
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

    def __init__(self, run: Run, token: str, activation: Response | None = None) -> None:
        self._run = run
        self.api = run.api
        self.token = token
        self.activation = activation
        answer = activation.json if activation else None
        self.thing_id = answer.get("thingId") if isinstance(answer, dict) else None

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
def activation(run: Run, request: pytest.FixtureRequest) -> Response:
    """The target's answer to an activation with a code nobody has used."""
    try:
        return activate(run)
    except NotRun:
        # Several processes may each ask; the activation of our own thing is as good.
        used = request.getfixturevalue("thing").activation if run.jobs > 1 else None
        if used is None:
            raise
        found: Response = used
        return found


@pytest.fixture(scope="session")
def thing(run: Run, request: pytest.FixtureRequest) -> Iterator[Thing]:
    """The thing of this process: activated within the run's share of codes, or given."""
    if run.jobs == 1 and run.target.credential("activation_codes"):
        found = _activated(run, request.getfixturevalue("activation")) or _given(run)
    else:
        found = _given_or_new(run)
    yield found
    tidy_up(run, found.token)


@pytest.fixture(scope="session")
def own_thing(run: Run, thing: Thing) -> Iterator[Thing]:
    """A thing of this run, whose state nobody misses; for want of it a given one."""
    found = thing if run.jobs == 1 or thing.activation else _new_thing(run) or thing
    yield found
    tidy_up(run, found.token)


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
