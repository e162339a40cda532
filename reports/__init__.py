"""Reports made from results files; imports nothing of the other packages."""

from __future__ import annotations

from pathlib import Path

from reports.badge import badge
from reports.certificate import certificate, certificate_text
from reports.html import page
from reports.junit import junit
from reports.results import ResultsError, read_results
from reports.transcripts import FOLDER, write_transcripts

__all__ = ["ResultsError", "build"]


def build(results_path: Path, out: Path) -> list[Path]:
    """
    Write every report of one run beside each other.

    Args:
        results_path: a ``results.jsonl``; without its footer the run counts as interrupted.
        out: an existing folder.
    Returns:
        What was written: certificate.json, certificate.html, junit.xml, badge.svg; last the folder
        ``evidence`` when it holds a transcript of a test that did not pass.
    Raises:
        ResultsError: not a results file.
    """
    results = read_results(results_path)
    document = certificate(results)
    texts = {
        "certificate.json": certificate_text(document),
        "certificate.html": page(document, results),
        "junit.xml": junit(document, results),
        "badge.svg": badge(document),
    }
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    written = [out / name for name in texts]
    return [*written, out / FOLDER] if write_transcripts(results, out) else written
