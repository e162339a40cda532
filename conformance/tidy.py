"""
Removing what a run has created, as far as the API can: at its end, and later by ``clean``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from conformance.clients.thethings_io import ThethingsClient
from conformance.ledger import WHY_LEFT, fingerprint, unseal
from conformance.targets import Target


class Cleaned(NamedTuple):
    """What became of one object; ``why_left`` is None when it is gone."""

    kind: str
    what: str
    why_left: str | None


def remove_tag(api: ThethingsClient, thing_token: str, name: str) -> bool:
    """Delete every tag of a thing that carries this name; whether none is left."""
    for tag_id in _tag_ids(api.tags(thing_token).json, name):
        api.delete_tag(thing_token, tag_id)
    answer = api.tags(thing_token)
    return answer.is_success and not _is_inside(answer.json, name)


def clean(
    api: ThethingsClient, target: Target, entries: Sequence[dict[str, Any]]
) -> Iterator[Cleaned]:
    """Remove what a ledger says still exists; tells of each object what became of it."""
    tokens = known_tokens(target, entries)
    for entry in entries:
        if entry["state"] not in ("noted", "created"):
            continue
        yield Cleaned(entry["kind"], entry["what"], _why_left(api, tokens, entry))


def known_tokens(target: Target, entries: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Fingerprint to token: the target file's, and those that its codes unseal."""
    given = {fingerprint(token): token for token in target.credential("thing_tokens", ())}
    codes = list(target.credential("activation_codes", ()))
    for entry in entries:
        if (sealed := entry.get("sealed")) and (token := unseal(sealed, codes)):
            given[entry["thing"]] = token
    return given


def _why_left(api: ThethingsClient, tokens: dict[str, str], entry: dict[str, Any]) -> str | None:
    if entry["kind"] != "tag":
        return WHY_LEFT[entry["kind"]]
    token = tokens.get(entry["thing"])
    if token is None:
        return "the target file does not hold the code or the token of its thing"
    return None if remove_tag(api, token, entry["what"]) else WHY_LEFT["tag"]


def _tag_ids(answer: Any, name: str) -> list[str]:
    """Ids of the tags of that name, in any shape that shows both."""
    tags = answer if isinstance(answer, list) else []
    if isinstance(answer, dict):
        tags = next((value for value in answer.values() if isinstance(value, list)), [])
    return [
        str(tag.get("_id", tag.get("id", name))) if isinstance(tag, dict) else str(tag)
        for tag in tags
        if _is_inside(tag, name)
    ]


def _is_inside(document: Any, name: str) -> bool:
    if isinstance(document, dict):
        return any(_is_inside(value, name) for value in document.values())
    if isinstance(document, list):
        return any(_is_inside(value, name) for value in document)
    return bool(document == name)
