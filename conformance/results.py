"""
``results.jsonl``: a header, a line per test, a footer. Without footer the run was interrupted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA = "thingrig-results/1"


class ResultsWriter:
    """Writes one results file; every line is on disk before the next test ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # A lone surrogate in what a target said has no UTF-8; its escape is JSON all the same.
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace")

    def write(self, document: dict[str, Any]) -> None:
        """Append one document as a line."""
        self._file.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """No more lines."""
        self._file.close()


def read_footer(path: Path) -> dict[str, Any] | None:
    """The footer of a results file, or None when the run was interrupted or never began."""
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    try:
        last = json.loads(lines[-1])
    except ValueError:
        return None
    return last if isinstance(last, dict) and last.get("type") == "footer" else None
