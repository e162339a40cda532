"""Who calls: the token of a request, and what its owner may do everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack import tokens
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.api_key_store import ApiKey, ApiKeyStore
from simulators.platforms.things_stack.identity.entities import Entities, Entity
from simulators.platforms.things_stack.policy import Policy

Document = dict[str, Any]

_UNTIL_APPROVED = ("RIGHT_USER_INFO", "RIGHT_USER_SETTINGS_BASIC", "RIGHT_USER_DELETE")
# State of an account: what its owner may still do, and how the answer warns of it.
_RESTRICTIONS = {
    "STATE_REQUESTED": (_UNTIL_APPROVED, "Restricted rights while account pending"),
    "STATE_REJECTED": (
        ("RIGHT_USER_INFO", "RIGHT_USER_DELETE"),
        "Restricted rights after account rejection",
    ),
    "STATE_SUSPENDED": (("RIGHT_USER_INFO",), "Restricted rights after account suspension"),
}
_REFUSALS = {
    "STATE_REQUESTED": "user_requested",
    "STATE_REJECTED": "user_rejected",
    "STATE_SUSPENDED": "user_suspended",
}


@dataclass
class Caller:
    """
    Who calls.

    Attributes:
        entity: whose key it is; None of an anonymous caller.
        key: the API key.
        rights: those of the key with all they stand for.
        universal: rights on every entity, of admins.
        warnings: what the answer says about the account.
    """

    entity: Entity | None = None
    key: ApiKey | None = None
    rights: int = 0
    universal: int = 0
    is_admin: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def account(self) -> Entity | None:
        """The user or organization that calls, if it is one."""
        if self.entity is not None and self.entity.kind in ("user", "organization"):
            return self.entity
        return None

    def auth_info(self) -> Document:
        """What the caller is told about itself."""
        document: Document = {}
        if self.key is not None and self.entity is not None:
            kind = self.entity.kind
            ids = {f"{kind}_ids": {f"{kind}_id": self.entity.id}}
            key = self.key.document(rights=self.rights)
            document["api_key"] = {"api_key": key, "entity_ids": ids}
        if self.universal:
            document["universal_rights"] = {"rights": sets.names(self.universal)}
        if self.is_admin:
            document["is_admin"] = True
        return document

    def require_authentication(self) -> None:
        """
        Let only callers with a token and an account in good standing pass.

        Raises:
            StackError: ``unauthenticated`` or the state of the account.
        """
        if self.entity is None:
            raise StackError("pkg/identityserver:unauthenticated")
        refusal = _REFUSALS.get(self.entity.document.get("state", "STATE_REQUESTED"))
        if self.entity.kind == "user" and refusal is not None:
            description = self.entity.document.get("state_description")
            attributes = {"description": description} if description else None
            raise StackError(f"pkg/identityserver:{refusal}", attributes)


class Callers:
    """Finds out who calls."""

    def __init__(self, entities: Entities, keys: ApiKeyStore, policy: Policy) -> None:
        self._entities = entities
        self._keys = keys
        self._policy = policy

    def caller(self, authorization: str | None, tenant: str, now_us: int) -> Caller:
        """
        The caller by an Authorization header, anonymous without one.

        Raises:
            StackError: the header names nobody.
        """
        if not authorization:
            return Caller()
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise StackError("pkg/identityserver:unsupported_authorization")
        token = tokens.split(value.strip())
        if token.kind in (tokens.ACCESS_TOKEN, tokens.SESSION):  # nothing here gives any out
            raise StackError("pkg/identityserver:token_not_found")
        if token.kind != tokens.API_KEY:
            raise StackError("pkg/identityserver:unsupported_authorization")
        return self._by_key(token, tenant, now_us)

    def _by_key(self, token: tokens.Token, tenant: str, now_us: int) -> Caller:
        key = self._keys.find(tenant, token.id)
        entity = self._entities.by_number(key.entity) if key is not None else None
        if key is None or entity is None:
            cause = StackError(
                "pkg/identityserver/store:api_key_not_found", {"api_key_id": token.id}
            )
            raise StackError("pkg/identityserver:api_key_not_found", cause=cause)
        if not token.matches(key.digest):
            raise StackError("pkg/identityserver:invalid_authorization")
        if key.expires_us is not None and key.expires_us <= now_us:
            raise StackError("pkg/identityserver:api_key_expired")
        caller = Caller(entity, key, sets.implied(key.rights))
        if entity.kind == "user":
            self._consider_user(caller, entity.document)
        return caller

    def _consider_user(self, caller: Caller, user: Document) -> None:
        state = user.get("state", "STATE_REQUESTED")
        restriction = _RESTRICTIONS.get(state)
        if restriction is not None:
            left, warning = restriction
            caller.rights &= sets.of(*left)
            description = user.get("state_description")
            caller.warnings.append(f"{warning}: {description}" if description else warning)
        elif state == "STATE_APPROVED" and user.get("admin"):
            caller.is_admin = True
            every = sets.ALL if self._policy.admin_rights_all else sets.ADMIN
            caller.universal = every & caller.rights
