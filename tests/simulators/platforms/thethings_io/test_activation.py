"""Activation codes become things, once."""

from __future__ import annotations

import random

from simulators.platforms.provisioning import ActivationCode, Provisioning, default_provisioning

NOT_FOUND = (400, {"status": "error", "message": "activation code not found"})


def code(bench, index=0):
    return bench.provisioning.activation_codes[index].code


def test_code_gives_token_and_id_of_43_characters(bench):
    status, document = bench.ask("POST", "/v2/things", {"activationCode": code(bench)})
    assert status == 201
    assert list(document) == ["status", "message", "thingToken", "thingId"]
    assert (document["status"], document["message"]) == ("created", "thing activated")
    assert [len(document[name]) for name in ("thingToken", "thingId")] == [43, 43]
    assert document["thingToken"] != document["thingId"]


def test_activated_thing_can_write(bench):
    _, document = bench.ask("POST", "/v2/things/", {"activationCode": code(bench)})
    target = f"/v2/things/{document['thingToken']}"
    assert bench.ask("POST", target, {"values": [{"key": "a", "value": 1}]})[0] == 201


def test_code_works_once(bench):
    assert bench.ask("POST", "/v2/things", {"activationCode": code(bench)})[0] == 201
    assert bench.ask("POST", "/v2/things", {"activationCode": code(bench)}) == NOT_FOUND


def test_unknown_code(bench):
    assert bench.ask("POST", "/v2/things", {"activationCode": "x" * 34}) == NOT_FOUND


def test_wrong_product_does_not_use_up_the_code(bench):
    wrong = {"activationCode": code(bench), "productId": "other"}
    assert bench.ask("POST", "/v2/things", wrong)[0] == 400
    right = {"activationCode": code(bench), "productId": "thingrig-demo"}
    assert bench.ask("POST", "/v2/things", right)[0] == 201


def test_several_products_need_the_product_id(make_bench):
    bench = make_bench(
        Provisioning(
            products=["one", "two"],
            activation_codes=[ActivationCode("c" * 34, "two")],
            things=default_provisioning(random.Random(1)).things[:1],
        )
    )
    body = {"activationCode": "c" * 34}
    assert bench.ask("POST", "/v2/things", body)[0] == 400
    assert bench.ask("POST", "/v2/things", {**body, "productId": "one"})[0] == 400
    assert bench.ask("POST", "/v2/things", {**body, "productId": "two"})[0] == 201


def test_bodies_without_a_code(bench):
    for document in ({}, {"activationCode": ""}, {"activationCode": 5}, [], None, "code"):
        status, answer = bench.ask("POST", "/v2/things", document)
        assert (status, answer["status"]) == (400, "error"), document
    assert bench.ask("POST", "/v2/things", body=b"{nonsense")[0] == 400


def test_same_generator_gives_same_tokens(make_bench):
    answers = [
        make_bench().ask("POST", "/v2/things", {"activationCode": code(make_bench())})
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
