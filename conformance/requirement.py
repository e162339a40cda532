"""
The catalogue: one testable sentence per requirement, written from public documents.

Knows the TOML files under ``requirements/``, a folder per platform; knows no test and no target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from scenarios.files import FileError, read_toml
from scenarios.mistakes import nearest

Level = Literal["must", "should", "info"]
PACKAGE = Path(__file__).resolve().parent
REQUIREMENTS = PACKAGE / "requirements"


@dataclass(frozen=True, slots=True)
class Requirement:
    """
    One sentence that a target keeps or breaks.

    ``needs`` names features of the target; ``boards`` the boards and clients in the field that a
    target locks out by breaking it.
    """

    id: str
    sentence: str
    level: Level
    profile: str
    endpoint: str
    source: str
    needs: tuple[str, ...] = ()
    example: str | None = None
    level_when_named: Level | None = None
    boards: tuple[str, ...] = ()

    @property
    def platform(self) -> str:
        """The platform's name as the command line spells it."""
        return self.profile.partition("/")[0]

    def document(self) -> dict[str, Any]:
        """What results files and ``requirements --json`` tell about it."""
        document: dict[str, Any] = {
            "id": self.id,
            "sentence": self.sentence,
            "level": self.level,
            "profile": self.profile,
            "endpoint": self.endpoint,
            "source": self.source,
            "needs": list(self.needs),
        }
        return document | {"boards": list(self.boards)} if self.boards else document


Catalogue = Mapping[str, Requirement]


@cache
def catalogue(folder: Path = REQUIREMENTS) -> Catalogue:
    """
    Every requirement by its id, in the order of files and lines.

    Raises:
        FileError: a catalogue file is wrong, or an id is there twice.
    """
    found: dict[str, Requirement] = {}
    for path in sorted(folder.rglob("*.toml")):
        for entry in read_toml(path, "requirements")["requirement"]:
            if entry["id"] in found:
                raise FileError(path, None, f"expected unique ids; got {entry['id']!r} twice")
            found[entry["id"]] = _requirement(entry)
    return found


def find_requirement(requirement_id: str, known: Catalogue) -> Requirement:
    """
    The requirement of that id.

    Raises:
        LookupError: no such id; the message names the nearest one.
    """
    if requirement_id not in known:
        raise LookupError(unknown_id(requirement_id, known))
    return known[requirement_id]


def unknown_id(requirement_id: str, known: Iterable[str]) -> str:
    """``expected the id of a requirement; got 'x'; did you mean 'y'?``"""
    return (
        f"expected the id of a requirement; got {requirement_id!r}{nearest(requirement_id, known)}"
    )


def _requirement(entry: dict[str, Any]) -> Requirement:
    lists = {name: tuple(entry.get(name, ())) for name in ("needs", "boards")}
    return Requirement(**{**entry, **lists})
