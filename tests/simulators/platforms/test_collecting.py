"""Deviations gathered from the modules of a package."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from simulators.platforms.collecting import collected


def test_a_name_used_twice_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "wrongs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("DEVIATIONS = {'late': 1}")
    (folder / "none.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    package = importlib.import_module("wrongs")

    assert collected(package) == {"late": 1}

    (folder / "two.py").write_text("DEVIATIONS = {'late': 2}")
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match="'late' twice"):
        collected(package)
