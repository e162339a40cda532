"""
The certification protocol on FPort 224, by which a test tool steers a device.

Where the two reference stacks differ there is a manner for each. Left out: what needs a bare
carrier (TxCwReq), and what reports every beacon (BeaconRxStatusInd).

Source: LoRa Alliance TS009-1.1.0; LoRaMac-node 4.7 and LoRa Basics Modem (SWL2001).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simulators.devices.lorawan.start_session import CLASSES, change_class
from simulators.devices.lorawan.state import Certification, NodeState, Order, duty_cycle
from simulators.lorawan.mac_commands import (
    DeviceTimeReq,
    LinkCheckReq,
    MacCommand,
    PingSlotInfoReq,
    encode,
)
from simulators.lorawan.regions.phy_version import PhyVersion

F_PORT = 224
PACKAGE = bytes((6, 1))  # identifier and version
PERIODS_S = (0, 5, 10, 20, 30, 40, 50, 60, 120, 240, 480)  # 0: the application's own
FIRMWARE = bytes((0, 1, 0, 0))
ANY_LENGTH = -1
COUNTER_SIZE = 2

Handler = Callable[[NodeState, Certification, bytes], bytes | None]


class Entry(NamedTuple):
    """How many bytes follow the CID, and what the device does; bytes are the answer."""

    length: int
    handler: Handler


class Manner(NamedTuple):
    """In what a stack differs: whether lengths are checked, and the CIDs around beacons."""

    checks_length: bool
    beacon_count: int
    beacon_count_reset: int


MANNERS = {
    "loramac-node": Manner(False, 0x42, 0x43),
    "basics-modem": Manner(True, 0x43, 0x44),
}


def carry_out(node: NodeState, payload: bytes) -> bool:
    """
    Do what a command says; its answer waits for the next uplink, which goes out at once.

    Returns:
        Whether the port is the protocol's; if not, the payload is the application's.
    """
    manner = MANNERS.get(node.settings.certification)
    if manner is None or node.is_certification_off:
        return False
    test = node.certification
    if test is None:
        test = node.certification = Certification()
    test.reply = b""
    entry = _entry(manner, payload)
    if entry is None:
        return True
    answer = entry.handler(node, test, payload[1:])
    if answer is not None:
        longest = node.parameters.max_payload(node.parameters.data_rate)
        test.reply = (payload[:1] + answer)[:longest]
        node.urgent_us = node.clock.now_us()
    return True


def _entry(manner: Manner, payload: bytes) -> Entry | None:
    if not payload:
        return None
    beacons = {
        manner.beacon_count: Entry(0, _beacon_count),
        manner.beacon_count_reset: Entry(0, _beacon_count_reset),
    }
    entry = beacons.get(payload[0]) or COMMANDS.get(payload[0])
    if entry is None:
        return None
    size = len(payload) - 1
    if entry.length == ANY_LENGTH or size == entry.length:
        return entry
    return None if manner.checks_length or size < entry.length else entry


def _package_version(node: NodeState, test: Certification, data: bytes) -> bytes:
    return PACKAGE


def _order(order: Order) -> Handler:
    def give(node: NodeState, test: Certification, data: bytes) -> None:
        node.order = order
        node.urgent_us = node.clock.now_us()

    return give


def _switch_class(node: NodeState, test: Certification, data: bytes) -> None:
    if data[0] >= len(CLASSES):
        return
    device_class = CLASSES[data[0]]
    if device_class == "B":
        node.order = Order.CLASS_B
        node.urgent_us = node.clock.now_us()
    else:
        change_class(node, device_class)


def _adr_bit(node: NodeState, test: Certification, data: bytes) -> None:
    node.adr = bool(data[0] & 1)


def _duty_cycle(node: NodeState, test: Certification, data: bytes) -> None:
    manner = node.settings.duty_cycle if data[0] & 1 else "none"
    node.duty = duty_cycle(manner, node.region, node.clock.now_us())


def _periodicity(node: NodeState, test: Certification, data: bytes) -> None:
    if data[0] < len(PERIODS_S):
        node.period_us = PERIODS_S[data[0]] * 1_000_000
        node.urgent_us = node.clock.now_us()


def _frame_type(node: NodeState, test: Certification, data: bytes) -> None:
    wanted = data[:1]
    if wanted in (b"\1", b"\2"):
        test.is_confirmed = wanted == b"\2"


def _echo(node: NodeState, test: Certification, data: bytes) -> bytes:
    return bytes((each + 1) & 0xFF for each in data)


def _count(node: NodeState, test: Certification, data: bytes) -> bytes:
    count = node.tally.app_downlinks - test.counted_from
    return (count & 0xFFFF).to_bytes(COUNTER_SIZE, "little")


def _count_reset(node: NodeState, test: Certification, data: bytes) -> None:
    test.counted_from = node.tally.app_downlinks


def _send(command: MacCommand) -> Handler:
    def put(node: NodeState, test: Certification, data: bytes) -> None:
        node.queue.put(encode(command))

    return put


def _ping_slot_info(node: NodeState, test: Certification, data: bytes) -> None:
    node.queue.put(encode(PingSlotInfoReq(data[0] & 7)))


def _beacon_count(node: NodeState, test: Certification, data: bytes) -> bytes:
    heard = 0 if node.class_b is None else node.class_b.heard - test.beacons_from
    return (heard & 0xFFFF).to_bytes(COUNTER_SIZE, "little")


def _beacon_count_reset(node: NodeState, test: Certification, data: bytes) -> None:
    test.beacons_from = 0 if node.class_b is None else node.class_b.heard


def _port_off(node: NodeState, test: Certification, data: bytes) -> None:
    node.is_certification_off = True
    node.order = Order.REBOOT
    node.urgent_us = node.clock.now_us()


def _versions(node: NodeState, test: Certification, data: bytes) -> bytes:
    version = node.settings.version
    mac = bytes((version // 100, version // 10 % 10, version % 10, 0))
    return FIRMWARE + mac + regional_version(node.region.version)


def regional_version(version: PhyVersion) -> bytes:
    """Four bytes for a version of the regional parameters: RP002-1.0.3 is 02 01 00 03."""
    numbers = [int(part) for part in version.name.replace("V", "").split("_") if part.isdigit()]
    if version >= PhyVersion.RP002_V1_0_0:
        return bytes((2, *numbers[-3:]))
    return bytes((*numbers, 0, 0)[:3]) + bytes((version.name.endswith("REV_B"),))


# As COMMANDS of a stack: CID, length of what follows, what to do.
COMMANDS: dict[int, Entry] = {
    0x00: Entry(0, _package_version),
    0x01: Entry(0, _order(Order.REBOOT)),
    0x02: Entry(0, _order(Order.JOIN)),
    0x03: Entry(1, _switch_class),
    0x04: Entry(1, _adr_bit),
    0x05: Entry(1, _duty_cycle),
    0x06: Entry(1, _periodicity),
    0x07: Entry(ANY_LENGTH, _frame_type),
    0x08: Entry(ANY_LENGTH, _echo),
    0x09: Entry(0, _count),
    0x0A: Entry(0, _count_reset),
    0x20: Entry(0, _send(LinkCheckReq())),
    0x21: Entry(0, _send(DeviceTimeReq())),
    0x22: Entry(1, _ping_slot_info),
    0x7E: Entry(0, _port_off),
    0x7F: Entry(0, _versions),
}
