"""
Defects between the servers: each hook wraps one call that a server makes to another.

A hook is a ``setup`` of a deviation; what it wraps is the server's own method, so that only this
core deviates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.lorawan import mac_commands
from simulators.lorawan.crypto import Session, full_f_cnt
from simulators.lorawan.frames import MIC_BYTES, DataFrame, JoinRequest, decode
from simulators.lorawan.mac_commands import MacCommand
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.deviation import Setup
from simulators.platforms.things_stack.messages import Downlink, JoinAnswer, Scheduled, Up, Uplink
from simulators.platforms.things_stack.messages import JoinRequest as Asked
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.downlinks import DataDownlink
from simulators.platforms.things_stack.network_server.uplink_channels import uplink_data_rate
from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
Schedule = Callable[[Downlink], Scheduled]
Answer = Callable[[Asked], JoinAnswer]
_HEAD, _F_CTRL = 8, 5  # bytes before FOpts; the place of FCtrl


def on_uplink(change: Callable[[Stack, Uplink], Uplink | None]) -> Setup:
    """The Network Server sees another uplink than the gateway heard, or none."""

    def setup(core: Core) -> None:
        network = core.stack.network
        handle = network.handle_uplink

        def changed(uplink: Uplink, now_us: int) -> None:
            seen = change(core.stack, uplink)
            if seen is not None:
                handle(seen, now_us)

        network.handle_uplink = changed  # type: ignore[method-assign]

    return setup


def on_data(change: Callable[[Device, DataFrame, Uplink], None]) -> Setup:
    """As on_uplink, for data frames of known devices; the device may be changed as well."""

    def seen(stack: Stack, uplink: Uplink) -> Uplink:
        frame = decode(uplink.phy)
        if isinstance(frame, DataFrame):
            for device in stack.network.devices.by_address(frame.dev_addr.upper()):
                change(device, frame, uplink)
                device.look_again()
        return uplink

    return on_uplink(seen)


def sign(device: Device, frame: DataFrame, uplink: Uplink, message: bytes | None = None) -> None:
    """Give a data uplink, or another message in its place, the MIC that it ought to have."""
    message = message if message is not None else uplink.phy[:-MIC_BYTES]
    session = device.state.get("session", {})
    if session.get("dev_addr") == frame.dev_addr.upper():  # and nobody's next session
        uplink.phy = message + _mic(device, frame, uplink, message)


def is_signed(device: Device, frame: DataFrame, uplink: Uplink) -> bool:
    """Whether a data uplink has the MIC that it ought to have, in the device's present session."""
    if device.state.get("session", {}).get("dev_addr") != frame.dev_addr.upper():
        return False
    return _mic(device, frame, uplink, uplink.phy[:-MIC_BYTES]) == frame.mic


def _mic(device: Device, frame: DataFrame, uplink: Uplink, message: bytes) -> bytes:
    channel = device.channel(uplink.frequency_hz)
    return device.crypto().uplink_mic(
        message,
        full_f_cnt(frame.f_cnt, at_least=device.traffic.f_cnt_up),
        tx_dr=uplink_data_rate(device.region, uplink.modulation) or 0,
        tx_ch=channel.number if channel else 0,
    )


def on_up(change: Callable[[Up], list[Up]]) -> Setup:
    """The Application Server gets other messages than the Network Server sent, or none."""

    def setup(core: Core) -> None:
        application = core.stack.application
        handle = application.handle_up

        def changed(up: Up, now_us: int) -> None:
            for each in change(up):
                handle(each, now_us)

        application.handle_up = changed  # type: ignore[method-assign]

    return setup


def without_up(*kinds: str) -> Setup:
    """Messages of these kinds are lost."""
    return on_up(lambda up: [] if up.kind in kinds else [up])


def on_uplink_message(change: Callable[[Document, Up], None]) -> Setup:
    """The application gets other uplink messages."""

    def changed(up: Up) -> list[Up]:
        if up.kind == "uplink_message":
            change(up.message, up)
        return [up]

    return on_up(changed)


def on_schedule(change: Callable[[Stack, Downlink, Schedule], Scheduled]) -> Setup:
    """Gateways are asked to send something else, or otherwise."""

    def setup(core: Core) -> None:
        gateways = core.stack.gateways
        schedule = gateways.schedule

        def changed(downlink: Downlink, now_us: int) -> Scheduled:
            return change(core.stack, downlink, lambda found: schedule(found, now_us))

        gateways.schedule = changed  # type: ignore[method-assign]

    return setup


def with_request(change: Callable[[Document], None], *, is_join: bool = False) -> Setup:
    """The request for transmission says something else; of data frames, or of join accepts."""

    def changed(_: Stack, downlink: Downlink, schedule: Schedule) -> Scheduled:
        if is_join != isinstance(downlink, DataDownlink):
            change(downlink.request)
        return schedule(downlink)

    return on_schedule(changed)


def through_every_path(*, is_join: bool) -> Setup:
    """Every gateway that heard the uplink sends the downlink."""

    def changed(_: Stack, downlink: Downlink, schedule: Schedule) -> Scheduled:
        paths = downlink.request["downlink_paths"]
        if is_join == isinstance(downlink, DataDownlink):
            return schedule(downlink)
        for path in paths:
            downlink.request = {**downlink.request, "downlink_paths": [path]}
            scheduled = schedule(downlink)
        return scheduled

    return on_schedule(changed)


def with_frame(change: Callable[[bytes, Session], bytes]) -> Setup:
    """Data downlinks are other frames; ``change`` gets and returns them without MIC."""

    def changed(stack: Stack, downlink: Downlink, schedule: Schedule) -> Scheduled:
        device = _device(stack, downlink)
        if device is not None:
            crypto = device.crypto()
            message = change(downlink.phy[:-MIC_BYTES], crypto)
            f_cnt = int.from_bytes(message[6:8], "little")
            conf_f_cnt = device.traffic.f_cnt_up if message[_F_CTRL] & 0x20 else 0
            mic = crypto.downlink_mic(message, f_cnt, conf_f_cnt=conf_f_cnt)
            downlink.phy = message + mic
        return schedule(downlink)

    return on_schedule(changed)


def _device(stack: Stack, downlink: Downlink) -> Device | None:
    if not isinstance(downlink, DataDownlink):
        return None
    return stack.network.devices.by_number(downlink.number)


def with_commands(change: Callable[[list[MacCommand]], list[MacCommand]]) -> Setup:
    """Data downlinks hold other MAC commands."""

    def changed(message: bytes, crypto: Session) -> bytes:
        size = message[_F_CTRL] & 15
        f_cnt = int.from_bytes(message[6:8], "little")
        head, told, rest = message[:_HEAD], message[_HEAD : _HEAD + size], message[_HEAD + size :]
        is_port_0 = rest[:1] == b"\0"
        f_port = rest[0] if rest else None
        if is_port_0:
            plain = crypto.encrypt_payload(rest[1:], f_cnt, is_uplink=False, f_port=0)
        else:
            plain = crypto.encrypt_f_opts(told, f_cnt, is_uplink=False, f_port=f_port)
        found = mac_commands.parse(plain, is_uplink=False).commands
        data = b"".join(map(mac_commands.encode, change(found)))
        if is_port_0:
            data = crypto.encrypt_payload(data, f_cnt, is_uplink=False, f_port=0)
            return head + b"\0" + data
        data = crypto.encrypt_f_opts(data, f_cnt, is_uplink=False, f_port=f_port)
        f_ctrl = bytes((head[_F_CTRL] & 0xF0 | len(data),))
        return head[:_F_CTRL] + f_ctrl + head[_F_CTRL + 1 :] + data + rest

    return with_frame(changed)


def without_command(*names: str) -> Setup:
    """The network never says these commands."""
    return with_commands(lambda found: [each for each in found if each.name not in names])


def on_join(change: Callable[[Stack, Asked, Answer], JoinAnswer]) -> Setup:
    """The Join Server is asked something else, or its answer is changed."""

    def setup(core: Core) -> None:
        join = core.stack.join
        handle = join.handle_join

        def changed(request: Asked, now_us: int) -> JoinAnswer:
            return change(core.stack, request, lambda found: handle(found, now_us))

        join.handle_join = changed  # type: ignore[method-assign]

    return setup


def asked_for(**values: Any) -> Setup:
    """The join accept says something else."""
    return on_join(lambda _, asked, answer: answer(asked._replace(**values)))


def on_nonces(change: Callable[[Document, Asked], None]) -> Setup:
    """The Join Server remembers something else of a device; ``change`` gets its document."""

    def changed(stack: Stack, asked: Asked, answer: Answer) -> JoinAnswer:
        euis = asked.frame.join_eui.upper(), asked.frame.dev_eui.upper()
        row = stack.join.devices.by_euis(asked.tenant, *euis)
        if row is not None:
            change(row.document, asked)
            stack.join.devices.write(asked.tenant, row)
        return answer(asked)

    return on_join(changed)


def on_event(change: Callable[[str, Any], Any]) -> Setup:
    """
    Events are told with other data, or not at all.

    ``change`` gets name and data and returns the data; ``LOST`` drops the event.
    """

    def setup(core: Core) -> None:
        events = core.stack.events
        publish = events.publish

        def changed(name: str, ids: Document, data: Any = None, **more: Any) -> None:
            found = change(name, data() if callable(data) else data)
            if found is not LOST:
                publish(name, ids, found, **more)

        events.publish = changed  # type: ignore[method-assign]

    return setup


LOST: Any = object()


def without_event(*names: str) -> Setup:
    """These events are never told."""
    return on_event(lambda name, data: LOST if name in names else data)


__all__ = [
    "LOST",
    "Asked",
    "Document",
    "JoinRequest",
    "Schedule",
    "asked_for",
    "is_signed",
    "on_data",
    "on_event",
    "on_join",
    "on_nonces",
    "on_schedule",
    "on_up",
    "on_uplink",
    "on_uplink_message",
    "sign",
    "through_every_path",
    "with_commands",
    "with_frame",
    "with_request",
    "without_command",
    "without_event",
    "without_up",
]  # fmt: skip
