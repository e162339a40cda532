"""What events, webhooks and formatters hold, beyond that they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.clients.webhook_receiver import Delivery, WebhookReceiver
from conformance.judge import Judge
from conformance.outcomes import Inconclusive, NotApplicable
from conformance.things_stack.answers import part
from conformance.things_stack.event_stream import Subscription, open_events
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import Talker, downlink, refusal, uplink, wait_for_events
from conformance.things_stack.traffic_fixtures import Api, open_application_events

FORWARDED = "as.up.data.forward"
WITHIN_S = 10.0
JAVASCRIPT = "FORMATTER_JAVASCRIPT"
REFUSING = "function decodeUplink(input) { return {errors: ['not a meter']}; }"
NORMALIZING = (
    "function decodeUplink(input) { return {data: {t: input.bytes[0]}}; }"
    " function normalizeUplink(input) { return {data: {air: {temperature: input.data.t}}}; }"
)


@pytest.fixture(scope="module")
def make_talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Callable[..., Talker]:
    """Registers a device with formatters."""

    def make(**formatters: Any) -> Talker:
        node = registrar.abp("1.0.2", formatters=formatters or None)
        return Talker(stack_api, traffic_application, node, application_events)

    return make


@pytest.fixture(scope="module")
def talker(make_talker: Callable[..., Talker]) -> Talker:
    """A device without formatters."""
    return make_talker()


def of_application(application_id: str) -> dict[str, Any]:
    """Identifiers of an application, as a subscription takes them."""
    return {"application_ids": {"application_id": application_id}}


@pytest.mark.requirement("TTS-TC-001")
def test_events_tell_type_and_visibility(talker: Talker, requirement: Judge) -> None:
    talker.simulate(uplink()).ok_json()

    event = next(iter(talker.events(FORWARDED, count=1)), {})
    found = [part(event, "data", "@type"), part(event, "visibility", "rights")]
    expected = [
        "type.googleapis.com/ttn.lorawan.v3.ApplicationUp",
        ["RIGHT_APPLICATION_TRAFFIC_READ"],
    ]
    requirement.check(found, expected=expected)


@pytest.mark.requirement("TTS-TC-002")
def test_names_may_be_an_expression(talker: Talker, requirement: Judge) -> None:
    body = {
        "identifiers": [
            {"device_ids": {"device_id": talker.device_id, **of_application(talker.application_id)}}
        ],
        "names": [r"/^as\.up\.data\.(receive|forward)$/"],
    }
    stream = open_events(talker.api.http, talker.api.key, body)
    try:
        requirement.check(stream.status, expected=200)
        talker.simulate(uplink()).ok_json()
        names = ("as.up.data.receive", FORWARDED)
        found = wait_for_events(
            stream, talker.device_id, *names, count=2, within_s=talker.api.patience_s
        )
        requirement.check(sorted(each["name"] for each in found), expected=sorted(names))
    finally:
        stream.close()


@pytest.mark.requirement("TTS-TC-003")
def test_identifiers_are_needed(stack_api: Api, requirement: Judge) -> None:
    stream = open_events(stack_api.http, stack_api.key, {"identifiers": []})
    stream.close()

    requirement.check(stream.status, expected=400)


def creations(api: Api) -> list[str]:
    """The events of a registration; not the Identity Server's where that stands elsewhere."""
    is_apart = api.run.stack.server("/applications") is not api.http
    servers = ("as.", "js.", "ns.") if is_apart else ("", "as.", "js.", "ns.")
    return sorted(f"{server}end_device.create" for server in servers)


@pytest.fixture(scope="module")
def seen(talker: Talker, registrar: Registrar) -> tuple[list[str], list[str]]:
    """What who may read devices sees of a new device, and of another one's uplink before it."""
    path = f"/applications/{talker.application_id}"
    key = talker.api.stack.new_key(path, "RIGHT_APPLICATION_DEVICES_READ")
    body = {"identifiers": [of_application(talker.application_id)]}
    stream = open_events(talker.api.http, key, body)
    try:
        stream.wait_for(1, 5.0)
        talker.say(b"\x01")
        new = registrar.otaa("1.0.2").device_id
        patience_s = talker.api.patience_s
        names = creations(talker.api)
        created = wait_for_events(stream, new, *names, count=len(names), within_s=patience_s)
        told = wait_for_events(stream, talker.device_id, FORWARDED, count=0, within_s=0.0)
    finally:
        stream.close()
    return sorted(each["name"] for each in created), [each["name"] for each in told]


@pytest.mark.requirement("TTS-TC-004")
def test_registrations_are_told(
    seen: tuple[list[str], list[str]], stack_api: Api, requirement: Judge
) -> None:
    requirement.check(seen[0], expected=creations(stack_api))


@pytest.mark.requirement("TTS-TC-005")
def test_subscriber_sees_what_the_key_may(
    seen: tuple[list[str], list[str]], requirement: Judge
) -> None:
    if not seen[0]:
        raise Inconclusive("the stream told nothing at all")
    requirement.check(seen[1], expected=[])


@pytest.fixture(scope="module")
def hook(talker: Talker, receiver: WebhookReceiver) -> Iterator[Callable[..., str]]:
    """
    Sets a webhook, a new one unless it is named; returns its name, which its address holds.

    Raises:
        NotApplicable: the target knows a member of the webhook not yet.
    """
    made: list[str] = []
    base = f"/as/webhooks/{talker.application_id}"

    def put(name: str = "", **members: Any) -> str:
        name = name or talker.api.name("hook")
        webhook = {
            "ids": {"webhook_id": name, **of_application(talker.application_id)},
            "base_url": f"{receiver.url}/{name}", "format": "json", **members,
        }  # fmt: skip
        mask = {"paths": ["base_url", "format", *members]}
        answer = talker.api.call("PUT", f"{base}/{name}", {"webhook": webhook, "field_mask": mask})
        if answer.status == 400 and "paused" in members:
            raise NotApplicable("the target's webhooks cannot be paused")
        answer.ok_json()
        made.append(name)
        return name

    yield put
    for each in dict.fromkeys(made):
        talker.api.call("DELETE", f"{base}/{each}")


@pytest.fixture(scope="module")
def deliver(hook: Callable[..., str], receiver: WebhookReceiver) -> Callable[..., list[Delivery]]:
    """Sets a webhook, lets something happen, and returns what has been delivered to it."""

    def make(happens: Callable[[], Any], **members: Any) -> list[Delivery]:
        name = hook(**members)
        happens()
        return receiver.wait_for(f"/{name}", count=1, within_s=WITHIN_S)

    return make


def bodies(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    """Their JSON documents."""
    return [each.json for each in deliveries if isinstance(each.json, dict)]


@pytest.mark.requirement("TTS-TC-006")
def test_content_type_is_the_formats(
    talker: Talker, deliver: Callable[..., list[Delivery]], requirement: Judge
) -> None:
    found = deliver(
        lambda: talker.simulate(uplink()), uplink_message={}, headers={"Content-Type": "text/plain"}
    )

    kinds = [each.headers.get("Content-Type") for each in found]
    requirement.check(kinds, expected=["application/json"])


@pytest.mark.requirement("TTS-TC-007")
def test_delivery_tells_when_and_whence(
    talker: Talker, deliver: Callable[..., list[Delivery]], requirement: Judge
) -> None:
    found = deliver(lambda: talker.simulate(uplink()), uplink_message={})

    names = ("end_device_ids", "correlation_ids", "received_at")
    lacking = [name for each in bodies(found)[:1] for name in names if not each.get(name)]
    requirement.check([len(found), lacking], expected=[1, []])


@pytest.mark.requirement("TTS-TC-008")
def test_paused_webhook_is_silent(
    talker: Talker, hook: Callable[..., str], receiver: WebhookReceiver, requirement: Judge
) -> None:
    awake, paused = hook(uplink_message={}), hook(uplink_message={}, paused=True)
    talker.simulate(uplink(b"\x01")).ok_json()
    receiver.wait_for(f"/{awake}", count=1, within_s=WITHIN_S)
    # What it gets once it is called again comes after whatever it got while it was paused.
    hook(paused, uplink_message={}, paused=False)
    talker.simulate(uplink(b"\x02")).ok_json()
    receiver.wait_for(f"/{paused}", count=1, within_s=WITHIN_S)

    found = [
        [part(each, "uplink_message", "frm_payload") for each in bodies(receiver.to(f"/{name}"))]
        for name in (awake, paused)
    ]
    requirement.check(["AQ==" in each for each in found], expected=[True, False])


@pytest.mark.requirement("TTS-TC-009")
def test_queued_downlink_is_delivered(
    talker: Talker, deliver: Callable[..., list[Delivery]], requirement: Judge
) -> None:
    found = deliver(lambda: talker.push(downlink(b"\x01")).ok_json(), downlink_queued={})

    queued = [each.get("downlink_queued", {}) for each in bodies(found)]
    requirement.check(
        [[each.get("f_port"), each.get("frm_payload")] for each in queued], expected=[[42, "AQ=="]]
    )


@pytest.mark.requirement("TTS-TC-010")
def test_script_that_refuses_spares_the_uplink(
    make_talker: Callable[..., Talker], requirement: Judge
) -> None:
    talker = make_talker(up_formatter=JAVASCRIPT, up_formatter_parameter=REFUSING)
    message = talker.say(b"\x01")

    failed = talker.events("as.up.data.decode.fail", count=1)
    found = [message.get("frm_payload"), "decoded_payload" in message, len(failed)]
    requirement.check(found, expected=["AQ==", False, 1])


@pytest.mark.requirement("TTS-TC-011")
def test_application_has_formatters(stack_api: Api, requirement: Judge) -> None:
    application = stack_api.stack.new_application()
    link = {"default_formatters": {"up_formatter": "FORMATTER_CAYENNELPP"}}
    body = {"link": link, "field_mask": {"paths": ["default_formatters"]}}
    stack_api.call("PUT", f"/as/applications/{application}/link", body).ok_json()
    plan = stack_api.stack.frequency_plan
    node = Registrar(stack_api.call, application, stack_api.name, plan).abp("1.0.2")
    events = open_application_events(stack_api, application)
    try:
        message = Talker(stack_api, application, node, events).say(b"\x03\x00\x7f")
    finally:
        events.close()

    requirement.check(message.get("decoded_payload"), expected={"digital_in_3": 127})


@pytest.mark.requirement("TTS-TC-012")
def test_values_are_normalized(make_talker: Callable[..., Talker], requirement: Judge) -> None:
    talker = make_talker(up_formatter=JAVASCRIPT, up_formatter_parameter=NORMALIZING)

    message = talker.say(b"\x14")

    expected = [{"air": {"temperature": 20}}]
    requirement.check(message.get("normalized_payload"), expected=expected)


@pytest.mark.requirement("TTS-TC-013")
def test_refused_replacement_changes_nothing(
    make_talker: Callable[..., Talker], requirement: Judge
) -> None:
    talker = make_talker()
    talker.push(downlink(b"\x01")).ok_json()

    answer = talker.replace(downlink(bytes(251)))

    requirement.check(refusal(answer), expected=[400, "application_downlink_too_long"])
    queued = [each.get("frm_payload") for each in talker.queue().get("downlinks", ())]
    requirement.check(queued, expected=["AQ=="])


MEASUREMENTS = [{"air": {"temperature": 20}}, {"air": {"temperature": 21}}]
BOTH = (
    "function decodeUplink(input) { return {data: {t: input.bytes[0]}}; }"
    " function normalizeUplink(input) { return {data: ["
    "{air: {temperature: input.data.t}}, {air: {temperature: input.data.t + 1}}]}; }"
)


@pytest.fixture(scope="module")
def normalizing(make_talker: Callable[..., Talker]) -> Talker:
    """A device whose formatter finds two measurements in each uplink."""
    return make_talker(up_formatter=JAVASCRIPT, up_formatter_parameter=BOTH)


def normalized(messages: list[dict[str, Any]]) -> list[Any]:
    """The measurements of ApplicationUp messages; webhooks may overtake each other."""
    found = [part(each, "uplink_normalized", "normalized_payload") for each in messages]
    return sorted(found, key=str)


@pytest.mark.requirement("TTS-TC-014")
def test_measurements_are_told_one_by_one(normalizing: Talker, requirement: Judge) -> None:
    normalizing.simulate(uplink(b"\x14", f_cnt=1)).ok_json()

    told = normalizing.events("as.up.normalized.forward", count=2)

    found = [
        each
        for each in (event.get("data", {}) for event in told)
        if part(each, "uplink_normalized", "f_cnt") == 1
    ]
    requirement.check(normalized(found), expected=MEASUREMENTS)


@pytest.mark.requirement("TTS-TC-015")
def test_measurements_are_delivered_one_by_one(
    normalizing: Talker, hook: Callable[..., str], receiver: WebhookReceiver, requirement: Judge
) -> None:
    name = hook(uplink_normalized={})
    normalizing.simulate(uplink(b"\x14", f_cnt=2)).ok_json()

    found = receiver.wait_for(f"/{name}", count=2, within_s=WITHIN_S)

    requirement.check(normalized(bodies(found)), expected=MEASUREMENTS)


@pytest.mark.requirement("TTS-TC-016")
def test_times_keep_their_nanoseconds(talker: Talker, requirement: Judge) -> None:
    message = uplink(f_cnt=4321)
    message["uplink_message"]["rx_metadata"][0]["time"] = "2026-01-01T00:00:00.123456789Z"

    talker.simulate(message).ok_json()

    metadata = part(talker.heard(4321), "uplink_message", "rx_metadata") or [None]
    requirement.check(part(metadata[0], "time"), expected="2026-01-01T00:00:00.123456789Z")
