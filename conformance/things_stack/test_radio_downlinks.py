"""Downlinks: what the network asks gateways of ours to send, and what it tells about that."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.registering import CHANNELS_HZ
from conformance.things_stack.scripts import plays

Record = dict[str, Any]
VERSIONS = ["1.0.3", "1.1"]
AFTER_RX2_S = 2.3
FAILED = "as.down.data.failed.forward"
RX1 = {"delay_us": 1_000_000, "frequency_hz": 868_100_000, "data_rate": "SF7BW125"}
RX2 = {"delay_us": 2_000_000, "frequency_hz": 869_525_000, "data_rate": "SF12BW125"}


def item(payload: bytes, **more: Any) -> dict[str, Any]:
    """One downlink as the queue takes it."""
    return {"f_port": 42, "frm_payload": base64.b64encode(payload).decode(), **more}


async def one_downlink(stage: Stage, version: str) -> Record:
    """A downlink is queued, then an uplink comes, heard by two gateways."""
    gateways = [await stage.gateway(), await stage.gateway()]
    node = await stage.abp(version)
    pushed = await stage.push(node, item(b"\xbe\xef"))
    sent = await stage.uplink(node, b"\x01", *gateways, f_cnt=1)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    told = await stage.wait_events(node, "as.down.data.sent.forward")
    more = await stage.answer(sent, within_s=AFTER_RX2_S)
    return {"pushed": pushed, "answer": answer, "told": told, "more": more}


async def three_downlinks(stage: Stage) -> Record:
    """Three downlinks are queued, and four uplinks come."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(b"\x01"), item(b"\x02"), item(b"\x03"))
    answers = []
    for f_cnt in range(1, 5):
        sent = await stage.uplink(node, b"\x09", gateway, f_cnt=f_cnt)
        answers.append(await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read))
    return {"answers": answers}


async def quiet(stage: Stage) -> Record:
    """An uplink that asks for nothing, of a device that nothing waits for."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    return {"answer": await stage.answer(sent, within_s=AFTER_RX2_S)}


async def occupied(stage: Stage) -> Record:
    """Two devices are answered at the same moment by the same gateway."""
    gateway = await stage.gateway()
    nodes = [await stage.abp("1.0.3"), await stage.abp("1.0.3")]
    at = gateway.now()
    sents = [
        await stage.uplink(
            node,
            b"\x01",
            gateway,
            f_cnt=1,
            is_confirmed=True,
            tmst=at,
            frequency_hz=CHANNELS_HZ[number],
        )
        for number, node in enumerate(nodes)
    ]
    answers = await asyncio.gather(
        *(stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
          for sent, node in zip(sents, nodes, strict=True))
    )  # fmt: skip
    return {"answers": [each.where if each else None for each in answers]}


async def acknowledged(stage: Stage) -> Record:
    """A confirmed downlink, and an uplink that acknowledges it."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(b"\x01", confirmed=True))
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    await asyncio.sleep(1.2)  # the node has heard it
    await stage.uplink(node, b"\x02", gateway, f_cnt=2, ack=True)
    told = await stage.wait_events(node, "as.down.data.ack.forward")
    return {"answer": answer, "told": told}


async def unacknowledged(stage: Stage) -> Record:
    """A confirmed downlink with two attempts that the device never acknowledges."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(b"\x01", confirmed=True, confirmed_retry={"max_attempts": 2}))
    answers: list[Any] = []
    f_cnt = 0
    # Between its servers the second attempt may take longer than to the end of RX2.
    while len(answers) < 2 and f_cnt < 3:
        f_cnt += 1
        sent = await stage.uplink(node, b"\x01", gateway, f_cnt=f_cnt)
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        answers += [answer] if answer else []
        await asyncio.sleep(1.2)
    nacked = await stage.wait_events(node, "as.down.data.nack.forward")
    await stage.uplink(node, b"\x01", gateway, f_cnt=f_cnt + 1)
    failed = await stage.wait_events(node, "as.down.data.failed.forward")
    return {"answers": answers, "nacked": nacked, "failed": failed}


async def without_attempts(stage: Stage) -> Record:
    """A confirmed downlink that does not say how often it is to be tried, never acknowledged."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(b"\x01", confirmed=True))
    tries = 0
    for f_cnt in range(1, 5):  # to spare: between its servers the second may take a while
        sent = await stage.uplink(node, b"\x01", gateway, f_cnt=f_cnt)
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        tries += 1 if answer and answer.frame.f_port else 0
        if tries == 2 or stage.events(node, FAILED):
            break
        await asyncio.sleep(1.2)
    return {"tries": tries, "failed": stage.events(node, FAILED)}


async def retried_behind(stage: Stage) -> Record:
    """A confirmed downlink that is never acknowledged, with another one behind it."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(b"\x01", confirmed=True, confirmed_retry={"max_attempts": 2}))
    await stage.push(node, item(b"\x02"))
    are_confirmed: list[bool] = []
    for f_cnt in range(1, 9):  # some to spare: what a gateway cannot send in time comes later
        sent = await stage.uplink(node, b"\x01", gateway, f_cnt=f_cnt)
        answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        are_confirmed += [answer.frame.is_confirmed] if answer and answer.frame.f_port else []
        if len(are_confirmed) == 3:
            break
        await asyncio.sleep(1.2)
    return {"are_confirmed": are_confirmed}


async def refused(stage: Stage) -> Record:
    """The gateway says that it cannot send the downlink."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(b"\x01"))
    gateway.tx_error = "TOO_LATE"
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    failed = await stage.wait_events(node, "as.down.data.failed.forward")
    # What is told of a later uplink comes after everything that is told of this downlink.
    await asyncio.sleep(AFTER_RX2_S)
    last = await stage.uplink(node, b"\x02", gateway, f_cnt=2)
    await stage.uplinks(node, count=2)
    told = stage.events(node, "as.down.data.sent.forward")
    await stage.answer(last, within_s=AFTER_RX2_S)  # or it would be in the next script's way
    return {"failed": failed, "sent": told}


async def too_long(stage: Stage) -> Record:
    """A downlink of 200 bytes for a device that speaks with SF12."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.push(node, item(bytes(200)))
    await stage.uplink(node, b"\x01", gateway, f_cnt=1, data_rate=0)
    failed = await stage.wait_events(node, "as.down.data.failed.forward")
    return {"failed": failed}


async def class_c(stage: Stage) -> Record:
    """A device of class C speaks once; a while later a downlink is queued."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3", supports_class_c=True)
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await asyncio.sleep(AFTER_RX2_S)
    await stage.push(node, item(b"\xca\xfe"))
    answer = await stage.answer(sent, within_s=4.0, read=node.read)
    return {"answer": answer}


def causes(record: Record) -> list[str]:
    """Why downlinks failed, as their events say."""
    messages = [each.get("data", {}).get("downlink_failed", {}) for each in record["failed"]]
    return [str(each.get("error", {}).get("name")) for each in messages]


@pytest.mark.requirement("LW-DN-001")
@plays(one_downlink)
@pytest.mark.parametrize("version", VERSIONS)
def test_downlink_answers_the_next_uplink(version: str, record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    requirement.check(answer.where if answer else None, expected=RX1)


@pytest.mark.requirement("LW-DN-002")
@plays(one_downlink)
@pytest.mark.parametrize("version", VERSIONS)
def test_downlink_is_what_was_queued(version: str, record: Record, requirement: Judge) -> None:
    frame = record["answer"].frame if record["answer"] else None
    found = [frame.f_port, frame.frm_payload.hex()] if frame else None
    requirement.check(found, expected=[42, "beef"])


@pytest.mark.requirement("LW-DN-003")
@plays(one_downlink)
@pytest.mark.parametrize("version", VERSIONS)
def test_first_counter_is_1(version: str, record: Record, requirement: Judge) -> None:
    frame = record["answer"].frame if record["answer"] else None
    requirement.check(frame.f_cnt if frame else None, expected=1)


@pytest.mark.requirement("LW-DN-010")
@plays(one_downlink)
@pytest.mark.parametrize("version", VERSIONS)
def test_sent_downlink_is_told(version: str, record: Record, requirement: Judge) -> None:
    messages = [each.get("data", {}).get("downlink_sent", {}) for each in record["told"]]
    found = [[each.get("f_port"), each.get("f_cnt"), payload_of(each).hex()] for each in messages]
    requirement.check(found, expected=[[42, 1, "beef"]])


@pytest.mark.requirement("LW-DN-016")
@plays(one_downlink, version="1.0.3")
def test_downlink_is_inverted_and_bare(record: Record, requirement: Judge) -> None:
    packet = record["answer"].downlink.packet if record["answer"] else None
    found = [packet.inverts_polarity, packet.has_crc] if packet else None
    requirement.check(found, expected=[True, False])


@pytest.mark.requirement("LW-DN-017")
@plays(one_downlink, version="1.0.3")
def test_downlink_goes_through_one_gateway(record: Record, requirement: Judge) -> None:
    found = [each is not None for each in (record["answer"], record["more"])]
    requirement.check(found, expected=[True, False])


@pytest.mark.requirement("LW-DN-004")
@plays(three_downlinks)
def test_counters_grow(record: Record, requirement: Judge) -> None:
    found = [each.frame.f_cnt for each in record["answers"] if each]
    requirement.check(found[:3], expected=[1, 2, 3])


@pytest.mark.requirement("LW-DN-013")
@plays(three_downlinks)
def test_queue_keeps_its_order(record: Record, requirement: Judge) -> None:
    found = [each.frame.frm_payload.hex() if each else None for each in record["answers"]]
    requirement.check(found[:3], expected=["01", "02", "03"])


@pytest.mark.requirement("LW-DN-014")
@plays(three_downlinks)
def test_pending_downlinks_are_announced(record: Record, requirement: Judge) -> None:
    found = [each.frame.f_pending if each else None for each in record["answers"]]
    requirement.check(found[:3], expected=[True, True, False])


@pytest.mark.requirement("LW-DN-005")
@plays(quiet)
def test_nothing_is_sent_for_nothing(record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    requirement.check(answer.downlink.phy.hex() if answer else None, expected=None)


@pytest.mark.requirement("LW-DN-006")
@plays(occupied)
def test_second_window_is_used(record: Record, requirement: Judge) -> None:
    answers = record["answers"]
    firsts = [{**RX1, "frequency_hz": each} for each in CHANNELS_HZ[:2]]
    accepted = [[firsts[0], RX2], [RX2, firsts[1]]]
    requirement.check_in(answers, accepted=accepted)


@pytest.mark.requirement("LW-DN-007")
@plays(acknowledged)
def test_acknowledgement_is_told(record: Record, requirement: Judge) -> None:
    answer, told = record["answer"], record["told"]
    messages = [each.get("data", {}).get("downlink_ack", {}) for each in told]
    found = [
        answer.frame.is_confirmed if answer else None,
        *(each.get("f_cnt") for each in messages),
    ]
    requirement.check(found, expected=[True, 1])


@pytest.mark.requirement("LW-DN-008")
@plays(unacknowledged)
def test_missing_acknowledgement_is_told_and_tried_again(
    record: Record, requirement: Judge
) -> None:
    tries = [each.frame.f_cnt for each in record["answers"]]
    requirement.check([len(record["nacked"]) > 0, *tries], expected=[True, 1, 2])


@pytest.mark.requirement("LW-DN-009")
@plays(unacknowledged)
def test_attempts_end(record: Record, requirement: Judge) -> None:
    requirement.check(causes(record), expected=["max_retries_reached"])


@pytest.mark.requirement("LW-DN-024")
@plays(retried_behind)
def test_second_attempt_is_behind_what_waits(record: Record, requirement: Judge) -> None:
    are_confirmed = record["are_confirmed"]
    if len(are_confirmed) < 3:
        raise Inconclusive(f"expected three downlinks, one tried again; got {len(are_confirmed)}")
    requirement.check(are_confirmed, expected=[True, False, True])


@pytest.mark.requirement("LW-DN-026")
@plays(without_attempts)
def test_attempts_have_a_default(record: Record, requirement: Judge) -> None:
    if not record["tries"]:
        raise Inconclusive("the downlink was not sent once")
    # How many a server makes by itself is its own affair; one is enough if it says that it ends.
    accepted = [[2, []], [1, ["max_retries_reached"]]]
    requirement.check_in([record["tries"], causes(record)], accepted=accepted)


@pytest.mark.requirement("LW-DN-011")
@plays(refused)
def test_refused_downlink_is_told(record: Record, requirement: Judge) -> None:
    requirement.check([len(record["failed"]), len(record["sent"])], expected=[1, 0])
    failed = [each.get("data", {}).get("downlink_failed", {}) for each in record["failed"]]
    items = [each.get("downlink", {}) for each in failed]
    found = [(each.get("f_port"), each.get("frm_payload")) for each in items]
    requirement.check(found, expected=[(42, "AQ==")])


@pytest.mark.requirement("LW-DN-015")
@plays(too_long)
def test_long_downlink_fails(record: Record, requirement: Judge) -> None:
    requirement.check(causes(record), expected=["application_downlink_too_long"])


@pytest.mark.requirement("LW-DN-012")
@plays(class_c)
def test_class_c_needs_no_uplink(record: Record, requirement: Judge) -> None:
    answer = record["answer"]
    where = {name: answer.where[name] for name in ("frequency_hz", "data_rate")} if answer else None
    payload = answer.frame.frm_payload.hex() if answer else None
    requirement.check(
        [where, payload],
        expected=[{"frequency_hz": 869_525_000, "data_rate": "SF12BW125"}, "cafe"],
    )
