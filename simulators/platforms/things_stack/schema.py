"""
Messages and enums of the API, read from their tables.

The server's inner form of a message is its canonical JSON: snake_case names, zero values absent,
hex in capitals, 64-bit numbers as text, enums by name (three of them as numbers), times in UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from simulators.platforms.things_stack import tables

_TYPE = re.compile(
    r"(?P<many>\[\]|\{\})?(?P<wrapper>\?)?(?P<tag>[ME]:)?(?P<name>\w+)(?::(?P<nested>\w+))?"
)
_ZERO: dict[str, Any] = {
    "bool": False, "u32": 0, "i32": 0, "u64": "0", "i64": "0", "float": 0, "double": 0,
    "string": "", "bytes": "", "hex": "",
}  # fmt: skip
NO_ZERO = object()  # messages, times, durations: present or absent


@dataclass(frozen=True)
class Enum:
    """
    Names of an enum.

    Attributes:
        by_text: everything that input may call a value, to its canonical form.
        by_number: numbers to canonical forms; the form is the number itself where that is printed.
        is_open: numbers without a name pass validation.
    """

    name: str
    by_text: dict[str, str | int]
    by_number: dict[int, str | int]
    is_open: bool

    @property
    def zero(self) -> str | int:
        """The value that is left out."""
        return self.by_number[0]


@dataclass(frozen=True)
class Field:
    """
    One field of a message.

    Attributes:
        kind: scalar's name, ``hex``, ``time``, ``duration``, ``struct``, ``mask``, ``message``
            or ``enum``.
        of: name of the message or enum.
        width: bytes of a ``hex``.
        is_list, is_map: many values, in a row or by text.
        wrapper: None; "" for a wrapped scalar; else the message that wraps it.
        rules: what a value must satisfy, see ``validation``.
        oneof: the group of which only one field is set.
    """

    name: str
    kind: str
    of: str = ""
    width: int = 0
    is_list: bool = False
    is_map: bool = False
    wrapper: str | None = None
    rules: dict[str, str] = field(default_factory=dict)
    oneof: str | None = None

    @property
    def zero(self) -> Any:
        """The value that is left out; NO_ZERO when presence itself means something."""
        if self.wrapper is not None:
            return NO_ZERO
        return enum(self.of).zero if self.kind == "enum" else _ZERO.get(self.kind, NO_ZERO)


@dataclass(frozen=True, eq=False)
class Message:
    """
    A message: its fields by name.

    Attributes:
        by_input: fields by every spelling of their names that input may use.
        oneofs: groups of fields of which only one is set; True when one must be.
    """

    name: str
    fields: dict[str, Field]
    by_input: dict[str, Field]
    oneofs: dict[str, tuple[tuple[str, ...], bool]]


@cache
def message(name: str) -> Message:
    """The message of that name; KeyError when there is none."""
    body = _message_lines()[name]
    oneofs = dict(_oneof(line) for line in body if line.startswith("oneof "))
    group_of = {one: group for group, (names, _) in oneofs.items() for one in names}
    fields = [_field(line, group_of) for line in body if not line.startswith("oneof ")]
    by_name = {one.name: one for one in fields}
    return Message(name, by_name, {_camel(one.name): one for one in fields} | by_name, oneofs)


@cache
def enum(name: str) -> Enum:
    """The enum of that name; KeyError when there is none."""
    return _enums()[name]


@cache
def _message_lines() -> dict[str, list[str]]:
    return dict(tables.blocks("messages.txt"))


def _oneof(line: str) -> tuple[str, tuple[tuple[str, ...], bool]]:
    head, _, names = line.partition(":")
    words = head.split()
    return words[1], (tuple(names.split()), "required" in words)


def _field(line: str, group_of: dict[str, str]) -> Field:
    name, kind, *rules = line.split()
    match = _TYPE.fullmatch(kind)
    if match is None:
        raise ValueError(f"messages.txt: expected a type; got {kind!r}")
    tag, of = match["tag"], match["name"]
    width = int(of[3:]) if not tag and of.startswith("hex") else 0
    scalar = {"M:": "message", "E:": "enum"}.get(tag, "hex" if width else of)
    pairs = (rule.partition("=") for rule in rules)
    return Field(
        name,
        scalar,
        of if tag else "",
        width,
        is_list=match["many"] == "[]",
        is_map=match["many"] == "{}",
        wrapper=(match["nested"] or "") if match["wrapper"] else None,
        rules={key: value for key, _, value in pairs},
        oneof=group_of.get(name),
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


@cache
def _enums() -> dict[str, Enum]:
    return {head.split()[0]: _enum(head, body) for head, body in tables.blocks("enums.txt")}


def _enum(head: str, body: list[str]) -> Enum:
    name, *options = head.split()
    is_numeric = "numeric" in options
    prefix = next((word[7:] + "_" for word in options if word.startswith("prefix=")), "")
    by_text: dict[str, str | int] = {}
    by_number: dict[int, str | int] = {}
    for line in body:
        number, canonical, *others = line.split()
        value: str | int = int(number) if is_numeric else canonical
        by_number[int(number)] = value
        short = canonical.removeprefix(prefix)
        by_text |= dict.fromkeys([canonical, short, number, *others], value)
    return Enum(name, by_text, by_number, "open" in options)
