"""Search for entities and devices by parts of what they are called."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity import applications, contacts, end_devices
from simulators.platforms.things_stack.identity.entities import Page
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.paging import page_of, tell_total
from simulators.platforms.things_stack.identity.registry import ALWAYS, Handler, found, shown

Document = dict[str, Any]

_DESCRIPTION = "json_extract(document, '$.description')"
_MOST_ACCOUNTS = 100


class _Filter(NamedTuple):
    """A condition in SQL, starting with AND, and its values."""

    where: str
    values: tuple[Any, ...]


def handlers(kind: Kind) -> dict[str, Handler]:
    """The handler that searches a kind."""
    return {f"EntityRegistrySearch/Search{kind.title}s": partial(_search, kind)}


def _search(kind: Kind, call: Call) -> Document:
    call.caller.require_authentication()
    is_hidden = call.message.get("deleted", False)
    columns = ["id", "name", _DESCRIPTION, *(["eui"] if kind.name == "gateway" else [])]
    contains = {"id_contains": "id", "name_contains": "name", "eui_contains": "eui"}
    narrowed = _filter(call, columns, contains | {"description_contains": _DESCRIPTION})
    where = f" AND deleted_us IS {'NOT ' if is_hidden else ''}NULL{narrowed.where}"
    page, entities = page_of(call, kind.orders), call.stack.identity.entities
    if call.caller.is_admin:
        result = entities.page(call.tenant, kind.name, page, where=where, values=narrowed.values)
    else:
        accounts = _accounts(kind, call)
        result = entities.page_of(accounts, kind.name, page, where=where, values=narrowed.values)
    matches, total = result
    tell_total(call, total)
    paths = [*ALWAYS, *call.paths]
    documents = [shown(kind, entity, paths, is_public=False) for entity in matches]
    return {kind.plural: documents} if documents else {}


def _accounts(kind: Kind, call: Call) -> list[int]:
    account = call.caller.account
    if account is None or kind.name == "user":
        raise StackError("pkg/identityserver:search_forbidden")
    return [account.number, *call.stack.identity.entities.organizations(account.number)]


def search_devices(call: Call) -> Document:
    """Devices of one application."""
    application_id = call.message["application_ids"]["application_id"]
    call.require_application(application_id, "DEVICES_READ")
    application = found(applications.KIND, call, application_id)
    address = "json_extract(document, '$.ids.dev_addr')"
    contains = {
        "id_contains": "device_id",
        "name_contains": "name",
        "description_contains": "description",
        "dev_eui_contains": "dev_eui",
        "join_eui_contains": "join_eui",
        "dev_addr_contains": address,
    }
    columns = ["device_id", "name", "description", "dev_eui", "join_eui"]
    narrowed = _filter(call, columns, contains)
    return end_devices.listed(call, application, narrowed.where, narrowed.values)


def _filter(call: Call, queried: list[str], contains: dict[str, str]) -> _Filter:
    """What a request looks for: ``query`` anywhere in some columns, the others each in one."""
    message = call.message
    where, values = "", list[Any]()
    if message.get("query"):
        where += f" AND ({' OR '.join(f'{column} LIKE ? ESCAPE char(92)' for column in queried)})"
        values += [_like(message["query"])] * len(queried)
    for field, column in contains.items():
        if message.get(field):
            where += f" AND {column} LIKE ? ESCAPE char(92)"
            values.append(_like(message[field]))
    for key, text in message.get("attributes_contain", {}).items():
        where += " AND json_extract(document, ?) LIKE ? ESCAPE char(92)"
        values += [f'$.attributes."{key}"', _like(text)]
    if message.get("state"):
        where += f" AND state IN ({', '.join('?' * len(message['state']))})"
        values += message["state"]
    return _Filter(where, tuple(values))


def _like(text: str) -> str:
    """A pattern that finds a text anywhere, whatever the case."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"


def search_accounts(call: Call) -> Document:
    """Users and organizations, of those who work on an entity, or of the others."""
    call.caller.require_authentication()
    message = call.message
    members = _members(call)
    is_complement = message.get("complement_collaborators", False)
    page = Page("id", False, _MOST_ACCOUNTS, 0)
    pattern = _like(message.get("query", ""))
    kinds = ("user",) if message.get("only_users") else ("user", "organization")
    where = " AND deleted_us IS NULL AND (id LIKE ? ESCAPE char(92) OR name LIKE ? ESCAPE char(92))"
    accounts: list[Document] = []
    for kind in kinds:
        matches, _ = call.stack.identity.entities.page(
            call.tenant, kind, page, where=where, values=(pattern, pattern)
        )
        accounts += [
            contacts.account_ids(account)
            for account in matches
            if members is None or (account.number in members) != is_complement
        ]
    return {"account_ids": accounts} if accounts else {}


def _members(call: Call) -> set[int] | None:
    """Collaborators of the entity that the request names, None when it names none."""
    entities = call.stack.identity.entities
    for kind in ("application", "client", "gateway", "organization"):
        ids = call.message.get(f"{kind}_ids")
        if ids is not None:
            call.require(kind, ids[f"{kind}_id"], f"RIGHT_{kind.upper()}_INFO")
            entity = entities.find(call.tenant, kind, ids[f"{kind}_id"])
            people = entities.collaborators(entity.number) if entity is not None else []
            return {account.number for account, _ in people}
    return None
