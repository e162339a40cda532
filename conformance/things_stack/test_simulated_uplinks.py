"""Simulated uplinks, and what payload formatters make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.things_stack.event_stream import Subscription
from conformance.things_stack.registering import Registrar
from conformance.things_stack.talk import SETTINGS, Talker, error_name, uplink
from conformance.things_stack.traffic_fixtures import Api

CAYENNE = {"up_formatter": "FORMATTER_CAYENNELPP"}
MakeTalker = Callable[..., Talker]
CUT_OFF_S = 20.0
"""How long an uplink may be held up by its script: the time it may use is short, not the wait."""


@pytest.fixture(scope="module")
def make_talker(
    stack_api: Api, traffic_application: str, registrar: Registrar, application_events: Subscription
) -> MakeTalker:
    """Registers a device with formatters."""

    def make(**formatters: Any) -> Talker:
        node = registrar.abp("1.0.2", formatters=formatters or None)
        return Talker(stack_api, traffic_application, node, application_events)

    return make


@pytest.fixture(scope="module")
def talker(make_talker: MakeTalker) -> Talker:
    """A device without formatters."""
    return make_talker()


def script(body: str) -> dict[str, str]:
    """A JavaScript decodeUplink of that body."""
    text = f"function decodeUplink(input) {{ {body} }}"
    return {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": text}


@pytest.mark.requirement("TTS-SIM-001")
def test_simulated_uplink_is_taken(talker: Talker, requirement: Judge) -> None:
    answer = talker.simulate(uplink())

    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-SIM-002")
def test_simulated_uplink_reaches_the_application(talker: Talker, requirement: Judge) -> None:
    talker.simulate(uplink(b"\x0a\x0b", f_port=9, f_cnt=3)).ok_json()

    told = talker.heard(3)
    message = told.get("uplink_message", {})
    found = [told.get("simulated"), *(message.get(name) for name in ("f_port", "frm_payload"))]
    requirement.check(found, expected=[True, 9, "Cgs="])


@pytest.mark.requirement("TTS-SIM-003")
def test_uplink_may_not_call_itself_simulated(talker: Talker, requirement: Judge) -> None:
    answer = talker.simulate({**uplink(), "simulated": True})

    requirement.check([answer.status, error_name(answer)], expected=[400, "simulated"])


@pytest.mark.requirement("TTS-SIM-004")
@pytest.mark.parametrize("lacking", ["data_rate", "frequency"])
def test_settings_are_needed(lacking: str, talker: Talker, requirement: Judge) -> None:
    document = uplink()
    settings = {name: value for name, value in SETTINGS.items() if name != lacking}
    document["uplink_message"]["settings"] = settings

    requirement.check(talker.simulate(document).status, expected=400)


@pytest.mark.requirement("TTS-SIM-005")
def test_unknown_device_says_nothing(talker: Talker, requirement: Judge) -> None:
    other = talker.api.name("dev")
    path = f"/as/applications/{talker.application_id}/devices/{other}/up/simulate"
    talker.api.call("POST", path, uplink())
    for _ in range(2):  # the second one begins when the first has come all the way
        talker.say(b"\x01")

    told = [
        each
        for each in talker.events_of_application.values
        if other in str(each) and "as.up.data.forward" in str(each)
    ]
    requirement.check(told, expected=[])


@pytest.mark.requirement("TTS-FMT-001")
def test_cayenne_is_decoded(make_talker: MakeTalker, requirement: Judge) -> None:
    message = make_talker(**CAYENNE).say(b"\x01\x67\x00\xf8")

    # A server may hold numbers with single precision, which JSON then shows: 24.79999924.
    found = {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in (message.get("decoded_payload") or {}).items()
    }
    requirement.check(found, expected={"temperature_1": 24.8})


DECODER = (
    "return {data: {port: input.fPort, first: input.bytes[0], n: input.bytes.length},"
    " warnings: ['low battery']};"
)


@pytest.mark.requirement("TTS-FMT-002")
def test_script_decodes(make_talker: MakeTalker, requirement: Judge) -> None:
    message = make_talker(**script(DECODER)).say(b"\x07\x08", f_port=5)

    expected = {"port": 5, "first": 7, "n": 2}
    requirement.check(message.get("decoded_payload"), expected=expected)


@pytest.mark.requirement("TTS-FMT-003")
def test_script_warns(make_talker: MakeTalker, requirement: Judge) -> None:
    message = make_talker(**script(DECODER)).say(b"\x07\x08", f_port=5)

    requirement.check(message.get("decoded_payload_warnings"), expected=["low battery"])


@pytest.mark.requirement("TTS-FMT-004")
def test_script_that_throws_spares_the_uplink(make_talker: MakeTalker, requirement: Judge) -> None:
    talker = make_talker(**script("throw new Error('no');"))
    message = talker.say(b"\x01")

    failed = talker.events("as.up.data.decode.fail", count=1)
    found = [message.get("frm_payload"), "decoded_payload" in message, len(failed)]
    requirement.check(found, expected=["AQ==", False, 1])


@pytest.mark.requirement("TTS-FMT-005")
def test_script_that_loops_is_cut_off(make_talker: MakeTalker, requirement: Judge) -> None:
    talker = make_talker(**script("while (true) {}"))
    message = talker.say(b"\x01", within_s=CUT_OFF_S)

    failed = talker.events("as.up.data.decode.fail", count=1)
    found = [message.get("frm_payload"), "decoded_payload" in message, len(failed)]
    requirement.check(found, expected=["AQ==", False, 1])
