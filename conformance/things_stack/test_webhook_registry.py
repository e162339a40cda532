"""Webhooks, as far as they are registered; nothing is sent to them."""

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import check_times, part, told

HOOK = {
    "base_url": "https://hooks.example.com/tts", "format": "json",
    "uplink_message": {"path": "/up"},
}  # fmt: skip


def put(stack: Stack, application: str, name: str, **more: str) -> Response:
    """PUT of a webhook."""
    webhook = {**HOOK, **more}
    document = {"webhook": webhook, "field_mask": {"paths": list(webhook)}}
    return stack.api.put(f"/as/webhooks/{application}/{name}", document)


@pytest.fixture(scope="module")
def name(stack: Stack) -> str:
    """The id of the webhook of ``created``."""
    return stack.new_id()


@pytest.fixture(scope="module")
def created(stack: Stack, application: str, name: str) -> Response:
    """The answer to a new webhook."""
    return put(stack, application, name)


@pytest.mark.requirement("TTS-WR-001")
def test_webhook_is_answered_with_its_mask(
    application: str, name: str, created: Response, requirement: Judge
) -> None:
    requirement.check(created.status, expected=200)
    requirement.check({each: part(created.json, each) for each in HOOK}, expected=HOOK)
    requirement.check(
        part(created.json, "ids"),
        expected={"application_ids": {"application_id": application}, "webhook_id": name},
    )


@pytest.mark.requirement("TTS-WR-002")
def test_read_tells_what_the_mask_names(
    stack: Stack, application: str, name: str, created: Response, requirement: Judge
) -> None:
    stack.given(created)
    path = f"/as/webhooks/{application}/{name}"

    bare, masked = stack.api.get(path), stack.api.get(path, field_mask="uplink_message")

    missing = {"created_at", "ids", "updated_at"} - set(bare.json)
    requirement.check([sorted(missing), "uplink_message" in bare.json], expected=[[], False])
    requirement.check(part(masked.json, "uplink_message"), expected={"path": "/up"})


@pytest.mark.requirement("TTS-WR-003")
def test_webhooks_are_listed(
    stack: Stack, application: str, name: str, created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = stack.api.get(f"/as/webhooks/{application}")

    found = [part(each, "ids", "webhook_id") for each in part(answer.json, "webhooks") or ()]
    requirement.check_that(name in found, expected=name, actual=found)


@pytest.mark.requirement("TTS-WR-004")
def test_unknown_webhook_is_not_found(stack: Stack, application: str, requirement: Judge) -> None:
    answer = stack.api.get(f"/as/webhooks/{application}/{stack.new_id()}")

    requirement.check(
        told(answer), expected=[404, "pkg/applicationserver/io/web:webhook_not_found"]
    )


@pytest.mark.requirement("TTS-WR-005")
@pytest.mark.parametrize("exists", [True, False], ids=["existing", "unknown"])
def test_deleting_is_answered_empty(
    stack: Stack, application: str, exists: bool, requirement: Judge
) -> None:
    name = stack.new_id()
    if exists:
        stack.given(put(stack, application, name))

    answer = stack.api.delete(f"/as/webhooks/{application}/{name}")

    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-WR-006")
def test_unknown_format_is_not_found(stack: Stack, application: str, requirement: Judge) -> None:
    answer = put(stack, application, stack.new_id(), format="xml")

    requirement.check(told(answer), expected=[404, "pkg/applicationserver/io/web:format_not_found"])


@pytest.mark.requirement("TTS-WR-007")
def test_unmasked_fields_are_not_stored(stack: Stack, application: str, requirement: Judge) -> None:
    path = f"/as/webhooks/{application}/{stack.new_id()}"
    document = {"webhook": HOOK, "field_mask": {"paths": ["base_url", "format"]}}

    stack.given(stack.api.put(path, document))

    found = stack.api.get(path, field_mask="uplink_message,base_url")
    requirement.check(part(found.json, "base_url"), expected=HOOK["base_url"])
    requirement.check(part(found.json, "uplink_message"), expected=None)


@pytest.mark.requirement("TTS-WR-008")
def test_setting_again_sets_the_time(stack: Stack, application: str, requirement: Judge) -> None:
    name = stack.new_id()
    path = f"/as/webhooks/{application}/{name}"

    answers = []
    for _ in range(2):
        stack.given(put(stack, application, name))
        answers.append(stack.given(stack.api.get(path)))

    check_times(answers, requirement)


@pytest.mark.requirement("TTS-WR-009")
def test_list_tells_what_the_mask_names(
    stack: Stack, application: str, name: str, created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = stack.given(stack.api.get(f"/as/webhooks/{application}", field_mask="base_url"))

    listed = part(answer, "webhooks") or []
    mine = [each for each in listed if part(each, "ids", "webhook_id") == name]
    found = [[part(each, member) for member in HOOK] for each in mine]
    requirement.check(found, expected=[[HOOK["base_url"], None, None]])
