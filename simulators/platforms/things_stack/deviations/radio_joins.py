"""Defects of joins over the air."""

from __future__ import annotations

from typing import Any

from simulators.lorawan.frames import MIC_BYTES, DataFrame, JoinRequest, decode
from simulators.lorawan.join import request_mic
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.hooks import (
    Asked,
    asked_for,
    on_join,
    on_nonces,
    on_up,
    on_uplink,
    through_every_path,
    with_request,
    without_command,
    without_up,
)
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import JoinAnswer, Up, Uplink
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_COUNT_UP = ("MAC_V1_0_4", "MAC_V1_1")


def _damaged(_: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    found: JoinAnswer = answer(asked)
    if asked.mac_version != "MAC_V1_0_2":
        return found
    return found._replace(phy=found.phy[:-1] + bytes((found.phy[-1] ^ 1,)))


def _once(stack: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    """A device that has joined before is refused."""
    euis = asked.frame.join_eui.upper(), asked.frame.dev_eui.upper()
    row = stack.join.devices.by_euis(asked.tenant, *euis)
    if row is not None and row.document.get("last_join_nonce"):
        raise StackError("pkg/joinserver:reuse_dev_nonce")
    found: JoinAnswer = answer(asked)
    return found


def _join_key(stack: Stack, asked: Asked) -> bytes | None:
    euis = asked.frame.join_eui.upper(), asked.frame.dev_eui.upper()
    row = stack.join.devices.by_euis(asked.tenant, *euis)
    keys = row.document.get("root_keys", {}) if row is not None else {}
    found = keys.get("nwk_key") or keys.get("app_key")
    return bytes.fromhex(found["key"]) if found else None


def _any_mic(stack: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    key = _join_key(stack, asked)
    if key is not None:
        mic = request_mic(asked.phy[:-MIC_BYTES], key)
        asked = asked._replace(frame=asked.frame._replace(mic=mic))
    found: JoinAnswer = answer(asked)
    return found


def _burnt(stack: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    """A refused request uses its nonce up all the same."""
    try:
        found: JoinAnswer = answer(asked)
    except StackError:
        euis = asked.frame.join_eui.upper(), asked.frame.dev_eui.upper()
        row = stack.join.devices.by_euis(asked.tenant, *euis)
        if row is not None:
            row.document["last_dev_nonce"] = asked.frame.dev_nonce
            stack.join.devices.write(asked.tenant, row)
        raise
    return found


def _repeated(document: Document, asked: Asked) -> None:
    if asked.mac_version not in _COUNT_UP:
        document.pop("used_dev_nonces", None)


def _lower(document: Document, asked: Asked) -> None:
    if asked.mac_version in _COUNT_UP:
        document.pop("last_dev_nonce", None)


def _same_join_nonce(document: Document, _: Asked) -> None:
    document.pop("last_join_nonce", None)


def _for_anybody(stack: Stack, uplink: Uplink) -> Uplink:
    """A request of a stranger is taken for one of another device with its JoinEUI."""
    frame = decode(uplink.phy)
    if not isinstance(frame, JoinRequest):
        return uplink
    query = "SELECT dev_eui FROM js_device WHERE join_eui = ? LIMIT 1"
    row = stack.join.devices.database.one(query, frame.join_eui.upper())
    if row is not None and row[0] != frame.dev_eui.upper():
        asked = frame._replace(dev_eui=row[0].lower())
        keys = stack.join.devices.by_euis("", frame.join_eui.upper(), row[0])
        assert keys is not None
        key = bytes.fromhex(keys.document["root_keys"]["app_key"]["key"])
        message = uplink.phy[:9] + bytes.fromhex(asked.dev_eui)[::-1] + uplink.phy[17:19]
        uplink.phy = message + request_mic(message, key)
    return uplink


def _old_session_dies(stack: Stack, asked: Asked, answer: Any) -> JoinAnswer:
    found: JoinAnswer = answer(asked)
    euis = asked.frame.join_eui.upper(), asked.frame.dev_eui.upper()
    for device in stack.network.devices.joining(*euis):
        if device.state.pop("session", None):
            device.save()
    return found


class _OldSessions:
    """Brings a device's former session back when a frame of it comes."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Document, Document]] = {}

    def __call__(self, stack: Stack, uplink: Uplink) -> Uplink:
        frame = decode(uplink.phy)
        if isinstance(frame, DataFrame):
            address = frame.dev_addr.upper()
            devices = stack.network.devices.by_address(address)
            for device in devices:
                self._keep(device)
            if not devices and address in self._kept:
                number, session, state = self._kept[address]
                former = stack.network.devices.by_number(number)
                assert former is not None
                former.state.update(session=session, mac_state=state)
                former.start_counting()
                former.save()
        return uplink

    def _keep(self, device: Device) -> None:
        session = device.state.get("session")
        if session and "pending_session" in device.state:
            kept = device.number, dict(session), dict(device.state["mac_state"])
            self._kept[session["dev_addr"]] = kept


def _first_payload_lost(up: Up) -> list[Up]:
    if up.kind == "uplink_message" and not up.message.get("f_cnt"):
        up.payload = bytes(each ^ 0xFF for each in up.payload)
    return [up]


def _early(request: Document) -> None:
    request["rx1_delay"] = 4


DEVIATIONS: dict[str, Deviation] = {
    "join-accept-damaged": Deviation(
        "The last byte of join accepts for devices of 1.0.2 is wrong.", setup=on_join(_damaged)
    ),
    "join-accept-after-4-s": Deviation(
        "Join accepts are sent a second too early.", setup=with_request(_early, is_join=True)
    ),
    "join-accept-through-every-gateway": Deviation(
        "Every gateway that heard a join request sends the join accept.",
        setup=through_every_path(is_join=True),
    ),
    "join-accept-delay-1": Deviation(
        "RxDelay of join accepts is 1 whatever the device's settings want.",
        setup=asked_for(rx_delay=1),
    ),
    "join-accept-band-rx2": Deviation(
        "Join accepts name the band's RX2 data rate, not the plan's.",
        setup=asked_for(rx2_data_rate_index=0),
    ),
    "join-accept-without-channels": Deviation(
        "Join accepts have no CFList.", setup=asked_for(cf_list=b"")
    ),
    "join-accept-foreign-address": Deviation(
        "Join accepts hand out addresses of another network.",
        setup=asked_for(dev_addr="FE000001"),
    ),
    "join-accept-foreign-net-id": Deviation(
        "Join accepts name another network's NetID.", setup=asked_for(net_id="00000F")
    ),
    "join-nonce-repeated": Deviation(
        "Devices up to 1.0.3 may repeat a DevNonce.", setup=on_nonces(_repeated)
    ),
    "join-nonce-lower": Deviation(
        "Devices from 1.0.4 on may count DevNonce backwards.", setup=on_nonces(_lower)
    ),
    "join-once": Deviation("A device may join once only.", setup=on_join(_once)),
    "join-nonce-stands-still": Deviation(
        "All join accepts of a device have the same JoinNonce.", setup=on_nonces(_same_join_nonce)
    ),
    "join-mic-any": Deviation("Join requests need no right MIC.", setup=on_join(_any_mic)),
    "join-mic-burns-nonce": Deviation(
        "A join request with a wrong MIC uses its DevNonce up.", setup=on_join(_burnt)
    ),
    "join-for-strangers": Deviation(
        "An unknown device is answered as another one with its JoinEUI.",
        setup=on_uplink(_for_anybody),
    ),
    "join-as-1-0": Deviation(
        "Devices of 1.1 are answered as those of 1.0.3.", setup=asked_for(mac_version="MAC_V1_0_3")
    ),
    "rekey-unanswered": Deviation("RekeyInd is not answered.", setup=without_command("RekeyConf")),
    "join-not-told": Deviation(
        "Applications are not told of joins.", setup=without_up("join_accept")
    ),
    "join-ends-old-session": Deviation(
        "A join ends the session before it at once.", setup=on_join(_old_session_dies)
    ),
    "join-leaves-old-session": Deviation(
        "The session before a join goes on when the new one is in use.",
        setup=lambda core: on_uplink(_OldSessions())(core),
    ),
    "join-first-payload-garbled": Deviation(
        "The payload of a session's first uplink reaches the application garbled.",
        setup=on_up(_first_payload_lost),
    ),
}
