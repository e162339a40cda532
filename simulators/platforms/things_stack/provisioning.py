"""
What a server knows before its first request: users, organizations, API keys, and its policy.

From a document (the provisioning file, already parsed) or generated from a seed. Knows nothing of
files or storage.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from simulators.platforms.things_stack import tokens
from simulators.platforms.things_stack.policy import Policy

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
