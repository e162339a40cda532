"""
Field masks: which paths a call accepts, and messages cut down or changed along paths.

A path may name a oneof's group (``mac_settings.adr.mode.static``), which JSON does not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from simulators.platforms.things_stack import tables
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.schema import Message, message

Document = dict[str, Any]
Path = tuple[str, ...]

_WORD = re.compile(r"-?\w+|[()]")


@dataclass
class _Node:
    """A path that is allowed or not, and what lies below it."""

    is_allowed: bool = False
    children: dict[str, _Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Mask:
    """What one call accepts; ``is_set``: it writes what the body holds."""

    root: _Node
    is_set: bool

    @property
    def top_level(self) -> list[str]:
        """Paths without a parent."""
        return list(self.root.children)

    def check(self, paths: Iterable[str]) -> None:
        """
        Let only allowed paths pass.

        Raises:
            StackError: ``field_mask_paths``, with every path that is not allowed.
        """
        forbidden = [path for path in paths if not self._allows(path)]
        if forbidden:
            name = "pkg/rpcmiddleware/validator:field_mask_paths"
            raise StackError(name, {"forbidden_paths": forbidden})

    def check_body(self, of: Message, body: Document, paths: Iterable[str]) -> None:
        """
        Where a call sets a whole message, let none of its other fields be set.

        Raises:
            StackError: ``non_zero_path``.
        """
        if not self.is_set:
            return
        for path in paths:
            node = self._node(path)
            if node is None or not node.children:
                continue
            for concrete in resolve(of, path):
                value = find(body, concrete)
                if isinstance(value, dict):
                    _check_members(node, _message_at(of, concrete), concrete, value)

    def _allows(self, path: str) -> bool:
        node = self._node(path)
        return node is not None and node.is_allowed

    def _node(self, path: str) -> _Node | None:
        node: _Node | None = self.root
        for name in path.split("."):
            node = node.children.get(name) if node is not None else None
        return node


def mask_of(rpc: str) -> Mask | None:
    """The paths of a call, None when it has no mask."""
    return _masks().get(rpc)


@lru_cache(maxsize=4096)
def resolve(of: Message, path: str) -> tuple[Path, ...]:
    """
    The fields that a path means, oneofs resolved; none when there is no such field.

    Naming a parent means all below it.
    """
    return tuple(_resolve(of, tuple(path.split("."))))


def _resolve(of: Message, names: Path) -> Iterator[Path]:
    name, rest = names[0], names[1:]
    if name in of.oneofs:
        members = of.oneofs[name][0]
        for member in members if not rest else (rest[0],):
            if member in members:
                yield from _resolve(of, (member, *rest[1:]))
        return
    one = of.fields.get(name)
    if one is None:
        return
    if not rest:
        yield (name,)
    elif one.kind == "message" and not (one.is_list or one.is_map):
        for below in _resolve(message(one.of), rest):
            yield (name, *below)


def find(document: Document, path: Path) -> Any:
    """The value at a path, None when there is none."""
    value: Any = document
    for name in path:
        value = value.get(name)
        if value is None:
            return None
    return value


def select(of: Message, document: Document, paths: Iterable[str]) -> Document:
    """A message with nothing but these paths."""
    result: Document = {}
    for path in paths:
        for concrete in resolve(of, path):
            _copy(document, result, concrete)
    return result


def assign(of: Message, target: Document, source: Document, paths: Iterable[str]) -> None:
    """Make these paths of ``target`` what they are in ``source``; absent there is absent here."""
    for path in paths:
        concretes = resolve(of, path)
        for concrete in sorted(concretes, key=lambda each: find(source, each) is not None):
            _assign(of, target, source, concrete)


def any_below(paths: Iterable[str], *prefixes: str) -> bool:
    """Whether a path is one of these, lies below one, or lies above one."""
    return any(
        path == prefix or path.startswith(prefix + ".") or prefix.startswith(path + ".")
        for path in paths
        for prefix in prefixes
    )


def with_prefix(prefix: str, paths: Iterable[str]) -> list[str]:
    """The paths below a field."""
    return [f"{prefix}.{path}" for path in paths]


def _copy(source: Document, target: Document, path: Path) -> None:
    value = find(source, path)
    if value is None:
        return
    for name in path[:-1]:
        source = source[name]
        inner = target.get(name)
        if inner is source:
            return  # the whole of it was selected already
        target = target.setdefault(name, {}) if inner is None else inner
    target[path[-1]] = value


def _assign(of: Message, target: Document, source: Document, path: Path) -> None:
    value = find(source, path)
    for name in path[:-1]:
        if value is None and name not in target:
            return
        _unset_others(of, target, name)
        target = target.setdefault(name, {})
        of = message(of.fields[name].of)
    if value is None:
        target.pop(path[-1], None)
    else:
        _unset_others(of, target, path[-1])
        target[path[-1]] = value


def _unset_others(of: Message, target: Document, name: str) -> None:
    group = of.fields[name].oneof
    for other in of.oneofs[group][0] if group is not None else ():
        if other != name:
            target.pop(other, None)


def _check_members(node: _Node, of: Message, path: Path, value: Document) -> None:
    """``of`` is the message of ``value``, ``path`` leads there."""
    for name, inner in value.items():
        child = _child(node, of, name)
        if child is None:
            attributes = {"path": ".".join((*path, name))}
            raise StackError("pkg/rpcmiddleware/validator:non_zero_path", attributes)
        if child.children and isinstance(inner, dict):
            _check_members(child, message(of.fields[name].of), (*path, name), inner)


def _message_at(of: Message, path: Path) -> Message:
    for name in path:
        of = message(of.fields[name].of)
    return of


def _child(node: _Node, of: Message, name: str) -> _Node | None:
    group = of.fields[name].oneof
    if group is not None and group in node.children:
        node = node.children[group]
    return node.children.get(name)


@cache
def _masks() -> dict[str, Mask]:
    masks: dict[str, Mask] = {}
    for head, body in tables.blocks("masks.txt"):
        names = head.split()
        is_set = names[-1] == "set"
        mask = Mask(_tree(" ".join(body)), is_set)
        masks |= dict.fromkeys(names[: -1 if is_set else None], mask)
    return masks


def _tree(text: str) -> _Node:
    root = _Node()
    stack, last = [root], root
    for word in _WORD.findall(text):
        if word == "(":
            stack.append(last)
        elif word == ")":
            last = stack.pop()
        else:
            last = _Node(not word.startswith("-"))
            stack[-1].children[word.removeprefix("-")] = last
    return root
