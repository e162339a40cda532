"""Numbers of fields, from their table; types are those of ``schema``."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from simulators.platforms.things_stack import tables
from simulators.platforms.things_stack.schema import Field, message

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types
BITS64 = 1 << 64
_NUMBER = re.compile(r"(\w+)=(\d+)(\??)")


class Numbered(NamedTuple):
    """A field and its number; a wrapped one is in a message of its own."""

    number: int
    field: Field
    is_wrapped: bool

    def single(self) -> Numbered:
        """One of the values of a repeated field."""
        one = self.field
        bare = Field(one.name, one.kind, one.of, one.width, wrapper=one.wrapper)
        return self._replace(field=bare)


@cache
def fields(name: str) -> tuple[Numbered, ...]:
    """Fields of a message that have a number, by it; KeyError when there is no such message."""
    of = message(name)
    found = [
        Numbered(int(match[2]), field, bool(match[3]) or field.wrapper is not None)
        for line in _numbers()[name]
        for match in _NUMBER.finditer(line)
        for field in (of.fields[match[1]],)
    ]
    return tuple(sorted(found, key=lambda one: one.number))


@cache
def _numbers() -> dict[str, list[str]]:
    return dict(tables.blocks("protobuf.txt"))
