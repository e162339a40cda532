"""What differs between the kinds of entities, as a table; a kind is a file beside this one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.schema import Message, message

if TYPE_CHECKING:
    from simulators.platforms.things_stack.call import Call
    from simulators.platforms.things_stack.identity.entities import Entity

Document = dict[str, Any]


def _nothing(*_: Any) -> None:
    pass


@dataclass(frozen=True)
class Kind:
    """
    One kind of entity.

    Attributes:
        name: ``application``; messages and rights derive their names from it.
        space: kinds of one space share their ids.
        public: paths that everybody with a token may read.
        orders: what lists can be ordered by, to columns of the table.
        collaborators: the right to see and change those.
        check_create: looks at a new entity, and fills in what its creator cannot decide.
        check_update: looks at the entity, its new form and the paths.
        check_delete: refuses to delete or purge while something depends on the entity.
        on_delete: what a deletion changes in the document.
        public_safe: cuts an entity down to what everybody may see.
        show: what is never shown, or only with certain rights.
    """

    name: str
    plural: str
    public: tuple[str, ...]
    orders: dict[str, str]
    space: str = ""
    collaborators: str = "SETTINGS_COLLABORATORS"
    check_create: Callable[[Call, Document], None] = _nothing
    check_update: Callable[[Call, Entity, Document, list[str]], None] = _nothing
    check_delete: Callable[[Call, Entity], None] = _nothing
    on_delete: Callable[[Document], None] = _nothing
    public_safe: Callable[[Document], None] = _nothing
    update_rights: Callable[[Call, Document, list[str]], None] | None = None
    check_read: Callable[[Call, Document, list[str]], None] = _nothing
    columns: Callable[[Document], Document] = field(default=lambda _: {})

    @property
    def id_field(self) -> str:
        """``application_id``."""
        return f"{self.name}_id"

    @property
    def ids_field(self) -> str:
        """``application_ids``."""
        return f"{self.name}_ids"

    @property
    def title(self) -> str:
        """``Application``, as messages and services are named."""
        return self.name.capitalize()

    @property
    def message(self) -> Message:
        """The message of such an entity."""
        return message(self.title)

    def right(self, what: str) -> str:
        """``RIGHT_APPLICATION_INFO`` for ``INFO``."""
        return f"RIGHT_{self.name.upper()}_{what}"

    def account_right(self, account: str, what: str) -> str:
        """``RIGHT_USER_APPLICATIONS_CREATE``: what an account may do about such entities."""
        return f"RIGHT_{account.upper()}_{self.plural.upper()}_{what}"

    def ids(self, entity_id: str) -> Document:
        """``{"application_ids": {"application_id": …}}``."""
        return {self.ids_field: {self.id_field: entity_id}}
