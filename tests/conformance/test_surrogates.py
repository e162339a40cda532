"""A target may say what UTF-8 has no form for; no file of a run breaks on it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from conformance.allure import _redact_members
from conformance.results import ResultsWriter
from scenarios.secrets import SecretRegistry


def test_results_keep_lone_surrogates(tmp_path: Path) -> None:
    """They are written as JSON escapes, and read back as they were."""
    writer = ResultsWriter(tmp_path / "results.jsonl")
    writer.write({"actual": "lone \ud800, whole ü"})
    writer.close()

    line = (tmp_path / "results.jsonl").read_text(encoding="utf-8")

    assert json.loads(line) == {"actual": "lone \ud800, whole ü"}


def test_allure_results_show_lone_surrogates() -> None:
    """Allure writes UTF-8 and would stop the run."""
    item = SimpleNamespace(message="a \udfff", steps=["b \ud800"])

    _redact_members(item, SecretRegistry())

    assert (item.message, item.steps) == ("a \\udfff", ["b \\ud800"])
