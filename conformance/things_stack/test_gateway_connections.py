"""What the Gateway Server tells of a connection: while it stands, and when it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.things_stack.answers import part, told
from conformance.things_stack.lab import Stage
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_downlinks import item

Record = dict[str, Any]
LONGEST_S = 75.0
"""A deployment that keeps statistics in a cache refreshes them at least so often."""
NOT_CONNECTED = [404, "pkg/gatewayserver:not_connected"]


def number(statistics: Any, name: str) -> int:
    """A counter, which is a text; 0 when it is left out, -1 when it is no number in a text."""
    value = part(statistics, name)
    if value is None:
        return 0
    return int(value) if isinstance(value, str) and value.isdigit() else -1


async def statistics(
    stage: Stage, gateway_id: str, is_there: Callable[[Any], bool] = lambda _: True
) -> Any:
    """The answer about a gateway, once it holds what is waited for, or the last one in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LONGEST_S
    while True:
        answer = await stage.call("GET", f"/gs/gateways/{gateway_id}/connection/stats")
        if is_there(answer.json) or loop.time() >= deadline:
            return answer
        await asyncio.sleep(0.3)


async def talking(stage: Stage) -> Record:
    """A packet forwarder tells its status, passes an uplink on, and sends a downlink."""
    gateway = await stage.gateway()
    path = "/gs/gateways/connection/stats"
    before = await statistics(stage, gateway.gateway_id)
    batch = await stage.call("POST", path, {"gateway_ids": [{"gateway_id": gateway.gateway_id}]})
    names = ("uplink_count", "downlink_count", "tx_acknowledgment_count")
    first = {name: number(before.json, name) for name in names}
    node = await stage.abp("1.0.3")
    await stage.push(node, item(b"\xbe\xef"))
    gateway.status(received=2, received_ok=1, forwarded=1, acknowledged_percent=100.0)
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)

    def has_all(found: Any) -> bool:
        is_counted = all(number(found, name) != first[name] for name in names)
        return is_counted and part(found, "last_status") is not None

    after = await statistics(stage, gateway.gateway_id, has_all)
    return {
        "id": gateway.gateway_id, "before": before, "batch": batch, "after": after.json,
        "risen": {name: number(after.json, name) - first[name] for name in names},
    }  # fmt: skip


async def leaving(stage: Stage) -> Record:
    """A station connects and goes away."""
    station, _ = await stage.linked()
    path = station.gateway_id
    during = await statistics(stage, path, lambda found: "connected_at" in found)
    await station.close()
    after = await statistics(stage, path, lambda found: "connected_at" not in found)
    return {"during": during, "after": after}


@pytest.mark.requirement("TTS-GS-001")
@plays(talking)
def test_connection_is_told(record: Record, requirement: Judge) -> None:
    found = record["before"]
    requirement.check([found.status, part(found.json, "protocol")], expected=[200, "udp"])
    since = part(found.json, "connected_at")
    requirement.check_that(
        isinstance(since, str) and since.endswith("Z"), expected="connected_at", actual=since
    )


@pytest.mark.requirement("TTS-GS-002")
@plays(talking)
def test_uplink_is_counted(record: Record, requirement: Judge) -> None:
    requirement.check(record["risen"]["uplink_count"], expected=1)
    requirement.check("last_uplink_received_at" in record["after"], expected=True)


@pytest.mark.requirement("TTS-GS-003")
@plays(talking)
def test_downlink_and_its_acknowledgement_are_counted(record: Record, requirement: Judge) -> None:
    risen = [record["risen"][name] for name in ("downlink_count", "tx_acknowledgment_count")]
    requirement.check(risen, expected=[1, 1])
    names = {"last_downlink_received_at", "last_tx_acknowledgment_received_at"}
    requirement.check(sorted(names - set(record["after"])), expected=[])


@pytest.mark.requirement("TTS-GS-004")
@plays(talking)
def test_status_is_told(record: Record, requirement: Judge) -> None:
    metrics = part(record["after"], "last_status", "metrics")
    found = {name: part(metrics, name) for name in ("rxin", "rxok", "rxfw", "ackr")}
    requirement.check(found, expected={"rxin": 2, "rxok": 1, "rxfw": 1, "ackr": 100})
    requirement.check("last_status_received_at" in record["after"], expected=True)


@pytest.mark.requirement("TTS-GS-005")
@plays(talking)
def test_several_gateways_are_told_by_id(record: Record, requirement: Judge) -> None:
    entries = part(record["batch"].json, "entries") or {}
    requirement.check(record["batch"].status, expected=200)
    requirement.check({name: part(each, "protocol") for name, each in entries.items()},
                      expected={record["id"]: "udp"})  # fmt: skip


@pytest.mark.requirement("TTS-GS-006")
@plays(leaving)
def test_ended_connection_is_told_as_such(record: Record, requirement: Judge) -> None:
    during, after = record["during"], record["after"]
    protocol = part(during.json, "protocol")
    requirement.check(during.status, expected=200)
    requirement.check_that(
        isinstance(protocol, str) and protocol.partition("/")[0] in ("ws", "semtechws"),
        expected="ws, or semtechws/ and the protocol's name, as some versions tell",
        actual=protocol,
    )
    if after.status == 200:
        ends = ["connected_at" in after.json, "disconnected_at" in after.json]
        requirement.check(ends, expected=[False, True])
    else:
        requirement.check(told(after), expected=NOT_CONNECTED)
