"""Contacts of an entity, and the ids of those who can be contacts and collaborators."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.entities import Entity

Document = dict[str, Any]

FIELDS = ("administrative_contact", "technical_contact")
_DEPRECATED = "Contact info is deprecated and will be removed in the next major release"


def account_of(ids: Document) -> tuple[str, str]:
    """Kind and id out of ``OrganizationOrUserIdentifiers``."""
    if "user_ids" in ids:
        return "user", ids["user_ids"].get("user_id", "")
    return "organization", ids["organization_ids"].get("organization_id", "")


def account_ids(account: Entity) -> Document:
    """The reverse."""
    return {f"{account.kind}_ids": {f"{account.kind}_id": account.id}}


def find_account(call: Call, ids: Document) -> Entity:
    """
    The account that a request names.

    Raises:
        StackError: there is none.
    """
    kind, account_id = account_of(ids)
    account = call.stack.identity.entities.find(call.tenant, kind, account_id)
    if account is None:
        attributes = {"account_type": kind, "account_id": account_id}
        raise StackError("pkg/identityserver/store:account_not_found", attributes)
    return account


def fill_in(document: Document, collaborator: Document) -> None:
    """
    Make the collaborator of a new entity its contact; at first nobody else can be one.

    Raises:
        StackError: somebody else is given.
    """
    for field in FIELDS:
        given = document.get(field)
        if given is not None and account_of(given) != account_of(collaborator):
            raise _no_collaborator(given)
        document[field] = collaborator


def check(call: Call, entity: Entity, document: Document, paths: list[str]) -> None:
    """
    Let only collaborators become contacts; warn of what is deprecated.

    Raises:
        StackError: a contact is no collaborator.
    """
    if "contact_info" in paths:
        call.warn(_DEPRECATED)
    for field in FIELDS:
        given = document.get(field)
        if given is None or not any(path.split(".")[0] == field for path in paths):
            continue
        kind, account_id = account_of(given)
        entities = call.stack.identity.entities
        account = entities.find(call.tenant, kind, account_id)
        if account is None or not entities.rights(account.number, entity.number):
            raise _no_collaborator(given)


def is_contact(document: Document, account: Entity) -> bool:
    """Whether an entity's document names an account as contact."""
    contacts = (document.get(field) for field in FIELDS)
    wanted = (account.kind, account.id)
    return any(contact is not None and account_of(contact) == wanted for contact in contacts)


def _no_collaborator(contact: Document) -> StackError:
    attributes = {"contact": account_of(contact)[1]}
    return StackError("pkg/identityserver:contact_no_collaborator", attributes)
