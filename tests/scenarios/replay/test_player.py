"""A script played to a platform that says what a test wants it to, in virtual time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import simpy

from scenarios.recorder import Recorder
from scenarios.replay import report
from scenarios.replay.names import Names
from scenarios.replay.player import LOST_AFTER, Manner, Outcome, Player
from scenarios.replay.postman import Postman
from scenarios.secrets import SecretRegistry
from scenarios.trace import TraceWriter
from simulators.clock import VirtualClock
from simulators.transports.endpoint import Endpoint
from simulators.transports.http import HttpAnswer, TransportError

from .recording import (
    CODE,
    HEADER,
    START,
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

NEW, CREATED = "N" * 43, HttpAnswer(201, {"status": "created"})
FIRST = {"stream": {"message": "subscribed"}}


class Stage(VirtualClock):
    """A clock whose end may come early."""

    is_over = False

    def finish(self) -> None:
        self.is_over = True


class Platform:
    """Answers after ``latency_us`` with what ``says`` gives; None is no answer."""

    def __init__(self, clock: VirtualClock, says: Callable[..., Any]) -> None:
        self.clock, self.says = clock, says
        self.latency_us = 1000
        self.echoes = False  # whether subscribers are told of what is written
        self.asked: list[tuple[int, str, str, Any]] = []
        self.sessions: list[str | None] = []
        self.listeners: list[Any] = []

    def channel(self, device: str) -> Platform:
        return self

    def authorize(self, token: str | None) -> None:
        self.sessions.append(token)

    def request(self, method: str, target: str, document: Any = None) -> simpy.Event:
        self.asked.append((self.clock.now_us() // 1000, method, target, document))
        if self.echoes and document and "values" in document:
            self.tell(document["values"])
        return self._answered(self.says(method, target, document))

    def exchange(self, data: bytes, answers: int) -> simpy.Event:
        self.asked.append((self.clock.now_us() // 1000, "", "", data))
        return self._answered(self.says("", "", data))

    def subscribe(
        self, target: str, on_document: Any, on_end: Any, document: Any = None
    ) -> Platform:
        self.asked.append((self.clock.now_us() // 1000, "stream", target, None))
        self.listeners.append(on_document)
        self.tell({"message": "subscribed"})
        return self

    def tell(self, document: Any) -> None:
        later = self.clock.timeout(self.latency_us)
        later.callbacks.append(lambda _: [each(document) for each in self.listeners])

    def close(self) -> None:
        self.listeners.clear()

    def _answered(self, said: HttpAnswer | None) -> simpy.Event:
        event = self.clock.event()

        def arrive(_: Any) -> None:
            if said is None:
                event.fail(TransportError("the peer closed the connection"))
            else:
                event.succeed(said)

        self.clock.timeout(self.latency_us).callbacks.append(arrive)
        return event


class Played:
    """A replay from beginning to end."""

    def __init__(
        self,
        lines: list[Line],
        says: Callable[..., Any] = lambda *_: CREATED,
        *,
        codes: tuple[str, ...] = ("code-one", "code-two"),
        until_s: float = 100.0,
        latency_us: int = 1000,
        echoes: bool = False,
        **manner: Any,
    ) -> None:
        self.clock = Stage(start=datetime.fromisoformat("2026-11-28T00:00:00Z"))
        self.script = script(*lines)
        self.trace = trace(*lines)
        self.platform = Platform(self.clock, says)
        self.platform.latency_us, self.platform.echoes = latency_us, echoes
        names = Names(self.script, activation_codes=codes, thing_tokens=())
        secrets = SecretRegistry()
        self.written = io.BytesIO()
        endpoint = Endpoint.of("http://there:9")
        player = Player(
            self.script,
            names,
            clock=self.clock,  # type: ignore[arg-type]  # as far as a player needs one
            transport=self.platform,  # type: ignore[arg-type]  # likewise
            postman=Postman(
                names, sent_to=None, endpoint=endpoint, product_id=None, redact=secrets.redact
            ),
            recorder=Recorder(self.clock, TraceWriter(self.written, HEADER, secrets), secrets),
            start=datetime.fromisoformat(START),
            manner=Manner(**manner),
        )
        self.clock.process(player.conduct())
        self.clock.play(until_s)
        self.outcome: Outcome = player.finish()

    @property
    def found(self) -> list[tuple[str, str]]:
        """Kind and place of each difference."""
        findings = self.outcome.findings
        return [(each.difference.kind, each.difference.where) for each in findings]

    @property
    def verdict(self) -> str:
        return report.verdict(self.outcome)

    @property
    def reason(self) -> str:
        return report.reason(self.outcome) or ""

    def asked(self) -> list[tuple[int, str]]:
        """When, in milliseconds, and what."""
        return [(at, target or document) for at, _, target, document in self.platform.asked]


def platform(method: str, target: str, document: Any) -> HttpAnswer:
    """Activates any code once, takes writes, knows no row."""
    if target == "/v2/things":
        return HttpAnswer(201, {"status": "created", "thingToken": NEW, "thingId": "U" * 20 + "1"})
    if method == "POST":
        return CREATED
    return HttpAnswer(404, {"status": "error", "message": "resource not found"})


ACTIVATION: list[Line] = [
    (0, "a", post("/v2/things", {"activationCode": CODE, "productId": "old"})),
    (20, "a", activated()),
]


def test_tokens_of_the_other_side_are_used() -> None:
    played = Played([*ACTIVATION, (50, "a", write("k", 1)), (70, "a", answer())], platform)
    assert (played.verdict, played.found) == ("same", [])
    assert played.platform.asked == [
        (0, "POST", "/v2/things", {"activationCode": "code-one", "productId": "old"}),
        (50, "POST", f"/v2/things/{NEW}", {"values": [{"key": "k", "value": 1}]}),
    ]
    text = played.written.getvalue().decode()
    assert "code-one" not in text
    assert NEW not in text
    assert text.count("<thing_token:2:…NNNN>") == 2


def test_distances_in_time_are_scaled() -> None:
    lines: list[Line] = [(at, "a", get(f"/{at}")) for at in (0, 100, 1000)]
    assert Played(lines).asked() == [(0, "/0"), (100, "/100"), (1000, "/1000")]
    assert Played(lines, speed=10).asked() == [(0, "/0"), (10, "/100"), (100, "/1000")]


def test_a_device_waits_for_its_answer_however_late() -> None:
    lines: list[Line] = [
        (0, "a", get("/1")), (1, "a", answer()), (2, "a", get("/2")), (2, "b", get("/3")),
    ]  # fmt: skip
    played = Played(lines, latency_us=500_000)
    assert played.asked() == [(0, "/1"), (2, "/3"), (500, "/2")]
    assert played.outcome.behind_us == 498_000


def test_a_product_is_replaced_by_the_targets() -> None:
    played = Played(ACTIVATION, platform, product_id="new")
    assert played.platform.asked[0][3] == {"activationCode": "code-one", "productId": "new"}


def test_a_used_code_is_followed_by_the_next() -> None:
    def says(method: str, target: str, document: Any) -> HttpAnswer:
        is_used = document == {"activationCode": "code-one", "productId": "old"}
        return HttpAnswer(400, {"status": "error"}) if is_used else platform(method, target, None)

    played = Played(ACTIVATION, says, has_used_codes=True)
    assert played.verdict == "same"
    assert [each[3]["activationCode"] for each in played.platform.asked] == [
        "code-one", "code-two",
    ]  # fmt: skip
    assert Played(ACTIVATION, says).found == [("status", "")]


def test_a_refused_activation_is_one_difference_and_ends_the_device() -> None:
    lines = [*ACTIVATION, (50, "a", write("k", 1)), (70, "a", answer()), (80, "a", subscribe())]
    played = Played(lines, lambda *_: HttpAnswer(500, None))
    assert (played.verdict, played.found) == ("different", [("status", "")])
    assert played.outcome.counts["unplayed"] == 2
    assert len(played.platform.asked) == 1


def test_what_could_not_be_played_leaves_no_judgement() -> None:
    lines: list[Line] = [
        (0, "a", get("/v2/")), (1, "a", answer()),
        (2, "b", {**get("/v2/me"), "authorization": "<session_token:9:…zzzz>"}), (3, "b", answer()),
    ]  # fmt: skip
    played = Played(lines)
    assert (played.verdict, played.found) == ("inconclusive", [])
    assert played.reason == "1 requests hold a secret that the target neither has nor gave"


def test_sessions_are_learned_as_tokens_are() -> None:
    session = "<session_token:9:…zzzz>"
    lines: list[Line] = [
        (0, "app", post("/v2/login", {"email": "a@b"})),
        (1, "app", answer(200, {"token": session})),
        (2, "app", {**get("/v2/me/things"), "authorization": session}),
        (3, "app", answer(200, {"token": session})),
        (4, "app", {**subscribe("x"), "authorization": session}),
        (5, "app", FIRST),
    ]
    played = Played(lines, lambda *_: HttpAnswer(200, {"token": "S" * 40}))
    assert (played.verdict, played.platform.sessions) == ("same", ["S" * 40])
    assert "S" * 40 not in played.written.getvalue().decode()


@pytest.mark.parametrize(
    ("said", "kind", "where"),
    [
        (HttpAnswer(202, {"status": "created"}), "status", ""),
        (HttpAnswer(201, {"status": "ok"}), "value", "status"),
        (HttpAnswer(201, {}), "shape", "status"),
        (HttpAnswer(201, b"<html>"), "shape", "status"),
        (None, "no answer", ""),
    ],
)
def test_another_answer_is_a_difference(said: HttpAnswer | None, kind: str, where: str) -> None:
    lines: list[Line] = [(0, "a", get("/")), (1, "a", answer())]
    assert (kind, where) in Played(lines, lambda *_: said).found


def test_a_late_answer_is_one_unless_a_rate_held_it_back() -> None:
    lines: list[Line] = [(0, "a", get("/")), (1, "a", answer())]
    assert Played(lines, latency_us=900_000).found == []
    late = "seconds until the answer"
    assert Played(lines, latency_us=1_100_000).found == [("timing", late)]
    assert Played(lines, latency_us=1_100_000, is_timed=False).found == []


def test_what_got_no_answer_is_not_asked_again() -> None:
    lines: list[Line] = [
        (0, "a", write("k", 1)), (1, "a", {"failure": "reset"}),
        (2, "a", get("/")), (3, "a", answer()),
    ]  # fmt: skip
    played = Played([*ACTIVATION, *((at + 30, *rest) for at, *rest in lines)], platform)
    assert [target for _, target in played.asked()] == ["/v2/things", "/"]
    assert played.outcome.counts["failed in the recording"] == 1


def test_a_read_beside_a_write_is_left_to_chance() -> None:
    lines: list[Line] = [
        *ACTIVATION,
        (30, "a", write("k", 1)),
        (30, "b", get(f"/v2/things/{TOKEN}/resources/k")),
        (31, "b", answer(200, [{"key": "k", "value": 1}])),
        (32, "a", answer()),
    ]
    played = Played(lines, platform)
    assert (played.verdict, played.found) == ("same", [])
    assert [each.difference.kind for each in played.outcome.uncertain] == ["status"]


def test_a_device_waits_for_what_it_heard_but_not_for_ever() -> None:
    lines = [
        *ACTIVATION,
        (30, "a", subscribe()),
        (31, "a", FIRST),
        (40, "b", write("turn", 1)),
        (41, "b", answer()),
        (41, "a", told("turn", 1)),
        (42, "a", write("turn_ack", 1)),
        (43, "a", answer()),
    ]
    played = Played(lines, platform)
    assert played.found == [("missing", "")]
    assert played.asked()[-1] == (2042, f"/v2/things/{NEW}")


def test_streams_are_heard_to_their_end_and_closed() -> None:
    lines = [
        *ACTIVATION,
        (30, "a", subscribe()),
        (31, "a", FIRST),
        (40, "b", write("turn", 1)),
        (41, "b", answer()),
        (41, "a", told("turn", 1)),
    ]

    played = Played(lines, platform, echoes=True)
    assert (played.verdict, played.found) == ("same", [])
    assert played.outcome.counts["documents"] == 2
    assert played.platform.listeners == []


def test_a_target_that_says_nothing_any_more_is_lost() -> None:
    lines: list[Line] = []
    for at in range(0, 100, 2):
        lines += [(at, "a", get("/")), (at + 1, "a", answer())]
    said = iter([CREATED] * 5)
    played = Played(lines, lambda *_: next(said, None))
    assert (played.verdict, len(played.platform.asked)) == ("inconclusive", 5 + LOST_AFTER)
    assert played.reason.startswith(f"no answer to {LOST_AFTER} requests in a row: the peer closed")
    assert played.clock.is_over
    assert played.outcome.counts["compared"] == 5


def test_requests_as_they_were_sent_are_sent_so() -> None:
    sent = {"method": "GET", "target": "/v2/", "headers": {"X": "y"}, "body": ""}
    lines: list[Line] = [(0, "a", sent), (1, "a", answer()), (2, "a", {**sent, "raw": "GET / H"})]
    played = Played(lines)
    assert [document for *_, document in played.platform.asked] == [
        b"GET /v2/ HTTP/1.1\r\nHost: there:9\r\nAccept: */*\r\nUser-Agent: thingrig\r\n"
        b"X: y\r\n\r\n",
        b"GET / H",
    ]
    events = [json.loads(line) for line in played.written.getvalue().splitlines()[1:]]
    assert events[0]["message"] == sent
    assert events[2]["message"] == {**sent, "raw": "GET / H", "answers": 1}


def test_a_script_of_nothing_comparable_is_no_judgement() -> None:
    played = Played([(0, "a", get("/"))])
    assert (played.verdict, played.reason) == (
        "inconclusive", "no request of the trace could be compared",
    )  # fmt: skip


def test_equal_differences_are_one_entry_most_important_first() -> None:
    lines: list[Line] = []
    for at in range(0, 60, 10):
        lines += [(at, "a", write("k", at)), (at + 1, "a", answer())]
    lines += [(70, "a", get("/x")), (71, "a", answer(200, {"a": 1}))]

    def says(method: str, target: str, document: Any) -> HttpAnswer:
        if target == "/x":
            return HttpAnswer(404, {})
        return platform(method, target, document)._replace(
            document={"status": "ok"} if method == "POST" and "values" in document else
            {"status": "created", "thingToken": NEW, "thingId": "U" * 20 + "1"}
        )  # fmt: skip

    played = Played([*ACTIVATION, *((at + 30, *rest) for at, *rest in lines)], says)
    entries = report.groups(played.script, played.outcome.findings)
    assert [(each["kind"], each["endpoint"], each["count"]) for each in entries] == [
        ("status", "GET /x", 1),
        ("value", "POST /v2/things/<thing_token>", 6),
    ]
    assert entries[1]["first"] == {
        "line": 4, "device": "a", "recorded": {"value": "created"}, "replayed": {"value": "ok"},
    }  # fmt: skip
