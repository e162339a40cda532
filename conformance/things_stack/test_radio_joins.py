"""Joins: what a network answers to join requests that a gateway of ours has heard."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.equipment.values import channels_of, is_in_prefix
from conformance.things_stack.lab import Answer, Stage, payload_of
from conformance.things_stack.scripts import plays

VERSIONS = ["1.0.2", "1.0.3", "1.0.4", "1.1"]
OLD, NEW = ["1.0.2", "1.0.3"], ["1.0.4", "1.1"]
OTHER_HZ = 868_300_000
LAST_WINDOW_S = 6.2
JOIN_ACCEPT = 0x20
REKEY = b"\x0b\x01"
RX2 = {"delay_us": 6_000_000, "frequency_hz": 869_525_000, "data_rate": "SF12BW125"}

Record = dict[str, Any]


async def join_and_talk(stage: Stage, version: str) -> Record:
    """A device joins and sends its first uplink."""
    gateway, node = await stage.gateway(), await stage.otaa(version, desired_rx1_delay=1)
    answer = await stage.join(node, gateway, 1)
    if answer is None:
        return {"answer": None}
    told = await stage.wait_events(node, "as.up.join.forward")
    address = answer.frame.dev_addr
    f_opts = REKEY if node.is_1_1 else b""
    sent = await stage.uplink(node, b"\x01\x02", gateway, f_opts=f_opts)
    reply = await stage.answer(sent, within_s=2.2, read=node.read) if node.is_1_1 else None
    uplinks = await stage.uplinks(node, count=1)
    return {
        "answer": answer, "told": told, "address": address, "reply": reply, "uplinks": uplinks,
        "prefixes": (await stage.needed("GET", "/ns/dev_addr_prefixes"))["dev_addr_prefixes"],
        "net_id": (await stage.needed("GET", "/ns/net_id")).get("net_id"),
    }  # fmt: skip


async def join_with_delay(stage: Stage, delay: int | None) -> Record:
    """A device joins whose RX1 delay is wanted to be so, or is left to the network."""
    gateway = await stage.gateway()
    node = await stage.otaa("1.0.3", desired_rx1_delay=delay, desired_rx2_data_rate_index=None)
    wanted = delay
    if wanted is None:
        path = f"/ns/default_mac_settings/{stage.lab.place.plan}/PHY_V1_0_3_REV_A"
        told = (await stage.needed("GET", path)).get("desired_rx1_delay", 1)
        wanted = told["value"] if isinstance(told, dict) else told
    answer = await stage.join(node, gateway, 1)
    return {"answer": answer, "wanted": wanted, "rx2": stage.lab.place.rx2_data_rate}


async def join_again(stage: Stage, version: str) -> Record:
    """A device joins, asks with nonces that its version forbids, and with a good one."""
    gateway, node = await stage.gateway(), await stage.otaa(version)
    first = await stage.join(node, gateway, 7)
    if first is None:
        raise Inconclusive("the device could not join")
    forbidden = [7] if version in OLD else [7, 6]
    sent = [
        # On another channel: the same bytes on the same one may count as a copy.
        stage.send(node.join_request(nonce), gateway, frequency_hz=OTHER_HZ, data_rate=4)
        for nonce in forbidden
    ]
    refused = [
        await stage.answer(each, within_s=LAST_WINDOW_S, read=any_accept) for each in sent[:1]
    ]
    refused += [await stage.answer(each, within_s=0.1, read=any_accept) for each in sent[1:]]
    if any(refused):  # what is still to be sent would be in the way of the next answer
        await asyncio.sleep(LAST_WINDOW_S)
    again = await stage.join(node, gateway, 6 if version in OLD else 8)
    return {"first": first, "refused": refused, "again": again}


async def join_badly(stage: Stage) -> Record:
    """A request with a wrong MIC, then the same one with the right one."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.4")
    wrong = stage.send(node.join_request(5, is_wrong=True), gateway)
    refused = await stage.answer(wrong, within_s=LAST_WINDOW_S, read=any_accept)
    return {"refused": refused, "right": await stage.join(node, gateway, 5)}


async def join_as_nobody(stage: Stage) -> Record:
    """A request of a device that nobody has registered, beside one of a device that is known."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3")
    dev_eui, node.dev_eui = node.dev_eui, "0102030405060708"
    stranger = stage.send(node.join_request(3), gateway)
    refused = await stage.answer(stranger, within_s=LAST_WINDOW_S, read=any_accept)
    node.dev_eui = dev_eui
    return {"refused": refused, "known": await stage.join(node, gateway, 3)}


async def join_twice(stage: Stage) -> Record:
    """A device with a session joins again, and speaks by the old session before the new one."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3", desired_rx1_delay=1)
    first = await stage.join(node, gateway, 1)
    if first is None:
        raise Inconclusive("the device could not join")
    await stage.uplink(node, b"\x01", gateway)
    await stage.uplinks(node, count=1)
    old, f_cnt = node.session, node.f_cnt
    second = await stage.join(node, gateway, 2)
    node.session = old
    # What the new keys are worth after this is the server's choice: it may void them.
    await stage.uplink(node, b"\x02", gateway, f_cnt=f_cnt)
    return {"second": second, "by_old": await stage.uplinks(node, count=2)}


async def join_and_move_on(stage: Stage) -> Record:
    """A device with a session joins again, speaks by the new one, then by the old one."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3", desired_rx1_delay=1)
    if await stage.join(node, gateway, 1) is None:
        raise Inconclusive("the device could not join")
    await stage.uplink(node, b"\x01", gateway)
    await stage.uplinks(node, count=1)
    old, f_cnt = node.session, node.f_cnt
    if await stage.join(node, gateway, 2) is None:
        raise Inconclusive("the device could not join again")
    new = node.session
    await stage.uplink(node, b"\x02", gateway, f_cnt=0)
    await stage.uplinks(node, count=2)
    node.session = old
    await stage.uplink(node, b"\x03", gateway, f_cnt=f_cnt)
    node.session = new
    await stage.uplink(node, b"\x04", gateway, f_cnt=1)
    return {"uplinks": await stage.uplinks(node, count=3)}


async def join_through_two(stage: Stage) -> Record:
    """Two gateways hear a request, the second one better."""
    gateways = [await stage.gateway(), await stage.gateway()]
    node = await stage.otaa("1.0.3")
    phy = node.join_request(1)
    for gateway, snr_db in zip(gateways, (-3.0, 9.5), strict=True):
        stage.send(phy, gateway, snr_db=snr_db)
    await asyncio.sleep(LAST_WINDOW_S)
    found = [one.gateway for each in gateways for one in each.downlinks]
    return {"found": found, "better": gateways[1].gateway_id}


def any_accept(phy: bytes) -> bytes | None:
    """A join accept, whomever it is for."""
    return phy if phy[0] == JOIN_ACCEPT else None


def accept_of(record: Record) -> Any:
    """The join accept, or None."""
    return record["answer"].frame if record["answer"] else None


def is_read(answer: Answer | None) -> bool:
    """Whether a readable join accept came."""
    return answer is not None


@pytest.mark.requirement("LW-JOIN-001")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_fresh_request_is_answered(version: str, record: Record, requirement: Judge) -> None:
    requirement.check(is_read(record["answer"]), expected=True)


@pytest.mark.requirement("LW-JOIN-002")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_accept_is_sent_in_a_join_window(version: str, record: Record, requirement: Judge) -> None:
    rx1 = {"delay_us": 5_000_000, "frequency_hz": 868_100_000, "data_rate": "SF7BW125"}

    where = record["answer"].where if record["answer"] else None
    requirement.check_in(where, accepted=[rx1, RX2])


@pytest.mark.requirement("LW-JOIN-003")
@plays(join_with_delay, delay=3)
def test_accept_carries_the_wanted_delay(record: Record, requirement: Judge) -> None:
    requirement.check(getattr(accept_of(record), "rx_delay", None), expected=3)


@pytest.mark.requirement("LW-JOIN-004")
@plays(join_with_delay, delay=None)
def test_accept_carries_the_default_delay(record: Record, requirement: Judge) -> None:
    requirement.check(getattr(accept_of(record), "rx_delay", None), expected=record["wanted"])


@pytest.mark.requirement("LW-JOIN-005")
@plays(join_with_delay, delay=None)
def test_accept_carries_receive_settings(record: Record, requirement: Judge) -> None:
    accept = accept_of(record)
    found = [accept.rx1_data_rate_offset, accept.rx2_data_rate_index] if accept else None
    requirement.check(found, expected=[0, record["rx2"]])


@pytest.mark.requirement("LW-JOIN-006")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_accept_lists_the_plans_channels(version: str, record: Record, requirement: Judge) -> None:
    accept = accept_of(record)
    expected = [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000]
    requirement.check(channels_of(accept.cf_list) if accept else None, expected=expected)


@pytest.mark.requirement("LW-JOIN-007")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_address_is_the_networks(version: str, record: Record, requirement: Judge) -> None:
    is_ours = record["answer"] is not None and any(
        is_in_prefix(record["address"], prefix) for prefix in record["prefixes"]
    )
    requirement.check_that(
        is_ours, expected=f"an address in {record.get('prefixes')}", actual=record.get("address")
    )


@pytest.mark.requirement("LW-JOIN-008")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_net_id_is_the_networks(version: str, record: Record, requirement: Judge) -> None:
    net_id = accept_of(record).net_id.upper() if record["answer"] else None
    requirement.check(net_id, expected=record.get("net_id", "the network's"))


@pytest.mark.requirement("LW-JOIN-009")
@plays(join_again)
@pytest.mark.parametrize("version", OLD)
def test_repeated_nonce_is_refused(version: str, record: Record, requirement: Judge) -> None:
    requirement.check([is_read(each) for each in record["refused"]], expected=[False])


@pytest.mark.requirement("LW-JOIN-010")
@plays(join_again)
@pytest.mark.parametrize("version", NEW)
def test_nonce_that_is_not_larger_is_refused(
    version: str, record: Record, requirement: Judge
) -> None:
    requirement.check([is_read(each) for each in record["refused"]], expected=[False, False])


@pytest.mark.requirement("LW-JOIN-011")
@plays(join_again)
@pytest.mark.parametrize("version", VERSIONS)
def test_fresh_nonce_is_answered_after_refused_ones(
    version: str, record: Record, requirement: Judge
) -> None:
    requirement.check(is_read(record["again"]), expected=True)


@pytest.mark.requirement("LW-JOIN-012")
@plays(join_badly)
def test_wrong_mic_is_not_answered(record: Record, requirement: Judge) -> None:
    requirement.check(is_read(record["refused"]), expected=False)


@pytest.mark.requirement("LW-JOIN-013")
@plays(join_badly)
def test_wrong_mic_leaves_the_nonce_unused(record: Record, requirement: Judge) -> None:
    requirement.check(is_read(record["right"]), expected=True)


@pytest.mark.requirement("LW-JOIN-014")
@plays(join_as_nobody)
def test_unknown_device_is_not_answered(record: Record, requirement: Judge) -> None:
    found = [is_read(record[name]) for name in ("refused", "known")]
    requirement.check(found, expected=[False, True])


@pytest.mark.requirement("LW-JOIN-015")
@plays(join_again)
@pytest.mark.parametrize("version", VERSIONS)
def test_join_nonce_grows(version: str, record: Record, requirement: Judge) -> None:
    nonces = [each.frame.join_nonce for each in (record["first"], record["again"]) if each]
    requirement.check_that(
        len(nonces) == 2 and nonces[0] < nonces[1],
        expected="two JoinNonces, the second one larger",
        actual=nonces,
    )


@pytest.mark.requirement("LW-JOIN-016")
@plays(join_and_talk, version="1.1")
def test_accept_of_1_1_is_negotiated(record: Record, requirement: Judge) -> None:
    requirement.check(getattr(accept_of(record), "opt_neg", None), expected=True)


@pytest.mark.requirement("LW-JOIN-017")
@plays(join_and_talk, version="1.1")
def test_rekey_is_confirmed(record: Record, requirement: Judge) -> None:
    reply = record.get("reply")
    commands = (reply.frame.f_opts or reply.frame.frm_payload) if reply else b""
    requirement.check_that(
        REKEY in commands, expected="a downlink with RekeyConf 0b01", actual=commands.hex()
    )


@pytest.mark.requirement("LW-JOIN-018")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_join_is_told_to_the_application(version: str, record: Record, requirement: Judge) -> None:
    told = [each.get("data", {}) for each in record.get("told", ())]
    addresses = [each.get("end_device_ids", {}).get("dev_addr") for each in told]
    keys = ["session_key_id" in each.get("join_accept", {}) for each in told]
    expected = [[str(record.get("address")).upper()], [True]]
    requirement.check([addresses, keys], expected=expected)


@pytest.mark.requirement("LW-JOIN-019")
@plays(join_and_talk)
@pytest.mark.parametrize("version", VERSIONS)
def test_first_uplink_is_understood(version: str, record: Record, requirement: Judge) -> None:
    found = [payload_of(each).hex() for each in record.get("uplinks", ())]
    requirement.check(found, expected=["0102"])


@pytest.mark.requirement("LW-JOIN-020")
@plays(join_twice)
def test_old_session_lives_until_the_new_one_speaks(record: Record, requirement: Judge) -> None:
    requirement.check(is_read(record["second"]), expected=True)
    found = [payload_of(each).hex() for each in record["by_old"]]
    requirement.check(found, expected=["01", "02"])


@pytest.mark.requirement("LW-JOIN-022")
@plays(join_and_move_on)
def test_old_session_ends_when_the_new_one_speaks(record: Record, requirement: Judge) -> None:
    found = [payload_of(each).hex() for each in record["uplinks"]]
    requirement.check(found, expected=["01", "02", "04"])


@pytest.mark.requirement("LW-JOIN-021")
@plays(join_through_two)
def test_request_heard_twice_is_answered_once(record: Record, requirement: Judge) -> None:
    requirement.check(record["found"], expected=[record["better"]])
