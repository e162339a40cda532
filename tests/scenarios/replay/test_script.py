"""What a trace says is to be done, and what each step has to wait for."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.replay.script import Ending, Exchange, Script, ScriptError, Stream

from .recording import (
    CODE,
    OTHER,
    TOKEN,
    Line,
    activated,
    answer,
    get,
    post,
    script,
    subscribe,
    told,
    trace,
    write,
)

FAILURE = {"failure": "the peer closed the connection"}


def waits(played: Script) -> list[list[str]]:
    """For each step, the numbers of those it waits for: begun, answered, or heard so far."""
    numbers = {step: number for number, step in enumerate(played.steps)}
    found = []
    for step in played.steps:
        words = []
        for need in step.needs:
            how = "answer of " if need.is_answer else ""
            how = how if need.documents is None else f"document {need.documents} of "
            words.append(f"{how}{numbers[need.step]}")
        found.append(sorted(words))
    return found


def test_a_request_and_its_answer_are_one_exchange() -> None:
    played = script((5, "a", write("k", 1)), (9, "a", answer()))
    [step] = played.exchanges
    assert (step.at, step.device, step.method, step.is_write) == (5000, "a", "POST", True)
    assert step.target == f"/v2/things/{TOKEN}"
    assert step.answer is not None
    assert (step.answer.at, step.answer.status, step.answer.document) == (
        9000, 201, {"status": "created"},
    )  # fmt: skip


def test_a_trace_that_ends_before_an_answer_leaves_it_open() -> None:
    [step] = script((5, "a", write("k", 1))).exchanges
    assert step.answer is None


def test_a_device_goes_on_when_it_has_its_answer() -> None:
    played = script(
        (0, "a", post("/v2/things", {"activationCode": CODE})),
        (1, "a", activated()),
        (2, "a", write("k", 1)),
    )
    assert waits(played) == [[], ["0", "answer of 0"]]


def test_others_wait_for_what_concerns_the_same_thing() -> None:
    played = script(
        (0, "a", post("/v2/things", {"activationCode": CODE})),
        (1, "a", activated()),
        (2, "b", get(f"/v2/things/{TOKEN}/resources")),
        (2, "c", get("/v2/utils/date")),
    )
    assert waits(played) == [[], ["answer of 0"], []]


def test_requests_under_way_together_stay_so() -> None:
    played = script(
        (0, "a", write("k", 1)),
        (0, "a", write("k", 2)),
        (1, "a", answer()),
        (1, "a", answer()),
        (2, "a", write("k", 3)),
    )
    assert waits(played) == [[], ["0"], ["1", "answer of 0", "answer of 1"]]
    first, second, third = played.exchanges
    assert (first.overlaps(second), first.overlaps(third)) == (True, False)


def test_what_a_subscriber_has_heard_is_known_before_it_goes_on() -> None:
    played = script(
        (0, "a", subscribe()),
        (1, "a", {"stream": {"message": "subscribed"}}),
        (2, "b", write("k", 1)),
        (3, "a", told("k", 1)),
        (4, "a", write("k_ack", 1)),
        (5, "b", answer()),
    )
    assert waits(played) == [
        [],
        ["0", "document 1 of 0"],
        ["0", "1", "document 1 of 0", "document 2 of 0"],
    ]


def test_keep_alives_are_silence_and_no_documents() -> None:
    [stream] = script(
        (0, "a", subscribe()),
        (10, "a", {"stream": {"message": "subscribed"}}),
        (1010, "a", {"stream": {}}),
        (1500, "a", told("k", 1)),
        (2500, "a", {"stream": {}}),
    ).streams
    assert [each.document for each in stream.heard] == [
        {"message": "subscribed"}, [{"key": "k", "value": 1}],
    ]  # fmt: skip
    assert stream.silences_us == [1_000_000, 1_000_000]
    assert stream.end is None


@pytest.mark.parametrize("closing", [subscribe(OTHER), {"stream_closed": True}])
def test_a_device_stops_listening(closing: dict[str, Any]) -> None:
    played = script((0, "a", subscribe()), (1, "a", told("k", 1)), (2, "a", closing))
    kinds = [type(step) for step in played.steps]
    assert kinds == [Stream, Ending, Stream][: len(kinds)]
    assert waits(played)[1] == ["0", "document 1 of 0"]
    assert (played.streams[0].end, played.streams[0].closed) == (None, 2)


def test_a_platform_ends_a_stream() -> None:
    played = script((0, "a", subscribe()), (2, "a", {"stream_end": "stream cut: reset"}))
    [stream] = played.streams
    assert stream.end is not None
    assert (stream.end.failure, stream.refused) == ("stream cut: reset", None)
    assert isinstance(played.steps[-1], Ending)


def test_a_refused_stream_knows_its_status() -> None:
    [stream] = script(
        (0, "a", subscribe()), (2, "a", {"stream_end": "refused with status 404"})
    ).streams
    assert stream.refused == 404


def test_words_that_only_answers_brought_are_issued() -> None:
    played = script(
        (0, "a", post("/v2/things", {"activationCode": CODE, "note": "a-word-of-the-device"})),
        (1, "a", activated(thing_id="Kq7_issued-by-the-platform")),
        (2, "b", get("/v2/things/Kq7_issued-by-the-platform")),
        (3, "b", answer(200, {"echo": "a-word-of-the-device"})),
    )
    assert played.issued == {"Kq7_issued-by-the-platform"}


def test_secrets_that_no_answer_gave_are_the_target_files() -> None:
    played = script(
        (0, "a", post("/v2/things", {"activationCode": CODE})),
        (1, "a", activated(TOKEN)),
        (2, "a", write("k", 1, TOKEN)),
        (3, "b", write("k", 1, OTHER)),
    )
    assert played.given("activation_code") == {CODE}
    assert played.given("thing_token") == {OTHER}
    assert played.learned == {TOKEN}


def test_peoples_own_brackets_are_no_secrets() -> None:
    [step] = script((0, "a", write("note", "see <chapter:7> and <b:1>"))).exchanges
    assert step.keys == {"a", TOKEN}


def test_one_failure_among_several_tells_nothing_of_any() -> None:
    played = script(
        (0, "a", write("k", 1)),
        (0, "a", write("k", 2)),
        (1, "a", FAILURE),
        (1, "a", answer()),
        (2, "a", write("k", 3)),
        (3, "a", FAILURE),
    )
    assert [step.is_unclear for step in played.exchanges] == [True, True, False]


def test_an_answer_that_a_trace_could_not_hold_is_unclear() -> None:
    [step] = script((0, "a", write("k", 1)), (1, "a", {"unwritable": "dict"})).exchanges
    assert step.is_unclear


def test_a_failed_write_arrived_if_somebody_heard_of_it() -> None:
    played = script(
        (0, "b", subscribe()),
        (1, "a", write("k", 1)),
        (2, "b", told("k", 1)),
        (3, "a", FAILURE),
        (4, "a", write("k", 2)),
        (5, "a", FAILURE),
    )
    assert [played.was_heard(step) for step in played.exchanges] == [True, False]


def test_dates_that_requests_name_are_known_about_their_thing() -> None:
    played = script((0, "a", write("k", 1, datetime="2024-01-01T00:00:01.000Z")))
    assert played.dates == {"a": {1_704_067_201_000_000}, TOKEN: {1_704_067_201_000_000}}


def test_requests_as_they_were_sent_are_understood_by_their_body() -> None:
    message = {
        "method": "POST", "target": f"/v2/things/{TOKEN}", "headers": {"X": "y"},
        "body": '{"values": [{"key": "k", "value": 1, "datetime": "20240101000001"}]}',
    }  # fmt: skip
    played = script((0, "a", message), (1, "a", FAILURE))
    [step] = played.exchanges
    assert step.document["values"][0]["key"] == "k"
    assert step.verbatim is not None
    assert (step.verbatim.headers, step.verbatim.raw) == ({"X": "y"}, None)
    assert played.dates[TOKEN] == {1_704_067_201_000_000}
    assert step.is_unclear  # it may well have arrived


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ((0, "a", {"status": 200}), "expected a request before its answer"),
        ((0, "a", {"stream": {}}), "expected a subscription before its documents"),
        ((0, "a", {"other": 1}), "expected the answer of a device's request"),
        ((0, "a", {"method": 1}), "expected a request with method and target"),
        ((0, "a", {"method": "GET", "target": "/ b"}), "in printable ASCII"),
        ((0, "a", {**get("/"), "headers": []}), "expected headers to be an object of texts"),
        ((0, "a", {**get("/"), "headers": {}, "body": 1}), "expected a body of text"),
        ((0, "a", {**get("/"), "headers": {}, "raw": {"base64": "?"}}), "expected a body of text"),
        ((0, "a", {**get("/"), "headers": {}, "answers": -1}), "expected answers to be"),
        ((0, "a", {**get("/"), "authorization": 1}), "expected authorization to be a text"),
        ((-1, "a", get("/")), "expected an event with a time, a device and a message"),
        ((0, None, get("/")), "expected an event with a time, a device and a message"),
        ((0, "a", {**get("/"), "document": 10**30}), "expected JSON to send"),
    ],
)
def test_a_line_that_cannot_be_played_is_named(line: Line, words: str) -> None:
    with pytest.raises(ScriptError, match=words) as caught:
        script((0, "b", get("/v2/")), line)
    assert caught.value.line == 3


def test_other_channels_are_no_steps() -> None:
    recorded = trace((0, "a", get("/v2/")))
    recorded.events.append(recorded.events[0]._replace(channel="fault", direction="none"))
    assert [type(step) for step in Script(recorded).steps] == [Exchange]
