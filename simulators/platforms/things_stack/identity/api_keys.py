"""API keys of an entity. A secret is shown once; nobody gives rights that they do not have."""

from __future__ import annotations

from functools import partial
from typing import Any

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack import tokens
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.api_key_store import ORDERS, ApiKey
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.paging import page_of, tell_total
from simulators.platforms.things_stack.identity.registry import Handler, found
from simulators.platforms.things_stack.times import unix_us

Document = dict[str, Any]


def handlers(kind: Kind) -> dict[str, Handler]:
    """Handlers of a kind's API keys by call."""
    return {
        f"{kind.title}Access/CreateAPIKey": partial(_create, kind),
        f"{kind.title}Access/ListAPIKeys": partial(_list, kind),
        f"{kind.title}Access/GetAPIKey": partial(_get, kind),
        f"{kind.title}Access/UpdateAPIKey": partial(_update, kind),
        f"{kind.title}Access/DeleteAPIKey": partial(_delete, kind),
    }


def _entity(kind: Kind, call: Call, rights: int = 0) -> Entity:
    """The entity, for a caller who may see its keys and has those rights itself."""
    entity_id = call.message[kind.ids_field][kind.id_field]
    call.require(kind.name, entity_id, kind.right("SETTINGS_API_KEYS"))
    call.require(kind.name, entity_id, *sets.names(rights))
    return found(kind, call, entity_id)


def _key(call: Call, entity: Entity, key_id: str) -> ApiKey:
    key = call.stack.identity.keys.find(call.tenant, key_id)
    if key is None or key.entity != entity.number:
        raise StackError("pkg/identityserver/store:api_key_not_found", {"api_key_id": key_id})
    return key


def _create(kind: Kind, call: Call) -> Document:
    message = call.message
    rights = sets.from_names(message["rights"])
    entity = _entity(kind, call, rights)
    token = tokens.new_token(tokens.API_KEY, call.stack.secrets)
    expires_at = message.get("expires_at")
    key = ApiKey(
        token.id,
        entity.number,
        token.digest(),
        message.get("name", ""),
        rights,
        call.now_us,
        call.now_us,
        unix_us(expires_at) if expires_at else None,
    )
    call.stack.identity.keys.write(call.tenant, key)
    call.publish(f"{kind.name}.api-key.create", kind.ids(entity.id))
    return {"id": token.id, "key": token.text(), **key.document()}


def _list(kind: Kind, call: Call) -> Document:
    entity = _entity(kind, call)
    keys, total = call.stack.identity.keys.page(entity.number, page_of(call, ORDERS))
    tell_total(call, total)
    return {"api_keys": [key.document() for key in keys]} if keys else {}


def _get(kind: Kind, call: Call) -> Document:
    entity = _entity(kind, call)
    return _key(call, entity, call.message.get("key_id", "")).document()


def _update(kind: Kind, call: Call) -> Document:
    given: Document = call.message["api_key"]
    paths = call.paths or ["name", "rights"]
    entity = _entity(kind, call)
    key = _key(call, entity, given.get("id", ""))
    if "rights" in paths:
        rights = sets.from_names(given.get("rights", ()))
        _entity(kind, call, sets.implied(rights) ^ sets.implied(key.rights))
        if not rights:
            return _removed(kind, call, entity, key)
        key.rights = rights
    if "name" in paths:
        key.name = given.get("name", "")
    if "expires_at" in paths:
        key.expires_us = unix_us(given["expires_at"]) if "expires_at" in given else None
    key.updated_us = call.now_us
    call.stack.identity.keys.write(call.tenant, key)
    call.publish(f"{kind.name}.api-key.update", kind.ids(entity.id))
    return key.document()


def _delete(kind: Kind, call: Call) -> Document:
    entity = _entity(kind, call)
    key = _key(call, entity, call.message.get("key_id", ""))
    return _removed(kind, call, entity, key)


def _removed(kind: Kind, call: Call, entity: Entity, key: ApiKey) -> Document:
    call.stack.identity.keys.delete(call.tenant, key.id)
    call.publish(f"{kind.name}.api-key.delete", kind.ids(entity.id))
    return {}
