"""Users: registration, passwords, and what only admins may change about them."""

from __future__ import annotations

from typing import Any

from simulators.platforms.effects import Hashed
from simulators.platforms.passwords import Password, from_text
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity import registry
from simulators.platforms.things_stack.identity.entities import Entity
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.identity.paging import page_of, tell_total
from simulators.platforms.things_stack.slow import NeedsHash

Document = dict[str, Any]

_BY_ADMINS = (
    "primary_email_address_validated_at", "require_password_update", "state",
    "state_description", "admin",
)  # fmt: skip
_NEVER_SHOWN = ("password", "temporary_password")
_SALT_BYTES = 16
_MOST_AWAITED = 1000  # hashes of new passwords


def _check_create(call: Call, document: Document) -> None:
    for field in _NEVER_SHOWN:
        document.pop(field, None)
    if not registry.is_admin(call):
        for field in _BY_ADMINS:
            document.pop(field, None)
        if not call.stack.policy.admin_approval:
            document["state"] = "STATE_APPROVED"
    _check_email(call, document, but=0)


def _check_update(call: Call, entity: Entity, document: Document, paths: list[str]) -> None:
    for path in paths:
        if path in _BY_ADMINS and not registry.is_admin(call):
            raise StackError("pkg/identityserver:update_admin_field", {"field": path})
    if "admin" in paths and not document.get("admin"):
        _check_last_admin(call, entity)
    if "primary_email_address" in paths:
        _check_email(call, document, but=entity.number)
    if "state" in paths and "state_description" not in paths:
        document.pop("state_description", None)  # it was about the state before
        paths.append("state_description")


def _check_email(call: Call, document: Document, *, but: int) -> None:
    email = document.get("primary_email_address", "")
    if call.stack.identity.entities.has_email(call.tenant, email, but=but):
        raise StackError("pkg/util/store:already_exists")


def _check_last_admin(call: Call, entity: Entity) -> None:
    is_admin = entity.document.get("admin") and entity.deleted_us is None
    if is_admin and call.stack.identity.entities.admins(call.tenant) == 1:
        raise StackError("pkg/identityserver/store:last_admin", {"user_id": entity.id})


KIND = Kind(
    "user",
    "users",
    public=(
        "ids", "created_at", "updated_at", "name", "description", "state", "admin",
        "profile_picture",
    ),
    orders={
        "user_id": "id", "name": "name", "primary_email_address": "email", "state": "state",
        "admin": "is_admin", "created_at": "created_us",
    },
    space="account",
    check_create=_check_create,
    check_update=_check_update,
    check_delete=_check_last_admin,
    columns=lambda document: {
        "email": document.get("primary_email_address"),
        "state": document.get("state", "STATE_REQUESTED"),
        "is_admin": int(document.get("admin", False)),
    },
)  # fmt: skip


def create(call: Call) -> Document:
    """A new user; anybody may register where registration is open."""
    given: Document = call.message["user"]
    if not call.stack.policy.registration and not registry.is_admin(call):
        raise StackError("pkg/identityserver:user_registration_disabled")
    user_id = given["ids"]["user_id"]
    registry.check_id(user_id)
    password = given.get("password", "")
    _check_password(call, user_id, password)
    hashed = call.request.hashed
    if hashed is None:
        raise NeedsHash(password, call.stack.secrets.randbytes(_SALT_BYTES))
    document = registry.add(KIND, call, given)
    _store_password(call, registry.found(KIND, call, user_id), hashed)
    return document


def list_users(call: Call) -> Document:
    """All users, for admins."""
    if not call.caller.is_admin:
        raise StackError("pkg/auth/rights:no_admin")
    where = f" AND deleted_us IS {'NOT ' if call.message.get('deleted') else ''}NULL"
    page = page_of(call, KIND.orders)
    users, total = call.stack.identity.entities.page(call.tenant, "user", page, where=where)
    tell_total(call, total)
    paths = [*registry.ALWAYS, *call.paths]
    shown = [registry.shown(KIND, user, paths, is_public=False) for user in users]
    return {"users": shown} if shown else {}


def update_password(call: Call) -> Document:
    """
    Replace a password by one who knows the old one.

    Two slow hashes are needed, so the request comes back twice: first with the hash of the old
    password, then with that of the new one, which nothing but a right old one leads to.
    """
    user_id = call.message["user_ids"]["user_id"]
    call.require("user", user_id, "RIGHT_USER_ALL")
    entity = registry.found(KIND, call, user_id)
    new = call.message.get("new", "")
    _check_password(call, user_id, new)
    entities, awaited = call.stack.identity.entities, call.stack.identity.new_salts
    hashed = call.request.hashed
    if hashed is not None and hashed.salt in awaited:
        awaited.discard(hashed.salt)
        _store_password(call, entity, hashed)
        return {}
    text = entities.password(entity.number)
    if not text:
        raise StackError("pkg/identityserver:old_password")
    old = from_text(text)
    if hashed is None or hashed.salt != old.salt:
        raise NeedsHash(call.message.get("old", ""), old.salt, old.cost)
    if not old.is_made_of(hashed.digest):
        call.publish("user.update.incorrect_password", KIND.ids(user_id))
        raise StackError("pkg/identityserver:old_password")
    if len(awaited) >= _MOST_AWAITED:  # left by clients that went away meanwhile
        awaited.clear()
    salt = call.stack.secrets.randbytes(_SALT_BYTES)
    awaited.add(salt)
    raise NeedsHash(new, salt)


def _store_password(call: Call, entity: Entity, hashed: Hashed) -> None:
    password = Password(call.stack.policy.password_cost, hashed.salt, hashed.digest)
    entities = call.stack.identity.entities
    entities.set_password(entity.number, password.text())
    entity.document["password_updated_at"] = call.now
    entity.document.pop("require_password_update", None)
    entities.write(entity.number, entity.document, KIND.columns(entity.document))


def _check_password(call: Call, user_id: str, password: str) -> None:
    policy = call.stack.policy
    if len(password) < policy.password_min_length:
        attributes = {"n": policy.password_min_length}
        raise StackError("pkg/identityserver:password_strength_min_length", attributes)
    if len(password) > policy.password_max_length:
        attributes = {"n": policy.password_max_length}
        raise StackError("pkg/identityserver:password_strength_max_length", attributes)
    if user_id in password:
        raise StackError("pkg/identityserver:password_contains_user_id")
