"""
Items of a downlink queue, in three forms: as an application gives them, as the Network Server keeps
them (encrypted, with a counter), and as messages show them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server.device import Device, key_id
from simulators.platforms.things_stack.application_server.sessions import is_crypto_skipped
from simulators.platforms.things_stack.errors import StackError

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

MAX_ATTEMPTS, DEFAULT_ATTEMPTS = 32, 8
_COUNTERS = 1 << 32
_GIVEN = (
    "f_port", "f_cnt", "frm_payload", "decoded_payload", "confirmed", "class_b_c", "priority",
    "correlation_ids", "confirmed_retry",
)  # fmt: skip
_NOT_ENCRYPTED = ("decoded_payload", "decoded_payload_warnings", "session_key_id", "f_cnt")


def cleaned(items: Iterable[Document], correlation_ids: list[str]) -> list[Document]:
    """
    What a caller may say of items, and of confirmed ones that this is the first attempt.

    Raises:
        StackError: ``downlink_max_retries_invalid``.
    """
    return [_cleaned(item, correlation_ids) for item in items]


def _cleaned(item: Document, correlation_ids: list[str]) -> Document:
    kept: Document = {name: item[name] for name in _GIVEN if name in item}
    kept["correlation_ids"] = list(
        dict.fromkeys([*correlation_ids[:1], *item.get("correlation_ids", ()), *correlation_ids])
    )
    most = item.get("confirmed_retry", {}).get("max_attempts")
    if most is not None and most > MAX_ATTEMPTS:
        attributes = {"max": MAX_ATTEMPTS}
        raise StackError("pkg/applicationserver:downlink_max_retries_invalid", attributes)
    if item.get("confirmed"):
        kept["confirmed_retry"] = {"attempt": 1} | ({"max_attempts": most} if most else {})
    else:
        kept.pop("confirmed_retry", None)
    return kept


def next_attempt(item: Document) -> Document | None:
    """The item to be sent once more; None when it was sent often enough."""
    retry: Document = item.get("confirmed_retry", {})
    attempt = retry.get("attempt", 1) + 1
    if attempt > max_attempts(item):
        return None
    return item | {"confirmed_retry": retry | {"attempt": attempt}}


def max_attempts(item: Document) -> int:
    """How often a confirmed item may be sent."""
    most: int = item.get("confirmed_retry", {}).get("max_attempts", DEFAULT_ATTEMPTS)
    return most


def last_f_cnt(session: Document) -> int:
    """The counter of the last item that a session's key has encrypted."""
    last: int = session.get("last_a_f_cnt_down", 0)
    return last


def set_last_f_cnt(session: Document, f_cnt: int) -> None:
    """Remember a session's last counter; zero is left out."""
    if f_cnt:
        session["last_a_f_cnt_down"] = f_cnt
    else:
        session.pop("last_a_f_cnt_down", None)


def encrypted(
    stack: Stack, device: Device, session: Document, items: list[Document]
) -> list[Document]:
    """
    Items for the Network Server, with counters that follow the session's last one.

    Whoever skips encryption gives counters and encrypted payloads.

    Raises:
        StackError: there is nothing to send, or no key.
    """
    if is_crypto_skipped(stack, device, session):
        return [_labelled(session, item, item.get("f_cnt", 0)) for item in items]
    cipher = device.cipher(session)
    if cipher is None:
        raise StackError("pkg/applicationserver:no_app_s_key")
    ready = []
    f_cnt = last_f_cnt(session)
    for item in items:
        if "frm_payload" not in item:
            raise StackError("pkg/applicationserver:no_payload")
        f_cnt = (f_cnt + 1) % _COUNTERS
        payload = base64.b64decode(item["frm_payload"])
        secret = cipher.encrypt_payload(payload, f_cnt, is_uplink=False, f_port=item["f_port"])
        labelled = _labelled(session, item, f_cnt)
        ready.append(labelled | {"frm_payload": base64.b64encode(secret).decode()})
    return ready


def _labelled(session: Document, item: Document, f_cnt: int) -> Document:
    label = key_id(session)
    kept = {name: value for name, value in item.items() if name not in _NOT_ENCRYPTED}
    if f_cnt:
        kept = {"f_cnt": f_cnt, **kept}
    return {"session_key_id": label, **kept} if label else kept


def decrypted(stack: Stack, device: Device, item: Document) -> Document:
    """
    An item that came from the Network Server, plain.

    Raises:
        StackError: its session is not known here, or its key.
    """
    session = device.session(item.get("session_key_id", ""))
    if is_crypto_skipped(stack, device, session):
        return item
    if session is None:
        raise StackError("pkg/applicationserver:unknown_session")
    cipher = device.cipher(session)
    if cipher is None:
        raise StackError("pkg/applicationserver:no_app_s_key")
    if "frm_payload" not in item:
        return item
    payload = base64.b64decode(item["frm_payload"])
    f_cnt, f_port = item.get("f_cnt", 0), item.get("f_port", 1)
    plain = cipher.encrypt_payload(payload, f_cnt, is_uplink=False, f_port=f_port)
    return item | {"frm_payload": base64.b64encode(plain).decode()}
