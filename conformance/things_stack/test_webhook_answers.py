"""Webhooks: what their receivers' answers mean, their older names, and how they rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.clients.webhook_receiver import WebhookReceiver
from conformance.judge import Judge
from conformance.outcomes import Inconclusive, NotApplicable
from conformance.things_stack.answers import part
from conformance.things_stack.event_stream import Subscription
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import Talker, downlink, uplink
from conformance.things_stack.test_webhooks import (
    AGAIN_S,
    NOWHERE,
    WITHIN_S,
    Hook,
    hook,
    identifiers_of,
    put,
)
from conformance.things_stack.traffic_fixtures import Api

__all__ = ["hook"]  # a fixture
FAILED = "as.webhook.fail"
Told = Callable[..., Talker]


@pytest.fixture
def talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Talker:
    """A device of its own for each test: whatever failed is about its messages."""
    return Talker(stack_api, traffic_application, registrar.abp("1.0.2"), application_events)


@pytest.fixture
def answered(talker: Talker, hook: Hook, receiver: WebhookReceiver) -> Told:
    """Queues a downlink, of which webhooks are told whose receiver answers with these statuses."""

    def tell(*statuses: int) -> Talker:
        mark = talker.api.name("status")
        for status in statuses:
            url = f"{receiver.url}/{mark}/status/{status}"
            hook(base_url=url, format="json", downlink_queued={})
        talker.push(downlink()).ok_json()
        found = receiver.wait_for(f"/{mark}/", count=len(statuses), within_s=WITHIN_S)
        if len(found) < len(statuses):
            raise Inconclusive("the webhooks were not told of the queued downlink")
        return talker

    return tell


@pytest.mark.requirement("TTS-WH-026")
def test_app_eui_is_the_join_eui(
    talker: Talker, hook: Hook, receiver: WebhookReceiver, requirement: Judge
) -> None:
    mark = talker.api.name("older")
    url = f"{receiver.url}/{mark}/{{appEUI}}"
    hook(base_url=url, format="json", uplink_message={"path": "/{appEUI}"})
    ids = identifiers_of(talker)

    talker.simulate({"end_device_ids": ids, **uplink()}).ok_json()

    found = receiver.wait_for(f"/{mark}/", count=1, within_s=WITHIN_S)
    paths = [each.path.partition(f"/{mark}/")[2] for each in found]
    requirement.check(paths, expected=[f"{ids['join_eui']}/{ids['join_eui']}"])


@pytest.mark.requirement("TTS-WH-027")
def test_redirection_is_no_success(answered: Told, requirement: Judge) -> None:
    failed = answered(302, 304).events(FAILED, count=2)

    requirement.check(len(failed), expected=2)


@pytest.mark.requirement("TTS-WH-028")
def test_every_2xx_is_success(answered: Told, requirement: Judge) -> None:
    talker = answered(202, 204)

    requirement.check(len(talker.events(FAILED, count=1, within_s=AGAIN_S)), expected=0)


@pytest.mark.requirement("TTS-WH-029")
def test_failed_webhook_is_not_healthy(
    answered: Told, stack_api: Api, traffic_application: str, requirement: Judge
) -> None:
    answered(503).events(FAILED, count=1)

    path = f"/as/webhooks/{traffic_application}?field_mask=base_url,health_status"
    listed: list[Any] = stack_api.call("GET", path).ok_json().get("webhooks", [])
    failing = [each for each in listed if "/status/503" in str(part(each, "base_url"))]
    healthy = [part(each, "health_status", "healthy") is not None for each in failing]
    # Only deployments that keep count tell anything.
    requirement.check(healthy, expected=[False])


@pytest.mark.requirement("TTS-WH-030")
def test_paused_webhook_takes_no_downlinks(
    talker: Talker, hook: Hook, stack_api: Api, requirement: Judge
) -> None:
    talker.replace().ok_json()
    name = hook(base_url=NOWHERE, format="json")
    if put(stack_api, talker.application_id, name, {"paused": True}).status == 400:
        raise NotApplicable("the target's webhooks cannot be paused")
    path = (
        f"/as/applications/{talker.application_id}/webhooks/{name}"
        f"/devices/{talker.device_id}/down/push"
    )

    answer = stack_api.call("POST", path, {"downlinks": [downlink(b"\x05")]})

    requirement.check([answer.status, talker.queue()], expected=[406, {}])
