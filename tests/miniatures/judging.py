"""Conformance runs against reference servers, whole or deliberately wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType

from conformance.certify import environment
from conformance.marks import requirement_tests
from conformance.measure import read_measured
from conformance.miniature import Miniature
from conformance.requirement import catalogue
from conformance.results import read_footer

WORKSHOP = Path(__file__).with_name("workshop.py")
NOT_HERE = (
    "TTS-CF-009", "TTS-DEV-004", "TTS-HD-006", "TTS-ST-001", "TTS-ST-002", "TTS-ST-003",
    "TTS-ST-004",
)  # fmt: skip
"""What the reference servers have no occasion to show: it is not applicable to them."""


@dataclass(frozen=True)
class Judged:
    """The verdict of every requirement that was judged, and the run's exit code."""

    exit_code: int
    verdicts: dict[str, str]

    def with_verdict(self, *verdicts: str) -> list[str]:
        """Ids of the requirements with one of these verdicts."""
        return [name for name, verdict in self.verdicts.items() if verdict in verdicts]


def quick_choice(miniature: Miniature) -> tuple[str, ...]:
    """The requirements that a miniature breaks, and those of the same endpoints."""
    known = catalogue()
    endpoints = {known[name].endpoint for name in miniature.breaks}
    return tuple(name for name, each in known.items() if each.endpoint in endpoints)


def whole_choice(miniature: Miniature) -> tuple[str, ...]:
    """All requirements of the profiles, device side or app side, that a miniature breaks."""
    known = catalogue()
    profiles = {known[name].profile for name in miniature.breaks}
    return tuple(name for name, each in known.items() if each.profile in profiles)


tests_by_requirement = cache(requirement_tests)


def rough_seconds(platform: str, only: Iterable[str]) -> float:
    """How long a server that is right would be judged."""
    known, seconds = tests_by_requirement(), seconds_by_test(platform)
    tests = {test for each in only for test in known.get(each, ())}
    return sum(seconds[test] for test in tests)


@cache
def seconds_by_test(platform: str) -> dict[str, float]:
    """As measured against the embedded server, all parameters of a test together."""
    found: dict[str, float] = defaultdict(float)
    for name, each in read_measured(platform).items():
        found[name.partition("[")[0]] += each.seconds
    return found


class Workshop:
    """The process in which servers are judged one after the other; see ``workshop.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKSHOP)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment({}),
            text=True,
        )

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process:
            if problem is not None:
                self._process.terminate()

    def judge(
        self, platform: str, deviation: str | None, only: tuple[str, ...], folder: Path
    ) -> Judged:
        """
        Judge a reference server with one deviation, or none, by some requirements, or all.

        Raises:
            RuntimeError: the run did not come to its end.
        """
        out = folder / (deviation or f"reference-{platform}")
        out.mkdir()
        exit_code = self._answer(
            {"platform": platform, "deviation": deviation, "only": only, "out": str(out)}
        )["exit_code"]
        footer = read_footer(out / "results.jsonl")
        if footer is None:
            words = "".join(each.read_text() for each in (out / "errors", out / "words"))
            raise RuntimeError(f"the run did not come to its end: {words}")
        verdicts = {each["id"]: each["verdict"] for each in footer["requirements"] if each["tests"]}
        return Judged(exit_code, verdicts)

    def _answer(self, job: dict[str, object]) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the workshop died")
        answer: dict[str, int] = json.loads(line)
        return answer
