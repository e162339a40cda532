"""
Payload formatters of a scenario: the network's own for Cayenne LPP, or a script beside the file.

A script is read when the scenario is, and stands in the scenario in place of its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scenarios.files import FileError, TomlFile
from scenarios.mistakes import expected
from scenarios.toml_lines import Where

CAYENNE_LPP = "cayenne-lpp"
SUFFIX = ".js"
MOST_BYTES = 40_960  # what the API takes


class Formatter(NamedTuple):
    """In the words of the API."""

    kind: str
    parameter: str = ""


def formatter_of(text: str) -> Formatter | None:
    """What a scenario says, as the API has it; None where nothing decodes."""
    if not text:
        return None
    if text == CAYENNE_LPP:
        return Formatter("FORMATTER_CAYENNELPP")
    return Formatter("FORMATTER_JAVASCRIPT", text)


def read_scripts(file: TomlFile) -> None:
    """
    Put scripts in the place of their paths, which are relative to the scenario's file.

    Raises:
        FileError: no such file, one that is too long, or no formatter at all.
    """
    for where, text in _places(file):
        if text == CAYENNE_LPP:
            continue
        if not text.endswith(SUFFIX):
            what = f"{CAYENNE_LPP!r} or the path of a script, {SUFFIX}"
            raise file.error(where, expected(what, text, [CAYENNE_LPP]))
        network = file.document["network"]
        table = network if len(where) == 2 else network[where[1]]
        table[where[-1]] = _script(file, where, Path(file.path).parent / text)


def wrong_formatters(file: TomlFile) -> Iterator[FileError]:
    """Fleets that do not exist, or send nothing."""
    nodes = [fleet["name"] for fleet in file.document["fleet"] if fleet["kind"] == "node"]
    for name in file.document["network"].get("formatters", {}):
        if name not in nodes:
            what = f"a fleet of nodes ({', '.join(nodes)})"
            yield file.error(("network", "formatters", name), expected(what, name, nodes))


def _places(file: TomlFile) -> Iterator[tuple[Where, str]]:
    network = file.document.get("network", {})
    if "formatter" in network:
        yield ("network", "formatter"), network["formatter"]
    for name, text in network.get("formatters", {}).items():
        yield ("network", "formatters", name), text


def _script(file: TomlFile, where: Where, path: Path) -> str:
    try:
        script = path.read_bytes()
        if len(script) > MOST_BYTES:
            what = f"expected a script of at most {MOST_BYTES} bytes; got {len(script)}"
            raise file.error(where, what)
        return script.decode()
    except OSError as problem:
        what = f"a readable file; {path}: {(problem.strerror or str(problem)).lower()}"
        raise file.error(where, f"expected {what}") from problem
    except UnicodeDecodeError as problem:
        what = f"expected a script in UTF-8; got other bytes in {path}"
        raise file.error(where, what) from problem
