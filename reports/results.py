"""
Reading ``results.jsonl``: a header, one line per test, a footer.

A file without footer is an interrupted run. Its last line may be cut off in the middle; every line
before it must be whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class ResultsError(Exception):
    """The file is not a results file; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Results:
    """One run as it was written down; ``footer`` is None when the run was interrupted."""

    header: Document
    tests: list[Document]
    footer: Document | None


def read_results(path: Path) -> Results:
    """
    Read a results file.

    Raises:
        ResultsError: no header first, or a line that is not a JSON object.
    """
    # Bytes and "\n" only: str.splitlines would also cut at U+2028 inside a value.
    lines = path.read_bytes().split(b"\n")
    documents = [
        _document(path, number, line, is_last=number == len(lines))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    whole = [document for document in documents if document is not None]
    if not whole or whole[0].get("type") != "header":
        raise ResultsError(f"{path}:1: expected the header of a results file")
    footers = [document for document in whole if document.get("type") == "footer"]
    tests = [document for document in whole if document.get("type") == "test"]
    return Results(whole[0], tests, footers[-1] if footers else None)


def _document(path: Path, number: int, line: bytes, *, is_last: bool) -> Document | None:
    try:
        document = json.loads(line)
    except ValueError as error:
        if is_last:  # no newline after it: the writer was stopped in mid-line
            return None
        raise ResultsError(f"{path}:{number}: expected a JSON object; got {error}") from error
    if not isinstance(document, dict):
        raise ResultsError(f"{path}:{number}: expected a JSON object")
    return document
