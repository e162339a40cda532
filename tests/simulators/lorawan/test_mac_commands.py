"""MAC commands: a table in both directions, and what cannot be read is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.mac_commands import (
    COMMANDS,
    ADRParamSetupAns,
    ADRParamSetupReq,
    BeaconFreqAns,
    BeaconFreqReq,
    BeaconTimingAns,
    BeaconTimingReq,
    DeviceModeConf,
    DeviceModeInd,
    DeviceTimeAns,
    DeviceTimeReq,
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    ForceRejoinReq,
    LinkADRAns,
    LinkADRReq,
    LinkCheckAns,
    LinkCheckReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    PingSlotChannelAns,
    PingSlotChannelReq,
    PingSlotInfoAns,
    PingSlotInfoReq,
    RejoinParamSetupAns,
    RejoinParamSetupReq,
    RekeyConf,
    RekeyInd,
    ResetConf,
    ResetInd,
    RXParamSetupAns,
    RXParamSetupReq,
    RXTimingSetupAns,
    RXTimingSetupReq,
    TxParamSetupAns,
    TxParamSetupReq,
    encode,
    encode_fitting,
    parse,
)
from simulators.lorawan.versions import MacVersion

UP: list[tuple[str, MacCommand]] = [
    ("0101", ResetInd(1)),
    ("02", LinkCheckReq()),
    ("0307", LinkADRAns(True, True, True)),
    ("0302", LinkADRAns(False, True, False)),
    ("04", DutyCycleAns()),
    ("0501", RXParamSetupAns(True, False, False)),
    ("0504", RXParamSetupAns(False, False, True)),
    ("06ff3f", DevStatusAns(255, -1)),
    ("06002c", DevStatusAns(0, -20)),
    ("06fe1f", DevStatusAns(254, 31)),
    ("060120", DevStatusAns(1, -32)),
    ("0701", NewChannelAns(True, False)),
    ("0702", NewChannelAns(False, True)),
    ("08", RXTimingSetupAns()),
    ("09", TxParamSetupAns()),
    ("0a01", DlChannelAns(True, False)),
    ("0a02", DlChannelAns(False, True)),
    ("0b01", RekeyInd(1)),
    ("0c", ADRParamSetupAns()),
    ("0d", DeviceTimeReq()),
    ("0f01", RejoinParamSetupAns(True)),
    ("1005", PingSlotInfoReq(5)),
    ("1101", PingSlotChannelAns(True, False)),
    ("1102", PingSlotChannelAns(False, True)),
    ("12", BeaconTimingReq()),
    ("1301", BeaconFreqAns(True)),
    ("2002", DeviceModeInd(2)),
]
DOWN: list[tuple[str, MacCommand]] = [
    ("0101", ResetConf(1)),
    ("020a03", LinkCheckAns(10, 3)),
    # data rate 5, power 2, channels 0 to 7 and 15, control 6, three times
    ("0352ff8063", LinkADRReq(2, 5, 0x80FF, 3, 6)),
    ("040f", DutyCycleReq(15)),
    # RX1 offset 3, RX2 data rate 0, 869.525 MHz
    ("0530d2ad84", RXParamSetupReq(0, 3, 869_525_000)),
    ("06", DevStatusReq()),
    # channel 3 on 867.1 MHz, data rates 0 to 5
    ("0703184f8450", NewChannelReq(3, 867_100_000, 0, 5)),
    ("07040000000f", NewChannelReq(4, 0, 15, 0)),
    ("0805", RXTimingSetupReq(5)),
    ("0925", TxParamSetupReq(5, False, True)),
    ("0915", TxParamSetupReq(5, True, False)),
    ("0a02f82f85", DlChannelReq(2, 872_856_800)),
    ("0b01", RekeyConf(1)),
    ("0c65", ADRParamSetupReq(5, 6)),
    ("0d0100000080", DeviceTimeAns(1, 128)),
    # period 3 and 5 retries, then type 2 at data rate 4
    ("0e1d24", ForceRejoinReq(5, 3, 4, 2)),
    ("0f84", RejoinParamSetupReq(4, 8)),
    ("10", PingSlotInfoAns()),
    ("11d2ad8403", PingSlotChannelReq(869_525_000, 3)),
    ("12020105", BeaconTimingAns(258, 5)),
    ("13d2ad84", BeaconFreqReq(869_525_000)),
    ("2002", DeviceModeConf(2)),
]
ALL = [(data, value, True) for data, value in UP] + [(data, value, False) for data, value in DOWN]


@pytest.mark.parametrize(("data", "command", "is_uplink"), ALL)
def test_every_command_in_both_directions(data: str, command: MacCommand, is_uplink: bool) -> None:
    assert encode(command) == bytes.fromhex(data)
    parsed = parse(bytes.fromhex(data), is_uplink=is_uplink)
    assert parsed == ([command], b"", None)


def test_the_tables_above_leave_nothing_out() -> None:
    known = {each for row in COMMANDS for each in (row.uplink, row.downlink) if each}
    assert {type(command) for _, command, _ in ALL} == known
    assert len({row.cid for row in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("rows", [UP, DOWN])
def test_commands_follow_each_other(rows: list[tuple[str, MacCommand]]) -> None:
    data = bytes.fromhex("".join(data for data, _ in rows))
    assert parse(data, is_uplink=rows is UP).commands == [command for _, command in rows]


@pytest.mark.parametrize(
    ("data", "commands", "rest", "offset", "reason"),
    [
        ("80", [], "80", 0, "expected a MAC command; got 80"),
        ("0280ff02", [LinkCheckReq()], "80ff02", 1, "expected a MAC command; got 80"),
        ("0e00", [], "0e00", 0, "expected a MAC command; got 0e"),
        ("0206ff", [LinkCheckReq()], "06ff", 1, "expected DevStatusAns of 2 bytes; got 1"),
        ("03", [], "03", 0, "expected LinkADRAns of 1 bytes; got 0"),
    ],
)
def test_what_cannot_be_read_is_kept_with_the_reason(
    data: str, commands: list[MacCommand], rest: str, offset: int, reason: str
) -> None:
    parsed = parse(bytes.fromhex(data), is_uplink=True)
    assert (parsed.commands, parsed.rest) == (commands, bytes.fromhex(rest))
    assert parsed.problem is not None
    assert (parsed.problem.offset, parsed.problem.reason) == (offset, reason)


@pytest.mark.parametrize("data", [bytes.fromhex("".join(row[0] for row in UP))])
def test_every_prefix_is_read_as_far_as_it_goes(data: bytes) -> None:
    for end in range(len(data)):
        parsed = parse(data[:end], is_uplink=True)
        assert b"".join(map(encode, parsed.commands)) + parsed.rest == data[:end]


@given(st.binary(max_size=250), st.booleans(), st.sampled_from(MacVersion))
def test_no_bytes_break_the_reader(data: bytes, is_uplink: bool, version: MacVersion) -> None:
    parsed = parse(data, is_uplink=is_uplink, version=version)
    assert (parsed.problem is None) == (parsed.rest == b"")
    written = b"".join(map(encode, parsed.commands))
    # Reserved bits are not kept, the length is.
    assert len(written) + len(parsed.rest) == len(data)
    assert parse(written, is_uplink=is_uplink).commands == parsed.commands


@pytest.mark.parametrize(
    ("data", "version", "is_known"),
    [
        ("0d", MacVersion.V1_0_2, False),
        ("0d", MacVersion.V1_0_3, True),
        ("0b01", MacVersion.V1_0_4, False),
        ("0b01", MacVersion.V1_1, True),
        ("09", MacVersion.V1_0_1, False),
        ("09", MacVersion.V1_0_2, True),
        ("1005", MacVersion.V1_0_0, True),
    ],
)
def test_commands_of_later_versions_are_unknown(
    data: str, version: MacVersion, is_known: bool
) -> None:
    parsed = parse(bytes.fromhex(data), is_uplink=True, version=version)
    assert bool(parsed.commands) == is_known


def test_reserved_bits_are_ignored() -> None:
    assert parse(b"\x03\xff", is_uplink=True).commands == [LinkADRAns(True, True, True)]
    assert parse(b"\x05\x80\0\0\0", is_uplink=False).commands == [RXParamSetupReq(0, 0, 0)]


def test_force_rejoin_can_be_read_in_the_order_of_chirpstack() -> None:
    command = ForceRejoinReq(5, 3, 4, 2)
    assert encode(command, force_rejoin_reversed=True) == bytes.fromhex("0e241d")
    parsed = parse(b"\x0e\x24\x1d\x06", is_uplink=False, force_rejoin_reversed=True)
    assert parsed.commands == [command, DevStatusReq()]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (DevStatusAns(0, 32), "expected margin between -32 and 31; got 32"),
        (DevStatusAns(256, 0), "expected battery between 0 and 255; got 256"),
        (BeaconFreqReq(869_525_050), "expected frequency_hz in steps of 100; got 869525050"),
        (BeaconFreqReq(1 << 31), "expected frequency_hz between 0 and 1677721500"),
        (LinkADRReq(0, 16, 0, 1, 0), "expected data_rate_index between 0 and 15; got 16"),
    ],
)
def test_values_that_do_not_fit_are_refused(command: MacCommand, reason: str) -> None:
    with pytest.raises(LoRaWanError, match=reason):
        encode(command)


def test_commands_are_different_things_even_without_fields() -> None:
    assert LinkCheckReq() != DutyCycleAns()
    assert ResetInd(1) != RekeyInd(1)
    assert LinkCheckReq().name == "LinkCheckReq"


@pytest.mark.parametrize(("room", "data"), [(15, "06ff3f0307"), (4, "06ff3f"), (2, "")])
def test_as_many_whole_commands_as_fit(room: int, data: str) -> None:
    answers = [DevStatusAns(255, -1), LinkADRAns(True, True, True)]
    assert encode_fitting(answers, room) == bytes.fromhex(data)


def test_an_index_stands_for_a_power() -> None:
    powers = [TxParamSetupReq(index, False, False).max_eirp_dbm for index in range(16)]
    assert powers == [8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36]
