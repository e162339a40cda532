"""
Miniatures: servers wrong on purpose in one named way, and the requirements that they break.

Which server does so is the reference server's business; here is only what the suite must find.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conformance.requirement import PACKAGE, catalogue
from scenarios.files import read_toml

FOLDER = PACKAGE / "miniatures"


@dataclass(frozen=True, slots=True)
class Miniature:
    """``breaks`` must fail; ``inconclusive`` may be; every other requirement passes."""

    name: str
    sentence: str
    breaks: tuple[str, ...]
    inconclusive: tuple[str, ...] = ()

    @property
    def platform(self) -> str:
        """The platform whose server it is."""
        return catalogue()[self.breaks[0]].platform


@cache
def miniatures(folder: Path = FOLDER) -> list[Miniature]:
    """
    Every miniature, in the order of files and lines.

    Raises:
        FileError: a file is wrong.
    """
    return [
        Miniature(
            entry["name"],
            entry["sentence"],
            tuple(entry["breaks"]),
            tuple(entry.get("inconclusive", ())),
        )
        for path in sorted(folder.glob("*.toml"))
        for entry in read_toml(path, "miniatures")["miniature"]
    ]


def miniatures_of(requirement_id: str) -> list[str]:
    """Names of the miniatures that break a requirement."""
    return [each.name for each in miniatures() if requirement_id in each.breaks]
