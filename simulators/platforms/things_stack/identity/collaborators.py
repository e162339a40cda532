"""Collaborators of an entity: who has which rights on it."""

from __future__ import annotations

from functools import partial
from typing import Any

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity import contacts
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.paging import page_of, tell_total
from simulators.platforms.things_stack.identity.registry import Handler, found

Document = dict[str, Any]

_ORDERS = {"id": "id", "rights": "rights"}


def handlers(kind: Kind) -> dict[str, Handler]:
    """Handlers of a kind's collaborators by call."""
    return {
        f"{kind.title}Access/ListRights": partial(_list_rights, kind),
        f"{kind.title}Access/ListCollaborators": partial(_list, kind),
        f"{kind.title}Access/GetCollaborator": partial(_get, kind),
        f"{kind.title}Access/SetCollaborator": partial(_set, kind),
        f"{kind.title}Access/DeleteCollaborator": partial(_delete, kind),
    }


def _list_rights(kind: Kind, call: Call) -> Document:
    rights = sets.names(call.rights(kind.name, call.message[kind.id_field]))
    return {"rights": rights} if rights else {}


def _entity(kind: Kind, call: Call) -> Entity:
    entity_id = call.message[kind.ids_field][kind.id_field]
    call.require(kind.name, entity_id, kind.right(kind.collaborators))
    return found(kind, call, entity_id)


def _list(kind: Kind, call: Call) -> Document:
    call.caller.require_authentication()
    entity = _entity(kind, call)
    everybody = call.stack.identity.entities.collaborators(entity.number)
    page = page_of(call, _ORDERS)
    if page.column == "rights":
        everybody.sort(key=lambda one: sets.names(one[1]))
    if page.is_descending:
        everybody.reverse()
    tell_total(call, len(everybody))
    shown = [_shown(*one) for one in everybody[page.offset : page.offset + page.limit]]
    return {"collaborators": shown} if shown else {}


def _shown(account: Entity, rights: int) -> Document:
    return {"ids": contacts.account_ids(account), "rights": sets.names(rights)}


def _get(kind: Kind, call: Call) -> Document:
    call.caller.require_authentication()
    entity = _entity(kind, call)
    account = contacts.find_account(call, call.message["collaborator"])
    rights = call.stack.identity.entities.rights(account.number, entity.number)
    if not rights:
        raise _not_found(kind, entity, account)
    return _shown(account, rights)


def _set(kind: Kind, call: Call) -> Document:
    given = call.message["collaborator"]
    _give(kind, call, given["ids"], sets.from_names(given.get("rights", ())))
    return {}


def _delete(kind: Kind, call: Call) -> Document:
    _give(kind, call, call.message["collaborator_ids"], 0)
    return {}


def _give(kind: Kind, call: Call, ids: Document, rights: int) -> None:
    entity = _entity(kind, call)
    account = contacts.find_account(call, ids)
    if kind.name == account.kind == "organization":
        raise StackError("pkg/identityserver:nested_organizations")
    entities = call.stack.identity.entities
    old = entities.rights(account.number, entity.number)
    if not rights and not old:
        raise _not_found(kind, entity, account)
    changed = _known(kind, old) ^ _known(kind, rights)
    call.require(kind.name, entity.id, *sets.names(changed))
    if not rights and contacts.is_contact(entity.document, account):
        attributes = {"collaborator_id": account.id}
        raise StackError("pkg/identityserver:collaborator_is_contact", attributes)
    _check_one_is_left(kind, call, entity, account, rights)
    entities.set_rights(account.number, entity.number, rights)
    what = "update" if rights else "delete"
    call.publish(f"{kind.name}.collaborator.{what}", kind.ids(entity.id))


def _known(kind: Kind, rights: int) -> int:
    """What rights come to on such an entity."""
    every = sets.of("RIGHT_ALL")
    known = sets.implied(rights)
    # The right to everything is about other kinds, too; nobody holds those on this one.
    is_open = bool(rights & every) and kind.name != "organization"
    return known & sets.FAMILIES[kind.name] if is_open else known


def _check_one_is_left(
    kind: Kind, call: Call, entity: Entity, account: Entity, rights: int
) -> None:
    whole = sets.of("RIGHT_ALL", kind.right("ALL"))
    if rights & whole:
        return
    everybody = call.stack.identity.entities.collaborators(entity.number)
    others = [one for one, held in everybody if held & whole and one.number != account.number]
    if not others:
        raise StackError(f"pkg/identityserver:{kind.name}_needs_collaborator")


def _not_found(kind: Kind, entity: Entity, account: Entity) -> StackError:
    attributes = {
        "account_type": account.kind,
        "account_id": account.id,
        "entity_type": kind.name,
        "entity_id": entity.id,
    }
    return StackError("pkg/identityserver/store:membership_not_found", attributes)
