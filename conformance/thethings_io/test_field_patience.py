"""How long boards in the field stay on the line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.field import hear, is_stored, read, write
from conformance.thethings_io.shapes import shown


@pytest.mark.requirement("TIO-FLD-030")
def test_write_counts_without_waiting_for_the_answer(thing: Thing, requirement: Judge) -> None:
    key = thing.key("early")

    thing.api.raw(write(thing, key), answers=0)

    requirement.check(is_stored(thing, key, within_s=2.0), expected=True)


@pytest.mark.requirement("TIO-FLD-031")
@pytest.mark.parametrize("build", [write, read], ids=["write", "read"])
def test_answer_comes_within_a_second(
    thing: Thing, requirement: Judge, build: Callable[[Thing, str], bytes]
) -> None:
    key = thing.key("prompt")
    thing.given([{"key": key, "value": 1}])

    answer = hear(thing, build(thing, key)).response

    requirement.check_that(
        answer.status is not None and answer.elapsed_s <= 1.0,
        expected="an answer within 1 s",
        actual=[shown(answer), f"{answer.elapsed_s:.3f} s"],
    )
