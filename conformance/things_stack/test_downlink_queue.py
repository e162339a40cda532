"""The queue of downlinks: push, replace, list, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.http import NO_DOCUMENT
from conformance.judge import Judge
from conformance.outcomes import NotApplicable
from conformance.things_stack.event_stream import Subscription
from conformance.things_stack.registering import QUIET, Registrar
from conformance.things_stack.talk import Talker, downlink, refusal
from conformance.things_stack.traffic_fixtures import Api

ENCODER = {
    "down_formatter": "FORMATTER_JAVASCRIPT",
    "down_formatter_parameter": (
        "function encodeDownlink(input) { return {bytes: [input.data.level, 255], fPort: 7}; }"
    ),
}


@pytest.fixture(scope="module")
def module_talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Talker:
    """A device with a session, and an encoder."""
    node = registrar.abp("1.0.2", formatters=ENCODER)
    return Talker(stack_api, traffic_application, node, application_events)


@pytest.fixture
def talker(module_talker: Talker) -> Talker:
    """The same with an empty queue."""
    module_talker.replace()
    return module_talker


@pytest.fixture(scope="module")
def new_talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Talker:
    """A device whose queue nobody has touched."""
    return Talker(stack_api, traffic_application, registrar.abp("1.0.2"), application_events)


def queued(talker: Talker, *names: str) -> list[list[Any]]:
    """These members of everything in the queue."""
    return [[each.get(name) for name in names] for each in talker.queue().get("downlinks", ())]


@pytest.mark.requirement("TTS-DQ-001")
def test_push_is_taken(talker: Talker, requirement: Judge) -> None:
    answer = talker.push(downlink())

    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-DQ-002")
def test_queue_lists_what_was_pushed(talker: Talker, requirement: Judge) -> None:
    talker.push(downlink(b"\xbe\xef", f_port=15, priority="NORMAL")).ok_json()
    talker.push(downlink(b"\x01", confirmed=True), downlink(b"\x02", priority="HIGH")).ok_json()

    requirement.check(
        queued(talker, "f_port", "frm_payload", "priority", "confirmed"),
        expected=[
            [15, "vu8=", "NORMAL", None],
            [42, "AQ==", None, True],
            [42, "Ag==", "HIGH", None],
        ],
    )


@pytest.mark.requirement("TTS-DQ-003")
def test_empty_queue_is_an_empty_object(talker: Talker, requirement: Judge) -> None:
    requirement.check(talker.queue(), expected={})


@pytest.mark.requirement("TTS-DQ-004")
def test_counters_begin_with_1(new_talker: Talker, requirement: Judge) -> None:
    new_talker.push(downlink(), downlink()).ok_json()
    new_talker.push(downlink()).ok_json()

    requirement.check(queued(new_talker, "f_cnt"), expected=[[1], [2], [3]])


@pytest.mark.requirement("TTS-DQ-005")
def test_queued_downlinks_name_their_session(talker: Talker, requirement: Judge) -> None:
    talker.push(downlink()).ok_json()

    path = f"{talker.path}?field_mask=session"
    session = talker.api.call("GET", path).ok_json().get("session", {})
    expected = session.get("keys", {}).get("session_key_id")
    requirement.check(queued(talker, "session_key_id"), expected=[[expected]])


@pytest.mark.requirement("TTS-DQ-006")
def test_correlation_ids_come_back(talker: Talker, requirement: Judge) -> None:
    talker.push(downlink(correlation_ids=["my-order-17"])).ok_json()

    ids = [each for (each,) in queued(talker, "correlation_ids")]
    found = [
        "my-order-17" in (each or ()) and any(one.startswith("as:downlink:") for one in each)
        for each in ids
    ]
    requirement.check_that(
        found == [True], expected="my-order-17 and one of as:downlink:", actual=ids
    )


@pytest.mark.requirement("TTS-DQ-007")
def test_replacement_is_alone(talker: Talker, requirement: Judge) -> None:
    talker.push(downlink(b"\x01"), downlink(b"\x02")).ok_json()
    talker.replace(downlink(b"\x03")).ok_json()

    requirement.check(queued(talker, "frm_payload"), expected=[["Aw=="]])


@pytest.mark.requirement("TTS-DQ-008")
def test_empty_replacement_empties(talker: Talker, requirement: Judge) -> None:
    talker.push(downlink(b"\x01")).ok_json()
    talker.replace().ok_json()

    requirement.check(talker.queue(), expected={})


@pytest.mark.requirement("TTS-DQ-009")
def test_trailing_comma_is_refused(talker: Talker, requirement: Judge) -> None:
    body = b'{"downlinks":[{"frm_payload":"vu8=","f_port":42,"priority":"NORMAL",}]}'
    headers = {"Content-Type": "application/json"}
    answer = talker.api.call(
        "POST", f"{talker.path}/down/push", NO_DOCUMENT, body=body, headers=headers
    )

    told = answer.json if isinstance(answer.json, dict) else {}
    found = [answer.status, told.get("code"), "details" in told]
    requirement.check(found, expected=[400, 3, False])


@pytest.mark.requirement("TTS-DQ-010")
def test_port_is_needed(talker: Talker, requirement: Judge) -> None:
    requirement.check(refusal(talker.push(downlink(f_port=None))), expected=[400, "no_f_port"])


@pytest.mark.requirement("TTS-DQ-011")
def test_test_port_is_refused(talker: Talker, requirement: Judge) -> None:
    requirement.check(refusal(talker.push(downlink(f_port=224))), expected=[400, "validation"])


@pytest.mark.requirement("TTS-DQ-012")
def test_large_port_is_refused(talker: Talker, requirement: Judge) -> None:
    requirement.check(talker.push(downlink(f_port=256)).status, expected=400)


@pytest.mark.requirement("TTS-DQ-013")
def test_payload_is_needed(new_talker: Talker, requirement: Judge) -> None:
    answer = new_talker.push({"f_port": 42})

    requirement.check(refusal(answer), expected=[400, "no_payload"])


@pytest.mark.requirement("TTS-DQ-014")
def test_unknown_device_is_refused(talker: Talker, requirement: Judge) -> None:
    path = f"/as/applications/{talker.application_id}/devices/{talker.api.name('dev')}/down/push"
    answer = talker.api.call("POST", path, {"downlinks": [downlink()]})

    requirement.check(refusal(answer), expected=[404, "device_not_found"])


@pytest.mark.requirement("TTS-DQ-015")
def test_session_is_needed(registrar: Registrar, talker: Talker, requirement: Judge) -> None:
    node = registrar.otaa("1.0.2")
    path = f"/as/applications/{talker.application_id}/devices/{node.device_id}/down/push"
    answer = talker.api.call("POST", path, {"downlinks": [downlink()]})

    requirement.check(refusal(answer), expected=[400, "no_device_session"])


@pytest.mark.requirement("TTS-DQ-016")
def test_long_payload_is_refused(talker: Talker, requirement: Judge) -> None:
    answer = talker.push(downlink(bytes(251)))

    requirement.check(refusal(answer), expected=[400, "application_downlink_too_long"])


@pytest.mark.requirement("TTS-DQ-017")
def test_many_attempts_are_refused(talker: Talker, requirement: Judge) -> None:
    answer = talker.push(downlink(confirmed=True, confirmed_retry={"max_attempts": 100}))

    requirement.check(refusal(answer), expected=[400, "downlink_max_retries_invalid"])


@pytest.mark.requirement("TTS-DQ-018")
def test_past_time_is_refused(talker: Talker, requirement: Judge) -> None:
    answer = talker.push(downlink(class_b_c={"absolute_time": "2020-01-01T00:00:00Z"}))

    requirement.check(refusal(answer), expected=[400, "downlink_expired"])


@pytest.mark.requirement("TTS-DQ-019")
def test_decoded_payload_is_encoded(talker: Talker, requirement: Judge) -> None:
    talker.push({"f_port": 7, "decoded_payload": {"level": 3}}).ok_json()

    requirement.check(queued(talker, "f_port", "frm_payload"), expected=[[7, "A/8="]])


@pytest.mark.requirement("TTS-DQ-020")
def test_queued_downlink_is_told(new_talker: Talker, requirement: Judge) -> None:
    before = len(new_talker.events("as.down.data.receive", count=0))
    new_talker.push(downlink()).ok_json()

    found = new_talker.events("as.down.data.receive", count=before + 1)
    requirement.check(len(found) - before, expected=1)


@pytest.mark.requirement("TTS-DQ-021")
def test_unknown_priority_is_refused(talker: Talker, requirement: Judge) -> None:
    requirement.check(talker.push(downlink(priority="URGENT")).status, expected=400)


@pytest.mark.requirement("TTS-DQ-022")
def test_push_goes_behind_a_replacement(talker: Talker, requirement: Judge) -> None:
    talker.replace(downlink(b"\x03")).ok_json()
    talker.push(downlink(b"\x04")).ok_json()

    requirement.check(queued(talker, "frm_payload"), expected=[["Aw=="], ["BA=="]])


@pytest.mark.requirement("TTS-DQ-023")
def test_decoded_payload_needs_a_formatter(new_talker: Talker, requirement: Judge) -> None:
    answer = new_talker.push({"f_port": 7, "decoded_payload": {"level": 3}})

    requirement.check(answer.status, expected=400)
    requirement.check_in(refusal(answer)[1], accepted=["no_payload", "no_f_port"])


@pytest.mark.requirement("TTS-DQ-024")
def test_encoder_gives_the_port(talker: Talker, requirement: Judge) -> None:
    talker.push({"decoded_payload": {"level": 3}}).ok_json()

    requirement.check(queued(talker, "f_port", "frm_payload"), expected=[[7, "A/8="]])


@pytest.mark.requirement("TTS-DQ-025")
def test_push_is_taken_whole_or_not_at_all(talker: Talker, requirement: Judge) -> None:
    talker.push(downlink(b"\x01")).ok_json()

    answer = talker.push(downlink(b"\x02"), downlink(bytes(251)))

    requirement.check(answer.status, expected=400)
    requirement.check(queued(talker, "frm_payload"), expected=[["AQ=="]])


@pytest.fixture(scope="module")
def group(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Talker:
    """A device of multicast and class C, of which no gateway knows the way."""
    # Who never answers can be asked for nothing: its settings are those it was made with.
    settings: dict[str, Any] = dict.fromkeys(
        [*QUIET, "desired_rx2_data_rate_index", "factory_preset_frequencies"]
    )
    node = registrar.abp("1.0.2", multicast=True, supports_class_c=True, **settings)
    return Talker(stack_api, traffic_application, node, application_events)


GATEWAYS = {"gateways": [{"gateway_ids": {"gateway_id": "gtw1"}}]}


@pytest.mark.requirement("TTS-DQ-027")
def test_multicast_is_not_confirmed(group: Talker, requirement: Judge) -> None:
    answer = group.push(downlink(confirmed=True, class_b_c=GATEWAYS))

    requirement.check(refusal(answer), expected=[400, "confirmed_multicast_downlink"])


@pytest.mark.requirement("TTS-DQ-028")
def test_multicast_needs_a_way(group: Talker, requirement: Judge) -> None:
    requirement.check(refusal(group.push(downlink())), expected=[404, "no_downlink_path"])


CAPACITY = 10_000


@pytest.mark.requirement("TTS-DQ-026")
def test_full_queue_takes_no_more(
    stack_api: Api, application_events: Subscription, requirement: Judge
) -> None:
    # An application of its own: nobody has to listen to so many events.
    application = stack_api.stack.new_application()
    plan = stack_api.stack.frequency_plan
    node = Registrar(stack_api.call, application, stack_api.name, plan).abp("1.0.2")
    full = Talker(stack_api, application, node, application_events)
    full.push(downlink(b"\x01")).ok_json()

    answer = full.push(*[{"f_port": 1, "frm_payload": "AQ=="}] * CAPACITY)

    if answer.is_success:
        full.replace()
        raise NotApplicable(f"the target's queues hold more than {CAPACITY}")
    requirement.check(refusal(answer), expected=[429, "downlink_queue_capacity"])
    requirement.check(queued(full, "frm_payload"), expected=[["AQ=="]])
