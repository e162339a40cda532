"""What a scenario does once, at a time of its own: start devices, turn switches, write values."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scenarios.model import Step
from simulators.apps.actor import Command
from simulators.clock import Clock
from simulators.devices.account import Account
from simulators.devices.device import Device, Steps, outcome
from simulators.devices.switch import Switch
from simulators.transports.http import HttpChannel, TransportError


class Operator:
    """Carries out the steps; its commands are accounted for like those of actors."""

    def __init__(
        self,
        clock: Clock,
        channel: HttpChannel,
        *,
        start: Callable[[Device], None],
        tell: Callable[[Step], None],
    ) -> None:
        self.clock = clock
        self.channel = channel
        self.account = Account()
        self.commands: list[Command] = []
        self._start = start
        self._tell = tell

    def process(self, step: Step, devices: Iterable[Device]) -> Steps:
        """Wait until a step is due and do it to each of the devices."""
        yield self.clock.timeout(max(0, step.at_us - self.clock.now_us()))
        self._tell(step)
        for device in devices:
            if step.do == "start":
                self._start(device)
            elif device.thing_token is None:
                device.account.problem(self.clock.now_us(), step.do, "not active yet")
            elif step.do == "write":
                items = [{"key": step.key, "value": step.value}]
                self.clock.process(device.write(items, self.clock.now_us()))
            elif isinstance(device, Switch):
                self.clock.process(self._turn(device, step.value))

    def _turn(self, switch: Switch, position: str) -> Steps:
        now_us = self.clock.now_us()
        entry = self.account.sending("turn", position, now_us, now_us)
        self.commands.append(Command(switch, entry))
        document = {"values": [{"key": "turn", "value": position}]}
        try:
            answer = yield self.channel.request("POST", switch.path, document)
        except TransportError as problem:
            entry.settle(self.clock.now_us(), "failed", str(problem))
        else:
            entry.settle(self.clock.now_us(), *outcome(answer))
