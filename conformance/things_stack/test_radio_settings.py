"""What the settings of a device come to: data rate and power of ADR, the second window."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.things_stack.equipment.values import commands_of
from conformance.things_stack.lab import Stage, payload_of
from conformance.things_stack.registering import CHANNELS_HZ
from conformance.things_stack.scripts import plays
from conformance.things_stack.test_radio_downlinks import AFTER_RX2_S, item

Record = dict[str, Any]
AT_ONCE_S = 4.0
WANTED_HZ, BAND_HZ, OWN_HZ = 868_300_000, 869_525_000, 868_900_000
ACCEPTED, HALF = b"\x05\x07", b"\x03\x03"
"""RXParamSetupAns that agrees to everything, and LinkADRAns to all but the power."""
MODES: dict[str, Any] = {
    "static": {"static": {"data_rate_index": 3, "tx_power_index": 4, "nb_trans": 2}},
    "disabled": {"disabled": {}},
    "limited": {"dynamic": {"margin": 10, "max_data_rate_index": 3}},
    "dynamic": {"dynamic": {"margin": 10}},
}


async def adapt(stage: Stage, mode: str, data_rate: int) -> Record:
    """A device with ADR speaks once, at 9.5 dB."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3", adr=MODES[mode])
    sent = await stage.uplink(
        node, b"\x01", gateway, f_cnt=1, data_rate=data_rate, adr=True, is_confirmed=True
    )
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    if answer is None:
        raise Inconclusive("a confirmed uplink was not answered")
    asked = [each[1:] for each in commands_of(answer.frame) if each[0] == "LinkADRReq"]
    return {"asked": asked, "is_adr": answer.frame.adr}


async def moved_window(stage: Stage) -> Record:
    """A device of class C is to listen elsewhere; downlinks before and after it has agreed."""
    gateway = await stage.gateway()
    node = await stage.abp(
        "1.0.3", supports_class_c=True, desired_rx2_frequency=str(WANTED_HZ),
        class_b_c_downlink_interval="0s",
    )  # fmt: skip
    found = []
    for f_cnt, f_opts in ((1, b""), (2, ACCEPTED)):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, f_opts=f_opts, is_confirmed=True
        )
        await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        quiet = stage.quiet(gateway)
        await stage.push(node, item(bytes((f_cnt,))))
        answer = await stage.answer(quiet, within_s=AT_ONCE_S, read=node.read)
        found.append(answer.where["frequency_hz"] if answer else None)
    return {"frequencies": found}


async def same_address(stage: Stage) -> Record:
    """Two devices with the same address and keys of their own speak in turn."""
    gateway, first = await stage.gateway(), await stage.abp("1.0.3")
    assert first.session is not None
    second = await stage.abp("1.0.3", dev_addr=first.session.dev_addr)
    for number, node in enumerate((first, second), 1):
        await stage.uplink(node, bytes((number,)), gateway, f_cnt=1)
        await asyncio.sleep(0.35)
    return {"uplinks": [await stage.uplinks(node, count=1) for node in (first, second)]}


async def joined_anew(stage: Stage) -> Record:
    """A device joins with a delay of 3 s, and again when a delay of 1 s is wanted."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3", desired_rx1_delay=3)
    if await stage.join(node, gateway, 1) is None:
        raise Inconclusive("the device could not join")
    await stage.uplink(node, b"\x01", gateway)
    await stage.uplinks(node, count=1)
    path = f"/ns/applications/{{a}}/devices/{node.device_id}"
    wanted = {"ids": {"device_id": node.device_id}, "mac_settings": {"desired_rx1_delay": 1}}
    mask = {"paths": ["mac_settings.desired_rx1_delay"]}
    await stage.needed("PUT", path, {"end_device": wanted, "field_mask": mask})
    if await stage.join(node, gateway, 2) is None:
        raise Inconclusive("the device could not join again")
    sent = await stage.uplink(node, b"\x02", gateway, is_confirmed=True)
    answer = await stage.answer(sent, within_s=4.3, read=node.read)
    return {"window": [answer.delay_us, answer.where["frequency_hz"]] if answer else None}


async def half_agreed(stage: Stage) -> Record:
    """A device agrees to data rate and channels, but not to the power, of LinkADRReq."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3", adr=MODES["static"])
    for f_cnt, f_opts in ((1, b""), (2, HALF)):
        sent = await stage.uplink(
            node, b"\x01", gateway, f_cnt=f_cnt, data_rate=2, adr=True, f_opts=f_opts,
            is_confirmed=True,
        )  # fmt: skip
        await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
        await asyncio.sleep(1.0)
    mask = "mac_state.current_parameters"
    path = f"/ns/applications/{{a}}/devices/{node.device_id}?field_mask={mask}"
    state = (await stage.needed("GET", path)).get("mac_state", {})
    return {"current": state.get("current_parameters", {})}


async def class_told(stage: Stage) -> Record:
    """A device of 1.1 tells that it is in class C; then something is queued for it."""
    gateway, node = await stage.gateway(), await stage.abp("1.1", supports_class_c=True)
    sent = await stage.uplink(node, b"\x01", gateway, f_cnt=1, f_opts=b"\x20\x02")
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    quiet = stage.quiet(gateway)
    await stage.push(node, item(b"\xca\xfe"))
    later = await stage.answer(quiet, within_s=AT_ONCE_S, read=node.read)
    return {
        "commands": commands_of(answer.frame) if answer else [],
        "later": later.frame.frm_payload.hex() if later else None,
    }


async def nonce_again(stage: Stage) -> Record:
    """A device that forgets its nonces, and is registered so, joins twice with the same one."""
    gateway, node = await stage.gateway(), await stage.otaa("1.0.3")
    path = f"/js/applications/{{a}}/devices/{node.device_id}"
    ids = {
        "device_id": node.device_id, "dev_eui": node.dev_eui.upper(),
        "join_eui": node.join_eui.upper(),
    }  # fmt: skip
    body = {"end_device": {"ids": ids, "resets_join_nonces": True}}
    await stage.needed("PUT", path, {**body, "field_mask": {"paths": ["resets_join_nonces"]}})
    first = await stage.join(node, gateway, 1)
    again = await stage.join(node, gateway, 1, frequency_hz=CHANNELS_HZ[1])
    return {"joins": [each is not None for each in (first, again)]}


async def factory_window(stage: Stage) -> Record:
    """Two devices with an RX2 of their own, and another one wanted, are answered at one moment."""
    gateway = await stage.gateway()
    own = {"rx2_frequency": str(OWN_HZ), "desired_rx2_frequency": str(BAND_HZ)}
    nodes = [await stage.abp("1.0.3", **own), await stage.abp("1.0.3", **own)]
    at = gateway.now()
    sents = [
        await stage.uplink(
            node, b"\x01", gateway, f_cnt=1, is_confirmed=True, tmst=at, frequency_hz=frequency_hz
        )
        for node, frequency_hz in zip(nodes, CHANNELS_HZ, strict=False)
    ]
    answers = await asyncio.gather(
        *(stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
          for sent, node in zip(sents, nodes, strict=True))
    )  # fmt: skip
    late = [each for each in answers if each and each.delay_us == 2_000_000]
    return {"frequencies": [each.where["frequency_hz"] for each in late]}


async def silent(stage: Stage) -> Record:
    """Something is queued for a device of class A some time after it has spoken."""
    gateway, node = await stage.gateway(), await stage.abp("1.0.3")
    await stage.uplink(node, b"\x01", gateway, f_cnt=1)
    await asyncio.sleep(AFTER_RX2_S)
    quiet = stage.quiet(gateway)
    await stage.push(node, item(b"\xbe\xef"))
    early = await stage.answer(quiet, within_s=1.5, read=node.read)
    sent = await stage.uplink(node, b"\x02", gateway, f_cnt=2)
    answer = await stage.answer(sent, within_s=AFTER_RX2_S, read=node.read)
    return {"is_early": early is not None, "is_answered": answer is not None}


@pytest.mark.requirement("LW-MAC-019")
@plays(adapt, mode="static", data_rate=2)
def test_chosen_values_are_asked_for(record: Record, requirement: Judge) -> None:
    requirement.check(record["asked"], expected=[[3, 4, 2]])


@pytest.mark.requirement("LW-MAC-020")
@plays(adapt, mode="disabled", data_rate=2)
def test_device_that_is_not_to_adapt_is_left_alone(record: Record, requirement: Judge) -> None:
    requirement.check([record["asked"], record["is_adr"]], expected=[[], False])


@pytest.mark.requirement("LW-MAC-021")
@plays(adapt, mode="limited", data_rate=2)
def test_data_rate_stays_within_its_limit(record: Record, requirement: Judge) -> None:
    requirement.check([each[0] for each in record["asked"]], expected=[3])


@pytest.mark.requirement("LW-MAC-022")
@plays(adapt, mode="dynamic", data_rate=5)
def test_margin_that_is_left_lowers_the_power(record: Record, requirement: Judge) -> None:
    # 4.5 dB above what SF7, margin and safety need: two steps of 2 dB.
    requirement.check([each[:2] for each in record["asked"]], expected=[[5, 2]])


@pytest.mark.requirement("LW-MAC-023")
@plays(moved_window)
def test_class_c_is_spoken_to_where_it_has_agreed(record: Record, requirement: Judge) -> None:
    requirement.check(record["frequencies"], expected=[BAND_HZ, WANTED_HZ])


@pytest.mark.requirement("LW-UP-021")
@plays(same_address)
def test_keys_tell_devices_of_one_address_apart(record: Record, requirement: Judge) -> None:
    found = [[payload_of(each).hex() for each in one] for one in record["uplinks"]]
    requirement.check(found, expected=[["01"], ["02"]])


@pytest.mark.requirement("LW-JOIN-026")
@plays(joined_anew)
def test_join_ends_the_parameters_of_the_session_before(record: Record, requirement: Judge) -> None:
    rx1, rx2 = [1_000_000, CHANNELS_HZ[0]], [2_000_000, BAND_HZ]
    requirement.check_in(record["window"], accepted=[rx1, rx2])


@pytest.mark.requirement("LW-MAC-024")
@plays(half_agreed)
def test_request_that_is_refused_in_part_does_not_hold(record: Record, requirement: Judge) -> None:
    names = ("adr_tx_power_index", "adr_nb_trans")
    found = [
        record["current"].get(name, default) for name, default in zip(names, (0, 1), strict=True)
    ]
    requirement.check(found, expected=[0, 1])


@pytest.mark.requirement("LW-MAC-027")
@plays(class_told)
def test_class_is_confirmed_and_holds(record: Record, requirement: Judge) -> None:
    confirmed = [each for each in record["commands"] if each[0] == "DeviceModeConf"]
    requirement.check([confirmed, record["later"]], expected=[[["DeviceModeConf", 2]], "cafe"])


@pytest.mark.requirement("LW-JOIN-027")
@plays(nonce_again)
def test_forgetful_device_may_repeat_its_nonce(record: Record, requirement: Judge) -> None:
    requirement.check(record["joins"], expected=[True, True])


@pytest.mark.requirement("LW-DN-032")
@plays(silent)
def test_class_a_is_spoken_to_when_it_has_spoken(record: Record, requirement: Judge) -> None:
    found = [record["is_early"], record["is_answered"]]
    requirement.check(found, expected=[False, True])


@pytest.mark.requirement("LW-MAC-028")
@plays(factory_window)
def test_second_window_is_the_devices_own_at_first(record: Record, requirement: Judge) -> None:
    if not record["frequencies"]:
        raise Inconclusive("neither device was answered in its second window")
    requirement.check(record["frequencies"], expected=[OWN_HZ])
