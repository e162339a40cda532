"""
What a device makes of a frame that it heard: whose it is, whether it is new and true, what it asks.

Nothing of the device changes before the frame has been found right in all its parts.
"""

from __future__ import annotations

from typing import Any

from simulators.devices.lorawan import certification, mac_answers, multicast
from simulators.devices.lorawan.reception import heard_fields, tell_ignored
from simulators.devices.lorawan.state import NodeState
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import DataFrame, decode
from simulators.radio.transmission import Reception


def take_answer(node: NodeState, reception: Reception) -> bool:
    """A frame in RX1 or RX2; returns whether it was this device's own."""
    return _take(node, reception, is_answer=True)


def take_other(node: NodeState, reception: Reception) -> bool:
    """A frame in a ping slot, or in the continuous window of class C."""
    return _take(node, reception, is_answer=False)


def _take(node: NodeState, reception: Reception, *, is_answer: bool) -> bool:
    phy = reception.transmission.payload
    try:
        frame = _downlink(phy)
        group = multicast.group_of(node, frame.dev_addr)
        if group is not None:
            plain = group.open(phy, frame)
        elif node.session is not None and frame.dev_addr == node.session.dev_addr:
            plain = node.session.open(phy, frame)
        else:
            raise LoRaWanError(f"for {frame.dev_addr}")
    except LoRaWanError as refusal:
        node.tally.ignored += 1
        tell_ignored(node, reception, str(refusal))
        return False
    node.tally.downlinks += 1
    _tell(node, reception, plain)
    if group is None:
        _heard_from_network(node, plain, reception, is_answer=is_answer)
    _hand_over(node, plain)
    return group is None


def _downlink(phy: bytes) -> DataFrame:
    frame = decode(phy)
    if not isinstance(frame, DataFrame) or frame.is_uplink:
        raise LoRaWanError("no data for a device")
    return frame


def _heard_from_network(
    node: NodeState, plain: DataFrame, reception: Reception, *, is_answer: bool
) -> None:
    node.adr_count = 0
    node.last_snr_db = reception.snr_db
    if is_answer:
        node.queue.downlink_came()
    if plain.ack:
        node.is_acknowledged = True
    if plain.is_confirmed:
        _owe_acknowledgement(node, plain)
    if plain.f_pending and node.settings.answers_f_pending:
        node.urgent_us = node.clock.now_us()
    commands = plain.frm_payload if plain.f_port == 0 else plain.f_opts
    if commands:
        mac_answers.carry_out(node, commands)


def _owe_acknowledgement(node: NodeState, plain: DataFrame) -> None:
    node.ack_due = plain.f_cnt
    pause_s = node.settings.ack_pause_s
    if pause_s is not None and node.device_class != "A":
        due_us = node.clock.now_us() + round(pause_s * 1_000_000)
        node.urgent_us = min(node.urgent_us, due_us)


def _hand_over(node: NodeState, plain: DataFrame) -> None:
    """To the application, or to the certification protocol on its port."""
    if plain.f_port or (plain.ack and plain.f_port is None and not plain.f_opts):
        node.tally.app_downlinks += 1
    if plain.f_port == certification.F_PORT and certification.carry_out(node, plain.frm_payload):
        return
    if plain.f_port and node.on_downlink is not None:
        node.on_downlink(plain)


def _tell(node: NodeState, reception: Reception, plain: DataFrame) -> None:
    if node.observer is None:
        return
    message: dict[str, Any] = {
        **heard_fields(reception),
        "dev_addr": plain.dev_addr,
        "f_cnt": plain.f_cnt,
        "f_port": plain.f_port,
        "is_confirmed": plain.is_confirmed,
        "ack": plain.ack,
        "f_pending": plain.f_pending,
    }
    if plain.f_port:
        message["frm_payload"] = plain.frm_payload.hex()
    commands = plain.frm_payload if plain.f_port == 0 else plain.f_opts
    if commands:
        message["mac"] = mac_answers.names(commands, is_uplink=False)
    node.tell("downlink", message)
