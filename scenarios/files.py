"""
Files that people write: read, checked against their schema, mistakes told with file and line.

Every file ThingRig reads or writes has a JSON Schema in the folder ``schemas`` of the package that
owns it. This file knows nothing of what the documents mean.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from scenarios.mistakes import Mistake, expected, find_mistakes, nearest
from scenarios.toml_lines import Where, line_numbers

_PACKAGES = ("scenarios", "conformance", "reports")


class FileError(Exception):
    """
    A file, or a setting given instead of one, is wrong: wrong usage, exit code 2.

    ``str()`` is one line: ``path:line: expected …; got 'x'; did you mean 'y'?``.
    """

    def __init__(self, path: Path | str, line: int | None, message: str) -> None:
        self.path = path
        self.line = line
        self.message = message
        super().__init__(f"{path}: {message}" if line is None else f"{path}:{line}: {message}")


class TomlFile:
    """A parsed TOML file that still knows the line of each key."""

    def __init__(self, path: Path | str, document: dict[str, Any], lines: dict[Where, int]) -> None:
        self.path = path
        self.document = document
        self._lines = lines
        self._settings: dict[Where, str] = {}

    def check(self, schema_name: str) -> None:
        """
        Hold the document against a schema.

        Raises:
            FileError: the first mistake by line.
        """
        mistakes = [*_unreal_numbers((), self.document)]
        mistakes = mistakes or find_mistakes(self.document, _validator(schema_name))
        if mistakes:
            first = min(mistakes, key=lambda mistake: self.line(mistake.where))
            raise self.error(first.where, first.message)

    def line(self, where: Where) -> int:
        """Line of a key, or of the nearest table around it."""
        while where not in self._lines:
            where = where[:-1]
        return self._lines[where]

    def error(self, where: Where, message: str) -> FileError:
        """An error about one key of this file, or about the setting that replaced it."""
        for length in range(len(where), 0, -1):
            if where[:length] in self._settings:
                return FileError(self._settings[where[:length]], None, message)
        return FileError(self.path, self.line(where), message)

    def override(self, where: Where, value: Any, *, origin: str) -> None:
        """Replace one value; mistakes in it are told about ``origin`` instead of a line."""
        table: Any = self.document
        for part in where[:-1]:
            table = table.setdefault(part, {}) if isinstance(table, dict) else table[part]
        table[where[-1]] = value
        self._settings[where] = origin


def read_toml(path: Path | str, schema_name: str) -> dict[str, Any]:
    """
    Read a TOML file and hold it against a schema; dates become ISO text.

    Raises:
        FileError: unreadable, not TOML, or not what the schema asks for.
    """
    file = open_toml(path)
    file.check(schema_name)
    return file.document


def open_toml(path: Path | str) -> TomlFile:
    """
    Read a TOML file without checking it yet; dates become ISO text.

    Raises:
        FileError: unreadable or not TOML.
    """
    text = _read_text(path).replace("\r\n", "\n")
    try:
        return TomlFile(path, _plain(tomllib.loads(text)), line_numbers(text))
    except tomllib.TOMLDecodeError as problem:
        line = _problem_line(str(problem), text)
        raise FileError(path, line, f"expected TOML; {_phrase(problem)}") from problem
    except RecursionError as problem:
        raise FileError(path, 1, "expected TOML; got too deep a nesting") from problem
    except ValueError as problem:  # tomllib lets a number of thousands of digits through to int()
        raise FileError(path, 1, f"expected TOML; {_phrase(problem)}") from problem


def schemas() -> list[str]:
    """Names of all schemas, sorted."""
    return sorted(_schema_paths())


def load_schema(name: str) -> dict[str, Any]:
    """
    A schema as a document.

    Raises:
        KeyError: unknown name; its argument is a one-line message with the nearest word.
    """
    paths = _schema_paths()
    if name not in paths:
        known = ", ".join(sorted(paths))
        raise KeyError(f"expected one of {known}; got '{name}'{nearest(name, paths)}")
    schema: dict[str, Any] = json.loads(paths[name].read_text(encoding="utf-8"))
    return schema


def mistakes_in(document: Any, schema_name: str) -> list[str]:
    """What a schema objects to in a document that came from no file, a line each."""
    found = find_mistakes(document, _validator(schema_name))
    return [f"{'.'.join(map(str, mistake.where))}: {mistake.message}" for mistake in found]


@cache
def _schema_paths() -> dict[str, Path]:
    root = Path(__file__).resolve().parent.parent
    folders = [root / package / "schemas" for package in _PACKAGES]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.json"))}


@cache
def _validator(schema_name: str) -> Validator:
    schema = load_schema(schema_name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _read_text(path: Path | str) -> str:
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise FileError(
            path, None, f"expected a readable file; got '{reason.lower()}'"
        ) from problem
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        byte = data[problem.start]
        raise FileError(path, line, f"expected UTF-8 text; got the byte 0x{byte:02x}") from problem


def _problem_line(problem: str, text: str) -> int:
    found = re.search(r"\(at line (\d+), column \d+\)$", problem)
    return int(found[1]) if found else text.rstrip("\n").count("\n") + 1


def _phrase(problem: Exception) -> str:
    text = re.sub(r" \(at [^()]*\)$", "", str(problem)).splitlines()[0]
    return text[:1].lower() + text[1:]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date | datetime | time):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _unreal_numbers(where: Where, value: Any) -> Iterator[Mistake]:
    """TOML writes nan and inf; no value of ours can be either."""
    if isinstance(value, float) and not math.isfinite(value):
        yield Mistake(where, expected("a finite number", str(value)))
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from _unreal_numbers((*where, key), item)
