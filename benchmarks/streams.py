"""Two thousand subscribers of one thing: what a delivery costs, and how late it is."""

from __future__ import annotations

import json
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.figures import Aim, Figure, Report, interleaved
from benchmarks.processes import free_port, python, result_of, running

READERS = 2000
STALLED = 250


class Place:
    """A running server, and how its first thing is subscribed to."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        target = tomllib.loads((folder / "target.toml").read_text())
        self.port, self.pid = port, pid
        self.credentials: dict[str, Any] = target["credentials"]
        self.thing_token: str = self.credentials["thing_tokens"][0]
        self.app = self._app()

    def _app(self) -> tuple[str, str]:
        """A session with an official app, and the id of the thing, linked."""
        body = {**self.credentials["users"][0], "app": self.credentials["app_id"]}
        token = self._post("/v2/login", body)["token"]
        link = {"thingToken": self.thing_token}
        return token, self._post("/v2/me/things", link, Authorization=token)["thingId"]

    def _post(self, path: str, body: Any, **headers: str) -> Any:
        address = f"http://127.0.0.1:{self.port}{path}"
        request = Request(address, json.dumps(body).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def measure(self, stalled: int, *app: str) -> dict[str, float]:
        """One round with so many stalled readers beside the others."""
        arguments = [self.port, self.pid, READERS, stalled, self.thing_token, *app]
        return result_of("benchmarks.streams_load", *map(str, arguments))


def run(*, rounds: int, seconds: int) -> Report:
    """Rounds of three kinds on one server; each takes about seven seconds."""
    plain, beside, apps = Rounds("devices"), Rounds(f"beside {STALLED} stalled"), Rounds("apps")
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        options = ["--port", str(port), "--state", str(folder / "state"), "--password-cost", "10"]
        options += ["--write-target", str(folder / "target.toml")]
        argv = python("simulators.platforms", "thethings-io", *options)
        with running(argv, port=port) as pid:
            place = Place(folder, port, pid)
            interleaved(
                rounds,
                lambda: plain.add(place.measure(0)),
                lambda: beside.add(place.measure(STALLED)),
                lambda: apps.add(place.measure(0, *place.app)),
            )
    return Report(
        f"{READERS:,} subscribers of one thing",
        [figure for each in (plain, beside, apps) for figure in each.figures()],
        [Aim("p99 of the delay", plain.figures()[2], 100, False)],
        note="Ten writes a second; from a write's first byte sent to the last byte of its document "
        "with a reader. Every reader gets every write once and in order, or nothing is shown.",
    )


@dataclass
class Rounds:
    """What was found of one kind of readers."""

    name: str
    found: list[dict[str, float]] = field(default_factory=list)

    def add(self, found: dict[str, float]) -> None:
        self.found.append(found)

    def figures(self) -> list[Figure]:
        costs = [each["cpu_s"] / each["deliveries"] * 1e6 for each in self.found]
        return [
            Figure(f"{self.name}: server", costs, "us CPU/delivery"),
            *(
                Figure(f"{self.name}: delay, {which}", [e[f"{which}_ms"] for e in self.found], "ms")
                for which in ("p50", "p99")
            ),
        ]
