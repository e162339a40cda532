"""What a subscriber received, beside what it received before: by content and order."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.replay.comparison import NOTHING, Difference, Sides, Span
from scenarios.replay.names import Names
from scenarios.replay.streams import Reception, stream_differences

from .recording import Line, answer, script, subscribe, told, write

RECORDED = Span(1_704_067_200_000_000, 1_704_067_260_000_000)
REPLAYED = Span(1_795_824_000_000_000, 1_795_824_060_000_000)
FIRST = {"status": "success", "message": "subscribed"}


def a_run(*values: Any) -> list[Line]:
    """A subscriber, and a writer that waits for each answer."""
    lines: list[Line] = [(0, "light", subscribe()), (1, "light", {"stream": FIRST})]
    for at, value in enumerate(values, 1):
        lines += [
            (at * 100, "app", write("turn", value)),
            (at * 100 + 1, "light", told("turn", value)),
            (at * 100 + 2, "app", answer()),
        ]
    return lines


def documents(*values: Any) -> list[Any]:
    return [FIRST, *([{"key": "turn", "value": value}] for value in values)]


def found(lines: list[Line], reception: Reception) -> list[tuple[int, Difference]]:
    """Differences, with the line of the trace that each stands in."""
    played = script(*lines)
    [stream] = played.streams
    sides = Sides(
        Names(played, activation_codes=[], thing_tokens=[]),
        RECORDED,
        REPLAYED,
        {moment for key in stream.keys for moment in played.dates.get(key, ())},
    )
    differences = stream_differences(played, stream, reception, sides)
    return [(order + 2, each) for order, each in differences]


def test_the_same_documents_differ_in_nothing() -> None:
    assert found(a_run(1, 2, 2), Reception(documents(1, 2, 2))) == []


def test_another_value_is_told_with_its_line() -> None:
    assert found(a_run(1, 2, 3), Reception(documents(1, 7, 3))) == [
        (8, Difference("value", "[].value", 2, 7))
    ]


def test_another_shape_is_one() -> None:
    reception = Reception([FIRST, {"key": "turn", "value": 1}])
    [(line, difference)] = found(a_run(1), reception)
    assert (line, difference.kind, difference.replayed) == (5, "shape", reception.documents[1])


def test_what_did_not_come_is_missing() -> None:
    lost = [{"key": "turn", "value": 2}]
    assert found(a_run(1, 2, 3), Reception(documents(1, 3))) == [
        (8, Difference("missing", "", lost, NOTHING))
    ]


def test_what_comes_twice_is_extra_and_moves_nothing() -> None:
    kinds = [each.kind for _, each in found(a_run(1, 0, 1, 0), Reception(
        documents(1, 1, 0, 0, 1, 1, 0, 0)))]  # fmt: skip
    assert kinds == ["extra"] * 4


def test_one_loss_and_one_change_are_told_apart() -> None:
    kinds = [each.kind for _, each in found(a_run(1, 2, 3, 4), Reception(documents(1, 3, 9)))]
    assert sorted(kinds) == ["missing", "value"]


def test_writes_after_one_another_are_told_in_order() -> None:
    assert found(a_run(1, 2, 3), Reception(documents(2, 1, 3))) == [
        (5, Difference("order", "", "document 2", "document 3"))
    ]


def test_writes_at_one_time_are_told_in_any_order() -> None:
    lines: list[Line] = [
        (0, "light", subscribe()),
        (1, "light", {"stream": FIRST}),
        (10, "one", write("turn", 1)),
        (10, "two", write("turn", 2)),
        (11, "one", answer()),
        (11, "two", answer()),
        (12, "light", told("turn", 1)),
        (13, "light", told("turn", 2)),
    ]
    assert found(lines, Reception(documents(2, 1))) == []
    lines += [
        (20, "one", write("turn", 3)), (21, "one", answer()), (22, "light", told("turn", 3)),
    ]  # fmt: skip
    assert found(lines, Reception(documents(2, 1, 3))) == []
    kinds = [each.kind for _, each in found(lines, Reception(documents(3, 2, 1)))]
    assert "order" in kinds


def test_many_writes_at_one_time_are_no_other_values() -> None:
    lines: list[Line] = [(0, "light", subscribe()), (1, "light", {"stream": FIRST})]
    values = list(range(8))
    lines += [(10, f"app-{value}", write("turn", value)) for value in values]
    lines += [(11, f"app-{value}", answer()) for value in values]
    lines += [(12 + value, "light", told("turn", value)) for value in values]
    assert found(lines, Reception(documents(3, 0, 7, 1, 6, 2, 5, 4))) == []


def test_what_is_written_while_a_stream_closes_may_be_heard_or_not() -> None:
    lines = [
        *a_run(1),
        (200, "app", write("turn", 2)),
        (201, "light", {"stream_closed": True}),
        (202, "app", answer()),
    ]
    assert found(lines, Reception(documents(1))) == []
    assert found(lines, Reception(documents(1, 2))) == []
    [(_, difference)] = found(lines, Reception(documents(1, 3)))
    assert difference.kind == "extra"


def test_stamps_are_no_content_but_named_dates_are() -> None:
    then, now = "2024-01-01T00:00:01.000Z", "2026-11-28T00:00:01.000Z"
    lines: list[Line] = [
        (0, "light", subscribe()),
        (1, "light", {"stream": [{"key": "turn", "value": 1, "datetime": then}]}),
    ]
    heard = Reception([[{"key": "turn", "value": 1, "datetime": now}]])
    assert found(lines, heard) == []
    named = [(0, "app", write("turn", 1, datetime=then)), *lines, (2, "app", answer())]
    [(_, difference)] = found(named, heard)
    assert (difference.kind, difference.where) == ("value", "[].datetime")


@pytest.mark.parametrize(
    ("recorded", "replayed", "expected"),
    [
        (404, 404, []),
        (404, None, [("status", 404, 200)]),
        (None, 503, [("status", 200, 503)]),
        (404, 403, [("status", 404, 403)]),
    ],
)
def test_a_refusal_is_a_status(
    recorded: int | None, replayed: int | None, expected: list[tuple[str, int, int]]
) -> None:
    lines: list[Line] = [(0, "light", subscribe())]
    end = f"refused with status {recorded}"
    lines += [(1, "light", {"stream_end": end} if recorded else {"stream": FIRST})]
    reception = Reception([] if replayed else [FIRST], refused=replayed)
    reception.end = f"refused with status {replayed}" if replayed else None
    kinds = [(each.kind, each.recorded, each.replayed) for _, each in found(lines, reception)]
    assert kinds == expected


def test_a_stream_that_is_cut_is_told() -> None:
    heard = Reception(documents(1), end="stream cut: reset")
    assert found(a_run(1), heard) == [
        (2, Difference("stream end", "", "open", "stream cut: reset"))
    ]
    ended = [*a_run(1), (200, "light", {"stream_end": "stream cut: reset"})]
    assert found(ended, heard) == []


@pytest.mark.parametrize(
    ("silences_us", "last_us", "is_same"),
    [
        ([60_000_000, 60_100_000], 1_000_000, True),
        ([60_900_000], 0, True),
        ([], 1_000_000, True),  # it was too short to hear any
        ([58_000_000], 0, False),
        ([61_700_000], 0, False),
        ([], 62_000_000, False),  # one was overdue
    ],
)
def test_the_time_before_keep_alives_is_compared_unscaled(
    silences_us: list[int], last_us: int, is_same: bool
) -> None:
    lines = [*a_run(1), (60_101, "light", {"stream": {}}), (120_701, "light", {"stream": {}})]
    reception = Reception(documents(1), silences_us, last_us)
    kinds = [each.kind for _, each in found(lines, reception)]
    assert kinds == ([] if is_same else ["timing"])
