"""
A run: a scenario on its way through time, and what it came to.

Shared by both clocks; knows of neither platform nor transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from scenarios.engine import WHOLE, Access, Progress, Share, World
from scenarios.expectations import KINDS as THINGS_KINDS
from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.expectations import KINDS as LORAWAN_KINDS
from scenarios.model import Expectation, Scenario
from scenarios.recorder import Recorder
from scenarios.secrets import SecretRegistry
from scenarios.trace import TraceWriter
from simulators.clock import MICROSECONDS, Clock
from simulators.transports.http import HttpTransport

# What can be expected of each platform's scenarios; each kind knows its platform's evidence.
KINDS_OF: Mapping[str, Mapping[str, Callable[..., Judgement]]] = {
    "thethings-io": THINGS_KINDS,
    "things-stack": LORAWAN_KINDS,
}


class Played(Protocol):
    """A world that lived through a scenario."""

    @property
    def evidence(self) -> Any:
        """What it leaves to be judged: of a type of its own on each platform."""


@dataclass(frozen=True)
class Run:
    """
    A scenario that was played, to its end or until it was interrupted.

    ``evidence`` is an Evidence, or what the scenario's platform has in its place.
    """

    scenario: Scenario
    clock: str
    evidence: Any
    judgements: list[tuple[Expectation, Judgement]]
    ended_us: int
    is_interrupted: bool
    secrets: SecretRegistry
    events: int
    breakdown: str | None = None  # why it ended early, when nobody asked for it

    @property
    def verdict(self) -> str:
        """fail > inconclusive > pass; an expectation is needed for a pass."""
        verdicts = {judgement.verdict for _, judgement in self.judgements}
        return next((v for v in ("fail", "inconclusive", "pass") if v in verdicts), "inconclusive")

    @property
    def reason(self) -> str | None:
        """Why nothing is proven, when it is not for an expectation's own reason."""
        if self.is_interrupted:
            return self.breakdown or f"interrupted after {self.ended_us / MICROSECONDS:g} s"
        return None if self.judgements else "the scenario expects nothing"


class Stage:
    """What a run has on either clock: trace, secrets, and the way to its end."""

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        name: str,
        trace: BinaryIO | None,
        *,
        share: Share = WHOLE,
        **header: Any,
    ) -> None:
        self.share = share
        self.scenario = scenario
        self.clock = clock
        self.name = name
        self.is_interrupted = False
        self.secrets = SecretRegistry(part=share.part, of=share.of)
        self.writer = None
        self.recorder = None
        if trace is not None:
            self.writer = TraceWriter(trace, {**self._header(), **header}, self.secrets)
            self.recorder = Recorder(clock, self.writer, self.secrets)

    def world(self, transport: HttpTransport, access: Access, progress: Progress | None) -> World:
        return World(
            self.scenario,
            clock=self.clock,
            transport=transport,
            access=access,
            recorder=self.recorder,
            progress=progress,
            share=self.share,
        )

    def finish(
        self,
        world: Played,
        *,
        ended_us: int | None = None,
        events: int = 0,
        breakdown: str | None = None,
    ) -> Run:
        """
        Judge what there is.

        Args: what another process counted, where it was not this one that played.
        """
        if ended_us is None:
            ended_us = min(self.clock.now_us(), self.scenario.duration_us)
        judgements = [(each, self._judge(each, world)) for each in self.scenario.expectations]
        for expectation, judgement in judgements:
            if self.recorder is not None:
                message = {"verdict": judgement.verdict, "reason": judgement.reason}
                self.recorder.verdict(ended_us, expectation.name, message)
        return Run(
            scenario=self.scenario,
            clock=self.name,
            evidence=world.evidence,
            judgements=judgements,
            ended_us=ended_us,
            is_interrupted=self.is_interrupted,
            secrets=self.secrets,
            events=self.writer.events if self.writer else events,
            breakdown=breakdown,
        )

    def _judge(self, expectation: Expectation, world: Played) -> Judgement:
        if self.is_interrupted:
            return Judgement(0, [], ["the run was interrupted"])
        judge = KINDS_OF[self.scenario.platform][expectation.kind]
        return judge(world.evidence, expectation.on, **expectation.options)

    def _header(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario.name,
            "platform": self.scenario.platform,
            "seed": self.scenario.seed,
            "clock": self.name,
            "start": f"{self.clock.start:%Y-%m-%dT%H:%M:%S.%fZ}",
            "duration_us": self.scenario.duration_us,
        }
