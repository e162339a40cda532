"""What ``certify`` says at the end of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thingrig.commands.certify import _mostly_not_run

NO_KEY = {"type": "test", "verdict": "not run", "reason": "credentials.api_key lacks A_RIGHT"}
NO_CODE = {"type": "test", "verdict": "not run", "reason": "no code is left"}
PASSED = {"type": "test", "verdict": "pass", "reason": None}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([PASSED], None),
        (
            [NO_CODE, NO_KEY, PASSED, NO_KEY],
            "not run, most often (2 tests): credentials.api_key lacks A_RIGHT",
        ),
    ],
)
def test_the_reason_behind_most_tests_that_were_not_run_is_told(
    tmp_path: Path, lines: list[dict[str, str]], told: str | None
) -> None:
    results = tmp_path / "results.jsonl"
    text = "".join(json.dumps(line) + "\n" for line in lines)
    results.write_text(text + '{"type": "te')  # cut off

    assert _mostly_not_run(results) == told
