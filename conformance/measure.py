"""
Figures and examples taken from a run: ``python -m conformance.measure results.jsonl``.

``measured/<platform>.json`` holds requests and seconds of each test for ``certify --plan``, and an
exchange for each requirement for ``explain``. Written after a full run against the embedded server.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conformance.requirement import PACKAGE

FOLDER = PACKAGE / "measured"
MAX_BODY = 400
_PLACEHOLDER = re.compile(r"<([a-z_]+):\d+(?::…[^<>]{4})?>")
_PREFIX = re.compile(r"rig-[0-9a-f]{8}-(?:gw\d+|w)-\d+-")


@dataclass(frozen=True, slots=True)
class Measured:
    """One test's requests by kind, and its seconds."""

    requests: dict[str, int]
    seconds: float


def read_measured(platform: str) -> dict[str, Measured]:
    """Figures by test name, parameters included."""
    tests = _document(platform).get("tests", {})
    return {name: Measured(each["requests"], each["seconds"]) for name, each in tests.items()}


def example_exchange(platform: str, requirement_id: str) -> dict[str, Any] | None:
    """An exchange that shows the requirement kept, or None."""
    example: dict[str, Any] | None = _document(platform).get("examples", {}).get(requirement_id)
    return example


def measure(results: Path) -> dict[str, Any]:
    """What ``measured/`` keeps of a results file."""
    lines = [json.loads(line) for line in results.read_bytes().splitlines()]
    kept = ("pass", "not applicable")
    tests = [line for line in lines if line["type"] == "test" and line["verdict"] in kept]
    examples: dict[str, Any] = {}
    for line in tests:
        exchanges = line["evidence"]["exchanges"]
        for each in line["requirements"] if line["verdict"] == "pass" else ():
            if exchanges and each not in examples:
                examples[each] = _example(exchanges[-1])
    return {
        "tests": {
            line["test"]: {"requests": line["requests"], "seconds": round(line["duration_s"], 2)}
            for line in sorted(tests, key=lambda line: line["test"])
        },
        "examples": dict(sorted(examples.items())),
    }


@cache
def _document(platform: str) -> dict[str, Any]:
    path = FOLDER / f"{platform.replace('-', '_')}.json"
    if not path.is_file():
        return {}
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _example(exchange: dict[str, Any]) -> dict[str, Any]:
    request, response = exchange["request"], exchange["response"]
    example: dict[str, Any] = {"request": f"{request['method']} {request['target']}"}
    if request["body"]:
        example["body"] = request["body"]
    if response is not None:
        example["status"], example["answer"] = response["status"], response["body"]
    return {name: _shortened(value) for name, value in example.items()}


def _shortened(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = _PREFIX.sub("", _PLACEHOLDER.sub(r"<\1>", value))
    return text if len(text) <= MAX_BODY else f"{text[:MAX_BODY]}…"


def main() -> None:
    """Write the figures of the results file that is named on the command line."""
    results = Path(sys.argv[1])
    header = json.loads(results.read_bytes().splitlines()[0])
    name = header["target"]["platform"].replace("-", "_")
    FOLDER.mkdir(exist_ok=True)
    document = json.dumps(measure(results), indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
