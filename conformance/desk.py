"""
What workers share: codes and tokens, the ledger, and whether the run was stopped.

The controller holds the desk; workers reach it through ``connect``. Every call is short.
"""

from __future__ import annotations

import os
import threading
from multiprocessing.managers import BaseManager
from typing import Any, Protocol

from conformance.ledger import Ledger
from conformance.targets import Target

MAX_CODES = 3
"""A run uses at most so many activation codes."""


class Desk(Protocol):
    """What a worker may ask of the controller."""

    def next_code(self) -> str | None:
        """A code that nobody has tried, or None."""

    def take_activation(self, *, keep: int) -> bool:
        """
        Whether one more activation is allowed that leaves ``keep`` for being judged.

        Those who judge keep none; what they have taken already need not be kept any more.
        """

    def return_activation(self) -> None:
        """The activation that was taken has used up no code."""

    def next_token(self) -> str | None:
        """A thing token of the target file that no other worker has, or None."""

    def next_user(self) -> dict[str, str] | None:
        """A user of the target file that no other worker has, or None."""

    def borrow(self, name: str) -> tuple[str, dict[str, Any] | None]:
        """
        What all workers share one after the other, by its name.

        ``take`` with what it is; ``make``: there is none, and who asks is to make it; ``wait``:
        another has it; ``none``: it could not be made. Whoever took or made it gives it back.
        """

    def give_back(self, name: str, shared: dict[str, Any] | None) -> None:
        """Others may have it; None when it could not be made."""

    def note(self, entry: dict[str, Any]) -> int:
        """See Ledger.note."""

    def mark(self, number: int, state: str, more: dict[str, Any]) -> None:
        """See Ledger.mark."""

    def created(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        """See Ledger.created."""

    def stop(self, reason: str) -> None:
        """No further request may be sent."""

    def stopped(self) -> str | None:
        """Why no further request may be sent, or None."""


class ControllerDesk:
    """The desk itself; calls from workers come from other threads."""

    def __init__(self, target: Target, ledger: Ledger) -> None:
        codes = list(target.credential("activation_codes", ()))
        self._codes = _spread(codes)
        self._tokens = list(target.credential("thing_tokens", ()))
        self._users = list(target.credential("users", ()))
        self._loans: dict[str, tuple[str, dict[str, Any] | None]] = {}
        self._left = min(MAX_CODES, len(codes))
        self._judged = 0
        self._ledger = ledger
        self._reason: str | None = None
        self._lock = threading.Lock()

    def next_code(self) -> str | None:
        with self._lock:
            return self._codes.pop(0) if self._codes else None

    def take_activation(self, *, keep: int) -> bool:
        with self._lock:
            is_allowed = self._left > max(0, keep - self._judged)
            self._left -= is_allowed
            self._judged += is_allowed and not keep
            return is_allowed

    def return_activation(self) -> None:
        with self._lock:
            self._left += 1

    def next_token(self) -> str | None:
        with self._lock:
            return self._tokens.pop(0) if self._tokens else None

    def borrow(self, name: str) -> tuple[str, dict[str, Any] | None]:
        with self._lock:
            word, shared = self._loans.get(name, ("make", None))
            if word != "none":
                self._loans[name] = ("wait", None)
            return word, shared

    def give_back(self, name: str, shared: dict[str, Any] | None) -> None:
        with self._lock:
            self._loans[name] = ("none", None) if shared is None else ("take", shared)

    def next_user(self) -> dict[str, str] | None:
        with self._lock:
            return self._users.pop(0) if self._users else None

    def note(self, entry: dict[str, Any]) -> int:
        with self._lock:
            return self._ledger.note(entry)

    def mark(self, number: int, state: str, more: dict[str, Any]) -> None:
        with self._lock:
            self._ledger.mark(number, state, **more)

    def created(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        with self._lock:
            return self._ledger.created(kind)

    def stop(self, reason: str) -> None:
        with self._lock:
            self._reason = self._reason or reason

    def stopped(self) -> str | None:
        return self._reason


def _spread(codes: list[str]) -> list[str]:
    """
    The first codes first, then codes from all over the list.

    Earlier runs have used up the beginning; a few steps then reach codes nobody has used.
    """
    first, rest = codes[:MAX_CODES], codes[MAX_CODES:]
    step = max(1, len(rest) // 17)
    tried = rest[step - 1 :: step]
    return [*first, *tried, *(code for code in rest if code not in set(tried))]


class _Serving(BaseManager):
    """The controller's side."""


class _Asking(BaseManager):
    """A worker's side; a class of its own, since registering changes the class."""


def open_desk(desk: ControllerDesk) -> dict[str, Any]:
    """Serve the desk to workers from a thread; what they need to ``connect``."""
    _Serving.register("desk", callable=lambda: desk)
    key = os.urandom(16)
    server = _Serving(address=("127.0.0.1", 0), authkey=key).get_server()
    threading.Thread(target=server.serve_forever, daemon=True, name="desk").start()
    return {"address": server.address, "key": key.hex()}


def connect(where: dict[str, Any]) -> Desk:
    """A worker's way to the controller's desk."""
    _Asking.register("desk")
    key = bytes.fromhex(where["key"])
    manager = _Asking(address=tuple(where["address"]), authkey=key)
    manager.connect()
    desk: Desk = getattr(manager, "desk")()  # noqa: B009 - registered at run time
    return desk
