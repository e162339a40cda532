"""Provisioning: the built-in one, documents, and adding to what is there."""

from __future__ import annotations

import random

import pytest

from simulators.platforms.provisioning import (
    ProvisioningError,
    User,
    default_provisioning,
    from_document,
)
from simulators.platforms.target_file import to_toml
from simulators.platforms.thethings_io import stock
from simulators.platforms.thethings_io.deviations import list_deviations
from simulators.platforms.thethings_io.policy import Policy

PRODUCT = {"id": "lamp", "activation_codes": ["one", "two"]}
THING = {"thing_token": "t", "thing_id": "i", "product": "lamp"}
FIRMWARE = {"id": "f", "product": "lamp", "mcu": "m", "version": "1", "base64": "AAEC"}


def test_default_is_the_same_for_the_same_generator():
    one, same, other = (default_provisioning(random.Random(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_default_is_large_enough_for_many_runs():
    provisioning = default_provisioning(random.Random(1))
    codes = {code.code for code in provisioning.activation_codes}
    assert len(codes) >= 1000
    assert {len(code) for code in codes} == {34}
    assert len(provisioning.things) >= 20
    assert {len(thing.thing_token) for thing in provisioning.things} == {43}


def test_document_is_read():
    provisioning = from_document(
        {
            "product": [PRODUCT],
            "thing": [THING],
            "firmware": [FIRMWARE],
            "function": [{"name": "n"}],
        }
    )
    assert [code.code for code in provisioning.activation_codes] == ["one", "two"]
    assert provisioning.firmwares[0].image == b"\x00\x01\x02"
    assert provisioning.functions[0].returns == "params"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"product": 5}, ("product",)),
        ({"product": [{}]}, ("product", 0, "id")),
        ({"product": [PRODUCT, PRODUCT]}, ("product",)),
        ({"product": [{**PRODUCT, "activation_codes": [""]}]}, ("product", 0, "activation_codes")),
        ({"product": [{**PRODUCT, "activation_codes": ["a", "a"]}]}, ("product",)),
        ({"product": [PRODUCT], "thing": [{**THING, "product": "x"}]}, ("thing", 0, "product")),
        ({"product": [PRODUCT], "thing": [THING, THING]}, ("thing",)),
        ({"product": [PRODUCT], "firmware": [{**FIRMWARE, "base64": "?"}]},
         ("firmware", 0, "base64")),
        ({"function": [{"name": "n", "returns": "x"}]}, ("function", 0, "returns")),
        ({"app": [{"id": "a"}, {"id": "a"}]}, ("app",)),
        ({"app": [{"id": "a", "official": 1}]}, ("app", 0, "official")),
        ({"app": [{"id": "a", "session_s": 0}]}, ("app", 0, "session_s")),
        ({"user": [{"email": "ab", "password": "x"}]}, ("user", 0, "email")),
        ({"user": [{"email": "a@b", "password": ""}]}, ("user", 0, "password")),
        ({"user": [{"email": e, "password": "x"} for e in ("a@b", "A@b")]}, ("user",)),
        ({"server": []}, ("server",)),
        ({"server": {"password_cost": 0}}, ("server", "password_cost")),
    ],
)  # fmt: skip
def test_mistakes_carry_their_path(document, path):
    with pytest.raises(ProvisioningError) as caught:
        from_document(document)
    assert caught.value.path == path


def test_adding_twice_changes_nothing_and_conflicts_are_refused(bench):
    before = stock.contents(bench.core.store)
    stock.provision(bench.core.store, bench.provisioning, password_cost=1)
    assert stock.contents(bench.core.store) == before
    other = {**FIRMWARE, "id": "main-2", "product": "lamp"}
    with pytest.raises(stock.ProvisioningConflict, match="main-2 exists with other contents"):
        stock.provision(
            bench.core.store,
            from_document({"product": [PRODUCT], "firmware": [other]}),
            password_cost=1,
        )


def test_used_codes_are_replaced_for_a_target(bench):
    for code in bench.provisioning.activation_codes[:300]:
        bench.ask("POST", "/v2/things", {"activationCode": code.code})
    stock.top_up(bench.core.store, random.Random(1), 1000)
    codes = stock.contents(bench.core.store)["credentials"]["activation_codes"]
    assert len(set(codes)) == 1000
    assert bench.provisioning.activation_codes[0].code not in codes


def test_target_names_apps_and_users_with_their_passwords(bench):
    users = stock.fresh_users(bench.core.store, random.Random(1), 2)
    assert stock.add_users(bench.core.store, [*users, users[0]], password_cost=1) == users
    credentials = stock.contents(bench.core.store, users)["credentials"]
    assert credentials["users"] == [
        {"email": user.email, "password": user.password} for user in users
    ]
    assert (credentials["app_id"], credentials["official_app"]) == ("thingrig-demo-app", True)
    assert credentials["unofficial_app_id"] == "thingrig-demo-unofficial-app"
    assert credentials["expiring_app"] == {"app_id": "thingrig-demo-expiring-app", "session_s": 2}


def test_users_whose_password_changed_are_not_known(bench):
    old, *_ = bench.provisioning.users
    body = {"email": old.email, "password": old.password, "app": "thingrig-demo-app"}
    assert bench.ask("POST", "/v2/login", body)[0] == 200
    other = User(old.email, "another")
    assert stock.known_users(bench.core.store, [old, other, User("x@y.z", "x")]) == [old]


def test_toml_of_a_target():
    document = {
        "url": 'a"b\\c\x7f',
        "limits": {"allow": ["read"], "n": 1.5, "none": None},
        "function": [{"name": "f", "params": {"odd key": True}}],
        "empty": [],
    }
    import tomllib

    expected = {**document, "limits": {"allow": ["read"], "n": 1.5}}
    assert tomllib.loads(to_toml(document)) == expected


def test_deviations_have_a_sentence_and_name_true_fields():
    from dataclasses import replace

    from simulators.platforms.framing import Framing, Limits

    deviations = list_deviations()
    assert len(deviations) >= 3
    for name, deviation in deviations.items():
        assert deviation.sentence.endswith("."), name
        replace(Policy(), **deviation.policy)
        replace(Framing(), **deviation.framing)
        replace(Limits(), **deviation.limits)
