"""Which events there are, who may see them, and what a filter by names means."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from simulators.platforms.things_stack import rights as sets
from simulators.platforms.things_stack import tables
from simulators.platforms.things_stack.errors import StackError

# The stack's expressions take linear time, Python's may not: what could take long is refused.
_ESCAPE_OR_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"[*+{]")
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_FOREIGN = re.compile(r"\\[1-9]|\(\?(?!:|i\))")
_MOST_REPEATS = 2
_LONGEST = 200


class Definition(NamedTuple):
    """
    One event.

    Attributes:
        data: name of the message that its data are; "paths" for names of changed fields.
        is_for_parent: those who listen to an application hear it of the application's devices.
        rights: whoever has one of them may see it.
    """

    name: str
    data: str
    is_for_parent: bool
    rights: int


@cache
def definitions() -> dict[str, Definition]:
    """All events by name."""
    return {one.name: one for one in map(_definition, tables.lines("events.txt"))}


def _definition(line: str) -> Definition:
    name, data, parent, *rights = line.split()
    return Definition(name, "" if data == "-" else data, parent == "up", sets.of(*rights))


def matching(patterns: list[str]) -> frozenset[str]:
    """
    Names that a filter means, each given as it is or as ``/expression/``.

    Raises:
        StackError: an unknown name, or an expression that is none or matches nothing.
    """
    names: set[str] = set()
    for pattern in patterns:
        if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
            names |= _matched(pattern[1:-1])
        elif pattern in definitions():
            names.add(pattern)
        else:
            raise StackError("pkg/events:unknown_event_name", {"name": pattern})
    return frozenset(names)


def _matched(expression: str) -> set[str]:
    plain = _ESCAPE_OR_CLASS.sub("x", expression)
    is_slow = (
        len(expression) > _LONGEST
        or _REPEATED_GROUP.search(plain)
        or len(_REPEAT.findall(plain)) > _MOST_REPEATS
    )
    if is_slow or _FOREIGN.search(expression):
        raise StackError("pkg/events:invalid_regexp")
    try:
        compiled = re.compile(expression)
    except (re.error, OverflowError, RecursionError) as error:
        raise StackError("pkg/events:invalid_regexp") from error
    found = {name for name in definitions() if compiled.search(name)}
    if not found:
        raise StackError("pkg/events:no_matching_events", {"regexp": expression})
    return found
