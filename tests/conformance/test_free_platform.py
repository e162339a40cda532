"""No false red: a right server that differs from the reference where documents leave it free."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import mistakes_in
from tests.conformance.free_platform import APPS, BRIEF_S, CODES, TOKENS

SERVER = Path(__file__).with_name("free_platform.py")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """The target file of such a server; its mail is a folder beside it."""
    pytest.importorskip("aiohttp")
    (tmp_path / "mail").mkdir()
    command = [sys.executable, str(SERVER), str(tmp_path / "mail")]
    official, unofficial, brief = APPS
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            path = tmp_path / "free.toml"
            path.write_text(
                f'platform = "thethings-io"\nurl = "{server.stdout.readline().strip()}"\n'
                f"[credentials]\nactivation_codes = {CODES}\nthing_tokens = {TOKENS}\n"
                f'app_id = "{official}"\nofficial_app = true\nunofficial_app_id = "{unofficial}"\n'
                f'expiring_app = {{app_id = "{brief}", session_s = {BRIEF_S}}}\n'
                '[mailbox]\nfolder = "mail"\n'
            )
            yield path
        finally:
            server.terminate()


@pytest.mark.timeout(300)
def test_a_server_that_chooses_differently_is_certified(
    target: Path, tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    out = tmp_path / "result"
    command = ["-P", "-m", "thingrig", "certify", "thethings-io/app", "--jobs", "2"]
    ran = run_python(
        [*command, "--target", str(target), "--out", str(out)], tmp_path, out, timeout_s=240
    )

    certificate = json.loads((out / "certificate.json").read_text())
    verdicts = {each["id"]: each["verdict"] for each in certificate["requirements"]}
    assert {name: found for name, found in verdicts.items() if found != "pass"} == {}, ran.words
    assert (ran.code, certificate["verdict"]) == (0, "certified")
    assert mistakes_in(certificate, "certificate") == []
    # Whether a permission can still be taken back depends on which worker unlinks the thing first.
    left = {entry["kind"] for entry in certificate["left_behind"]} - {"permission"}
    assert left == {"thing", "values", "user", "settings", "description"}
