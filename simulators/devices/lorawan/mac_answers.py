"""
What a device does about the network's MAC commands, and what it answers: a table of handlers.

Answers keep the order of the requests. A command of a later version than the session's is unknown,
and reading stops there.

Source: LoRaWAN 1.0.4, chapter 5; LoRaWAN 1.1, chapter 5; class B: chapters 12 and 14.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from simulators.devices.lorawan import link_adr
from simulators.devices.lorawan.rejoin_schedule import forced, periodic
from simulators.devices.lorawan.state import NOTHING, LinkCheck, NodeState
from simulators.devices.lorawan.time_sync import TimeSync
from simulators.lorawan.mac_commands import (
    ADRParamSetupAns,
    ADRParamSetupReq,
    BeaconFreqAns,
    BeaconFreqReq,
    DeviceModeConf,
    DeviceTimeAns,
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    ForceRejoinReq,
    LinkADRReq,
    LinkCheckAns,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    PingSlotChannelAns,
    PingSlotChannelReq,
    PingSlotInfoAns,
    RejoinParamSetupAns,
    RejoinParamSetupReq,
    RekeyConf,
    ResetConf,
    RXParamSetupAns,
    RXParamSetupReq,
    RXTimingSetupAns,
    RXTimingSetupReq,
    TxParamSetupAns,
    TxParamSetupReq,
    encode,
    parse,
)
from simulators.lorawan.regions.region import Channel, Region, Rx2

SECOND_US = 1_000_000
TIME_RESOLUTION_US = SECOND_US // 256


def carry_out(node: NodeState, commands: bytes) -> None:
    """Do what the commands ask, as far as they can be read, and line the answers up."""
    assert node.session is not None
    version = node.session.version
    parsed = parse(commands, is_uplink=False, version=version).commands
    has_adapted = False
    for kind, alike in groupby(parsed, type):
        if kind is LinkADRReq:
            block = [each for each in alike if isinstance(each, LinkADRReq)]
            if has_adapted and node.settings.first_link_adr_block_only:
                continue
            has_adapted = True
            for answer in link_adr.answers(node.parameters, block, version, adr=node.adr):
                node.queue.put(encode(answer))
        elif kind in HANDLERS:
            for each in alike:
                reply = HANDLERS[kind](node, each)
                if reply is not None:
                    node.queue.put(encode(reply))


def names(commands: bytes, *, is_uplink: bool) -> list[str]:
    """For the trace."""
    return [each.name for each in parse(commands, is_uplink=is_uplink).commands]


def is_downlink_rate(region: Region, data_rate: int) -> bool:
    """Whether a network may set that data rate for downlinks."""
    rows = region.data_rates
    row = rows[data_rate] if 0 <= data_rate < len(rows) else None
    return row is not None and row.is_downlink


def _link_check(node: NodeState, answer: LinkCheckAns) -> None:
    node.link_check = LinkCheck(answer.margin, answer.gateway_count)


def _duty_cycle(node: NodeState, request: DutyCycleReq) -> MacCommand:
    node.parameters.max_duty_exponent = request.max_duty_cycle
    return DutyCycleAns()


def _rx_param_setup(node: NodeState, request: RXParamSetupReq) -> MacCommand:
    parameters, region = node.parameters, node.parameters.region
    answer = RXParamSetupAns(
        region.accepts_frequency(request.rx2_frequency_hz),
        is_downlink_rate(region, request.rx2_data_rate_index),
        request.rx1_data_rate_offset <= region.max_rx1_offset,
    )
    if answer == RXParamSetupAns(True, True, True):
        parameters.rx2 = Rx2(request.rx2_frequency_hz, request.rx2_data_rate_index)
        parameters.rx1_offset = request.rx1_data_rate_offset
    return answer


def _dev_status(node: NodeState, request: DevStatusReq) -> MacCommand:
    return DevStatusAns(node.settings.battery, min(31, max(-32, round(node.last_snr_db))))


def _new_channel(node: NodeState, request: NewChannelReq) -> MacCommand | None:
    parameters, region = node.parameters, node.parameters.region
    if region.is_fixed_plan:
        return None
    index, bit = request.channel_index, 1 << request.channel_index
    if not len(region.uplink_channels) <= index < region.max_channels:
        return NewChannelAns(False, False)
    if not request.frequency_hz:
        parameters.plan = parameters.plan.with_channel(index, None)
        parameters.enabled &= ~bit
        if not parameters.enabled:
            parameters.enabled = region.all_channels
        return NewChannelAns(True, True)
    lowest, highest = request.min_data_rate_index, request.max_data_rate_index
    rates = region.uplink_data_rates()
    answer = NewChannelAns(
        region.accepts_frequency(request.frequency_hz),
        lowest in rates and highest in rates and lowest <= highest,
    )
    if answer == NewChannelAns(True, True):
        channel = Channel(request.frequency_hz, lowest, highest)
        parameters.plan = parameters.plan.with_channel(index, channel)
        parameters.enabled |= bit
    return answer


def _rx_timing_setup(node: NodeState, request: RXTimingSetupReq) -> MacCommand:
    node.parameters.rx1_delay_s = request.delay or 1
    return RXTimingSetupAns()


def _tx_param_setup(node: NodeState, request: TxParamSetupReq) -> MacCommand | None:
    parameters = node.parameters
    if not parameters.region.has_tx_param_setup:
        return None
    parameters.uplink_dwell = request.uplink_dwell_time
    parameters.downlink_dwell = request.downlink_dwell_time
    parameters.max_eirp_dbm = request.max_eirp_dbm
    rates = parameters.data_rates
    if rates and parameters.data_rate < rates[0]:
        parameters.data_rate = rates[0]
    return TxParamSetupAns()


def _dl_channel(node: NodeState, request: DlChannelReq) -> MacCommand | None:
    parameters, region = node.parameters, node.parameters.region
    if region.is_fixed_plan:
        return None
    index = request.channel_index
    answer = DlChannelAns(
        region.accepts_frequency(request.frequency_hz), parameters.plan.has(index)
    )
    if answer == DlChannelAns(True, True):
        parameters.plan = parameters.plan.with_rx1(index, request.frequency_hz)
    return answer


def _adr_param_setup(node: NodeState, request: ADRParamSetupReq) -> MacCommand:
    node.parameters.adr_ack_limit = 1 << request.adr_ack_limit_exponent
    node.parameters.adr_ack_delay = 1 << request.adr_ack_delay_exponent
    return ADRParamSetupAns()


def _device_time(node: NodeState, answer: DeviceTimeAns) -> None:
    gps_us = answer.gps_s * SECOND_US + answer.fraction * SECOND_US // 256
    node.time = TimeSync(node.uplink_end_us, gps_us, TIME_RESOLUTION_US)


def _force_rejoin(node: NodeState, request: ForceRejoinReq) -> None:
    node.rejoins = forced(node.rejoins, request, node.clock.now_us(), node.rng)


def _rejoin_param_setup(node: NodeState, request: RejoinParamSetupReq) -> MacCommand:
    node.rejoins = periodic(node.rejoins, request, node.clock.now_us())
    return RejoinParamSetupAns(True)


def _rekey_conf(node: NodeState, answer: RekeyConf) -> None:
    node.queue.confirm(0x0B)
    node.unconfirmed_rekeys = NOTHING


def _reset_conf(node: NodeState, answer: ResetConf) -> None:
    node.queue.confirm(0x01)


def _device_mode_conf(node: NodeState, answer: DeviceModeConf) -> None:
    node.queue.confirm(0x20)


def _ping_slot_info(node: NodeState, answer: PingSlotInfoAns) -> None:
    if node.class_b is not None:
        node.class_b.is_known = True


def _ping_slot_channel(node: NodeState, request: PingSlotChannelReq) -> MacCommand:
    parameters, region = node.parameters, node.parameters.region
    frequency_hz = request.frequency_hz
    answer = PingSlotChannelAns(
        not frequency_hz or region.accepts_frequency(frequency_hz),
        is_downlink_rate(region, request.data_rate_index),
    )
    if answer == PingSlotChannelAns(True, True):
        parameters.ping_hz = frequency_hz
        parameters.ping_data_rate = request.data_rate_index
    return answer


def _beacon_freq(node: NodeState, request: BeaconFreqReq) -> MacCommand:
    parameters, frequency_hz = node.parameters, request.frequency_hz
    is_good = not frequency_hz or parameters.region.accepts_frequency(frequency_hz)
    if is_good:
        parameters.beacon_hz = frequency_hz
    return BeaconFreqAns(is_good)


# What is not in here needs no answer: BeaconTimingAns is out of use.
HANDLERS: dict[type[MacCommand], Callable[[NodeState, Any], MacCommand | None]] = {
    LinkCheckAns: _link_check,
    DutyCycleReq: _duty_cycle,
    RXParamSetupReq: _rx_param_setup,
    DevStatusReq: _dev_status,
    NewChannelReq: _new_channel,
    RXTimingSetupReq: _rx_timing_setup,
    TxParamSetupReq: _tx_param_setup,
    DlChannelReq: _dl_channel,
    ADRParamSetupReq: _adr_param_setup,
    DeviceTimeAns: _device_time,
    ForceRejoinReq: _force_rejoin,
    RejoinParamSetupReq: _rejoin_param_setup,
    RekeyConf: _rekey_conf,
    ResetConf: _reset_conf,
    DeviceModeConf: _device_mode_conf,
    PingSlotInfoAns: _ping_slot_info,
    PingSlotChannelReq: _ping_slot_channel,
    BeaconFreqReq: _beacon_freq,
}
