"""
One uplink from beginning to end: its options, its repetitions, its windows.

Source: LoRaWAN 1.0.3 and 1.0.4, sections 4.3.1 and 3.3; LoRaWAN 1.1, section 4.3.1.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from simulators.devices.lorawan import adr, air, idle, mac_answers
from simulators.devices.lorawan.air import Sent
from simulators.devices.lorawan.downlinks import take_answer, take_other
from simulators.devices.lorawan.mac_queue import F_OPTS_BYTES
from simulators.devices.lorawan.parameters import channel_set
from simulators.devices.lorawan.reception import Plan, Tuning, receive, tuning_of
from simulators.devices.lorawan.retries import data_rate_of_try, pause_us, transmissions
from simulators.devices.lorawan.session import DeviceSession
from simulators.devices.lorawan.state import NEVER_US, NOTHING, NodeState, Steps
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.crypto import MAX_F_CNT
from simulators.lorawan.frames import ACK, ADR, ADR_ACK_REQ, CLASS_B

PHY_OVERHEAD = 13  # bytes of a frame with a port beside its payload and options
SECOND_US = 1_000_000


class Outcome(Enum):
    """What became of an uplink."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    NOT_ACKNOWLEDGED = "not acknowledged"
    NOT_JOINED = "not joined"
    TOO_LONG = "too long for the data rate"
    NO_CHANNEL = "no channel may be used"
    COUNTER_USED_UP = "frame counter used up"


class UplinkResult(NamedTuple):
    """``f_cnt`` is -1 when nothing was sent; ``transmissions`` counts repetitions too."""

    outcome: Outcome
    f_cnt: int = NOTHING
    transmissions: int = 0


class Frame(NamedTuple):
    """An uplink before it is encrypted; each transmission of it may differ in 1.1."""

    f_cnt: int
    f_port: int | None
    payload: bytes
    f_opts: bytes
    f_ctrl: int
    is_confirmed: bool
    conf_f_cnt: int

    @property
    def size(self) -> int:
        """Bytes of the PHY payload."""
        without_port = self.f_port is None
        return PHY_OVERHEAD - without_port + len(self.payload) + len(self.f_opts)


def uplink(
    node: NodeState, payload: bytes = b"", *, f_port: int | None = None, is_confirmed: bool = False
) -> Steps:
    """
    Send one uplink and keep its windows, as often as it takes.

    Returns:
        An UplinkResult.
    """
    if f_port != 0 and node.session is not None and len(node.queue) > F_OPTS_BYTES:
        # More commands than FOpts can hold go first, in a frame of their own.
        longest = node.parameters.max_payload(node.parameters.data_rate)
        commands, is_all = node.queue.take(longest), f_port is None
        result = yield from uplink(node, commands, f_port=0, is_confirmed=is_confirmed and is_all)
        if is_all:
            return result
    session = node.session
    if session is None:
        return UplinkResult(Outcome.NOT_JOINED)
    if session.f_cnt_up > MAX_F_CNT:
        return UplinkResult(Outcome.COUNTER_USED_UP)
    _keep_to_offered(node)
    asks = _back_off(node)
    room = node.parameters.max_payload(node.parameters.data_rate) - len(payload)
    if room < 0:
        return UplinkResult(Outcome.TOO_LONG)
    f_opts = node.queue.take(min(room, F_OPTS_BYTES)) if f_port != 0 else b""
    frame = _next_frame(node, session, f_port, payload, f_opts, asks, is_confirmed)
    return (yield from _send_repeatedly(node, session, frame))


def _keep_to_offered(node: NodeState) -> None:
    """A data rate that no enabled channel offers any more gives way to the next lower one."""
    parameters = node.parameters
    rates = parameters.data_rates
    if parameters.data_rate not in rates and rates:
        lower = [each for each in rates if each < parameters.data_rate]
        parameters.data_rate = lower[-1] if lower else rates[0]


def _back_off(node: NodeState) -> bool:
    """Count this uplink; give up data rate and power when nobody has answered for long."""
    parameters = node.parameters
    count = node.adr_count
    node.adr_count = count + 1
    if count < parameters.adr_ack_limit or not node.adr:
        return False
    defaults = channel_set(node.settings)
    wanted = parameters.region.all_channels if defaults is None else defaults
    wanted &= parameters.plan.defined
    has_all = not wanted & ~parameters.enabled
    link = adr.Link(parameters.data_rate, parameters.tx_power, has_all and parameters.nb_trans == 1)
    rates = parameters.data_rates
    after = adr.give_up(
        count,
        parameters.adr_ack_limit,
        parameters.adr_ack_delay,
        link,
        rates,
        node.settings.back_off,
    )
    if after != link:
        parameters.data_rate, parameters.tx_power = after.data_rate, after.tx_power
        if after.has_default_channels and not link.has_default_channels:
            parameters.enabled |= wanted
            parameters.nb_trans = 1
    return adr.asks(count, parameters.adr_ack_limit, after, rates[0] if rates else 0)


def _next_frame(
    node: NodeState,
    session: DeviceSession,
    f_port: int | None,
    payload: bytes,
    f_opts: bytes,
    asks: bool,
    is_confirmed: bool,
) -> Frame:
    f_ctrl = (ADR if node.adr else 0) | (ADR_ACK_REQ if asks else 0)
    acknowledged = node.ack_due
    if acknowledged != NOTHING:
        f_ctrl |= ACK
        node.ack_due = NOTHING
    if node.device_class == "B":
        f_ctrl |= CLASS_B
    f_cnt = session.f_cnt_up
    session.f_cnt_up = f_cnt + 1
    node.tally.uplinks += 1
    node.urgent_us = NEVER_US
    if is_confirmed:
        session.confirmed_f_cnt = f_cnt
        node.tally.confirmed += 1
        node.is_acknowledged = False
    return Frame(f_cnt, f_port, payload, f_opts, f_ctrl, is_confirmed, max(0, acknowledged))


def _send_repeatedly(node: NodeState, session: DeviceSession, frame: Frame) -> Steps:
    parameters = node.parameters
    version, is_confirmed = session.version, frame.is_confirmed
    most = transmissions(
        version, parameters.nb_trans, is_confirmed=is_confirmed, most=node.settings.confirmed_tries
    )
    first_data_rate = parameters.data_rate
    for number in range(most):
        data_rate = first_data_rate
        if number and is_confirmed:
            fitting = [each for each in parameters.data_rates if _fits(node, frame, each)]
            data_rate = data_rate_of_try(version, number, data_rate, fitting, confirmed=True)
        sent = yield from _send_once(node, session, frame, data_rate, number)
        if sent is None:
            return UplinkResult(Outcome.NO_CHANNEL, frame.f_cnt, number)
        is_answered = yield from receive(
            node, sent.end_us, windows(node, sent), take_answer, take_other
        )
        if node.session is not session:
            break
        if node.is_acknowledged if is_confirmed else is_answered:
            break
        if number + 1 < most:
            yield from _pause(node, sent)
            if is_confirmed and node.is_acknowledged:  # class C listens in between
                break
    return _result(node, frame, number + 1)


def _result(node: NodeState, frame: Frame, count: int) -> UplinkResult:
    if not frame.is_confirmed:
        return UplinkResult(Outcome.SENT, frame.f_cnt, count)
    if not node.is_acknowledged:
        return UplinkResult(Outcome.NOT_ACKNOWLEDGED, frame.f_cnt, count)
    node.tally.acknowledged += 1
    return UplinkResult(Outcome.ACKNOWLEDGED, frame.f_cnt, count)


def _fits(node: NodeState, frame: Frame, data_rate: int) -> bool:
    return len(frame.payload) + len(frame.f_opts) <= node.parameters.max_payload(data_rate)


def _send_once(
    node: NodeState, session: DeviceSession, frame: Frame, data_rate: int, number: int
) -> Steps:
    parameters = node.parameters
    row = parameters.region.data_rate(data_rate)
    airtime_us = time_on_air_us(row.modulation, frame.size)
    groups = parameters.plan.groups(parameters.enabled, data_rate)
    choice = yield from air.find_channel(node, groups, airtime_us)
    if choice is None:
        return None
    phy = session.crypto.protect_uplink(
        frame.f_cnt,
        frame.f_port,
        frame.payload,
        f_ctrl=frame.f_ctrl,
        f_opts=frame.f_opts,
        is_confirmed=frame.is_confirmed,
        conf_f_cnt=frame.conf_f_cnt,
        tx_dr=data_rate,
        tx_ch=choice.channel,
    )
    about = _about(session, frame, number) if node.observer is not None else None
    return air.send(node, phy, choice, data_rate, about)


def windows(node: NodeState, sent: Sent) -> Plan:
    """Where the answer to an uplink is listened for."""
    parameters, region = node.parameters, node.parameters.region
    rx1_data_rate = region.rx1_data_rate(
        sent.data_rate, parameters.rx1_offset, downlink_dwell=parameters.downlink_dwell
    )
    rx1 = Tuning(sent.choice.rx1_frequency_hz, region.data_rate(rx1_data_rate).modulation)
    return Plan(parameters.rx1_delay_s * SECOND_US, rx1, tuning_of(node, *parameters.rx2))


def _pause(node: NodeState, sent: Sent) -> Steps:
    """Until the next try: some seconds after RX2 opened."""
    rx2_us = sent.end_us + (node.parameters.rx1_delay_s + 1) * SECOND_US
    until_us = rx2_us + pause_us(node.rng.random())
    if until_us > node.clock.now_us():
        yield from idle.wait(node, until_us)


def _about(session: DeviceSession, frame: Frame, number: int) -> dict[str, Any]:
    about: dict[str, Any] = {
        "type": "confirmed" if frame.is_confirmed else "unconfirmed",
        "dev_addr": session.dev_addr,
        "f_cnt": frame.f_cnt,
        "f_port": frame.f_port,
        "adr": bool(frame.f_ctrl & ADR),
        "adr_ack_req": bool(frame.f_ctrl & ADR_ACK_REQ),
        "ack": bool(frame.f_ctrl & ACK),
        "transmission": number + 1,
    }
    commands = frame.payload if frame.f_port == 0 else frame.f_opts
    if commands:
        about["mac"] = mac_answers.names(commands, is_uplink=True)
    return about
