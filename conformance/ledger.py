"""
The ledger: what a run creates, noted before it is created; what remains is told at the end.

``ledger.jsonl`` has a header, then a line per object and a line per change of its state. A thing's
token is sealed with the activation code that made it, a user's password with another secret of the
target file, so only who holds that file can use them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

SCHEMA = "thingrig-ledger/1"
NOT_REMOVED = "it could not be removed"
ID_STAYS = "it is deleted; its id stays taken until an administrator purges it"
WHY_LEFT = {
    "thing": "the API cannot delete things",
    "values": "the API cannot delete values",
    "description": "the API cannot delete descriptions",
    "user": "the API cannot delete users",
    "settings": "the API cannot delete settings",
    "tag": NOT_REMOVED,
    "link": NOT_REMOVED,
    "permission": NOT_REMOVED,
    "objects": NOT_REMOVED,
    "application": NOT_REMOVED,
    "gateway": NOT_REMOVED,
    "client": NOT_REMOVED,
    "organization": NOT_REMOVED,
    "account": NOT_REMOVED,
    "device": NOT_REMOVED,
    "webhook": NOT_REMOVED,
    "api_key": NOT_REMOVED,
}
REMOVABLE = tuple(kind for kind, why in WHY_LEFT.items() if why == NOT_REMOVED)
_IDENTITY = ("kind", "what", "thing", "user", "app", "detail")


class Ledger:
    """Writes one ledger file; every line is on disk before ``note`` returns."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put_aside(path)
        self._file = path.open("w", encoding="utf-8")
        self._entries: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}
        self._write({"type": "header", "schema": SCHEMA, **header})

    def note(self, entry: dict[str, Any]) -> int:
        """Write an object down before it is created; the same one twice is noted once."""
        number = self._numbers.setdefault(_identity(entry), len(self._entries))
        if number == len(self._entries):
            self._entries.append({**entry, "state": "noted"})
            self._write({"type": "object", "id": number, **entry})
        return number

    def mark(self, number: int, state: str, **more: Any) -> None:
        """
        Write down what became of an object: ``created``, ``refused``, ``deleted``
        (only its id remains) or ``removed``.

        One creation among many refusals stays a creation.
        """
        entry = self._entries[number]
        if entry["state"] == state or (entry["state"] == "created" and state == "refused"):
            return
        del self._numbers[_identity(entry)]
        entry.update(state=state, **more)
        self._numbers.setdefault(_identity(entry), number)
        self._write({"type": "state", "id": number, "state": state, **more})

    def created(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        """Number and entry of every object of a kind that exists, or may exist."""
        return [
            (number, entry)
            for number, entry in enumerate(self._entries)
            if entry["kind"] == kind and entry["state"] in ("noted", "created")
        ]

    def left_behind(self) -> list[dict[str, str]]:
        """What still exists, or may exist because no answer came."""
        return [
            {"kind": entry["kind"], "what": entry["what"], "why": _why_left(entry)}
            for entry in self._entries
            if entry["state"] in ("noted", "created", "deleted")
        ]

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()


def _put_aside(path: Path) -> None:
    """An earlier run in this folder that was interrupted can still be cleaned up after."""
    try:
        _, entries = read_ledger(path)
    except (OSError, ValueError):
        return
    if any(each["kind"] in REMOVABLE and each["state"] in ("noted", "created") for each in entries):
        names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
        path.rename(next(name for name in names if not name.exists()))


def _identity(entry: dict[str, Any]) -> str:
    return json.dumps([entry.get(name) for name in _IDENTITY], sort_keys=True)


def _why_left(entry: dict[str, Any]) -> str:
    return ID_STAYS if entry["state"] == "deleted" else WHY_LEFT[entry["kind"]]


class LedgerEnd:
    """The end of a ledger that somebody else has written, to say what became of its objects."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b")
        whole = self._file.read().rpartition(b"\n")  # a line may have been cut off
        self._file.truncate(len(whole[0]) + len(whole[1]))
        self._file.seek(0, 2)

    def mark(self, number: int, state: str) -> None:
        """See Ledger.mark."""
        line = {"type": "state", "id": number, "state": state}
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """No more lines."""
        self._file.close()


def read_ledger(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """
    Header and objects of a ledger with their last state; a line cut off at the end is passed over.

    Raises:
        ValueError: not a ledger; the message tells line and reason.
    """
    header: dict[str, Any] = {}
    entries: list[dict[str, Any]] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        document = _line(line, number, is_last=number == len(lines))
        if number == 1:
            header = _checked_header(document)
        elif document.get("type") == "object":
            entries.append({**document, "state": "noted"})
        elif document.get("type") == "state" and document.get("id", -1) < len(entries):
            entries[document["id"]].update(document, type="object")
    if not header:
        raise ValueError("1: expected the header of a ledger; got an empty file")
    return header, entries


def _line(line: bytes, number: int, *, is_last: bool) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as problem:
        if is_last:
            return {}
        raise ValueError(f"{number}: expected a JSON object; got {line[:40]!r}") from problem
    if not isinstance(document, dict):
        raise ValueError(f"{number}: expected a JSON object; got {line[:40]!r}")
    return document


def _checked_header(document: dict[str, Any]) -> dict[str, Any]:
    if document.get("schema") != SCHEMA:
        got = document.get("schema")
        raise ValueError(f"1: expected the header of a ledger ({SCHEMA}); got {got!r}")
    return document


def fingerprint(thing_token: str) -> str:
    """Names a thing without telling its token; tokens are too random to be guessed from it."""
    return hashlib.sha256(thing_token.encode()).hexdigest()[:16]


def seal(secret: str, key: str) -> str:
    """Encrypt under a key of any length."""
    return _fernet(key).encrypt(secret.encode()).decode()


def unseal(sealed: str, keys: list[str]) -> str | None:
    """The secret, if there is one and one of these keys sealed it."""
    for key in keys:
        try:
            return _fernet(key).decrypt(sealed.encode()).decode()
        except InvalidToken:
            continue
    return None


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
