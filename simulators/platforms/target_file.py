"""Writes a target file: a document of texts, numbers, lists and tables as TOML."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def write_target_file(path: Path, document: dict[str, Any]) -> None:
    """
    Write the file as a whole or not at all; only its owner may read the credentials in it.

    Raises:
        OSError: the place cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(to_toml(document))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def to_toml(document: dict[str, Any]) -> str:
    """The document as TOML; members that are None are left out, TOML has no word for them."""
    return "\n".join([*_lines(document)]) + "\n"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    tables = {name: value for name, value in document.items() if isinstance(value, dict)}
    lists = {name: value for name, value in document.items() if _is_tables(value)}
    for name, value in document.items():
        if name not in tables and name not in lists and value is not None:
            yield f"{_key(name)} = {_value(value)}"
    for name, table in tables.items():
        yield from ("", f"[{_key(name)}]", *_members(table))
    for name, entries in lists.items():
        for table in entries:
            yield from ("", f"[[{_key(name)}]]", *_members(table))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _members(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if value is not None:
            yield f"{_key(name)} = {_value(value)}"


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare else _text(name)


def _text(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        members = (f"{_key(name)} = {_value(one)}" for name, one in value.items())
        return f"{{{', '.join(members)}}}"
    return json.dumps(value)
