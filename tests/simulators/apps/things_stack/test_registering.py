"""What a run registers, on every server, and that nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from simulators.apps.things_stack.api import ApiError
from simulators.apps.things_stack.registering import Registrar
from simulators.platforms.things_stack.policy import Policy, RateLimit

from .bench import ABP, GATEWAY, INVENTORY, KEY, OTAA, Bench

APPLICATION = "/applications/run-1"
EVERYTHING = (
    APPLICATION,
    "/gateways/run-1-north",
    f"{APPLICATION}/devices/otaa-1",
    f"/js{APPLICATION}/devices/otaa-1",
    f"/ns{APPLICATION}/devices/otaa-1",
    f"/as{APPLICATION}/devices/otaa-1",
    f"{APPLICATION}/devices/abp-1",
    f"/ns{APPLICATION}/devices/abp-1",
    f"/as{APPLICATION}/devices/abp-1",
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_device_that_joins_is_on_four_servers(bench: Bench) -> None:
    bench.run(Registrar(INVENTORY).register(bench.apis))

    at = f"{APPLICATION}/devices/otaa-1"
    keys = bench.get(f"/js{at}?field_mask=root_keys")["root_keys"]
    network = bench.get(f"/ns{at}?field_mask=supports_join,lorawan_version,frequency_plan_id")
    assert bench.get(at)["ids"]["dev_eui"] == OTAA.dev_eui
    assert keys == {"app_key": {"key": KEY}}
    assert (network["supports_join"], network["frequency_plan_id"]) == (True, "EU_863_870_TTN")
    assert bench.get(f"/as{at}")["ids"]["device_id"] == "otaa-1"


def test_a_device_that_does_not_join_has_its_address_from_the_network(bench: Bench) -> None:
    registrar = Registrar(INVENTORY)
    bench.run(registrar.register(bench.apis))

    at = f"{APPLICATION}/devices/abp-1"
    network = bench.get(f"/ns{at}?field_mask=session.dev_addr,mac_settings,supports_class_c")
    address = registrar.addresses["abp-1"]
    assert network["session"]["dev_addr"] == address.upper()
    assert bench.get(f"/as{at}?field_mask=session.dev_addr")["session"] == network["session"]
    assert network["mac_settings"] == {
        "factory_preset_frequencies": ["868100000", "868300000"],
        "desired_rx1_delay": 1,
    }
    assert network["supports_class_c"]


def test_a_gateway_is_nobody_elses_business_and_may_have_a_key(bench: Bench) -> None:
    registrar = Registrar(INVENTORY)
    bench.run(registrar.register(bench.apis))

    fields = "status_public,location_public,frequency_plan_id"
    gateway = bench.get(f"/gateways/{GATEWAY.gateway_id}?field_mask={fields}")
    assert (gateway.get("status_public"), gateway.get("location_public")) == (None, None)
    assert gateway["frequency_plan_id"] == "EU_863_870_TTN"
    key = bench.api(registrar.gateway_keys[GATEWAY.gateway_id])
    rights = bench.run(key.call("GET", f"/gateways/{GATEWAY.gateway_id}/rights"))
    assert rights == {"rights": ["RIGHT_GATEWAY_INFO", "RIGHT_GATEWAY_LINK"]}


def test_everything_is_removed(bench: Bench) -> None:
    registrar = Registrar(INVENTORY)
    bench.run(registrar.register(bench.apis))
    before = [type(bench.get(path)) for path in EVERYTHING]

    bench.run(registrar.remove(bench.apis))

    assert before == [dict] * len(EVERYTHING)
    assert {bench.get(path) for path in EVERYTHING} <= {403, 404}
    assert (registrar.left, registrar.remaining()) == ([], [])


def test_what_was_refused_is_not_removed_with_the_rest(bench: Bench) -> None:
    """The second run finds a gateway of that EUI: it leaves the first one's alone."""
    bench.run(Registrar(INVENTORY).register(bench.apis))
    gateway = replace(GATEWAY, gateway_id="run-2-north")
    second = Registrar(
        replace(INVENTORY, prefix="run-2", application_id="run-2", gateways=(gateway,))
    )

    with pytest.raises(ApiError, match=r"POST /users/thingrig/gateways: .*gateway_eui_taken"):
        bench.run(second.register(bench.apis))
    bench.run(second.remove(bench.apis))

    assert bench.get("/applications/run-2") in (403, 404)
    assert isinstance(bench.get("/gateways/run-1-north"), dict)
    assert second.left == []


def test_what_cannot_be_removed_is_named(bench: Bench) -> None:
    """A device that somebody else added keeps the application alive."""
    registrar = Registrar(INVENTORY)
    bench.run(registrar.register(bench.apis))
    stranger = {"end_device": {"ids": {"device_id": "stranger"}}}
    bench.run(bench.apis[0].call("POST", f"{APPLICATION}/devices", stranger))

    bench.run(registrar.remove(bench.apis))

    (left,) = registrar.left
    assert left.startswith("application run-1: DELETE /applications/run-1: ")
    assert "application_has_devices" in left


def test_a_wrong_key_is_told_in_one_line(bench: Bench) -> None:
    api = bench.api(bench.key[:-4] + "AAAA")
    registrar = Registrar(INVENTORY)

    with pytest.raises(ApiError, match=r"POST /users/thingrig/applications: error:pkg/"):
        bench.run(registrar.register([api]))

    assert registrar.remaining() == []


def test_a_rate_limit_is_waited_for() -> None:
    limit = RateLimit(per_minute=60, burst=1)
    bench = Bench(Policy(password_cost=1, rate_limit=limit))

    devices = tuple(replace(ABP, device_id=f"abp-{number}") for number in range(3))
    registrar = Registrar(replace(INVENTORY, devices=devices, gateways=()))

    bench.run(registrar.register(bench.apis))

    assert len(registrar.addresses) == 3
    assert bench.clock.now_us() >= 1_000_000
    bench.close()


def test_a_network_that_does_not_answer(bench: Bench) -> None:
    """An answer may have been lost on its way back: what was asked for is to be removed."""
    registrar = Registrar(INVENTORY)
    bench.transport.fault = lambda device: "cut"
    bench.transport.latency_us = 1000

    with pytest.raises(ApiError, match="no way to the platform: cut"):
        bench.run(registrar.register(bench.apis))

    assert registrar.remaining() == ["application run-1"]
