"""Defects of what lasts from one session to the next, and of settings that devices agree to."""

from __future__ import annotations

from typing import Any

from simulators.lorawan.frames import DataFrame, decode
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import body_without
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.hooks import (
    Asked,
    on_data,
    on_join,
    on_nonces,
    on_up,
    on_uplink,
    sign,
    without_up,
)
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import JoinAnswer, Up, Uplink
from simulators.platforms.things_stack.network_server import queue
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo
from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_REFUSED, _TAKEN = b"\x05\x00", b"\x05\x07"
_UNKNOWN = "pkg/joinserver:device_not_found"
_TIMING_ANSWER = b"\x08"


def _one_nonce(document: Document, _: Asked) -> None:
    if document.get("used_dev_nonces"):
        document["used_dev_nonces"] = document["used_dev_nonces"][-1:]


def _all_nonces(core: Core) -> None:
    used: set[tuple[str, int]] = set()

    def change(_: Stack, asked: Asked, answer: Any) -> JoinAnswer:
        key = (asked.frame.dev_eui, asked.frame.dev_nonce)
        if key in used:
            raise StackError("pkg/joinserver:reuse_dev_nonce")
        found: JoinAnswer = answer(asked)
        used.add(key)
        return found

    on_join(change)(core)


def _once_unknown(core: Core) -> None:
    refused: set[str] = set()

    def change(_: Stack, asked: Asked, answer: Any) -> JoinAnswer:
        if asked.frame.dev_eui in refused:
            raise StackError(_UNKNOWN)
        try:
            found: JoinAnswer = answer(asked)
        except StackError as error:
            if error.name == _UNKNOWN:
                refused.add(asked.frame.dev_eui)
            raise
        return found

    on_join(change)(core)


def _queue_lost(up: Up) -> list[Up]:
    if up.kind == "join_accept":
        up.message.pop("invalidated_downlinks", None)
    return [up]


def _held_up(core: Core) -> None:
    """The network is silent as long as something waits for another class."""
    downlinks = core.stack.network.downlinks
    is_wanted = downlinks._is_wanted

    def changed(device: Device, info: UplinkInfo, now_us: int) -> bool:
        waiting = device.state["session"].get(queue.ITEMS, ())
        if waiting and not any(map(queue.is_for_class_a, waiting)):
            return False
        return is_wanted(device, info, now_us)

    downlinks._is_wanted = changed  # type: ignore[method-assign]


def _invalidation_told(core: Core) -> None:
    downlinks = core.stack.application.downlinks
    invalidated = downlinks.invalidated

    def changed(device: Any, ids: Document, message: Document, now_us: int) -> bool:
        invalidated(device, ids, message, now_us)
        return True

    downlinks.invalidated = changed  # type: ignore[method-assign]


def _taken_for_granted(device: Device, frame: DataFrame, uplink: Uplink) -> None:
    if frame.f_opts == _REFUSED:
        sign(device, frame, uplink, uplink.phy[:8] + _TAKEN + uplink.phy[10:-4])


def _repeated_answers_lost(core: Core) -> None:
    heard: set[str] = set()

    def change(_: Stack, uplink: Uplink) -> Uplink | None:
        frame = decode(uplink.phy)
        if not isinstance(frame, DataFrame) or frame.f_opts != _TIMING_ANSWER:
            return uplink
        if frame.dev_addr in heard:
            return None
        heard.add(frame.dev_addr)
        return uplink

    on_uplink(change)(core)


DEVIATIONS: dict[str, Deviation] = {
    "join-nonces-last-one": Deviation(
        "Of the nonces of a device up to 1.0.3 the last one is remembered.",
        setup=on_nonces(_one_nonce),
    ),
    "join-nonces-for-ever": Deviation("A DevNonce is never forgotten.", setup=_all_nonces),
    "join-once-unknown": Deviation(
        "A device that the Join Server did not know once is never answered.", setup=_once_unknown
    ),
    "queue-lost-by-join": Deviation("A join empties the downlink queue.", setup=on_up(_queue_lost)),
    "queue-held-up": Deviation(
        "The network answers no device for which something waits that is not for class A.",
        setup=_held_up,
    ),
    "queue-lost-by-answers": Deviation(
        "A queue whose counters are used up is lost.",
        setup=without_up("downlink_queue_invalidated"),
    ),
    "queue-invalidation-told": Deviation(
        "Applications are told of used counters though their queue goes on.",
        setup=_invalidation_told,
    ),
    "rx1-delay-of-factory-overlooked": Deviation(
        "The delay that a device has from its factory is overlooked.",
        rpcs=("NsEndDeviceRegistry/Set",),
        before=body_without("end_device", "mac_settings", "rx1_delay"),
    ),
    "rx-param-refusal-overlooked": Deviation(
        "What a device answers to RXParamSetupReq counts as yes.",
        setup=on_data(_taken_for_granted),
    ),
    "repeated-answer-costs-uplink": Deviation(
        "An uplink with an RXTimingSetupAns that came before is lost.",
        setup=_repeated_answers_lost,
    ),
}
