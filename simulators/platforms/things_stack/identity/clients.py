"""OAuth clients: registered and reviewed here; nothing gives out tokens for them."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack import tokens
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.registry import is_admin

Document = dict[str, Any]

_BY_ADMINS = ("state", "state_description", "skip_authorization", "endorsed", "grants")


def _check_create(call: Call, document: Document) -> None:
    if not is_admin(call):
        for field in ("state", "state_description", "skip_authorization", "endorsed"):
            document.pop(field, None)
    document.setdefault("secret", tokens.new_token(tokens.API_KEY, call.stack.secrets).secret)
    document.setdefault("grants", ["GRANT_AUTHORIZATION_CODE", "GRANT_REFRESH_TOKEN"])


def _check_update(call: Call, _: Entity, document: Document, paths: list[str]) -> None:
    for path in paths:
        if path in _BY_ADMINS and not is_admin(call):
            raise StackError("pkg/identityserver:update_admin_field", {"field": path})
    if "state" in paths and "state_description" not in paths:
        document.pop("state_description", None)  # it was about the state before
        paths.append("state_description")


KIND = Kind(
    "client",
    "clients",
    public=(
        "ids", "created_at", "updated_at", "name", "description", "redirect_uris",
        "logout_redirect_uris", "state", "state_description", "skip_authorization", "endorsed",
        "grants", "rights", "administrative_contact", "technical_contact",
    ),
    orders={"client_id": "id", "name": "name", "created_at": "created_us"},
    check_create=_check_create,
    check_update=_check_update,
    columns=lambda document: {"state": document.get("state", "STATE_REQUESTED")},
)  # fmt: skip
