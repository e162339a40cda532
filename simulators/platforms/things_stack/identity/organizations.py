"""Organizations: accounts of several users, in one space of ids with users."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.contacts import account_of
from simulators.platforms.things_stack.identity.kind import Kind

Document = dict[str, Any]


def _check_create(call: Call, _: Document) -> None:
    if account_of(call.message["collaborator"])[0] == "organization":
        raise StackError("pkg/identityserver:nested_organizations")


KIND = Kind(
    "organization",
    "organizations",
    public=(
        "ids", "created_at", "updated_at", "name", "administrative_contact", "technical_contact",
    ),
    orders={"organization_id": "id", "name": "name", "created_at": "created_us"},
    space="account",
    collaborators="SETTINGS_MEMBERS",
    check_create=_check_create,
)  # fmt: skip
