"""The judge: strict like JSON, ends the test at the first broken promise, notes for info."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge import Judge, is_same
from conformance.outcomes import Inconclusive, RequirementBroken
from conformance.requirement import Level, Requirement

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def judge(level: Level = "must", gone: str | None = None) -> Judge:
    requirement = Requirement("DEMO-001", "It is.", level, "demo/device", "GET /", "somewhere")
    return Judge([requirement], lambda: gone)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (False, 0, False),
        ([1, [True]], [1, [1]], False),
        ({"a": None}, {"a": None}, True),
        ({"a": None}, {}, False),
        ("1", 1, False),
        (None, False, False),
        ((1, 2), [1, 2], True),
        ([1, 2], [1], False),
        (201, None, False),
    ],
)
def test_equality_is_that_of_json(left: Any, right: Any, same: bool) -> None:
    assert is_same(left, right) is same
    assert is_same(right, left) is same


@given(json_values)
def test_every_value_equals_itself(value: Any) -> None:
    assert is_same(value, value)


def test_a_kept_promise_is_counted() -> None:
    found = judge()
    found.check(201, expected=201)
    found.check_in(200, accepted=[200, 201])
    found.check_that(True, expected="something", actual=None)
    assert found.checks == 3
    assert found.observed == [{"what": "choice", "value": 200}]


def test_a_broken_promise_ends_the_test() -> None:
    with pytest.raises(RequirementBroken, match=r"^expected 201; got 500$") as broken:
        judge().check(500, expected=201)
    assert (broken.value.expected, broken.value.actual) == (201, 500)


def test_nothing_is_accepted_outside_the_set() -> None:
    with pytest.raises(RequirementBroken):
        judge().check_in(None, accepted=[401, 403, 404])


def test_info_is_noted_instead_of_failed() -> None:
    found = judge("info")
    found.check(500, expected=201)
    assert found.checks == 1
    assert found.observed == [
        {"what": "expected", "value": 201},
        {"what": "differs", "value": 500},
    ]


@pytest.mark.parametrize("level", ["must", "should", "info"])
def test_a_target_that_is_gone_breaks_nothing(level: Level) -> None:
    with pytest.raises(Inconclusive, match=r"^the target is gone$"):
        judge(level, gone="the target is gone").check(None, expected=201)
