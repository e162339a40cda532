"""POST /v2/things: an activation code becomes a thing."""

import json

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing, activate
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.run import Run
from conformance.thethings_io.shapes import ERROR, TOKEN, is_error, is_refused, shown
from conformance.thethings_io.shapes import values as values_of

NOT_FOUND = "activation code not found"
UNKNOWN = "thingrig-no-such-activation-code-0"
WITHOUT_CODE = [
    pytest.param(b'{"productId":"thingrig"}', id="no-code"),
    pytest.param(b"{}", id="empty-object"),
    pytest.param(b'{"activationCode":', id="cut-short"),
    pytest.param(b"activate me", id="plain-text"),
    pytest.param(b"", id="no-body"),
    pytest.param(b"[]", id="array"),
    pytest.param(b'{"activationCode":null}', id="null"),
    pytest.param(b'{"activationCode":{"a":1}}', id="object"),
]


@pytest.fixture
def another_activation(run: Run, thing: Thing, activation: Response) -> Response:
    """An accepted activation other than ``activation``: that of ``thing``, or a further one."""
    other = thing.activation
    if other is None or other is activation:
        other = activate(run)
    if not (isinstance(other.json, dict) and isinstance(activation.json, dict)):
        raise Inconclusive("two activations are needed, and not both were accepted")
    return other


@pytest.mark.requirement("TIO-ACT-001")
def test_accepted_activation_is_201(activation: Response, requirement: Judge) -> None:
    requirement.check(activation.status, expected=201)


@pytest.mark.requirement("TIO-ACT-002")
def test_accepted_activation_says_created(activation: Response, requirement: Judge) -> None:
    requirement.check(member(activation, "status"), expected="created")


@pytest.mark.requirement("TIO-ACT-003")
def test_thing_token_has_43_characters(activation: Response, requirement: Judge) -> None:
    token = member(activation, "thingToken")

    requirement.check_that(
        TOKEN.fullmatch(str(token)) is not None,
        expected="43 characters from A-Z a-z 0-9 - _",
        actual=token,
    )


@pytest.mark.requirement("TIO-ACT-004")
def test_thing_id_has_43_characters(activation: Response, requirement: Judge) -> None:
    thing_id = member(activation, "thingId")

    requirement.check_that(
        TOKEN.fullmatch(str(thing_id)) is not None,
        expected="43 characters from A-Z a-z 0-9 - _",
        actual=thing_id,
    )


@pytest.mark.requirement("TIO-ACT-005")
def test_accepted_activation_has_its_message(activation: Response, requirement: Judge) -> None:
    requirement.check(member(activation, "message"), expected="thing activated")


@pytest.mark.requirement("TIO-ACT-006")
def test_new_token_serves_at_once(
    activation: Response, api: ThethingsClient, thing: Thing, requirement: Judge
) -> None:
    token, key = str(member(activation, "thingToken")), thing.key("fresh")

    api.write(token, [{"key": key, "value": "first"}])

    requirement.check(values_of(api.read(token, key)), expected=["first"])


@pytest.mark.requirement("TIO-ACT-007")
def test_unknown_code_is_400(api: ThethingsClient, requirement: Judge) -> None:
    requirement.check(api.activate(UNKNOWN).status, expected=400)


@pytest.mark.requirement("TIO-ACT-008")
def test_unknown_code_says_so(api: ThethingsClient, requirement: Judge) -> None:
    answer = api.activate(UNKNOWN).json

    told = {key: answer[key] for key in answer if key != "code"} if is_error(answer) else answer
    requirement.check(told, expected={"status": "error", "message": "activation code not found"})


@pytest.mark.requirement("TIO-ACT-009")
def test_slash_at_the_end_is_free(api: ThethingsClient, requirement: Judge) -> None:
    without, with_slash = (
        api.send("POST", path, json={"activationCode": UNKNOWN})
        for path in ("/v2/things", "/v2/things/")
    )

    requirement.check([with_slash.status, with_slash.json], expected=[without.status, without.json])


@pytest.mark.requirement("TIO-ACT-010")
@pytest.mark.parametrize("body", WITHOUT_CODE)
def test_activation_without_code_is_refused(
    api: ThethingsClient, requirement: Judge, body: bytes
) -> None:
    answer = api.send("POST", "/v2/things", body=body, headers={"Content-Type": "application/json"})

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-ACT-011")
@pytest.mark.parametrize("body", WITHOUT_CODE)
def test_activation_without_code_is_400(
    api: ThethingsClient, requirement: Judge, body: bytes
) -> None:
    answer = api.send("POST", "/v2/things", body=body, headers={"Content-Type": "application/json"})

    requirement.check(answer.status, expected=400)


@pytest.mark.requirement("TIO-ACT-012")
def test_used_code_is_refused(
    activation: Response, api: ThethingsClient, run: Run, requirement: Judge
) -> None:
    answer = api.activate(used_code(run, activation))

    requirement.check([answer.status, member(answer, "message")], expected=[400, NOT_FOUND])


@pytest.mark.requirement("TIO-ACT-013")
def test_token_follows_on_one_line(activation: Response, requirement: Judge) -> None:
    text = activation.body.decode("utf-8", "replace").strip()
    token = member(activation, "thingToken")

    requirement.check_that(
        f'"thingToken":"{token}"' in text and "\n" not in text,
        expected='one line with "thingToken":" directly before the token',
        actual=text,
    )


@pytest.mark.requirement("TIO-ACT-014")
def test_activation_is_answered_in_a_second(activation: Response, requirement: Judge) -> None:
    requirement.check_that(
        activation.elapsed_s <= 1.0,
        expected="an answer within 1 s",
        actual=f"{activation.elapsed_s:.3f} s",
    )


@pytest.mark.requirement("TIO-ACT-015")
def test_things_have_tokens_and_ids_of_their_own(
    activation: Response, another_activation: Response, requirement: Judge
) -> None:
    first, second = activation.json, another_activation.json

    same = [name for name in ("thingToken", "thingId") if first.get(name) == second.get(name)]
    requirement.check(same, expected=[])


def used_code(run: Run, activation: Response) -> str:
    """The code that was used for an activation."""
    for exchange in run.exchanges:
        if exchange.response is activation and activation.is_success:
            return str(json.loads(exchange.body)["activationCode"])
    raise Inconclusive("no activation was accepted")


def member(answer: Response, name: str) -> object:
    """One member of an answer's object; the answer whole when it has none."""
    document = answer.json
    return document[name] if isinstance(document, dict) and name in document else shown(answer)
