"""What apps write to thethings.iO, and what they make of its answers."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.wire import thethings_io_app as wire
from simulators.wire.thethings_io_app import Value


def test_a_grant_names_resources_first_and_things_within() -> None:
    assert wire.permissions({"a": ("state", "turn"), "b": ("state",)}, ("get", "post")) == {
        "permissions": {
            "state": {
                "a": {"get": True, "post": True, "grant": False},
                "b": {"get": True, "post": True, "grant": False},
            },
            "turn": {"a": {"get": True, "post": True, "grant": False}},
        }
    }


def test_sharing_names_somebody_and_taking_back_names_no_right() -> None:
    assert wire.permissions({"a": ("state",)}, (), email="ada@example.com") == {
        "permissions": {"state": {"a": {"get": False, "post": False, "grant": False}}},
        "email": "ada@example.com",
    }


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (wire.resource_target("state"), "/v2/me/resources/state"),
        (wire.resource_target("$geo", "a-b_c"), "/v2/me/resources/%24geo/a-b_c"),
        (
            wire.stream_target("state", 5000),
            "/v2/me/resources/state?subscribe=true&keepAlive=5000",
        ),
    ],
)
def test_targets(target: str, expected: str) -> None:
    assert target == expected


@pytest.mark.parametrize(
    ("items", "values"),
    [
        ([{"key": "t", "value": 1, "thingId": "a"}], [Value("t", 1, "a")]),
        ([{"key": "t", "value": None}], [Value("t", None, None)]),
        ([{"key": "t", "value": 1, "thingId": 7}], [Value("t", 1, None)]),
        ([{"value": 1}, {"key": 5, "value": 1}, {"key": "t"}, 3, None, []], []),
    ],
)
def test_documents_of_a_stream_are_read_liberally(items: list[Any], values: list[Value]) -> None:
    assert list(wire.told(items)) == values


@pytest.mark.parametrize(
    ("document", "values"),
    [
        (
            [{"thingId": "a", "key": "t", "values": [{"value": 2}, {"value": 1}]}],
            [Value("t", 2, "a"), Value("t", 1, "a")],
        ),
        ([{"key": "t", "values": [{"value": 1}]}], [Value("t", 1, None)]),
        ([{"key": "t", "values": 3}, {"key": "t"}, {"values": []}, 1], []),
        ({"status": "error"}, []),
        (b"no JSON", []),
    ],
)
def test_answers_are_read_liberally(document: Any, values: list[Value]) -> None:
    assert list(wire.read(document)) == values


def test_roles_tell_which_things_an_account_knows() -> None:
    flags = {"get": True, "post": False, "grant": False}
    assert wire.thing_ids({"t": {"a": flags, "b": flags}, "u": {"a": flags}}) == {"a", "b"}
    assert wire.thing_ids(None) == wire.thing_ids({"t": 1}) == frozenset()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("open http://localhost:8/v2/confirmations/abc\n", "/v2/confirmations/abc"),
        ("open https://host/prefix/v2/ok?t=1", "/v2/ok?t=1"),
        ("see http://a/v2/x then http://a/v2/y", "/v2/y"),
        ("see http://elsewhere/page", None),
        ("no link", None),
    ],
)
def test_the_last_link_of_a_mail_is_the_one_to_open(text: str, target: str | None) -> None:
    assert wire.link_path(text) == target
