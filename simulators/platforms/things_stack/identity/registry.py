"""Create, read, list, change, delete, restore and purge: the same for every kind of entity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack import tables
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity import access, contacts
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.paging import page_of, tell_total
from simulators.platforms.things_stack.masks import assign, select
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]
Handler = Callable[[Call], Document]

ALWAYS = ["ids", "created_at", "updated_at"]
_ALL = sets.of("RIGHT_ALL")


def handlers(kind: Kind) -> dict[str, Handler]:
    """Handlers of a kind's registry by call; creation has owners, except of users."""
    functions: dict[str, Callable[[Kind, Call], Document]] = {
        "Create": create,
        "Get": get,
        "List": list_entities,
        "Update": update,
        "Delete": delete,
        "Restore": restore,
        "Purge": purge,
    }
    return {
        f"{kind.title}Registry/{name}": partial(function, kind)
        for name, function in functions.items()
    }


# --- create


def create(kind: Kind, call: Call) -> Document:
    """A new entity, of which the account in the request may do everything."""
    given: Document = call.message[kind.name]
    collaborator: Document = call.message["collaborator"]
    check_id(given["ids"][kind.id_field])
    account_kind, account_id = contacts.account_of(collaborator)
    _check_creator(kind, call, account_kind)
    right = kind.account_right(account_kind, "CREATE")
    call.require(account_kind, account_id, right)
    contacts.fill_in(given, collaborator)
    account = contacts.find_account(call, collaborator)
    document = add(kind, call, given)
    number = _number(kind, call, document)
    call.stack.identity.entities.set_rights(account.number, number, _ALL)
    return document


def check_id(entity_id: str) -> None:
    """
    Refuse reserved words.

    Raises:
        StackError: ``forbidden_id``.
    """
    if entity_id in tables.reserved_ids():
        raise StackError("pkg/identityserver/blocklist:forbidden_id", {"id": entity_id})


def _check_creator(kind: Kind, call: Call, account_kind: str) -> None:
    is_open = getattr(call.stack.policy, f"users_create_{kind.plural}")
    if account_kind == "user" and not is_open and not is_admin(call):
        raise StackError(f"pkg/identityserver:admins_create_{kind.plural}")


def add(kind: Kind, call: Call, given: Document) -> Document:
    """
    Store a new entity; what its creator cannot decide is filled in.

    Raises:
        StackError: its id is taken, or the kind refuses it.
    """
    entities = call.stack.identity.entities
    entity_id = given["ids"][kind.id_field]
    kind.check_create(call, given)
    if entities.is_taken(call.tenant, kind.space or kind.name, entity_id):
        raise StackError("pkg/util/store:id_taken")
    document: Document = {"ids": given["ids"], "created_at": call.now, "updated_at": call.now}
    document |= {
        name: value for name, value in given.items() if name not in (*ALWAYS, "deleted_at")
    }
    number = entities.add(call.tenant, kind.space or kind.name, kind.name, entity_id, call.now_us)
    entities.write(number, document, kind.columns(document))
    call.publish(f"{kind.name}.create", kind.ids(entity_id))
    return document


def _number(kind: Kind, call: Call, document: Document) -> int:
    return found(kind, call, document["ids"][kind.id_field]).number


# --- read


def get(kind: Kind, call: Call) -> Document:
    """An entity; everybody with a token may read its public fields."""
    call.caller.require_authentication()
    entity_id = call.message[kind.ids_field][kind.id_field]
    paths = [*ALWAYS, *call.paths]
    is_public = False
    try:
        call.require(kind.name, entity_id, kind.right("INFO"))
    except StackError:
        if not _are_public(kind, paths):
            raise
        is_public = True
    entity = found(kind, call, entity_id)
    kind.check_read(call, entity.document, paths)
    return shown(kind, entity, paths, is_public=is_public)


def shown(kind: Kind, entity: Entity, paths: list[str], *, is_public: bool) -> Document:
    """What an answer holds of an entity."""
    document = entity.document
    if is_public:
        kind.public_safe(document)
        document = select(kind.message, document, kind.public)
    return select(kind.message, document, paths)


def _are_public(kind: Kind, paths: list[str]) -> bool:
    return all(
        any(path == public or path.startswith(public + ".") for public in kind.public)
        for path in paths
    )


def list_entities(kind: Kind, call: Call) -> Document:
    """What an account collaborates on; without one in the path what the caller can see."""
    owner = call.message.get("collaborator")
    if owner is None:
        if call.caller.account is None:
            return {}
        account_kind, account_id = call.caller.account.kind, call.caller.account.id
    else:
        account_kind, account_id = contacts.account_of(owner)
    call.require(account_kind, account_id, kind.account_right(account_kind, "LIST"))
    accounts = _accounts(call, account_kind, account_id, with_organizations=owner is None)
    where = f" AND deleted_us IS {'NOT ' if call.message.get('deleted') else ''}NULL"
    where, values = _filtered(call, where)
    page = page_of(call, kind.orders)
    entities = call.stack.identity.entities
    found, total = entities.page_of(accounts, kind.name, page, where=where, values=values)
    tell_total(call, total)
    return {kind.plural: [_listed(kind, call, entity) for entity in found]} if found else {}


def _accounts(call: Call, kind: str, account_id: str, *, with_organizations: bool) -> list[int]:
    entities = call.stack.identity.entities
    account = entities.find(call.tenant, kind, account_id)
    if account is None:
        raise StackError(f"pkg/identityserver/store:{kind}_not_found", {f"{kind}_id": account_id})
    others = entities.organizations(account.number) if with_organizations else []
    return [account.number, *others]


def _filtered(call: Call, where: str) -> tuple[str, tuple[Any, ...]]:
    """Filters of a request in SQL; there is one, by the time of the last change."""
    filters = call.message.get("filters", [])
    times = tuple(unix_us(one["updated_since"]) for one in filters if "updated_since" in one)
    return where + " AND updated_us >= ?" * len(times), times


def _listed(kind: Kind, call: Call, entity: Entity) -> Document:
    rights = access.rights_on(call.stack.identity.entities, call.caller, kind.name, entity)
    is_public = not rights & sets.of(kind.right("INFO"))
    return shown(kind, entity, [*ALWAYS, *call.paths], is_public=is_public)


def found(kind: Kind, call: Call, entity_id: str, *, deleted: bool | None = False) -> Entity:
    """
    The entity of an id.

    Raises:
        StackError: there is none, or not in that state.
    """
    entity = call.stack.identity.entities.find(call.tenant, kind.name, entity_id, deleted=deleted)
    if entity is None:
        name = f"pkg/identityserver/store:{kind.name}_not_found"
        raise StackError(name, {kind.id_field: entity_id})
    return entity


# --- change


def update(kind: Kind, call: Call) -> Document:
    """Change the masked fields; without a mask only the time of the last change."""
    given: Document = call.message[kind.name]
    entity_id = given["ids"][kind.id_field]
    if kind.update_rights is not None:
        kind.update_rights(call, given, call.paths)
    else:
        call.require(kind.name, entity_id, kind.right("SETTINGS_BASIC"))
    entity = found(kind, call, entity_id)
    fixed = (*ALWAYS, "deleted_at", f"ids.{kind.id_field}")
    paths = [path for path in call.paths if path not in fixed]
    contacts.check(call, entity, given, paths)
    kind.check_update(call, entity, given, paths)
    document = entity.document
    assign(kind.message, document, given, paths)
    document["updated_at"] = call.now
    call.stack.identity.entities.write(entity.number, document, kind.columns(document))
    call.publish(f"{kind.name}.update", kind.ids(entity_id), paths or ["updated_at"])
    return select(kind.message, document, [*ALWAYS, *paths])


def delete(kind: Kind, call: Call) -> Document:
    """Hide an entity; its id stays taken."""
    entity_id = call.message[kind.id_field]
    call.require(kind.name, entity_id, kind.right("DELETE"))
    entity = found(kind, call, entity_id)
    kind.check_delete(call, entity)
    entities = call.stack.identity.entities
    document = entity.document
    document["deleted_at"] = call.now
    kind.on_delete(document)
    entities.write(entity.number, document, kind.columns(document))
    entities.mark_deleted(entity.number, call.now_us)
    call.publish(f"{kind.name}.delete", kind.ids(entity_id))
    return {}


def restore(kind: Kind, call: Call) -> Document:
    """Bring back what was deleted not too long ago."""
    entity_id = call.message[kind.id_field]
    identity = call.stack.identity
    hidden = identity.entities.find(call.tenant, kind.name, entity_id, deleted=None)
    rights = access.rights_on(identity.entities, call.caller, kind.name, hidden)
    access.require(rights, kind.name, call.uid(entity_id), (kind.right("DELETE"),))
    entity = found(kind, call, entity_id, deleted=True)
    if call.now_us - (entity.deleted_us or 0) > call.stack.policy.restore_us:
        raise StackError("pkg/identityserver:restore_window_expired")
    entity.document.pop("deleted_at", None)
    identity.entities.write(entity.number, entity.document, kind.columns(entity.document))
    identity.entities.mark_deleted(entity.number, None)
    call.publish(f"{kind.name}.restore", kind.ids(entity_id))
    return {}


def purge(kind: Kind, call: Call) -> Document:
    """Forget an entity for good; whatever rights a key has, only its owner's being admin counts."""
    if not is_admin(call):
        raise StackError(f"pkg/identityserver:admins_purge_{kind.plural}")
    entity_id = call.message[kind.id_field]
    entity = found(kind, call, entity_id, deleted=None)
    kind.check_delete(call, entity)
    call.stack.identity.keys.purge(entity.number)
    call.stack.identity.entities.purge(entity.number)
    call.publish(f"{kind.name}.purge", kind.ids(entity_id))
    return {}


def is_admin(call: Call) -> bool:
    """Whether an admin calls; a wrong token is nobody's here, not an error."""
    try:
        return call.caller.is_admin
    except StackError:
        return False
