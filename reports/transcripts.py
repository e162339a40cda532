"""
What was exchanged, as plain text: one file for each test that did not pass.

Names come from the number of the test and its own; content from outside is made visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reports.results import Document, Results
from reports.text import literal, shown

FOLDER = "evidence"
_NAME = re.compile(r"\d{4}-[A-Za-z0-9_.-]+\.txt")
_LONGEST_NAME = 80
MOST = 64 * 1024  # characters of one text; results files have cut bodies to less


def transcript_names(results: Results) -> dict[int, str]:
    """The file of each test with something to show, by the test's place in the results."""
    return {
        place: f"{FOLDER}/{place + 1:04}-{_plain_name(test['test'])}.txt"
        for place, test in enumerate(results.tests)
        if test["verdict"] != "pass" and (test.get("evidence") or {}).get("exchanges")
    }


def write_transcripts(results: Results, out: Path) -> list[Path]:
    """Write them all below ``out``; those of an earlier run in the same folder go first."""
    folder = out / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if _NAME.fullmatch(old.name):
            old.unlink()
    names = transcript_names(results)
    for place, name in names.items():
        text = transcript(results.tests[place])
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    return [out / name for name in names.values()]


def transcript(test: Document) -> str:
    """One test: what was expected, what was exchanged, and how to repeat it."""
    parts = [
        f"test          {_line(test['test'])}",
        f"requirements  {_line(', '.join(test['requirements']))}",
        f"verdict       {_line(test['verdict'])}",
        f"reason        {_line(test.get('reason') or '-')}",
        f"expected      {literal(test.get('expected'))}",
        f"actual        {literal(test.get('actual'))}",
    ]
    evidence = test["evidence"]
    for number, exchange in enumerate(evidence["exchanges"], start=1):
        parts += ["", f"=== exchange {number}", *_exchange(exchange)]
    if evidence.get("curl"):
        parts += ["", "=== repeat it", *(_line(line) for line in evidence["curl"])]
    return "\n".join(parts) + "\n"


def _exchange(exchange: Document) -> Iterator[str]:
    request, response = exchange["request"], exchange["response"]
    yield f"> {_line(request['method'])} {_line(request['target'])}"
    yield from _message("> ", request)
    if response is not None:
        yield f"< {_line(response['status'])}, after {exchange.get('elapsed_ms') or 0:.0f} ms"
        yield from _message("< ", response)
    if exchange.get("error"):
        yield f"! no answer: {_line(exchange['error'])}"


def _message(mark: str, message: Document) -> Iterator[str]:
    """Head and body, each line marked, so that no body can pass for something else."""
    headers: Any = message.get("headers") or {}
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        yield f"{mark}{_line(name)}: {_line(value)}"
    if message.get("body"):
        yield mark.rstrip()
        yield from (mark + line for line in _whole(message["body"]).split("\n"))


def _whole(value: Any) -> str:
    return shown(value, longest=MOST)


def _line(value: Any) -> str:
    return _whole(value).replace("\n", "\\n")


def _plain_name(test: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", test.rpartition("::")[2]).strip("-.")
    return name[:_LONGEST_NAME] or "test"
