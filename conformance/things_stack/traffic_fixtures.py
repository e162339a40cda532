"""
Fixtures of traffic: an application of the run, its events, a place for the radio.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.clients.exchange import Response
from conformance.clients.http import NO_DOCUMENT, Http
from conformance.clients.stream import Stream
from conformance.clients.webhook_receiver import WebhookReceiver
from conformance.outcomes import Inconclusive, NotRun
from conformance.run import Run
from conformance.stack_fixtures import Stack
from conformance.targets import HERE, webhook_place
from conformance.things_stack.answers import permitted
from conformance.things_stack.event_stream import Subscription, events_in, open_events
from conformance.things_stack.lab import PLANS, Lab, Place
from conformance.things_stack.registering import Registrar
from conformance.things_stack.scripts import Loop

PATIENCE_S, PATIENCE_HERE_S = 15.0, 5.0
"""How long an event may take from a deployment far away, and from one on this machine."""


class Api:
    """The target's HTTP API with the key of its user."""

    def __init__(self, run: Run, stack: Stack) -> None:
        self.run = run
        self.stack = stack
        self.key: str = run.target.credential("api_key")
        self.http = run.stack.server("/as")
        is_here = urlsplit(run.target.url).hostname in HERE
        self.patience_s = PATIENCE_HERE_S if is_here else PATIENCE_S

    def call(self, method: str, path: str, document: Any = NO_DOCUMENT, **more: Any) -> Response:
        """A request; ``path`` is the one below ``/api/v3``."""
        return self.run.stack.send(method, path, document, **more)

    def name(self, word: str) -> str:
        """An identifier of the run that nobody has used before, with a word that tells its kind."""
        return f"{self.stack.new_id()}-{word}"


@pytest.fixture(scope="session")
def stack_api(run: Run, stack: Stack) -> Api:
    """Calls to the target's API."""
    return Api(run, stack)


@pytest.fixture(scope="session")
def traffic_application(stack_api: Api) -> str:
    """The id of an application of this process, for devices that talk."""
    return stack_api.stack.new_application()


@pytest.fixture(scope="session")
def application_events(stack_api: Api, traffic_application: str) -> Iterator[Subscription]:
    """The events of that application."""
    subscription = open_application_events(stack_api, traffic_application)
    yield subscription
    subscription.close()


def open_application_events(
    api: Api, application_id: str, http: Http | None = None
) -> Subscription:
    """
    Subscribe to an application.

    Args:
        http: the server whose events are wanted, where servers stand apart; the Application Server
            unless it is named.
    Raises:
        Inconclusive: it was not accepted, or no event tells that it has begun.
    """
    body = {"identifiers": [{"application_ids": {"application_id": application_id}}]}

    def subscribe() -> Stream:
        stream = open_events(http or api.http, api.key, body)
        if stream.status != 200 or not stream.wait_for(1, 5.0):
            stream.close()
            raise Inconclusive(f"the event stream did not open: {stream.response.summary()}")
        return stream

    return Subscription(subscribe)


@pytest.fixture(scope="session")
def registrar(stack_api: Api, traffic_application: str) -> Registrar:
    """Registers devices of that application."""
    plan = stack_api.stack.frequency_plan
    return Registrar(stack_api.call, traffic_application, stack_api.name, plan)


@pytest.fixture(scope="session")
def lab(
    run: Run,
    stack_api: Api,
    registrar: Registrar,
    application_events: Subscription,
    radio_loop: Loop,
) -> Iterator[Lab]:
    """Where scripts for devices work."""
    place = place_of(run)

    def new_gateway(gateway_id: str, eui: str, plan: str) -> None:
        # Not public, and without the duty cycle that would decide what is sent in which window.
        ids = {"gateway_id": gateway_id, "eui": eui}
        gateway = {"ids": ids, "frequency_plan_id": plan, "frequency_plan_ids": [plan]}
        path = f"/users/{stack_api.stack.user_id}/gateways"
        permitted(stack_api.call("POST", path, {"gateway": gateway})).ok_json()

    found = Lab(
        stack_api.call,
        registrar,
        new_gateway,
        application_events,
        stack_api.name,
        place,
        stack_api.patience_s,
    )
    yield found
    radio_loop.run(found.close())


def place_of(run: Run) -> Place:
    """
    Where the target's gateways send to.

    Raises:
        NotRun: the target file does not tell, or names a plan that the tests have no literals for.
    """
    table = run.target.document.get("gateway", {})
    if "udp" not in table:
        raise NotRun("the target file has no gateway.udp")
    plan = table.get("frequency_plan", "EU_863_870_TTN")
    if plan not in PLANS:
        raise NotRun(f"the tests know the frequency plans {', '.join(PLANS)}; not {plan}")
    host, _, port = table["udp"].rpartition(":")
    lns = table.get("lns")
    ca_file = run.target.ca_file
    context = ssl.create_default_context(cafile=ca_file) if lns and lns[:4] == "wss:" else None
    return Place(host.strip("[]"), int(port), plan, lns, context)


@pytest.fixture(scope="session")
def receiver(run: Run, application_events: Subscription) -> Iterator[WebhookReceiver]:
    """Receives the target's webhooks."""
    place = webhook_place(run.target)
    if place is None:
        raise NotRun("the target file has no [webhook]: the target cannot reach this machine")
    try:
        found = WebhookReceiver(*place)
    except OSError as problem:
        raise NotRun(f"webhook.listen of the target file: {problem}") from problem
    found.look = partial(be_reached, found.url, application_events)
    yield found
    found.close()


def be_reached(url: str, application_events: Subscription) -> None:
    """
    Let pass a target that tells of no webhook that it could not deliver.

    Raises:
        Inconclusive: it does, and nothing has ever come: it cannot reach this machine, or may not.
    """
    if any(each.get("name") == "as.webhook.fail" for each in events_in(application_events)):
        raise Inconclusive(f"the target tells that no webhook reaches {url}: as.webhook.fail")
