"""The event stream: its framing, and who sees what."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.clients.stream import Stream
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.event_stream import Subscription, events_in, open_events
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import Talker, wait_for_events
from conformance.things_stack.traffic_fixtures import Api

Subscribe = Callable[..., Stream]
FORWARDED, RECEIVED = "as.up.data.forward", "as.up.data.receive"


@pytest.fixture
def subscribe(stack_api: Api) -> Iterator[Subscribe]:
    """Opens streams, and closes them at the end; ``names`` and ``accept`` are optional."""
    opened: list[Stream] = []

    def begin(
        *identifiers: dict[str, Any],
        accept: str = "text/event-stream",
        key: str | None = None,
        **more: Any,
    ) -> Stream:
        body = {"identifiers": list(identifiers), **more}
        stream = open_events(stack_api.http, key or stack_api.key, body, accept=accept)
        opened.append(stream)
        if stream.status == 200 and not stream.wait_for(1, 5.0):
            raise Inconclusive("the stream has no first message")
        return stream

    yield begin
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def make_talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Callable[[], Talker]:
    """Registers a device."""
    return lambda: Talker(
        stack_api, traffic_application, registrar.abp("1.0.2"), application_events
    )


@pytest.fixture(scope="module")
def talker(make_talker: Callable[[], Talker]) -> Talker:
    """A device that talks."""
    return make_talker()


def of_application(talker: Talker) -> dict[str, Any]:
    """Identifiers of the application."""
    return {"application_ids": {"application_id": talker.application_id}}


def of_device(talker: Talker) -> dict[str, Any]:
    """Identifiers of the device."""
    return {"device_ids": {"device_id": talker.device_id, **of_application(talker)}}


def say(talker: Talker) -> None:
    """
    One uplink, until the application has been told of it.

    What a stream tells of a later one comes after everything that it tells of this one.
    """
    talker.say(b"\x01")


def told_in(stream: Stream, talker: Talker, *names: str, count: int) -> list[dict[str, Any]]:
    """Events of these names about the device, once there are so many."""
    patience_s = talker.api.patience_s
    return wait_for_events(stream, talker.device_id, *names, count=count, within_s=patience_s)


def names_in(stream: Stream, talker: Talker, *names: str, count: int) -> list[str]:
    """Names of the events about the device, once there are so many of the given names."""
    told_in(stream, talker, *names, count=count)
    found = wait_for_events(stream, talker.device_id, count=0, within_s=0.0)
    return [each["name"] for each in found if each["name"] != "events.stream.start"]


def whole(stream: Stream, delimiter: str) -> str:
    """What has come so far, once the delimiter of its last message has; a while at most."""
    deadline = time.monotonic() + 2.0
    while True:
        text = b"".join(stream.chunks).decode()
        if text.endswith(delimiter) or time.monotonic() >= deadline:
            return text
        time.sleep(0.02)


@pytest.mark.requirement("TTS-EV-001")
def test_stream_begins(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_device(talker))

    first = events_in(stream)[0]
    identifiers = first.get("identifiers", [])
    told = [each.get("device_ids", {}).get("device_id") for each in identifiers]
    found = [stream.status, first.get("name"), told]
    requirement.check(found, expected=[200, "events.stream.start", [talker.device_id]])


@pytest.mark.requirement("TTS-EV-002", "TTS-EV-003")
def test_event_stream_is_framed(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_application(talker))
    say(talker)
    names_in(stream, talker, FORWARDED, count=1)

    parts = whole(stream, "\n\n").split("\n\n")
    found = [
        str(stream.headers.get("Content-Type")).partition(";")[0],
        parts[-1],
        all(_is_message(each) for each in parts[:-1]),
        "data:" in [each[:5] for each in parts],
    ]
    requirement.check(found, expected=["text/event-stream", "", True, False])


@pytest.mark.requirement("TTS-EV-004")
def test_json_stream_is_framed(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_application(talker), accept="application/json")
    say(talker)
    names_in(stream, talker, FORWARDED, count=1)

    parts = whole(stream, "\n").split("\n")
    kind = str(stream.headers.get("Content-Type")).partition(";")[0]
    found = [kind, parts[-1], all(_is_message(each) for each in parts[:-1])]
    requirement.check(found, expected=["application/json", "", True])


@pytest.mark.requirement("TTS-EV-020")
def test_event_is_told_once(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_application(talker), of_device(talker))
    say(talker)
    told_in(stream, talker, FORWARDED, count=1)
    say(talker)
    told = told_in(stream, talker, FORWARDED, count=2)

    found = [each.get("unique_id") for each in told]
    requirement.check([len(found), len(set(found))], expected=[2, 2])


@pytest.mark.requirement("TTS-EV-005")
def test_events_have_their_members(
    talker: Talker, subscribe: Subscribe, requirement: Judge
) -> None:
    stream = subscribe(of_application(talker))
    say(talker)
    (event, *_) = wait_for_events(
        stream, talker.device_id, FORWARDED, count=1, within_s=talker.api.patience_s
    )

    names = ["name", "time", "identifiers", "origin", "unique_id", "correlation_ids"]
    requirement.check([name for name in names if not event.get(name)], expected=[])


@pytest.mark.requirement("TTS-EV-006", "TTS-EV-007")
def test_propagation(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    application, device = subscribe(of_application(talker)), subscribe(of_device(talker))
    say(talker)
    say(talker)

    names_in(application, talker, FORWARDED, count=2)
    by_device = names_in(device, talker, FORWARDED, RECEIVED, count=4)
    by_application = names_in(application, talker, count=0)
    told = [each.get("data", {}) for each in events_in(application) if each["name"] == FORWARDED]
    message = told[0] if told else {}
    found = [
        {FORWARDED, RECEIVED} & set(by_device),
        {FORWARDED, RECEIVED} & set(by_application),
        message.get("uplink_message", {}).get("f_port"),
    ]
    requirement.check(
        [sorted(found[0]), sorted(found[1]), found[2]],
        expected=[[FORWARDED, RECEIVED], [FORWARDED], 1],
    )


@pytest.mark.requirement("TTS-EV-008")
def test_devices_are_apart(
    talker: Talker, make_talker: Callable[[], Talker], subscribe: Subscribe, requirement: Judge
) -> None:
    other = make_talker()
    stream = subscribe(of_device(other))
    say(talker)
    say(other)

    own = names_in(stream, other, FORWARDED, count=1)
    foreign = names_in(stream, talker, count=0)
    requirement.check([FORWARDED in own, foreign], expected=[True, []])


@pytest.mark.requirement("TTS-EV-009")
def test_names_are_chosen(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_device(talker), names=[RECEIVED])
    say(talker)
    say(talker)

    found = names_in(stream, talker, RECEIVED, count=2)
    requirement.check(found, expected=[RECEIVED, RECEIVED])


@pytest.mark.requirement("TTS-EV-010")
def test_unknown_name_is_refused(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_device(talker), names=["no.such.event"])

    requirement.check(stream.status, expected=400)


@pytest.mark.requirement("TTS-EV-011")
def test_rights_are_needed(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    # A key of another application's: an administrator might subscribe to everything.
    other = f"/applications/{talker.api.stack.new_application()}"
    key = talker.api.stack.new_key(other, "RIGHT_APPLICATION_TRAFFIC_READ")

    requirement.check_in(subscribe(of_device(talker), key=key).status, accepted=[403, 404])


@pytest.mark.requirement("TTS-EV-012")
def test_events_are_correlated(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_device(talker))
    say(talker)
    events = wait_for_events(
        stream, talker.device_id, FORWARDED, RECEIVED, count=2, within_s=talker.api.patience_s
    )

    ids = [set(each.get("correlation_ids", ())) for each in events]
    requirement.check(len(ids) == 2 and bool(ids[0] & ids[1]), expected=True)


def _is_message(text: str) -> bool:
    """Whether this is one JSON object with ``result``."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and "result" in value and "\n" not in text.strip("\n")


@pytest.mark.requirement("TTS-EV-013")
def test_user_agent_is_told(talker: Talker, subscribe: Subscribe, requirement: Judge) -> None:
    stream = subscribe(of_device(talker))
    # The Identity Server may stand elsewhere: its events come by its own streams.
    device = {"formatters": {"up_formatter": "FORMATTER_NONE"}}
    body = {"end_device": device, "field_mask": {"paths": ["formatters.up_formatter"]}}
    agent = "my-integration/my-integration-version"

    talker.api.call("PUT", talker.path, body, headers={"User-Agent": agent}).ok_json()

    found = told_in(stream, talker, "as.end_device.update", count=1)
    agents = [str(each.get("user_agent")) for each in found]
    requirement.check_that(len(agents) == 1 and agent in agents[0], expected=agent, actual=agents)
