"""
Stored uplinks: what hosted deployments have, and the open source server has not.

Where there is no storage the tests are not applicable; the evidence is the answer that says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.things_stack.answers import error_of, part
from conformance.things_stack.event_stream import Subscription
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import Talker, uplink
from conformance.things_stack.traffic_fixtures import PATIENCE_S, Api

ACCEPT = {"Accept": "text/event-stream"}
PACKAGE = "packages/associations/100"
STORED = "packages/storage/uplink_message"
BATCH_S = 60.0
"""How long hosted deployments may take: they write to their database in batches."""


@pytest.fixture(scope="module")
def storage(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Iterator[Talker]:
    """A device whose uplinks are stored, and one uplink of it."""
    node = registrar.abp("1.0.2")
    talker = Talker(stack_api, traffic_application, node, application_events)
    answer = talker.api.call("GET", f"{talker.path}/{STORED}", headers=ACCEPT)
    if answer.status in (404, 501) and not error_of(answer):
        raise NotApplicable(
            f"the target has no storage integration: GET …/{STORED} is answered with status "
            f"{answer.status} by what knows no such path"
        )
    body = {
        "association": {"package_name": "storage-integration"},
        "field_mask": {"paths": ["package_name"]},
    }
    path = f"{talker.path}/{PACKAGE}"
    stack_api.stack.given(talker.api.call("PUT", path, body))
    talker.simulate(uplink(b"\x0a\x0b", f_port=9, f_cnt=5)).ok_json()
    yield talker
    talker.api.call("DELETE", path)


def results(talker: Talker, query: str = "") -> list[Any]:
    """The messages of a device that are stored, once there is one."""
    is_far = talker.api.patience_s >= PATIENCE_S
    deadline = time.monotonic() + (BATCH_S if is_far else talker.api.patience_s)
    while True:
        answer = talker.api.call("GET", f"{talker.path}/{STORED}{query}", headers=ACCEPT)
        if found := messages_in(answer):
            return found
        if time.monotonic() >= deadline:
            return []
        time.sleep(0.3)


def messages_in(answer: Response) -> list[Any]:
    """Every ``result`` of an answer, line by line."""
    lines = [each for each in answer.body.decode("utf-8", "replace").splitlines() if each.strip()]
    try:
        return [part(json.loads(each), "result") for each in lines] if answer.is_success else []
    except ValueError:
        return []


@pytest.mark.requirement("TTS-ST-001")
def test_uplink_is_stored(storage: Talker, requirement: Judge) -> None:
    found = [
        [part(each, "end_device_ids", "device_id"), part(each, "uplink_message", "frm_payload")]
        for each in results(storage)
    ]
    requirement.check(found, expected=[[storage.device_id, "Cgs="]])


@pytest.mark.requirement("TTS-ST-002")
def test_mask_trims_what_is_stored(storage: Talker, requirement: Judge) -> None:
    found = results(storage, "?field_mask=up.uplink_message.f_port")

    messages = [part(each, "uplink_message") or {} for each in found]
    requirement.check(
        [[each.get("f_port"), "frm_payload" in each] for each in messages], expected=[[9, False]]
    )


@pytest.mark.requirement("TTS-ST-003")
def test_stored_uplinks_are_counted(storage: Talker, requirement: Judge) -> None:
    results(storage)

    answer = storage.api.call("GET", f"{storage.path}/{STORED}/count")

    count = part(answer.json, "count", storage.device_id)
    requirement.check([answer.status, count], expected=[200, 1])


@pytest.mark.requirement("TTS-ST-004")
def test_nothing_stored_is_an_empty_body(storage: Talker, requirement: Judge) -> None:
    path = f"{storage.path}/{STORED}?before=2020-01-01T00:00:00Z"

    answer = storage.api.call("GET", path, headers=ACCEPT)

    requirement.check([answer.status, answer.body], expected=[200, b""])
