"""Payload formatters that are tried out: nothing is sent, nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.things_stack.answers import part
from conformance.things_stack.event_stream import Subscription
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import Talker, uplink
from conformance.things_stack.traffic_fixtures import Api

DECODE_UPLINK = "function decodeUplink(i) { return {data: {port: i.fPort, n: i.bytes.length}}; }"
ENCODE = "function encodeDownlink(i) { return {bytes: [i.data.level, 255], fPort: 9}; }"
DECODE_DOWNLINK = "function decodeDownlink(i) { return {data: {level: i.bytes[0]}}; }"


@pytest.fixture(scope="module")
def talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> Talker:
    """A device without formatters."""
    return Talker(stack_api, traffic_application, registrar.abp("1.0.2"), application_events)


def tried(talker: Talker, call: str, formatter: str, script: str = "", **message: Any) -> Response:
    """POST of a message and a formatter."""
    document = {"formatter": f"FORMATTER_{formatter}", "parameter": script, **message}
    return talker.api.call("POST", f"{talker.path}/{call}", document)


@pytest.mark.requirement("TTS-FMT-006")
@pytest.mark.parametrize(
    ("formatter", "script", "expected"),
    [
        pytest.param("CAYENNELPP", "", {"temperature_1": 24.8}, id="cayenne"),
        pytest.param("JAVASCRIPT", DECODE_UPLINK, {"port": 1, "n": 4}, id="script"),
    ],
)
def test_uplink_is_decoded(
    talker: Talker, formatter: str, script: str, expected: Any, requirement: Judge
) -> None:
    message = {**uplink()["uplink_message"], "received_at": "2026-01-01T00:00:00Z"}

    answer = tried(talker, "up/decode", formatter, script, uplink=message)

    decoded = part(answer.json, "uplink", "decoded_payload") or {}
    # Numbers may be of single precision.
    found = {name: round(value, 5) for name, value in decoded.items()}
    requirement.check([answer.status, found], expected=[200, expected])


@pytest.mark.requirement("TTS-FMT-007")
def test_downlink_is_encoded(talker: Talker, requirement: Judge) -> None:
    message = {"f_port": 2, "decoded_payload": {"level": 3}}

    answer = tried(talker, "down/encode", "JAVASCRIPT", ENCODE, downlink=message)

    found = [part(answer.json, "downlink", name) for name in ("f_port", "frm_payload")]
    requirement.check([answer.status, *found], expected=[200, 9, "A/8="])
    requirement.check(talker.queue(), expected={})


@pytest.mark.requirement("TTS-FMT-008")
def test_downlink_is_decoded(talker: Talker, requirement: Judge) -> None:
    message = {"f_port": 2, "frm_payload": "A/8="}

    answer = tried(talker, "down/decode", "JAVASCRIPT", DECODE_DOWNLINK, downlink=message)

    found = part(answer.json, "downlink", "decoded_payload")
    requirement.check([answer.status, found], expected=[200, {"level": 3}])
