"""Defects of data uplinks."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import ACK, DataFrame
from simulators.lorawan.mac_commands import parse
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.hooks import (
    on_data,
    on_up,
    on_uplink_message,
    sign,
    with_frame,
)
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Up, Uplink
from simulators.platforms.things_stack.network_server.device import Device

Document = dict[str, Any]
_GAP = 16384


def _cut(_: Document, up: Up) -> None:
    up.payload = up.payload[:3]


def _with_port(message: Document, _: Up) -> None:
    message.setdefault("f_port", 1)


def _without_snr(message: Document, _: Up) -> None:
    message["rx_metadata"] = [
        {name: value for name, value in each.items() if name != "snr"}
        for each in message["rx_metadata"]
    ]


def _one_gateway(message: Document, _: Up) -> None:
    message["rx_metadata"] = message["rx_metadata"][:1]


def _unmarked(message: Document, _: Up) -> None:
    message.pop("confirmed", None)


def _per_gateway(up: Up) -> list[Up]:
    """A message for each gateway that heard the uplink."""
    if up.kind != "uplink_message":
        return [up]
    metadata = up.message["rx_metadata"]
    return [replace(up, message={**up.message, "rx_metadata": metadata}) for _ in metadata]


def _lower(device: Device, frame: DataFrame, _: Uplink) -> None:
    if frame.f_cnt < device.traffic.f_cnt_up:
        device.traffic.f_cnt_up = frame.f_cnt - 1


def _same(device: Device, frame: DataFrame, _: Uplink) -> None:
    if frame.f_cnt == device.traffic.f_cnt_up:
        device.traffic.f_cnt_up = frame.f_cnt - 1
        device.traffic.check = 0


def _short_counter(device: Device, frame: DataFrame, _: Uplink) -> None:
    device.document.setdefault("mac_settings", {})["supports_32_bit_f_cnt"] = False


def _no_reset(device: Device, frame: DataFrame, _: Uplink) -> None:
    device.document.get("mac_settings", {}).pop("resets_f_cnt", None)


def _missing(device: Device, frame: DataFrame) -> int:
    return frame.f_cnt - device.traffic.f_cnt_up


def _small_gap(device: Device, frame: DataFrame, _: Uplink) -> None:
    if device.version() < MacVersion.V1_0_4 and _missing(device, frame) == _GAP:
        raise StackError("pkg/networkserver:device_not_found")


def _any_gap(device: Device, frame: DataFrame, _: Uplink) -> None:
    if device.version() < MacVersion.V1_0_4 and _missing(device, frame) > _GAP:
        device.traffic.f_cnt_up = frame.f_cnt - 1


def _old_gap(device: Device, frame: DataFrame, _: Uplink) -> None:
    if device.version() >= MacVersion.V1_0_4 and _missing(device, frame) > _GAP:
        raise StackError("pkg/networkserver:device_not_found")


def _any_channel(device: Device, _: DataFrame, uplink: Uplink) -> None:
    if device.channel(uplink.frequency_hz) is None:
        uplink.frequency_hz = 868_100_000


def _unknown_drops(device: Device, frame: DataFrame, _: Uplink) -> None:
    if device.version() < MacVersion.V1_1 and parse(frame.f_opts, is_uplink=True).problem:
        raise StackError("pkg/networkserver:decode_payload")


def _without_ack(message: bytes, _: Session) -> bytes:
    return message[:5] + bytes((message[5] & ~ACK,)) + message[6:]


def _crc_ignored(core: Core) -> None:
    gateways = core.stack.gateways
    handle = gateways.datagram

    def changed(data: bytes, address: Any, now_us: int) -> None:
        handle(data.replace(b'"stat":-1', b'"stat":1'), address, now_us)

    gateways.datagram = changed  # type: ignore[method-assign]


DEVIATIONS: dict[str, Deviation] = {
    "uplink-payload-cut": Deviation(
        "The application gets three bytes of a payload at most.", setup=on_uplink_message(_cut)
    ),
    "uplink-always-with-port": Deviation(
        "Uplinks without a port reach the application with port 1.",
        setup=on_uplink_message(_with_port),
    ),
    "uplink-without-snr": Deviation(
        "Receptions are told without SNR.", setup=on_uplink_message(_without_snr)
    ),
    "uplink-mic-any": Deviation("Data uplinks need no right MIC.", setup=on_data(sign)),
    "uplink-crc-ignored": Deviation(
        "Frames that gateways mark as damaged are taken.", setup=_crc_ignored
    ),
    "uplink-counter-backwards": Deviation(
        "Counters of uplinks may go back.", setup=on_data(_lower)
    ),
    "uplink-counter-stands-still": Deviation(
        "Two uplinks may have the same counter.", setup=on_data(_same)
    ),
    "uplink-counter-16-bits": Deviation(
        "Counters of uplinks end at 65535.", setup=on_data(_short_counter)
    ),
    "uplink-counter-never-reset": Deviation("resets_f_cnt is ignored.", setup=on_data(_no_reset)),
    "uplink-gap-too-small": Deviation(
        "A counter that is 16384 ahead is refused.", setup=on_data(_small_gap)
    ),
    "uplink-gap-any": Deviation(
        "Up to 1.0.3 counters may be ahead by any number.", setup=on_data(_any_gap)
    ),
    "uplink-gap-always": Deviation(
        "From 1.0.4 on counters may not be far ahead either.", setup=on_data(_old_gap)
    ),
    "uplink-per-gateway": Deviation(
        "An uplink reaches the application once for each gateway.", setup=on_up(_per_gateway)
    ),
    "uplink-one-gateway": Deviation(
        "Only the first gateway that heard an uplink is told.",
        setup=on_uplink_message(_one_gateway),
    ),
    "uplink-channel-any": Deviation(
        "Devices may speak on any frequency.", setup=on_data(_any_channel)
    ),
    "uplink-confirmed-unmarked": Deviation(
        "Confirmed uplinks are told as any other.", setup=on_uplink_message(_unmarked)
    ),
    "uplink-never-acknowledged": Deviation(
        "Downlinks never have ACK set.", setup=with_frame(_without_ack)
    ),
    "uplink-unknown-command-drops": Deviation(
        "An uplink with an unknown MAC command is dropped.", setup=on_data(_unknown_drops)
    ),
}
