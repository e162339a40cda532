"""
A scenario at work: its devices, actors, steps and faults on one clock and one transport.

Which clock and which transport is not known here. When the scenario's time is over, everything
that was written is read back, so that the run can be judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import simpy

from scenarios.evidence import Evidence
from scenarios.expectations import NEED_READING
from scenarios.faults import Fault, Faults
from scenarios.model import Scenario, Step
from scenarios.people import AppAccess, People, Surroundings
from scenarios.readback import Reader, Resource
from scenarios.recorder import Recorder
from scenarios.steps import Operator
from simulators.clock import Clock
from simulators.devices.device import Credentials, Device, Steps
from simulators.devices.fleet import build_fleet
from simulators.devices.observation import observed
from simulators.randomness import RandomStreams
from simulators.transports.http import HttpChannel, HttpTransport

READERS = 8
TICKS = 100


@dataclass(frozen=True)
class Share:
    """Which part of a scenario one process plays; the whole by default."""

    part: int = 0
    of: int = 1

    @property
    def is_first(self) -> bool:
        """The part that tells what concerns all."""
        return self.part == 0


WHOLE = Share()
Progress = Callable[[int, Evidence], None]


@dataclass(frozen=True)
class Access:
    """The credentials that a fleet may use; devices take codes first, then tokens."""

    activation_codes: tuple[str, ...] = ()
    thing_tokens: tuple[str, ...] = ()
    product_id: str | None = None
    app: AppAccess | None = None


class World:
    """Everything that lives in one run."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        clock: Clock,
        transport: HttpTransport,
        access: Access,
        recorder: Recorder | None = None,
        progress: Progress | None = None,
        share: Share = WHOLE,
    ) -> None:
        """
        Everybody is built, whatever the share, so that names, seeds and credentials are the same in
        every process; only those of the share are started.

        Raises:
            FleetError: fewer codes and tokens than devices.
        """
        self.scenario = scenario
        self._clock = clock
        self._transport = transport
        self._recorder = recorder
        self._progress = progress
        self._access = access
        self._share = share
        self._codes = iter(access.activation_codes)
        self._tokens = iter(access.thing_tokens)
        self._since_ms = clock.unix_ms()
        self._streams = RandomStreams(scenario.seed)
        self.faults = Faults(scenario.faults, clock=clock, streams=self._streams)
        self._faulty = self.faults.over(transport)
        self._fleet = build_fleet(
            scenario.fleets,
            clock=clock,
            streams=self._streams,
            transport=self._faulty,
            activation_codes=self._codes,
            thing_tokens=self._tokens,
            product_id=access.product_id,
            observe=recorder,
        )
        self._spare = _Spare(self._codes, self._tokens, share)
        fleet_of = {name: spec.name for spec in scenario.fleets for name in spec.names()}
        self._operator = Operator(
            clock, self._channel("operator"), start=self._start, tell=self._tell_step
        )
        around = Surroundings(clock, self._streams, self._channel, self._learn, access.app)
        self._people = People(scenario, self._fleet.devices, around)
        self.evidence = Evidence(
            devices=self._fleet.devices,
            actors=[*self._people.actors, *self._people.phones],
            households=self._people.households,
            operator=self._operator,
            faults=self.faults,
            fleet_of=fleet_of,
            end_us=scenario.duration_us,
            load=scenario.load,
        )
        self.mine = [*self._devices_of(share)]
        self._group(fleet_of)

    def conduct(self) -> Steps:
        """The whole run as one process: live, then read back."""
        yield from self._look_at_platform_clock()
        self._begin()
        yield self._until(self.scenario.duration_us)
        if self._recorder is not None:
            self._recorder.stop()
        self._note_inactive(None)
        if any(expectation.kind in NEED_READING for expectation in self.scenario.expectations):
            yield from self._read_back()

    def _begin(self) -> None:
        clock = self._clock
        for fault in self.faults.all:
            clock.process(self.faults.process(fault, self._tell))
        mine = {device.name for device in self.mine}
        for step in self.scenario.steps:
            chosen = [each for each in self.evidence.chosen(step.on) if each.name in mine]
            clock.process(self._operator.process(step, chosen))
        awaited = {step.on for step in self.scenario.steps if step.do == "start"}
        for device in self.mine:
            if not awaited & {device.name, self.evidence.fleet_of[device.name]}:
                self._start_in_time(device)
        for life in self._people.processes() if self._share.is_first else ():
            clock.process(life)
        for expectation in self.scenario.expectations:
            if "by" in expectation.options:
                clock.process(self._look_at(expectation.options["by"]))
        if self._progress is not None:
            clock.process(self._tick(self._progress))

    def _look_at_platform_clock(self) -> Steps:
        """Things that existed before may hold older values: those are not this run's."""
        if self._access.thing_tokens:
            reader = Reader(self._clock, self._transport.channel("platform-clock"))
            self._since_ms = yield from reader.platform_time_ms(self._access.thing_tokens[0])

    def _start_in_time(self, device: Device) -> None:
        """At once, or with the step of the load that it belongs to."""
        load = self.scenario.load
        if load is None or self.evidence.fleet_of[device.name] != load.on:
            self._start(device)
        else:
            self._clock.process(self._join(device, load.joins_us(_number(device.name))))

    def _join(self, device: Device, at_us: int) -> Steps:
        yield self._until(at_us)
        self._start(device)

    def _devices_of(self, share: Share) -> Iterator[Device]:
        """Fleets are dealt out by number; one that people turn stays together, with them."""
        together = {spec.turns for spec in self.scenario.actors}  # households: in one process
        for device in self._fleet.devices:
            fleet = self.evidence.fleet_of[device.name]
            part = 0 if fleet in together else _number(device.name) % share.of
            if part == share.part:
                yield device

    def _start(self, device: Device) -> None:
        self._clock.process(self._life(device))

    def _life(self, device: Device) -> Steps:
        """A device whose code was used up before takes the next one, in the end a thing token."""
        yield from device.process()
        while device.thing_token is None:
            credentials = self._next_credentials()
            if credentials is None:
                return
            device.credentials = credentials
            device.use_token(credentials.thing_token)
            yield from device.process()

    def _next_credentials(self) -> Credentials | None:
        if code := next(self._spare.codes, None):
            self._learn("activation_code", code)
            return Credentials(activation_code=code, product_id=self._access.product_id)
        if token := next(self._spare.tokens, None):
            self._learn("thing_token", token)
            return Credentials(thing_token=token)
        return None

    def _learn(self, kind: str, secret: str) -> None:
        if self._recorder is not None:
            self._recorder.secret(kind, secret)

    def _look_at(self, by_us: int) -> Steps:
        yield self._until(by_us)
        self._note_inactive(by_us)

    def _until(self, at_us: int) -> simpy.Timeout:
        return self._clock.timeout(max(0, at_us - self._clock.now_us()))

    def _note_inactive(self, by_us: int | None) -> None:
        late = [device.name for device in self.mine if device.thing_token is None]
        self.evidence.inactive[by_us] = late

    def _tick(self, progress: Progress) -> Steps:
        while self._clock.now_us() < self.scenario.duration_us:
            progress(self._clock.now_us(), self.evidence)
            yield self._clock.timeout(max(1, self.scenario.duration_us // TICKS))
        progress(self.scenario.duration_us, self.evidence)

    def _tell(self, fault: Fault, what: str) -> None:
        if self._recorder is not None and self._share.is_first:
            self._recorder.event(fault.on, "none", "fault", {"kind": fault.kind, "state": what})

    def _tell_step(self, step: Step) -> None:
        if self._recorder is not None and self._share.is_first:
            message = {"do": step.do, "key": step.key or None, "value": step.value}
            self._recorder.event(step.on, "none", "step", message)

    def _channel(self, name: str) -> HttpChannel:
        return observed(self._faulty.channel(name), name, Credentials(), self._recorder)

    def _group(self, fleet_of: dict[str, str]) -> None:
        for device, fleet in fleet_of.items():
            self.faults.group(device, fleet)
        for name, group in self._people.groups():
            self.faults.group(name, group)

    def _read_back(self) -> Steps:
        """Several readers at once, past the faults: it is the platform that is asked."""
        wanted = [*self._resources()]
        readers = [
            Reader(self._clock, self._transport.channel(f"reader-{number}"))
            for number in range(READERS)
        ]
        yield simpy.AllOf(
            self._clock,
            [
                self._clock.process(reader.read_all(wanted[number::READERS], self.evidence.stored))
                for number, reader in enumerate(readers)
            ],
        )

    def _resources(self) -> Iterator[Resource]:
        for device in self.mine:
            since_ms = None if device.credentials.thing_token is None else self._since_ms
            for key in dict.fromkeys(entry.key for entry in self.evidence.written(device)):
                yield Resource(device, key, since_ms)


class _Spare:
    """Credentials that no device was built with, dealt out among the shares."""

    def __init__(self, codes: Iterator[str], tokens: Iterator[str], share: Share) -> None:
        self.codes = itertools.islice(codes, share.part, None, share.of)
        self.tokens = itertools.islice(tokens, share.part, None, share.of)


def _number(name: str) -> int:
    """``sensor-17``: 17; devices are numbered from 1."""
    return int(name.rpartition("-")[2])
