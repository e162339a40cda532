"""One conformance run against a reference server, whole or deliberately wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conformance.certify import environment
from conformance.miniature import Miniature
from conformance.requirement import PACKAGE, catalogue
from conformance.results import read_footer
from simulators.platforms.embedded import embedded_server
from simulators.platforms.target_file import write_target_file

LONGEST_S = 300.0
NOT_HERE = ("TTS-CF-009", "TTS-DEV-004", "TTS-HD-006")
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


def judge(platform: str, deviation: str | None, only: tuple[str, ...], folder: Path) -> Judged:
    """
    Judge a reference server with one deviation, or none, by some requirements, or all.

    Raises:
        RuntimeError: the run did not come to its end.
    """
    out = folder / (deviation or f"reference-{platform}")
    out.mkdir()
    with embedded_server(platform, deviation=deviation) as server:
        write_target_file(out / "target.toml", server.target)
        child = subprocess.run(
            _arguments(platform, out, only),
            cwd=out,
            env=environment({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
    footer = read_footer(out / "results.jsonl")
    if footer is None:
        raise RuntimeError(f"the run did not come to its end: {child.stdout}{child.stderr}")
    verdicts = {each["id"]: each["verdict"] for each in footer["requirements"] if each["tests"]}
    return Judged(child.returncode, verdicts)


def _arguments(platform: str, out: Path, only: tuple[str, ...]) -> list[str]:
    found = [sys.executable, "-P", "-m", "pytest", "-c", str(PACKAGE / "run.ini")]
    found += ["--rootdir", str(PACKAGE.parent), "--noconftest", "-q", "-p", "conformance.plugin"]
    found += ["--target", str(out / "target.toml"), "--out", str(out), "--profile", platform]
    for name in only:
        found += ["--only", name]
    return [*found, str(PACKAGE / platform.replace("-", "_"))]
