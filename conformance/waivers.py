"""
Waivers: accepted deviations. A waiver stands beside a fail and never turns it into a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from conformance.requirement import Catalogue, unknown_id
from conformance.verdict import Verdict
from scenarios.files import TomlFile, open_toml


@dataclass(frozen=True, slots=True)
class Waiver:
    """Who accepts which deviation, why, and until which day (that day included)."""

    requirement: str
    reason: str
    owner: str
    expires: date

    def is_expired(self, today: date) -> bool:
        """Whether it no longer counts."""
        return today > self.expires

    def document(self) -> dict[str, str]:
        """What results files tell beside the fail."""
        return {"reason": self.reason, "owner": self.owner, "expires": self.expires.isoformat()}


def read_waivers(path: Path | str, known: Catalogue) -> list[Waiver]:
    """
    Read a waivers file.

    Raises:
        FileError: wrong, an unknown requirement, or two waivers for one.
    """
    file = open_toml(path)
    file.check("waivers")
    found: dict[str, Waiver] = {}
    for index, entry in enumerate(file.document.get("waiver", [])):
        waiver = _waiver(file, index, entry)
        where = ("waiver", index, "requirement")
        if waiver.requirement not in known:
            raise file.error(where, unknown_id(waiver.requirement, known))
        if waiver.requirement in found:
            raise file.error(where, "expected one waiver per requirement; got a second one")
        found[waiver.requirement] = waiver
    return list(found.values())


def waiver_problems(
    waivers: Sequence[Waiver], verdicts: Mapping[str, Verdict], today: date
) -> list[str]:
    """Waivers that are expired, or unused although their requirement was executed and passed."""
    problems: list[str] = []
    for waiver in waivers:
        if waiver.is_expired(today):
            problems.append(f"the waiver for {waiver.requirement} expired on {waiver.expires}")
        elif verdicts.get(waiver.requirement) == "pass":
            problems.append(f"the waiver for {waiver.requirement} is unused: it passes")
    return problems


def _waiver(file: TomlFile, index: int, entry: dict[str, Any]) -> Waiver:
    try:
        expires = date.fromisoformat(entry["expires"])
    except ValueError as problem:
        message = f"expected expires to be a date that exists; got {entry['expires']!r}"
        raise file.error(("waiver", index, "expires"), message) from problem
    return Waiver(entry["requirement"], entry["reason"], entry["owner"], expires)
