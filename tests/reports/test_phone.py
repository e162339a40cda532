"""The page in a real browser: nothing sticks out on a narrow screen."""

from __future__ import annotations

import html
import re
import shutil
import subprocess

import pytest

from reports import build
from reports.run_page import run_page
from tests.reports.test_run_page import RUN

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Reports the widest element; the page itself allows no script, so the copy goes into a frame here.
FRAME = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="page" width="{width}" height="800" srcdoc="{page}"></iframe>
<script>
onload = () => {{
  const inside = document.getElementById("page").contentDocument;
  const widths = [...inside.querySelectorAll("*")].map(e => e.getBoundingClientRect().right);
  document.title = "right edge " + Math.ceil(Math.max(...widths));
}};
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
@pytest.mark.parametrize("width", [360, 1100])
@pytest.mark.parametrize("word", ["word", "x" * 300], ids=["usual", "long words"])
def test_nothing_sticks_out(lines, write, tmp_path, width, word):
    """Also when a target sends a word that is wider than the screen."""
    for test in lines[1:-1]:
        test |= {"actual": {word: word}, "reason": word}
    lines[0]["target"]["url"] = f"http://{word}"
    build(write(lines), tmp_path)
    page = (tmp_path / "certificate.html").read_text(encoding="utf-8")
    assert 200 < right_edge(page, width, tmp_path) <= width


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_tables_of_a_run_do_not_stick_out(tmp_path):
    assert 200 < right_edge(run_page(RUN), 360, tmp_path) <= 360


def right_edge(page, width, tmp_path):
    """Of the widest element, in pixels."""
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(width=width, page=html.escape(page)), encoding="utf-8")

    done = subprocess.run(
        [
            *(BROWSER or "", *OPTIONS),
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1300,900",
            "--virtual-time-budget=5000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )

    found = re.search(r"<title>right edge (\d+)</title>", done.stdout)
    assert found is not None, done.stderr[-1000:]
    return int(found[1])
