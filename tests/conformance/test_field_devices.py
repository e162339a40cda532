"""A well-made server on a strict HTTP stack: the certificate names the boards it locks out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import mistakes_in

SERVER = Path(__file__).with_name("plain_aiohttp.py")
TOKEN = "P" * 43
CODE = "an-activation-code-of-this-server"
BARE_LF = ["TIO-FLD-001", "TIO-FLD-002", "TIO-FLD-003", "TIO-FLD-004", "TIO-FLD-005"]
BOARDS = [
    "Arduino MKR1000 library",
    "Arduino library",
    "ESP8266 C SDK",
    "LinkIt ONE library",
    "Texas Instruments examples",
]


@pytest.fixture
def plain_url() -> Iterator[str]:
    """The URL of a plain server on aiohttp."""
    pytest.importorskip("aiohttp")
    command = [sys.executable, str(SERVER), TOKEN, CODE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def test_plain_server_fails_for_bare_lf_alone(
    plain_url: str, tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    """Its answers are right; its parser refuses what five libraries send."""
    (tmp_path / "plain.toml").write_text(
        f'platform = "thethings-io"\nurl = "{plain_url}"\n'
        f'[credentials]\nactivation_codes = ["{CODE}"]\nthing_tokens = ["{TOKEN}"]\n'
    )
    out = tmp_path / "result"
    command = ["-P", "-m", "thingrig", "certify", "thethings-io/field-devices"]
    ran = run_python([*command, "--target", "plain.toml", "--out", str(out)], tmp_path, out)

    certificate = json.loads((out / "certificate.json").read_text())
    failed = [each["id"] for each in certificate["requirements"] if each["verdict"] == "fail"]
    assert (ran.code, certificate["verdict"]) == (1, "not certified")
    assert sorted(failed) == BARE_LF
    assert {each["verdict"] for each in certificate["requirements"]} == {"pass", "fail"}
    assert [each["board"] for each in certificate["locked_out"]] == BOARDS
    assert mistakes_in(certificate, "certificate") == []
    page = (out / "certificate.html").read_text()
    assert "Boards locked out" in page
    assert all(board in page for board in BOARDS)
