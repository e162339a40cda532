"""What lasts from one session to the next, and from one downlink to the next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.lab import Stage
from conformance.things_stack.registering import CHANNELS_HZ
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_downlinks import AFTER_RX2_S, item

Record = dict[str, Any]
LAST_WINDOW_S = 6.2
BETWEEN_S = 0.2
"""Between join requests of one device: each accept has a place of its own in the air."""


async def many_joins(stage: Stage) -> Record:
    """A device of 1.0.3 joins with the nonces 1 to 11, and then asks with 2 and with 1."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3")
    for nonce in range(1, 12):
        stage.send(node.join_request(nonce), gateway)
        await asyncio.sleep(BETWEEN_S)
    # A nonce is used when the Join Server has let its request in, whatever the air is like.
    told = await stage.wait_events(node, "js.join.accept", count=11)
    if len(told) < 11:
        raise Inconclusive(f"11 joins were asked for, {len(told)} were accepted")
    again = []
    for nonce, frequency_hz in ((2, CHANNELS_HZ[1]), (1, CHANNELS_HZ[2])):
        # On other channels: the same bytes on the same one may count as a copy.
        again.append(stage.send(node.join_request(nonce), gateway, frequency_hz=frequency_hz))
        await asyncio.sleep(BETWEEN_S)
    late = await asyncio.gather(
        *(_accept(stage, node, sent, nonce) for sent, nonce in zip(again, (2, 1), strict=True))
    )
    return {"remembered": late[0], "forgotten": late[1]}


async def _accept(stage: Stage, node: Any, sent: Any, nonce: int) -> Any:
    return await stage.answer(
        sent,
        within_s=LAST_WINDOW_S,
        read=lambda phy: node.open_accept(phy, nonce),
        only_us=(5_000_000, 6_000_000),
    )


async def join_without_join_server(stage: Stage) -> Record:
    """A device asks before and after the Join Server gets to know it."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3", is_on_join_server=False)
    refused = await stage.join(node, gateway, 1)
    await stage.to_join_server(node)
    return {"refused": refused, "known": await stage.join(node, gateway, 2)}


async def queue_before_join(stage: Stage) -> Record:
    """A downlink waits while its device joins once more."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3", desired_rx1_delay=1)
    if await stage.join(node, gateway, 1) is None:
        raise Inconclusive("the device could not join")
    await stage.wait_events(node, "as.up.join.forward")
    await stage.uplink(node, b"\x01", gateway)
    await stage.uplinks(node, count=1)
    await asyncio.sleep(AFTER_RX2_S)
    await stage.push(node, item(b"\xfa\xce"))
    if await stage.join(node, gateway, 2) is None:
        raise Inconclusive("the device could not join again")
    await stage.wait_events(node, "as.up.join.forward", count=2)
    sent = await stage.uplink(node, b"\x02", gateway)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    return {"frame": answer.frame if answer else None}


async def queue_beside_answers(stage: Stage) -> Record:
    """An item that waits for another class, while the network answers two confirmed uplinks."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    paths = {"gateways": [{"gateway_ids": {"gateway_id": gateway.gateway_id}}]}
    await stage.push(node, item(b"\xca\xfe", class_b_c=paths))
    answers = []
    for f_cnt in (1, 2):
        sent = await stage.uplink(node, b"\x01", gateway, f_cnt=f_cnt, is_confirmed=True)
        answers.append(await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read))
        await asyncio.sleep(1.2)
    path = f"/as/applications/{{a}}/devices/{node.device_id}/down"
    deadline = asyncio.get_running_loop().time() + stage.lab.patience_s
    queue: list[Any] = []
    # The network has emptied it, and the Application Server fills it anew.
    while not queue and asyncio.get_running_loop().time() < deadline:
        queue = (await stage.needed("GET", path)).get("downlinks", [])
        await asyncio.sleep(0.1)
    told = stage.events(node, "as.down.data.queue.invalidated.forward")
    return {"answers": answers, "queue": queue, "told": told}


@pytest.mark.requirement("LW-JOIN-023")
@plays(many_joins)
def test_nonce_of_nine_joins_ago_is_refused(record: Record, requirement: Judge) -> None:
    requirement.check(record["remembered"] is not None, expected=False)


@pytest.mark.requirement("LW-JOIN-024")
@plays(many_joins)
def test_nonce_of_ten_joins_ago_is_forgotten(record: Record, requirement: Judge) -> None:
    requirement.check(record["forgotten"] is not None, expected=True)


@pytest.mark.requirement("LW-JOIN-025")
@plays(join_without_join_server)
def test_device_without_join_server_is_not_answered(record: Record, requirement: Judge) -> None:
    found = [record[name] is not None for name in ("refused", "known")]
    requirement.check(found, expected=[False, True])


@pytest.mark.requirement("LW-DN-018")
@plays(queue_before_join)
def test_queue_outlives_a_join(record: Record, requirement: Judge) -> None:
    frame = record["frame"]
    found = [frame.f_port, frame.frm_payload.hex()] if frame else None
    requirement.check(found, expected=[42, "face"])


@pytest.mark.requirement("LW-DN-019")
@plays(queue_before_join)
def test_counters_of_the_queue_begin_anew(record: Record, requirement: Judge) -> None:
    requirement.check(record["frame"].f_cnt if record["frame"] else None, expected=1)


@pytest.mark.requirement("LW-DN-020")
@plays(queue_beside_answers)
def test_item_for_another_class_holds_nothing_up(record: Record, requirement: Judge) -> None:
    found = [
        [each.frame.ack, each.frame.frm_payload.hex()] if each else None
        for each in record["answers"]
    ]
    requirement.check(found, expected=[[True, ""], [True, ""]])


@pytest.mark.requirement("LW-DN-021")
@plays(queue_beside_answers)
def test_invalidated_queue_gets_counters_that_are_free(record: Record, requirement: Judge) -> None:
    used = [each.frame.f_cnt for each in record["answers"] if each]
    waiting = [each.get("f_cnt", 0) for each in record["queue"]]
    requirement.check_that(
        len(used) == 2 and len(waiting) == 1 and used[0] < used[1] < waiting[0],
        expected="two downlinks, and one in the queue, with counters that grow",
        actual=[used, waiting],
    )


@pytest.mark.requirement("LW-DN-027")
@plays(queue_beside_answers)
def test_invalidated_queue_is_nobodys_affair(record: Record, requirement: Judge) -> None:
    waiting = [each.get("f_cnt", 0) for each in record["queue"]]
    if waiting == [1] or not waiting:
        raise Inconclusive("the queue was not invalidated")
    requirement.check(record["told"], expected=[])
