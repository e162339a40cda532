"""
What one process tells another of its devices while a scenario plays: what is new in the accounts.

A value is told once it is settled, in the order of sending; whatever is still open at the end is
told as such. What was told is kept by the other side even when this process ends without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scenarios.evidence import Evidence
from scenarios.secrets import SecretRegistry
from simulators.apps.actor import Command
from simulators.devices.account import Account, Sent
from simulators.devices.device import Device
from simulators.devices.periodic import Periodic

GROWING = ("received", "reactions", "problems", "subscribed_us")


class DeviceNews(NamedTuple):
    """What is new about one device; ``is_rewritten``: ``sent`` replaces what was told before."""

    name: str
    thing_token: str | None
    thing_id: str | None
    activation_code: str | None
    placeholders: dict[str, str]
    sent: list[Sent]
    is_rewritten: bool
    grown: dict[str, list[Any]]
    missed: int


class CommandNews(NamedTuple):
    """What somebody told a switch; ``by`` counts the operator as 0, then the actors."""

    by: int
    switch: str
    entry: Sent


class News(NamedTuple):
    """Everything since the last news."""

    devices: list[DeviceNews]
    commands: list[CommandNews]


@dataclass
class _Told:
    sent: int = 0
    grown: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GROWING, 0))
    thing_token: str | None = None


class Gazette:
    """Gathers the news of the devices of one process."""

    def __init__(
        self, devices: Sequence[Device], evidence: Evidence, secrets: SecretRegistry | None
    ) -> None:
        self._devices = [(device, _Told()) for device in devices]
        self._commanders: list[list[Any]] = [
            [evidence.operator, 0],
            *([actor, 0] for actor in evidence.actors),
        ]
        self._secrets = secrets

    def news(self, *, is_last: bool = False) -> News:
        """What happened since; the last news hold back nothing."""
        devices = [self._of(device, told, is_last) for device, told in self._devices]
        commands = [
            CommandNews(by, command.switch.name, command.entry)
            for by, commander in enumerate(self._commanders)
            for command in _settled_commands(commander, is_last)
        ]
        return News([each for each in devices if each is not None], commands)

    def _of(self, device: Device, told: _Told, is_last: bool) -> DeviceNews | None:
        account = device.account
        # What a batch failed to send is sent again: only the end tells how it ended.
        is_rewritten = is_last and isinstance(device, Periodic) and device.outbox is not None
        sent = account.sent if is_rewritten else _settled(account.sent[told.sent :], is_last)
        told.sent += 0 if is_rewritten else len(sent)
        grown = {name: getattr(account, name)[told.grown[name] :] for name in GROWING}
        for name, items in grown.items():
            told.grown[name] += len(items)
        is_same = device.thing_token == told.thing_token and not is_last
        if is_same and not sent and not any(grown.values()):
            return None
        told.thing_token = device.thing_token
        code = device.credentials.activation_code
        return DeviceNews(
            device.name,
            device.thing_token,
            device.thing_id,
            code,
            self._placeholders(code, device.thing_token),
            sent,
            is_rewritten,
            grown,
            account.missed,
        )

    def _placeholders(self, code: str | None, thing_token: str | None) -> dict[str, str]:
        if self._secrets is None:
            return {}
        secrets = {"activation_code": code, "thing_token": thing_token}
        return {value: self._secrets.add(kind, value) for kind, value in secrets.items() if value}


def _settled(entries: list[Sent], is_last: bool) -> list[Sent]:
    if is_last:
        return entries
    until = next((n for n, entry in enumerate(entries) if entry.state == "pending"), len(entries))
    return entries[:until]


def _settled_commands(commander: list[Any], is_last: bool) -> list[Command]:
    """Advances the second item, which counts what was told."""
    fresh: list[Command] = commander[0].commands[commander[1] :]
    count = len(_settled([command.entry for command in fresh], is_last))
    commander[1] += count
    return fresh[:count]


def take_in(news: News, evidence: Evidence, secrets: SecretRegistry) -> Iterable[tuple[str, Sent]]:
    """Enter news into the accounts of devices that do not play; gives what is new there."""
    devices: dict[str, Any] = {device.name: device for device in evidence.devices}
    for each in news.devices:
        _enter(each, devices[each.name], secrets)
    commanders: list[Any] = [evidence.operator, *evidence.actors]
    for command in news.commands:
        switch = devices[command.switch]
        commanders[command.by].commands.append(Command(switch, command.entry))
    new = [each for each in news.devices if not each.is_rewritten]
    return [(each.name, entry) for each in new for entry in each.sent]


def _enter(news: DeviceNews, device: Device, secrets: SecretRegistry) -> None:
    account: Account = device.account
    for value, placeholder in news.placeholders.items():
        secrets.adopt(value, placeholder)
    device.use_token(news.thing_token)
    device.thing_id = news.thing_id
    if news.is_rewritten:
        account.sent.clear()
    account.sent.extend(news.sent)
    for name, items in news.grown.items():
        getattr(account, name).extend(items)
    account.missed = news.missed
