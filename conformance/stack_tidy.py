"""
Removing what a run has created on The Things Stack: at its end, and later by ``clean``.

Devices are deleted on each server. Applications, gateways, clients, organizations and users keep
their ids when they are deleted; a key of an administrator purges them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.clients.exchange import Response
from conformance.clients.things_stack import ThingsStackClient
from conformance.ledger import ID_STAYS, NOT_REMOVED
from conformance.stack_kinds import NAMED, PURGED, Left
from conformance.targets import Target
from conformance.tidy import Cleaned

GONE = (200, 404)
NO_RIGHTS = re.compile(r"no_\w+_rights")


def remove(api: ThingsStackClient, left: Left, *, admin_key: str | None) -> str | None:
    """Delete, and purge where that is possible; why something remains, or None."""
    if left.kind == "api_key":
        return _remove_keys(api, *left.path.split(NAMED))
    answer = api.delete(left.path)
    if left.kind not in PURGED:
        return None if _is_gone(answer) else NOT_REMOVED
    if admin_key:
        purged = api.delete(f"{left.path}/purge", key=admin_key)
        if _is_gone(purged):
            return None
    return ID_STAYS if answer.is_success else NOT_REMOVED


def _remove_keys(api: ThingsStackClient, path: str, name: str) -> str | None:
    """Delete every API key of that name: the ledger knows no id when the answer did not come."""
    listed = api.get(path, limit=1000, order="-created_at")
    if not listed.is_success or not isinstance(listed.json, dict):
        return None if listed.status == 404 else NOT_REMOVED
    ids = [each.get("id") for each in listed.json.get("api_keys", ()) if each.get("name") == name]
    are_gone = all(_is_gone(api.delete(f"{path}/{each}")) for each in ids)
    return None if are_gone else NOT_REMOVED


def _is_gone(answer: Response) -> bool:
    return answer.status in GONE


def _never_was(answer: Response) -> bool:
    """Of what does not exist nobody has any rights."""
    document = answer.json if isinstance(answer.json, dict) else {}
    names = [each.get("name", "") for each in document.get("details", ()) if isinstance(each, dict)]
    return answer.status == 403 and any(NO_RIGHTS.fullmatch(str(name)) for name in names)


def clean(target: Target, entries: Sequence[dict[str, Any]]) -> Iterator[Cleaned]:
    """Remove what a ledger says still exists, the newest first; tells what became of each."""
    api = client_of(target)
    admin_key = target.credential("admin_api_key")
    for entry in reversed(entries):
        if entry["state"] in ("noted", "created", "deleted"):
            left = Left(entry["kind"], entry["what"])
            why_left = remove(api, left, admin_key=admin_key)
            if why_left == NOT_REMOVED and entry["state"] == "noted":
                why_left = None if _never_was(api.delete(left.path)) else NOT_REMOVED
            yield Cleaned(left.kind, left.path, why_left, entry=entry["id"])


def client_of(target: Target, **more: Any) -> ThingsStackClient:
    """The client that a target file describes."""
    return ThingsStackClient(
        target.url,
        key=target.credential("api_key"),
        urls=target.document.get("urls"),
        ca_file=target.ca_file,
        **more,
    )
