"""Webhooks: their registry, and what they deliver to a receiver of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.clients.webhook_receiver import Delivery, WebhookReceiver
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.answers import part
from conformance.things_stack.event_stream import Subscription, events_in
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import Talker, downlink, error_name, refusal, uplink
from conformance.things_stack.traffic_fixtures import Api

WITHIN_S = 10.0
AGAIN_S = 0.5
"""How long to look for second attempts of what has been delivered, or has failed."""
NOWHERE = "https://webhooks.example.com/base"
Hook = Callable[..., str]
OTHER_KINDS = (
    "join_accept", "downlink_ack", "downlink_nack", "downlink_sent", "downlink_failed",
    "downlink_queued", "downlink_queue_invalidated", "location_solved", "service_data",
    "uplink_normalized",
)  # fmt: skip


@pytest.fixture(scope="module")
def talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Talker:
    """A device that talks."""
    return Talker(stack_api, traffic_application, registrar.abp("1.0.2"), application_events)


@pytest.fixture
def hook(stack_api: Api, traffic_application: str) -> Iterator[Hook]:
    """Makes webhooks, and removes them at the end; returns the id of each."""
    made: list[str] = []

    def make(**members: Any) -> str:
        name = stack_api.name("hook")
        made.append(name)
        put(stack_api, traffic_application, name, members).ok_json()
        return name

    yield make
    for each in made:
        stack_api.call("DELETE", f"/as/webhooks/{traffic_application}/{each}")


def put(api: Api, application_id: str, name: str, members: dict[str, Any]) -> Any:
    """PUT /as/webhooks/{a}/{w} with these members and a mask of them."""
    ids = {"webhook_id": name, "application_ids": {"application_id": application_id}}
    body = {"webhook": {"ids": ids, **members}, "field_mask": {"paths": list(members)}}
    return api.call("PUT", f"/as/webhooks/{application_id}/{name}", body)


@pytest.fixture(scope="module")
def delivered(
    talker: Talker, receiver: WebhookReceiver, stack_api: Api, traffic_application: str
) -> Iterator[dict[str, list[Delivery]]]:
    """What an uplink makes webhooks of all kinds deliver, by the word in their path."""
    hooks: dict[str, dict[str, Any]] = {
        "plain": {"headers": {"X-My-Key": "42"}, "uplink_message": {"path": "/up"}},
        "keyed": {"downlink_api_key": "NNSXS.A.B", "uplink_message": {}},
        "slash/": {"uplink_message": {"path": "up"}},
        "vars/{appID}/{devID}/{devEUI}": {
            "uplink_message": {"path": "/{applicationID}/{deviceID}/{joinEUI}/{devAddr}"}
        },
        "deaf": {"downlink_queued": {"path": "/queued"}},
        "masked": {"uplink_message": {}, "field_mask": {"paths": ["up.uplink_message.f_port"]}},
        "fail": {"uplink_message": {}},
        "binary": {"format": "protobuf", "uplink_message": {}},
    }
    mark = stack_api.name("hooks")
    names = []
    for word, members in hooks.items():
        names.append(stack_api.name("hook"))
        url = f"{receiver.url}/{mark}/{word}"
        whole = {"base_url": url, "format": "json", **members}
        put(stack_api, traffic_application, names[-1], whole).ok_json()
    # A simulated uplink has the identifiers that it is given.
    ids = {"end_device_ids": identifiers_of(talker)}
    talker.simulate({**ids, **uplink(b"\x01", f_port=5, f_cnt=8)}).ok_json()
    receiver.wait_for(mark, count=len(hooks) - 1, within_s=WITHIN_S)
    time.sleep(AGAIN_S)
    found = {
        word.partition("/")[0]: receiver.to(f"/{mark}/{word.partition('/')[0]}") for word in hooks
    }
    # What is enabled comes after whatever has come though it is not.
    talker.push(downlink()).ok_json()
    found["deaf"] = receiver.wait_for(f"/{mark}/deaf", count=1, within_s=WITHIN_S)
    yield {**found, "mark": mark}  # type: ignore[dict-item]
    for name in names:
        stack_api.call("DELETE", f"/as/webhooks/{traffic_application}/{name}")


def identifiers_of(talker: Talker) -> dict[str, Any]:
    """EUIs and address of its device."""
    node = talker.node
    assert node.session is not None
    return {
        "dev_eui": node.dev_eui.upper(), "join_eui": node.join_eui.upper(),
        "dev_addr": node.session.dev_addr.upper(),
    }  # fmt: skip


def only(delivered: dict[str, list[Delivery]], word: str) -> Delivery | None:
    """
    The first request of a webhook, but for other kinds of messages than it has enabled.

    Which come first on a server that tells everything is up to chance; TTS-WH-018 judges them.
    """
    return next((each for each in delivered[word] if not _is_of_another_kind(each)), None)


def _is_of_another_kind(delivery: Delivery) -> bool:
    body = delivery.json
    return isinstance(body, dict) and any(kind in body for kind in OTHER_KINDS)


def path_of(delivered: dict[str, Any], word: str) -> str | None:
    """Its path, without what makes the run's paths differ from others'."""
    found = only(delivered, word)
    return found.path.partition(f"/{delivered['mark']}")[2] if found else None


@pytest.mark.requirement("TTS-WH-001")
def test_formats_are_told(stack_api: Api, requirement: Judge) -> None:
    formats = stack_api.call("GET", "/as/webhook-formats").ok_json().get("formats", {})

    requirement.check({"json", "protobuf"} <= set(formats), expected=True)


@pytest.mark.requirement("TTS-WH-002")
def test_webhook_is_made(
    stack_api: Api, traffic_application: str, hook: Hook, requirement: Judge
) -> None:
    name = hook(base_url=NOWHERE, format="json")
    members = {"base_url": NOWHERE, "format": "json", "join_accept": {"path": "/join"}}
    answer = put(stack_api, traffic_application, name, members).ok_json()

    found = [answer.get("ids", {}).get("webhook_id"), *(answer.get(each) for each in members)]
    requirement.check(found, expected=[name, *members.values()])


@pytest.mark.requirement("TTS-WH-003")
def test_webhook_is_read_and_listed(
    stack_api: Api, traffic_application: str, hook: Hook, requirement: Judge
) -> None:
    name = hook(base_url=NOWHERE, format="json", join_accept={"path": "/join"})
    base = f"/as/webhooks/{traffic_application}"
    # Some versions add base_url and format to every mask.
    one = stack_api.call("GET", f"{base}/{name}?field_mask=base_url").ok_json()
    listed = stack_api.call("GET", base).ok_json().get("webhooks", [])

    ids = [each.get("ids", {}).get("webhook_id") for each in listed]
    found = [one.get("base_url"), "join_accept" in one, name in ids]
    requirement.check(found, expected=[NOWHERE, False, True])


@pytest.mark.requirement("TTS-WH-004")
def test_format_has_to_exist(stack_api: Api, traffic_application: str, requirement: Judge) -> None:
    members = {"base_url": NOWHERE, "format": "no-such-format"}
    answer = put(stack_api, traffic_application, stack_api.name("hook"), members)

    requirement.check(refusal(answer), expected=[404, "format_not_found"])


@pytest.mark.requirement("TTS-WH-005")
def test_missing_webhook_is_not_found(
    stack_api: Api, traffic_application: str, requirement: Judge
) -> None:
    path = f"/as/webhooks/{traffic_application}/{stack_api.name('hook')}"

    requirement.check(stack_api.call("GET", path).status, expected=404)


@pytest.mark.requirement("TTS-WH-006")
def test_deleted_webhook_is_gone(
    stack_api: Api, traffic_application: str, hook: Hook, requirement: Judge
) -> None:
    path = f"/as/webhooks/{traffic_application}/{hook(base_url=NOWHERE, format='json')}"
    statuses = [stack_api.call(method, path).status for method in ("DELETE", "GET", "DELETE")]

    requirement.check(statuses, expected=[200, 404, 200])


@pytest.mark.requirement("TTS-WH-010")
def test_uplink_is_delivered(
    talker: Talker, delivered: dict[str, list[Delivery]], requirement: Judge
) -> None:
    bodies = [each.json for each in delivered["plain"]]
    found = [
        [
            each.method,
            body.get("end_device_ids", {}).get("device_id"),
            *(body.get("uplink_message", {}).get(name) for name in ("f_port", "f_cnt")),
        ]
        for each, body in zip(delivered["plain"], bodies, strict=True)
        if isinstance(body, dict)
    ]
    requirement.check(found, expected=[["POST", talker.device_id, 5, 8]])


@pytest.mark.requirement("TTS-WH-011")
def test_paths_are_joined(delivered: dict[str, list[Delivery]], requirement: Judge) -> None:
    found = [path_of(delivered, word) for word in ("plain", "slash", "keyed")]

    requirement.check(found, expected=["/plain/up", "/slash/up", "/keyed"])


@pytest.mark.requirement("TTS-WH-012")
def test_variables_are_replaced(
    talker: Talker, delivered: dict[str, list[Delivery]], requirement: Judge
) -> None:
    device = f"{talker.application_id}/{talker.device_id}"
    ids = identifiers_of(talker)

    expected = f"/vars/{device}/{ids['dev_eui']}/{device}/{ids['join_eui']}/{ids['dev_addr']}"
    requirement.check(path_of(delivered, "vars"), expected=expected)


@pytest.mark.requirement("TTS-WH-013")
def test_headers_are_sent(delivered: dict[str, list[Delivery]], requirement: Judge) -> None:
    request = only(delivered, "plain")
    names = ("X-My-Key", "Content-Type")
    found = [request.headers.get(name) for name in names] if request else None

    requirement.check(found, expected=["42", "application/json"])


@pytest.mark.requirement("TTS-WH-014")
def test_user_agent_is_the_stack(delivered: dict[str, list[Delivery]], requirement: Judge) -> None:
    request = only(delivered, "plain")
    agent = str(request.headers.get("User-Agent")) if request else ""

    requirement.check_that(
        agent.startswith("TheThingsStack/"), expected="TheThingsStack/…", actual=agent
    )


@pytest.mark.requirement("TTS-WH-015")
def test_domain_is_told(delivered: dict[str, list[Delivery]], requirement: Judge) -> None:
    request = only(delivered, "plain")

    requirement.check("X-Tts-Domain" in request.headers if request else None, expected=True)


@pytest.mark.requirement("TTS-WH-016")
def test_downlink_key_is_sent(
    talker: Talker, delivered: dict[str, list[Delivery]], requirement: Judge
) -> None:
    request = only(delivered, "keyed")
    headers = request.headers if request else {}
    tail = f"/devices/{talker.device_id}/down/"
    found = [
        headers.get("X-Downlink-Apikey"),
        str(headers.get("X-Downlink-Push")).endswith(f"{tail}push"),
        str(headers.get("X-Downlink-Replace")).endswith(f"{tail}replace"),
    ]
    requirement.check(found, expected=["NNSXS.A.B", True, True])


@pytest.mark.requirement("TTS-WH-017")
def test_no_key_no_downlink_addresses(
    delivered: dict[str, list[Delivery]], requirement: Judge
) -> None:
    request = only(delivered, "plain")
    names = ("X-Downlink-Apikey", "X-Downlink-Push", "X-Downlink-Replace")
    found = [name for name in names if name in request.headers] if request else None

    requirement.check(found, expected=[])


@pytest.mark.requirement("TTS-WH-018")
def test_what_is_not_enabled_stays_away(
    delivered: dict[str, list[Delivery]], requirement: Judge
) -> None:
    if not delivered["deaf"]:
        raise Inconclusive("the webhook was not told of the queued downlink, which it enables")
    kinds = ("uplink_message", "downlink_queued")
    found = [[part(each.json, kind) is not None for kind in kinds] for each in delivered["deaf"]]
    requirement.check([len(delivered["plain"]), found], expected=[1, [[False, True]]])


@pytest.mark.requirement("TTS-WH-019")
def test_mask_trims(delivered: dict[str, list[Delivery]], requirement: Judge) -> None:
    request = only(delivered, "masked")
    body = request.json if request and isinstance(request.json, dict) else {}

    requirement.check(body.get("uplink_message"), expected={"f_port": 5})


@pytest.mark.requirement("TTS-WH-020")
def test_failure_is_told_once(
    delivered: dict[str, list[Delivery]], application_events: Subscription, requirement: Judge
) -> None:
    deadline = time.monotonic() + 5.0
    failed: list[Any] = []
    while not failed and time.monotonic() < deadline:
        failed = [
            each for each in events_in(application_events) if each["name"] == "as.webhook.fail"
        ]
        time.sleep(0.05)
    if not failed:
        application_events.be_open()

    requirement.check([len(delivered["fail"]), len(failed) > 0], expected=[1, True])


@pytest.mark.requirement("TTS-WH-021")
def test_protobuf_is_binary(delivered: dict[str, list[Delivery]], requirement: Judge) -> None:
    request = only(delivered, "binary")
    kind = request.headers.get("Content-Type") if request else None
    # Field 1 of ApplicationUp, the device's identifiers, is a message: its first byte is 0A.
    first = request.body[:1].hex() if request else None

    requirement.check([kind, first], expected=["application/octet-stream", "0a"])


@pytest.mark.requirement("TTS-WH-022")
def test_hook_takes_downlinks(talker: Talker, hook: Hook, requirement: Judge) -> None:
    talker.replace().ok_json()
    name = hook(base_url=NOWHERE, format="json")
    answer = talker.api.call("POST", _down(talker, name), {"downlinks": [downlink(b"\x05")]})

    queued = [each.get("frm_payload") for each in talker.queue().get("downlinks", ())]
    requirement.check([answer.status, answer.body.decode(), queued], expected=[200, "", ["BQ=="]])


@pytest.mark.requirement("TTS-WH-023")
def test_hook_has_to_exist(talker: Talker, requirement: Judge) -> None:
    name = talker.api.name("hook")
    answer = talker.api.call("POST", _down(talker, name), {"downlinks": [downlink(b"\x05")]})

    requirement.check([answer.status, error_name(answer)], expected=[404, "webhook_not_found"])


@pytest.mark.requirement("TTS-WH-024")
def test_hook_replaces_downlinks(talker: Talker, hook: Hook, requirement: Judge) -> None:
    talker.replace(downlink(b"\x01"), downlink(b"\x02")).ok_json()
    path = _down(talker, hook(base_url=NOWHERE, format="json"), "replace")

    answer = talker.api.call("POST", path, {"downlinks": [downlink(b"\x06")]})

    queued = [each.get("frm_payload") for each in talker.queue().get("downlinks", ())]
    requirement.check([answer.status, queued], expected=[200, ["Bg=="]])


@pytest.mark.requirement("TTS-WH-025")
def test_hook_needs_the_right_to_downlinks(talker: Talker, hook: Hook, requirement: Judge) -> None:
    talker.replace().ok_json()
    owner = f"/applications/{talker.application_id}"
    key = talker.api.stack.new_key(owner, "RIGHT_APPLICATION_TRAFFIC_READ")
    path = _down(talker, hook(base_url=NOWHERE, format="json"))

    answer = talker.api.call("POST", path, {"downlinks": [downlink(b"\x07")]}, key=key)

    requirement.check([answer.status, talker.queue()], expected=[403, {}])


def _down(talker: Talker, hook: str, how: str = "push") -> str:
    application = talker.application_id
    return f"/as/applications/{application}/webhooks/{hook}/devices/{talker.device_id}/down/{how}"
