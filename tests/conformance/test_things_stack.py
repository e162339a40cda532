"""The Things Stack, certified through the command: what may be read afterwards by others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from simulators.platforms.embedded import embedded_server
from simulators.platforms.target_file import to_toml

KEY = re.compile(r"NNSXS\.[A-Z2-7]{39}\.[A-Z2-7]{52}")
NOBODYS = "NNSXS." + "A" * 39 + "." + "B" * 52


def test_no_key_appears_in_what_a_run_writes(tmp_path: Path) -> None:
    with embedded_server("things-stack") as server:
        credentials = server.target["credentials"]
        target = tmp_path / "stack.toml"
        target.write_text(to_toml(server.target))
        command = [sys.executable, "-m", "thingrig", "certify", "things-stack", "--jobs", "2"]
        ran = subprocess.run(
            [*command, "--target", str(target), "--out", str(tmp_path / "out")],
            capture_output=True,
            text=True,
            check=False,
        )
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    words = [ran.stdout, ran.stderr, *(path.read_text("utf-8", "replace") for path in written)]
    keys = {credentials["api_key"], credentials["admin_api_key"]}
    secrets = {key.rpartition(".")[2][:-4] for key in keys}

    assert ran.returncode == 0, ran.stdout[-2000:]
    assert [text[:80] for text in words for secret in secrets if secret in text] == []
    assert {key for text in words for key in KEY.findall(text)} <= {NOBODYS, *_wrong(keys)}
    assert any("<api_key:" in text for text in words)


def _wrong(keys: set[str]) -> set[str]:
    """Keys of ours with a secret that is none."""
    return {key.rpartition(".")[0] + "." + "A" * 52 for key in keys}
