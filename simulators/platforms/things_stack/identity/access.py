"""What a caller may do on an entity: by its own key, as a collaborator, through organizations."""

from __future__ import annotations

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.callers import Caller
from simulators.platforms.things_stack.identity.entities import Entities, Entity

_ACCOUNTS = ("user", "organization")


def rights_on(entities: Entities, caller: Caller, kind: str, entity: Entity | None) -> int:
    """A caller's rights on an entity; None of an unknown one, on which only admins have some."""
    rights = caller.universal
    if entity is not None and caller.entity is not None:
        rights |= _own(entities, caller, caller.entity, entity)
    # Accounts also hold rights on what they collaborate on: their keys may be given these.
    return rights if kind in _ACCOUNTS else rights & sets.FAMILIES[kind]


def _own(entities: Entities, caller: Caller, owner: Entity, entity: Entity) -> int:
    if owner.number == entity.number:
        return caller.rights
    if owner.kind not in _ACCOUNTS:
        return 0
    granted = sets.implied(entities.rights(owner.number, entity.number))
    for mine, theirs in entities.chains(owner.number, entity.number):
        granted |= sets.implied(mine) & sets.implied(theirs)
    return granted & caller.rights


def require(rights: int, kind: str, uid: str, needed: tuple[str, ...]) -> None:
    """
    Let pass with all the rights that are needed.

    Raises:
        StackError: ``no_…_rights`` without any right on the entity, else ``insufficient_…``.
    """
    if not rights:
        raise StackError(f"pkg/auth/rights:no_{kind}_rights", {"uid": uid})
    missing = sets.of(*needed) & ~rights
    if missing:
        attributes = {"uid": uid, "missing": sets.names(missing)}
        raise StackError(f"pkg/auth/rights:insufficient_{kind}_rights", attributes)
