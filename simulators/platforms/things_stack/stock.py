"""
Puts a provisioning into the tables: what exists is kept, what is new is added.

A conflict is an existing entry that says something else; nothing is changed then.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from simulators.platforms.passwords import Password
from simulators.platforms.slow_hash import digest_of
from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack import tokens
from simulators.platforms.things_stack.identity import organizations, users
from simulators.platforms.things_stack.identity.api_key_store import ApiKey
from simulators.platforms.things_stack.identity.contacts import FIELDS, account_ids
from simulators.platforms.things_stack.identity.entities import Entity, Page
from simulators.platforms.things_stack.identity.kind import Kind
from simulators.platforms.things_stack.provisioning import (
    ProvisionedKey,
    ProvisionedOrganization,
    ProvisionedUser,
    Provisioning,
)
from simulators.platforms.things_stack.stack import Stack
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]

_ALL = sets.of("RIGHT_ALL")


class ProvisioningConflict(Exception):  # noqa: N818 - named for what it is
    """The state already holds an entry of that name with other contents."""


def is_empty(stack: Stack, *, tenant: str) -> bool:
    """Nobody was ever provisioned."""
    return stack.identity.entities.admins(tenant) == 0


def provision(stack: Stack, provisioning: Provisioning, *, tenant: str, now_us: int) -> None:
    """
    Add what is not there yet; a user who is there keeps the password.

    Raises:
        ProvisioningConflict: an entry exists with other contents; the caller rolls back.
    """
    stock = _Stock(stack, tenant, now_us)
    for user in provisioning.users:
        stock.add_user(user)
    for organization in provisioning.organizations:
        stock.add_organization(organization)
    for key in provisioning.api_keys:
        stock.add_key(key)


def credentials(stack: Stack, provisioning: Provisioning, *, tenant: str, now_us: int) -> Document:
    """
    A user, an organization and an admin for a target file, with API keys that work.

    The state holds only hashes of keys: where those of the provisioning are not in it, new ones are
    added, such as after a start with another seed.
    """
    stock = _Stock(stack, tenant, now_us)
    found: Document = {}
    for user in stock.users():
        name = "admin_api_key" if user.document.get("admin") else "api_key"
        if name not in found:
            found[name] = stock.known_key(provisioning, user)
            found |= {"user_id": user.id} if name == "api_key" else {}
    if "api_key" not in found and "admin_api_key" in found:
        found |= {"api_key": found["admin_api_key"], "user_id": stock.users()[0].id}
    organization = stock.organization_of(found.get("user_id", ""))
    return found | ({"organization_id": organization} if organization else {})


class _Stock:
    def __init__(self, stack: Stack, tenant: str, now_us: int) -> None:
        self._stack = stack
        self._entities = stack.identity.entities
        self._tenant = tenant
        self._now_us = now_us

    def add_user(self, user: ProvisionedUser) -> None:
        found = self._entities.find(self._tenant, "user", user.user_id, deleted=None)
        if found is not None:
            if bool(found.document.get("admin")) != user.is_admin:
                raise _conflict("user", user.user_id)
            return
        if self._entities.has_email(self._tenant, user.email):
            raise _conflict("user with the address", user.email)
        document: Document = {
            "ids": {"user_id": user.user_id},
            "primary_email_address": user.email,
            "primary_email_address_validated_at": time_text(self._now_us),
            "state": "STATE_APPROVED",
        }
        number = self._add(users.KIND, document | ({"admin": True} if user.is_admin else {}))
        cost = self._stack.policy.password_cost
        # Salted by the address: whoever is told the password here knows it, and nothing is drawn.
        salt = sha256(user.email.encode()).digest()[:16]
        password = Password(cost, salt, digest_of(user.password, salt, cost))
        self._entities.set_password(number, password.text())

    def add_organization(self, organization: ProvisionedOrganization) -> None:
        name = organization.organization_id
        members = [self._account("user", member) for member in organization.members]
        found = self._entities.find(self._tenant, "organization", name, deleted=None)
        if found is not None:
            if not all(self._entities.rights(one.number, found.number) for one in members):
                raise _conflict("organization", name)
            return
        document: Document = {"ids": {"organization_id": name}}
        document |= {field: account_ids(members[0]) for field in FIELDS if members}
        number = self._add(organizations.KIND, document)
        for member in members:
            self._entities.set_rights(member.number, number, _ALL)

    def add_key(self, key: ProvisionedKey) -> None:
        token = tokens.split(key.key)
        owner = self._account(key.owner_kind, key.owner_id)
        rights = sets.from_names(key.rights)
        found = self._stack.identity.keys.find(self._tenant, token.id)
        if found is not None:
            wanted = (owner.number, rights, token.digest())
            if (found.entity, found.rights, found.digest) != wanted:
                raise _conflict("API key", f"…{key.key[-4:]}")
            return
        row = ApiKey(
            token.id, owner.number, token.digest(), "provisioned", rights,
            self._now_us, self._now_us, None,
        )  # fmt: skip
        self._stack.identity.keys.write(self._tenant, row)

    def users(self) -> list[Entity]:
        """The first users by age, admins and others."""
        page = Page("created_us", is_descending=False, limit=100, offset=0)
        where = " AND deleted_us IS NULL AND state = 'STATE_APPROVED'"
        return self._entities.page(self._tenant, "user", page, where=where)[0]

    def known_key(self, provisioning: Provisioning, user: Entity) -> str:
        """A key of the provisioning that the state knows too, or a new one."""
        for key in provisioning.api_keys:
            token = tokens.split(key.key)
            stored = self._stack.identity.keys.find(self._tenant, token.id)
            is_known = stored is not None and token.matches(stored.digest)
            if is_known and (key.owner_kind, key.owner_id) == ("user", user.id):
                return key.key
        token = tokens.new_token(tokens.API_KEY, self._stack.secrets)
        self.add_key(ProvisionedKey(token.text(), "user", user.id))
        return token.text()

    def organization_of(self, user_id: str) -> str:
        """An organization in which a user may do everything, "" when there is none."""
        user = self._entities.find(self._tenant, "user", user_id)
        for number in self._entities.organizations(user.number) if user is not None else ():
            organization = self._entities.by_number(number)
            if user and organization and self._entities.rights(user.number, number) & _ALL:
                return organization.id
        return ""

    def _add(self, kind: Kind, document: Document) -> int:
        entity_id, space = document["ids"][kind.id_field], kind.space or kind.name
        if self._entities.is_taken(self._tenant, space, entity_id):
            raise _conflict(kind.name, entity_id)
        now = time_text(self._now_us)
        document |= {"created_at": now, "updated_at": now}
        number = self._entities.add(self._tenant, space, kind.name, entity_id, self._now_us)
        self._entities.write(number, document, kind.columns(document))
        return number

    def _account(self, kind: str, account_id: str) -> Entity:
        account = self._entities.find(self._tenant, kind, account_id)
        if account is None:
            raise ProvisioningConflict(f"there is no {kind} {account_id}")
        return account


def _conflict(kind: str, name: str) -> ProvisioningConflict:
    return ProvisioningConflict(f"{kind} {name} exists with other contents")
