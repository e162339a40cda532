"""
Letting devices in: which nonces may be used, which keys follow, what the device is answered.

Nothing is stored before everything has succeeded: a request with a wrong MIC uses up no nonce. A
device's ``net_id`` and ``network_server_address`` are for Network Servers of somebody else, and
there are none here; the stack does not look at them when its own asks.
Source: LoRaWAN 1.0.4, section 6.2; LoRaWAN 1.1, section 6.2.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from simulators.lorawan.frames import MIC_BYTES, JoinAccept
from simulators.lorawan.join import protect_accept, request_mic
from simulators.lorawan.keys import Attempt, RootKeys, SessionKeys, derive_session_keys
from simulators.platforms.things_stack.device_table import DeviceRow
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Document, JoinAnswer, JoinRequest

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

_COUNT_UP = ("MAC_V1_0_4", "MAC_V1_1")  # versions whose DevNonces are a counter
_NEWEST = "MAC_V1_1"
_MOST_NONCES = 10  # that are remembered of a device which draws them
_LAST_JOIN_NONCE = 0xFFFFFF
_MADE_UP = "ttn-lw-cli-generated"  # a root key with this id was filled in by a client


def handle(stack: Stack, request: JoinRequest, now_us: int) -> JoinAnswer:
    """
    Let a device in.

    Raises:
        StackError: why not.
    """
    frame = request.frame
    if not _is_ours(stack.policy.join_eui_prefix, frame.join_eui):
        raise StackError("pkg/joinserver:unknown_join_eui")
    row = stack.join.devices.by_euis(request.tenant, frame.join_eui.upper(), frame.dev_eui.upper())
    if row is None:
        raise StackError("pkg/joinserver:device_not_found")
    try:
        answer = _answer(stack, row.document, request, now_us)
    except StackError as error:
        _publish(stack, "js.join.reject", row, request, now_us, error)
        raise
    stack.join.devices.write(request.tenant, row)
    stack.join.keep_session(request.tenant, frame.dev_eui.upper(), answer)
    _publish(stack, "js.join.accept", row, request, now_us)
    return answer


def _is_ours(prefix: str, join_eui: str) -> bool:
    first, _, length = prefix.partition("/")
    free = 64 - int(length)
    return int(first, 16) >> free == int(join_eui, 16) >> free


def _answer(stack: Stack, device: Document, request: JoinRequest, now_us: int) -> JoinAnswer:
    """The answer; changes the device's nonces in its document."""
    _use_dev_nonce(device, request)
    network_root, application_root = _root_keys(device, request.mac_version)
    if request_mic(request.phy[:-MIC_BYTES], network_root.join_key) != request.frame.mic:
        raise StackError("pkg/joinserver:mic_mismatch")
    join_nonce = device.get("last_join_nonce", 0) + 1
    if join_nonce > _LAST_JOIN_NONCE:
        raise StackError("pkg/joinserver:join_nonce_too_high")
    device["last_join_nonce"] = join_nonce
    accept = JoinAccept(
        join_nonce,
        request.net_id,
        request.dev_addr,
        request.rx1_data_rate_offset,
        request.rx2_data_rate_index,
        request.rx_delay,
        opt_neg=request.mac_version == _NEWEST,
        cf_list=request.cf_list,
    )
    attempt = Attempt(request.frame.join_eui, request.frame.dev_eui, request.frame.dev_nonce)
    keys = _session_keys(network_root, application_root, attempt, accept)
    phy = protect_accept(accept, network_root, attempt)
    return JoinAnswer(phy, keys, _session_key_id(stack, now_us))


def _use_dev_nonce(device: Document, request: JoinRequest) -> None:
    nonce, is_free = request.frame.dev_nonce, bool(device.get("resets_join_nonces"))
    if request.mac_version in _COUNT_UP:
        last = device.get("last_dev_nonce", 0)
        is_first = not (nonce or last or device.get("last_join_nonce", 0))
        if nonce <= last and not is_first and not is_free:
            raise StackError("pkg/joinserver:dev_nonce_too_small")
        device["last_dev_nonce"] = nonce
        if not nonce:
            del device["last_dev_nonce"]
        return
    used: list[int] = device.get("used_dev_nonces", [])
    if nonce in used:
        if not is_free:
            raise StackError("pkg/joinserver:reuse_dev_nonce")
        return
    device["used_dev_nonces"] = [*used, nonce][-_MOST_NONCES:]


def _root_keys(device: Document, mac_version: str) -> tuple[RootKeys, RootKeys]:
    """
    The roots of the network's keys and of the application's; before 1.1 often the same.

    A device of 1.0.x with a NwkKey takes that for the network alone.
    """
    root = device.get("root_keys", {})
    app_key, nwk_key = (_key(root, name) for name in ("app_key", "nwk_key"))
    if mac_version == _NEWEST:
        if nwk_key is None:
            raise StackError("pkg/joinserver:no_nwk_key")
        if app_key is None:
            raise StackError("pkg/joinserver:no_app_key")
        both = RootKeys(app_key, nwk_key)
        return both, both
    if app_key is None:
        raise StackError("pkg/joinserver:no_app_key")
    application = RootKeys(app_key)
    if nwk_key is None or root.get("root_key_id") == _MADE_UP:
        return application, application
    return RootKeys(nwk_key), application


def _key(root: Document, name: str) -> bytes | None:
    key = root.get(name, {}).get("key")
    return bytes.fromhex(key) if key else None


def _session_keys(
    network: RootKeys, application: RootKeys, attempt: Attempt, accept: JoinAccept
) -> SessionKeys:
    keys = derive_session_keys(network, attempt, accept)
    if application is network:
        return keys
    return keys._replace(app_s_key=derive_session_keys(application, attempt, accept).app_s_key)


def _session_key_id(stack: Stack, now_us: int) -> str:
    """16 bytes: the time in milliseconds, and chance."""
    number = (now_us // 1000 & 0xFFFF_FFFF_FFFF) << 80 | stack.rng.getrandbits(80)
    return base64.b64encode(number.to_bytes(16, "big")).decode()


def _publish(
    stack: Stack,
    name: str,
    row: DeviceRow,
    request: JoinRequest,
    now_us: int,
    error: StackError | None = None,
) -> None:
    stack.events.publish(
        name,
        {"device_ids": row.document["ids"]},
        error.details if error is not None else None,
        tenant=request.tenant,
        now_us=now_us,
        correlation_ids=request.correlation_ids,
    )
