"""Uplinks on their way through the Application Server: decrypted, completed, told."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from simulators.platforms.effects import StreamDocument
from simulators.platforms.things_stack.messages import Up
from tests.simulators.platforms.things_stack.traffic import (
    ADDRESS,
    ALL_IDS,
    APP_S_KEY,
    IDS,
    KEY_ID,
    METADATA,
    SETTINGS,
    SIMULATED,
    Traffic,
    add_device,
    encrypted,
    with_keys,
)


def test_uplink_is_decrypted_and_completed(bench, traffic):
    version_ids = {"brand_id": "acme", "model_id": "model1"}
    add_device(bench, version_ids=version_ids)
    traffic.events()
    traffic.uplink(encrypted(b"\x01\x67\x00\xf8", 7), f_cnt=7)
    up = traffic.up()
    assert len(up.pop("correlation_ids")) == 2
    assert up == {
        "end_device_ids": ALL_IDS,
        "received_at": "2024-01-31T12:00:00Z",
        "uplink_message": {
            "f_port": 1,
            "f_cnt": 7,
            "frm_payload": "AWcA+A==",
            "rx_metadata": METADATA,
            "settings": SETTINGS,
            "received_at": "2024-01-31T11:59:59.800Z",
            "version_ids": version_ids,
        },
    }


def test_payload_of_a_published_vector_is_decrypted(bench, traffic):
    # The example frame of npm lora-packet: 40F17DBE4900020001954378762B11FF0D, payload "test".
    key = bytes.fromhex("EC925802AE430CA77FD3DD73CB2CC588")
    ids = {"ids": {"device_id": "dev1"}}
    session = {"dev_addr": "49BE7DF1", "keys": {"app_s_key": {"key": key.hex()}}}
    paths = ["session.dev_addr", "session.keys.app_s_key.key"]
    body = {"end_device": ids | {"session": session}, "field_mask": {"paths": paths}}
    bench.made("/as/applications/app1/devices/dev1", body, method="PUT")
    traffic.events()
    traffic.uplink(bytes.fromhex("95437876"), f_cnt=2)
    assert traffic.up()["uplink_message"]["frm_payload"] == "dGVzdA=="


def test_uplink_is_received_then_forwarded(bench, traffic):
    add_device(bench)
    traffic.events()
    traffic.uplink(encrypted(b"\x01", 7))
    receive, forward = traffic.events()
    assert receive["name"] == "as.up.data.receive"
    assert "data" not in receive
    assert receive["identifiers"] == [{"device_ids": ALL_IDS}]
    assert receive["correlation_ids"] == forward["correlation_ids"]
    assert forward["name"] == "as.up.data.forward"
    assert forward["data"]["@type"] == "type.googleapis.com/ttn.lorawan.v3.ApplicationUp"
    assert forward["visibility"] == {"rights": ["RIGHT_APPLICATION_TRAFFIC_READ"]}


def test_application_hears_only_what_is_forwarded(bench):
    bench.application()
    bench.listen({"identifiers": [{"application_ids": {"application_id": "app1"}}]})
    add_device(bench)
    traffic = Traffic(bench)
    traffic.events()
    traffic.uplink(encrypted(b"\x01", 7))
    assert traffic.names() == ["as.up.data.forward"]


def test_uplink_without_payload_or_port_is_forwarded(bench, traffic):
    add_device(bench)
    traffic.events()
    message = {"rx_metadata": METADATA, "settings": SETTINGS}
    traffic.take("uplink_message", message)
    assert traffic.up()["uplink_message"] == message


def test_uplink_has_the_locations_that_the_identity_server_knows(bench, traffic):
    device = {"ids": IDS, "locations": {"user": {"latitude": 52.4, "longitude": 4.9}}}
    bench.made("/applications/app1/devices", {"end_device": device})
    add_device(bench)
    traffic.events()
    traffic.uplink(encrypted(b"\x01", 7))
    first = traffic.up()["uplink_message"]["locations"]
    assert first == {"user": {"latitude": 52.4, "longitude": 4.9}}
    device["locations"] = {"roof": {"latitude": 1.5}}
    body = {"end_device": device, "field_mask": {"paths": ["locations"]}}
    bench.made("/applications/app1/devices/dev1", body, method="PUT")
    traffic.events()
    traffic.uplink(encrypted(b"\x01", 8), f_cnt=8)
    assert traffic.up()["uplink_message"]["locations"] == {"roof": {"latitude": 1.5}}


def test_unknown_device_is_dropped(traffic):
    traffic.uplink(b"\x01")
    receive, drop = traffic.events()
    assert (receive["name"], drop["name"]) == ("as.up.data.receive", "as.up.data.drop")
    data = drop["data"]
    assert data["@type"] == "type.googleapis.com/ttn.lorawan.v3.ErrorDetails"
    assert data["name"] == "device_not_found"
    assert data["attributes"] == {"device_uid": "app1.dev1"}
    assert data["code"] == 5


@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        ("dev_eui", "no_dev_eui"),
        ("join_eui", "no_join_eui"),
        ("", "join_server_unavailable"),
    ],
)
def test_session_whose_key_nobody_knows_is_dropped(bench, traffic, missing, cause):
    add_device(bench, key=None)
    traffic.events()
    ids = {name: value for name, value in ALL_IDS.items() if name != missing}
    up = Up("", ids, "uplink_message", {"session_key_id": KEY_ID}, [], bench.now_us, b"\x01")
    bench.core.stack.application.handle_up(up, bench.now_us)
    drop = traffic.events()[-1]
    assert drop["name"] == "as.up.data.drop"
    assert drop["data"]["name"] == "app_s_key"
    assert drop["data"]["cause"]["name"] == cause


def session_of(bench: Any) -> dict[str, Any]:
    target = "/as/applications/app1/devices/dev1?field_mask=session,pending_session,ids.dev_addr"
    document = bench.get(target)[1]
    return {
        name: document.get(name) for name in ("session", "pending_session") if name in document
    } | {"dev_addr": document["ids"].get("dev_addr")}


def test_session_is_pending_until_an_uplink_uses_it(bench, traffic):
    add_device(bench, key=None)
    with_keys(bench, {KEY_ID: APP_S_KEY})
    traffic.events()
    message = {"session_key_id": KEY_ID, "received_at": "2024-01-31T12:00:00Z"}
    traffic.take("join_accept", message)
    joined = {
        "dev_addr": ADDRESS,
        "keys": {"session_key_id": KEY_ID, "app_s_key": {"key": APP_S_KEY.hex().upper()}},
    }
    assert traffic.up()["join_accept"] == message
    assert session_of(bench) == {"pending_session": joined, "dev_addr": None}
    traffic.uplink(encrypted(b"\x07", 0), f_cnt=0, session_key_id=KEY_ID)
    assert traffic.up()["uplink_message"]["frm_payload"] == "Bw=="
    assert session_of(bench) == {"session": joined, "dev_addr": ADDRESS}


def test_join_is_received_then_forwarded(bench, traffic):
    add_device(bench, key=None)
    with_keys(bench, {KEY_ID: APP_S_KEY})
    traffic.events()
    traffic.take("join_accept", {"session_key_id": KEY_ID})
    assert traffic.names() == ["as.up.join.receive", "as.up.join.forward"]


def test_join_whose_key_nobody_knows_is_dropped(bench, traffic):
    add_device(bench, key=None)
    traffic.events()
    traffic.take("join_accept", {"session_key_id": KEY_ID})
    receive, drop = traffic.events()
    assert (receive["name"], drop["name"]) == ("as.up.join.receive", "as.up.join.drop")
    assert drop["data"]["name"] == "app_s_key"


def test_session_of_an_earlier_join_is_restored(bench, traffic):
    other = bytes(range(32, 48))
    add_device(bench, key=None)
    with_keys(bench, {KEY_ID: APP_S_KEY, "b2xk": other})
    traffic.take("join_accept", {"session_key_id": KEY_ID})
    traffic.uplink(encrypted(b"\x07", 1), f_cnt=1, session_key_id=KEY_ID)
    traffic.ups()
    traffic.uplink(encrypted(b"\x08", 2, other), f_cnt=2, session_key_id="b2xk")
    assert traffic.up()["uplink_message"]["frm_payload"] == "CA=="


# --- made-up uplinks


def test_simulated_uplink_reaches_the_application(bench, traffic):
    add_device(bench)
    traffic.events()
    path = "/as/applications/app1/devices/dev1/up/simulate"
    effects = bench.effects("POST", path, SIMULATED)
    assert effects[0].document == {}
    (event,) = [
        orjson.loads(each.document)["result"]
        for each in effects
        if type(each) is StreamDocument and b"as.up.data.forward" in each.document
    ]
    up = event["data"]
    del up["@type"]
    rpc, own = up.pop("correlation_ids")
    assert rpc.startswith("rpc:/ttn.lorawan.v3.AppAs/SimulateUplink:")
    assert own.startswith("as:up:")
    assert up == {
        "end_device_ids": IDS,
        "received_at": "2024-01-31T12:00:00Z",
        "simulated": True,
        **SIMULATED,
    }


def test_simulated_uplink_changes_nothing(bench, traffic):
    add_device(bench, key=None)
    before = bench.get("/as/applications/app1/devices/dev1?field_mask=session,pending_session")
    bench.made("/as/applications/app1/devices/dev1/up/simulate", SIMULATED)
    after = bench.get("/as/applications/app1/devices/dev1?field_mask=session,pending_session")
    assert before == after


def test_simulated_uplink_of_an_unknown_device_is_dropped(bench, traffic):
    traffic.events()
    effects = bench.effects("POST", "/as/applications/app1/devices/dev1/up/simulate", SIMULATED)
    assert (effects[0].status, effects[0].document) == (200, {})
    names = [orjson.loads(each.document)["result"] for each in effects[1:]]
    assert [each["name"] for each in names] == ["as.up.data.receive", "as.up.data.drop"]
    assert names[1]["data"]["namespace"] == "pkg/redis"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"simulated": True, **SIMULATED},
            (400, "applicationserver/io/grpc:simulated", {}),
        ),
        ({}, (400, "errors:validation")),
        ({"uplink_message": {"f_port": 1}}, (400, "errors:validation")),
        (
            {"uplink_message": {"settings": SETTINGS | {"frequency": "99999"}}},
            (400, "errors:validation"),
        ),
        ({"uplink_message": {"settings": SETTINGS, "f_port": 224}}, (400, "errors:validation")),
    ],
)
def test_what_cannot_be_simulated(bench, body, expected):
    bench.application()
    refused = bench.refused("POST", "/as/applications/app1/devices/dev1/up/simulate", body)
    assert refused[: len(expected)] == expected


def test_simulation_needs_a_key_in_the_open_where_crypto_is_skipped(bench):
    bench.application()
    path = "/as/applications/app1/devices/dev1"
    body = {
        "end_device": {"ids": {"device_id": "dev1"}, "skip_payload_crypto_override": True},
        "field_mask": {"paths": ["skip_payload_crypto_override"]},
    }
    bench.made(path, body, method="PUT")
    refused = bench.refused("POST", f"{path}/up/simulate", SIMULATED)
    assert refused == (400, "applicationserver/io/grpc:payload_crypto_skipped", {})


def test_simulation_needs_its_right(bench):
    bench.application()
    key = bench.key("applications/app1", "RIGHT_APPLICATION_TRAFFIC_READ")
    path = "/as/applications/app1/devices/dev1/up/simulate"
    status, name, attributes = bench.refused("POST", path, SIMULATED, key=key)
    assert (status, name) == (403, "auth/rights:insufficient_application_rights")
    assert attributes["missing"] == ["RIGHT_APPLICATION_TRAFFIC_UP_WRITE"]
