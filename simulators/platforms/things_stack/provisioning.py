"""
What a server knows before its first request: users, organizations, API keys, and its policy.

From a document (the provisioning file, already parsed) or generated from a seed. Knows nothing of
files or storage.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from simulators.platforms.provisioning import PASSWORD_COSTS, Path, ProvisioningError
from simulators.platforms.things_stack import tokens
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.plans import plans
from simulators.platforms.things_stack.policy import Policy, RateLimit
from simulators.platforms.things_stack.schema import enum
from simulators.platforms.things_stack.validation import PATTERNS

Document = dict[str, Any]

DEMO_USER = "thingrig"
DEMO_ADMIN = "thingrig-admin"
DEMO_ORGANIZATION = "thingrig-org"
DEFAULT_PLAN = "EU_863_870_TTN"
MAIL_DOMAIN = "thingrig.example"
_OWNERS = ("user", "organization")


@dataclass(frozen=True)
class ProvisionedUser:
    """A user with a known password."""

    user_id: str
    email: str
    password: str = field(repr=False)
    is_admin: bool = False


@dataclass(frozen=True)
class ProvisionedOrganization:
    """An organization and the users who may do everything in it."""

    organization_id: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class ProvisionedKey:
    """An API key of a user or organization."""

    key: str = field(repr=False)
    owner_kind: str
    owner_id: str
    rights: tuple[str, ...] = ("RIGHT_ALL",)


@dataclass(frozen=True)
class Provisioning:
    """
    Everything a server is started with.

    ``policy`` holds what differs from the reference's; ``frequency_plan`` is what a target file
    proposes for gateways.
    """

    users: list[ProvisionedUser] = field(default_factory=list)
    organizations: list[ProvisionedOrganization] = field(default_factory=list)
    api_keys: list[ProvisionedKey] = field(default_factory=list)
    policy: Document = field(default_factory=dict)
    frequency_plan: str = DEFAULT_PLAN

    def applied_to(self, policy: Policy) -> Policy:
        """A policy with what is different here."""
        return replace(policy, **self.policy)


def default_provisioning(rng: random.Random) -> Provisioning:
    """An admin, a user, an organization, and a key of each; the same rng gives the same result."""
    return Provisioning(
        users=[
            ProvisionedUser(name, f"{name}@{MAIL_DOMAIN}", rng.randbytes(12).hex(), is_admin)
            for name, is_admin in ((DEMO_ADMIN, True), (DEMO_USER, False))
        ],
        organizations=[ProvisionedOrganization(DEMO_ORGANIZATION, (DEMO_USER,))],
        api_keys=[
            ProvisionedKey(tokens.new_token(tokens.API_KEY, rng).text(), kind, name)
            for kind, name in (
                ("user", DEMO_ADMIN),
                ("user", DEMO_USER),
                ("organization", DEMO_ORGANIZATION),
            )
        ],
    )


def from_document(document: Document) -> Provisioning:
    """
    Read a parsed provisioning file.

    Raises:
        ProvisioningError: a member is missing or wrong, or names something unknown; with its path.
    """
    reader = _Reader(document)
    users = [reader.user(*row) for row in reader.tables("user")]
    names = {user.user_id for user in users}
    organizations = [reader.organization(*row, names) for row in reader.tables("organization")]
    accounts = names | {each.organization_id for each in organizations}
    if len(accounts) < len(users) + len(organizations):
        message = "expected each id of a user or organization once; got one twice"
        raise ProvisioningError(("user",), message)
    keys = [reader.api_key(*row) for row in reader.tables("api_key")]
    return Provisioning(users, organizations, keys, reader.policy(), reader.frequency_plan())


class _Reader:
    """Reads tables; every wrong member is told with its path."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def tables(self, name: str) -> list[tuple[Document, Path]]:
        tables = self._document.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise ProvisioningError((name,), f"expected tables [[{name}]]")
        return [(table, (name, index)) for index, table in enumerate(tables)]

    def user(self, table: Document, path: Path) -> ProvisionedUser:
        user_id = _id(table, path, "user_id")
        password = _text(table, path, "password")
        is_admin = table.get("admin", False)
        if not isinstance(is_admin, bool):
            raise ProvisioningError((*path, "admin"), "expected admin = true or false")
        return ProvisionedUser(user_id, _text(table, path, "email"), password, is_admin)

    def organization(
        self, table: Document, path: Path, users: Iterable[str]
    ) -> ProvisionedOrganization:
        members = table.get("members", [])
        for member in members:
            if member not in users:
                message = f"expected a user of this file; got {member!r}"
                raise ProvisioningError((*path, "members"), message)
        return ProvisionedOrganization(_id(table, path, "organization_id"), tuple(members))

    def api_key(self, table: Document, path: Path) -> ProvisionedKey:
        key = _text(table, path, "key")
        try:
            tokens.split(key)
        except StackError as error:
            message = f"expected a key NNSXS.ID.SECRET; got …{key[-4:]}"
            raise ProvisioningError((*path, "key"), message) from error
        owners = [kind for kind in _OWNERS if f"{kind}_id" in table]
        if len(owners) != 1:
            raise ProvisioningError(path, "expected either user_id or organization_id")
        rights = tuple(table.get("rights", ("RIGHT_ALL",)))
        for right in rights:
            if right not in enum("Right").by_number.values():
                message = f"expected rights by name; got {right!r}"
                raise ProvisioningError((*path, "rights"), message)
        return ProvisionedKey(key, owners[0], _text(table, path, f"{owners[0]}_id"), rights)

    def policy(self) -> Document:
        table = self._document.get("server", {})
        if not isinstance(table, dict):
            raise ProvisioningError(("server",), "expected a table [server]")
        cost = table.get("password_cost", PASSWORD_COSTS[0])
        if cost not in PASSWORD_COSTS:
            bounds = f"{PASSWORD_COSTS[0]} to {PASSWORD_COSTS[-1]}"
            message = f"expected password_cost from {bounds}; got {cost!r}"
            raise ProvisioningError(("server", "password_cost"), message)
        values = dict(table)
        if "rate_limit" in values:
            values["rate_limit"] = RateLimit(**values["rate_limit"])
        if "tenants" in values:
            values["tenants"] = tuple(values["tenants"])
        if "fallback_plan" in values:
            _check_plan(values["fallback_plan"], ("server", "fallback_plan"))
        return values

    def frequency_plan(self) -> str:
        table = self._document.get("gateway", {})
        plan: str = table.get("frequency_plan", DEFAULT_PLAN) if isinstance(table, dict) else ""
        _check_plan(plan, ("gateway", "frequency_plan"))
        return plan


def _check_plan(plan: str, path: Path) -> None:
    if plan not in plans():
        message = f"expected a frequency plan such as {DEFAULT_PLAN}; got {plan!r}"
        raise ProvisioningError(path, message)


def _text(table: Document, path: Path, member: str) -> str:
    value = table.get(member)
    if not isinstance(value, str) or not value:
        raise ProvisioningError((*path, member), f"expected {member} as text; got {value!r}")
    return value


def _id(table: Document, path: Path, member: str) -> str:
    value = _text(table, path, member)
    if not re.fullmatch(PATTERNS["user_id"], value) or value.endswith("\n"):
        message = f"expected small letters, digits and single dashes; got {value!r}"
        raise ProvisioningError((*path, member), message)
    return value
