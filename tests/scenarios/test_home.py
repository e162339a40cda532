"""
Households with phones: what people do holds for an honest platform, and each expectation about
phones fails for one that is broken in that respect.
"""

from __future__ import annotations

import io
import json
from functools import partial
from typing import Any
from zlib import crc32

import pytest

from scenarios.files import load_schema, mistakes_in
from scenarios.model import Scenario, from_document
from scenarios.reading import read_scenario
from scenarios.run import Run
from scenarios.virtual import play_virtual
from simulators.apps.household import HouseholdHabits
from simulators.devices.options import option_names
from simulators.transports.http import HttpAnswer
from tests.scenarios.breaking import Broken

ROOMS = {
    "name": "room",
    "kind": "sensor",
    "count": 8,
    "behaviour": {"key": "temperature", "period_s": 20, "noise": 2.0},
}
LAMPS = {"name": "lamp", "kind": "switch", "count": 4}
HOMES = {
    "name": "home",
    "kind": "household",
    "count": 4,
    "behaviour": {
        "things": ["room", "lamp"],
        "couples": 0.75,
        "by_mail": 0.5,
        "arrive_s": 5,
        "turn_every_s": 60,
        "read_every_s": 120,
        "share_every_s": 120,
        "share_for_s": 60,
        "mail_every_s": 10,
    },
}
OUTAGE = {"at": "10min", "for": "90s", "kind": "outage", "on": "home-2"}
EXPECT: dict[str, dict[str, Any]] = {
    "nothing-foreign": {},
    "turns-seen": {"within": "2s", "recovery": "2min"},
    "watchers-told": {"within": "1s"},
    "phones-return": {"within": "2min"},
}


def scenario(*kinds: str, **behaviour: Any) -> Scenario:
    about = {"name": "test", "duration": "30min", "platform": "thethings-io", "seed": 5}
    homes = {**HOMES, "behaviour": {**HOMES["behaviour"], **behaviour}}  # type: ignore[dict-item]
    return from_document(
        {
            "scenario": about,
            "fleet": [ROOMS, LAMPS, homes],
            "fault": [OUTAGE],
            "expect": [{"kind": kind, **EXPECT[kind]} for kind in kinds or EXPECT],
        }
    )


def verdicts(run: Run) -> dict[str, tuple[str, str | None]]:
    return {each.kind: (judged.verdict, judged.reason) for each, judged in run.judgements}


@pytest.fixture(scope="module")
def honest() -> Run:
    return play_virtual(scenario())


def test_every_expectation_about_phones_holds(honest: Run) -> None:
    assert verdicts(honest) == dict.fromkeys(EXPECT, ("pass", None))
    assert all(judgement.observed > 0 for _, judgement in honest.judgements)


def test_everybody_has_a_session_and_every_thing_an_owner(honest: Run) -> None:
    homes = honest.evidence.households
    assert [phone.name for home in homes for phone in home.phones if phone.token is None] == []
    assert [len(home.ids) for home in homes] == [3, 3, 3, 3]


def test_friends_see_values_by_both_ways_of_sharing(honest: Run) -> None:
    """At once through the official app, and through the other one after a link was opened."""
    homes = honest.evidence.households
    own = [set(home.ids.values()) for home in homes]
    foreign = [
        {seen.thing_id for seen in home.users[0].phone.diary.seen} - ids
        for home, ids in zip(homes, own, strict=True)
    ]
    assert any(foreign)
    assert any(user.other is not None for home in homes for user in home.users)
    confirmed = [user.phone.diary.confirmed for home in homes for user in home.users]
    assert sum(confirmed) > 1
    by_mail = {
        id for home, ids in zip(homes, own, strict=True) for id in ids if home.users[0].other
    }
    assert any(ids & by_mail for ids in foreign)


def test_a_second_person_sees_and_turns_what_the_first_one_linked(honest: Run) -> None:
    couple = next(home for home in honest.evidence.households if len(home.users) == 2)
    second = couple.users[1].phone
    assert {seen.thing_id for seen in second.diary.seen} >= set(couple.ids.values())
    assert {command.entry.state for command in second.commands} >= {"acknowledged"}


def test_a_phone_without_network_comes_back_and_reads_what_it_missed(honest: Run) -> None:
    phone = honest.evidence.phones("home-2-1")[0]
    spans = phone.diary.watched["temperature"].spans_until(honest.evidence.end_us)
    assert [span.to_us for span in spans[:-1]] == [600_000_000]
    read = [seen for seen in phone.diary.seen if not seen.is_told]
    assert any(spans[1].from_us < seen.at_us < spans[1].from_us + 1_000_000 for seen in read)


def test_a_stream_that_falls_silent_is_opened_again() -> None:
    """No value and no keep-alive: the phone notices by itself."""
    quiet = partial(Broken, stream=lambda documents: [one for one in documents if "status" in one])
    run = play_virtual(scenario("watchers-told"), wrap=quiet)
    reasons = {
        problem.reason
        for phone in run.evidence.phones("home-1")
        for problem in phone.account.problems
    }
    assert "no keep-alive" in reasons


def without(word: str) -> Any:
    return lambda documents: [each for each in documents if word not in str(each)]


def every_third_lost(documents: list[Any]) -> list[Any]:
    return [
        each
        for each in documents
        if "temperature" not in str(each) or crc32(str(each).encode()) % 3
    ]


def warmer(documents: list[Any]) -> list[Any]:
    """A value under the name of a thing that never had it."""
    if isinstance(documents[0], list) and documents[0][0]["key"] == "temperature":
        return [[{**item, "value": item["value"] + 40} for item in documents[0]]]
    return documents


def is_taken_back(method: str, target: str, document: Any) -> bool:
    return target == "/v2/me/grant" and "True" not in str(document)


def only_at_first(count: int) -> Any:
    """After so many subscriptions none is confirmed any more."""
    left = [count]

    def confirm(documents: list[Any]) -> list[Any]:
        left[0] -= "subscribed" in str(documents)
        return documents if left[0] > 0 else []

    return confirm


def shows_all_things(method: str, target: str, document: Any, answer: HttpAnswer) -> HttpAnswer:
    """Reading answers for one thing more, which belongs to nobody."""
    if method == "GET" and target == "/v2/me/resources/temperature" and answer.status == 200:
        more = {"thingId": "x" * 43, "key": "temperature", "values": [{"value": 1}]}
        return HttpAnswer(200, [*answer.document, more])
    return answer


@pytest.mark.parametrize(
    ("kind", "broken", "reason"),
    [
        pytest.param("nothing-foreign", {"leaks": True}, "was shown", id="told-to-everybody"),
        pytest.param(
            "nothing-foreign", {"swallow": is_taken_back}, "was shown", id="rights-outlive-taking"
        ),
        pytest.param("nothing-foreign", {"stream": warmer}, "it had not sent", id="mislabelled"),
        pytest.param(
            "nothing-foreign", {"answer": shows_all_things}, "is nobody's", id="unknown-thing"
        ),
        pytest.param(
            "turns-seen", {"stream": without("'state'")}, "did not see it", id="states-untold"
        ),
        pytest.param("watchers-told", {"stream": every_third_lost}, "was not told", id="lost"),
        pytest.param(
            "watchers-told", {"stream": lambda one: one * 2}, "times too often", id="repeated"
        ),
    ],
)
def test_a_broken_platform_is_noticed(kind: str, broken: dict[str, Any], reason: str) -> None:
    run = play_virtual(scenario(kind), wrap=partial(Broken, **broken))
    ((_, judgement),) = run.judgements
    assert judgement.verdict == "fail"
    assert reason in str(judgement.reason)


def test_phones_that_are_not_let_in_again_are_noticed(honest: Run) -> None:
    evidence = honest.evidence
    listening = [*evidence.phones(None), *evidence.switches(None)]
    before = [at for each in listening for at in each.account.subscribed_us if at < 600_000_000]
    deaf = partial(Broken, stream=only_at_first(len(before) + 1))
    ((_, judgement),) = play_virtual(scenario("phones-return"), wrap=deaf).judgements
    assert judgement.verdict == "fail"
    assert judgement.reason == "home-2-1 watched temperature again not at all (and 1 more)"


def test_without_phones_nothing_is_proven() -> None:
    about = {"name": "test", "duration": "1min", "platform": "thethings-io"}
    expect = [{"kind": kind, **options} for kind, options in EXPECT.items()]
    run = play_virtual(from_document({"scenario": about, "fleet": [ROOMS], "expect": expect}))
    assert {judgement.verdict for _, judgement in run.judgements} == {"inconclusive"}


def test_a_trace_is_the_same_again_and_holds_no_secret() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    run = play_virtual(scenario(), trace=first)
    play_virtual(scenario(), trace=second)
    assert first.getvalue() == second.getvalue()
    text = first.getvalue().decode()
    phones = list(run.evidence.phones(None))
    secrets = [word for phone in phones for word in (phone.token, phone.person.password)]
    assert [word for word in secrets if str(word) in text] == []
    assert "/v2/confirmations/<confirmation:" in text
    events = [json.loads(line) for line in text.splitlines()]
    assert [problem for event in events for problem in mistakes_in(event, "trace")] == []


def test_the_schema_knows_every_option_of_a_household() -> None:
    known = set(load_schema("scenario")["$defs"]["household"]["properties"])
    assert known == {"things", *option_names(HouseholdHabits)}


def test_the_library_has_fifty_households() -> None:
    home = read_scenario("home")
    assert [spec.count for spec in home.households] == [50]
    assert home.duration_us == 86_400_000_000
