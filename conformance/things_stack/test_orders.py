"""Orders of lists: what each list can be ordered by, and in which order entities then come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import part

ORDERS = ("name", "-name", "created_at", "-created_at")
EXPECTED = [["second", "first"], ["first", "second"], ["first", "second"], ["second", "first"]]
"""By each of these: the second entity has the name that comes first."""


class Pair(NamedTuple):
    """A list that holds two entities of the run, and their ids by the word for each."""

    path: str
    member: str
    words: dict[str, str]


Make = Callable[[Stack], Pair]


def applications(stack: Stack) -> Pair:
    """Two applications of the caller."""
    words = {stack.new_application(name="b meter"): "first"}
    words[stack.new_application(name="a meter")] = "second"
    return Pair(f"/users/{stack.user_id}/applications", "applications", words)


def gateways(stack: Stack) -> Pair:
    """Two gateways of the caller."""
    words = {stack.new_gateway(name="b mast"): "first"}
    words[stack.new_gateway(name="a mast")] = "second"
    return Pair(f"/users/{stack.user_id}/gateways", "gateways", words)


def devices(stack: Stack) -> Pair:
    """Two devices of an application."""
    application = stack.new_application()
    words = {stack.new_device(application, name="b meter"): "first"}
    words[stack.new_device(application, name="a meter")] = "second"
    return Pair(f"/applications/{application}/devices", "end_devices", words)


def keys(stack: Stack) -> Pair:
    """Two API keys of an application."""
    path = f"/applications/{stack.new_application()}/api-keys"
    words = {}
    for name, word in (("b key", "first"), ("a key", "second")):
        body = {"name": name, "rights": ["RIGHT_APPLICATION_INFO"]}
        words[str(stack.given(stack.api.post(path, body)).get("id"))] = word
    return Pair(path, "api_keys", words)


def word_of(pair: Pair, entity: Any) -> str | None:
    """Which entity of the run this is."""
    ids = part(entity, "ids") or {}
    return next((pair.words[each] for each in (part(entity, "id"), *ids.values())
                 if isinstance(each, str) and each in pair.words), None)  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(applications, marks=pytest.mark.requirement("TTS-LI-011"), id="applications"),
        pytest.param(gateways, marks=pytest.mark.requirement("TTS-LI-012"), id="gateways"),
        pytest.param(devices, marks=pytest.mark.requirement("TTS-LI-013"), id="devices"),
        pytest.param(keys, marks=pytest.mark.requirement("TTS-LI-014"), id="keys"),
    ],
)
def test_lists_are_ordered(stack: Stack, make: Make, requirement: Judge) -> None:
    pair = make(stack)

    found = []
    for order in ORDERS:
        listed = part(stack.given(stack.api.get(pair.path, order=order, limit=1000)), pair.member)
        words = [word_of(pair, each) for each in listed or ()]
        found.append([each for each in words if each is not None])
    if any(len(each) < 2 for each in found):
        raise Inconclusive("not both entities are among the first thousand of the list")

    requirement.check(found, expected=EXPECTED)


@pytest.mark.requirement("TTS-LI-015")
@pytest.mark.parametrize("way", ["", "-"], ids=["ascending", "descending"])
@pytest.mark.parametrize(
    ("path", "orders"),
    [
        ("/gateways", ["gateway_id", "gateway_eui"]),
        (
            "/applications/{application}/devices",
            ["join_eui", "dev_eui", "description", "last_seen_at"],
        ),
        ("/applications/{application}/api-keys", ["api_key_id", "expires_at"]),
        ("/applications/{application}/collaborators", ["id", "rights"]),
    ],
    ids=["gateways", "devices", "keys", "collaborators"],
)
def test_documented_orders_are_accepted(
    stack: Stack, application: str, path: str, orders: list[str], way: str, requirement: Judge
) -> None:
    whole = path.format(application=application)

    answers = [stack.api.get(whole, order=f"{way}{order}", limit=1) for order in orders]

    requirement.check(
        [stack.permitted(each).status for each in answers], expected=[200] * len(orders)
    )
