"""
The Things Stack's interface as tables: messages, enums, routes, masks, errors, events, plans.

Derived from the public sources that NOTICE names; each file tells its form in its first lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any


def lines(name: str) -> Iterator[str]:
    """Lines of a table without comments and empty ones."""
    for line in _text(name).splitlines():
        if line and not line.startswith("#"):
            yield line


def blocks(name: str) -> Iterator[tuple[str, list[str]]]:
    """Unindented lines of a table, each with the indented ones below it, stripped."""
    head, body = "", list[str]()
    for line in lines(name):
        if line.startswith(" "):
            body.append(line.strip())
            continue
        if head:
            yield head, body
        head, body = line, []
    if head:
        yield head, body


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


@cache
def frequency_plans() -> dict[str, dict[str, Any]]:
    """Frequency plans by id; channels are frequency in Hz, lowest and highest data rate."""
    plans: list[dict[str, Any]] = json.loads(_text("frequency_plans.json"))
    return {plan["id"]: plan for plan in plans}


@cache
def reserved_ids() -> frozenset[str]:
    """Ids that nobody can register."""
    return frozenset(word for line in lines("reserved_ids.txt") for word in line.split())
