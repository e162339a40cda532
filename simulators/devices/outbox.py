"""
Samples kept while a device is offline, and sent later with timestamps of their own.

What was not answered is sent again with the next batch: it arrives at least once, and
``attempts`` in the account tells how often it was sent.

Source: thethings.iO developer center, "Thing write", custom timestamps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulators.clock import EPOCH, MICROSECONDS
from simulators.devices.account import Sent
from simulators.devices.options import one_of

if TYPE_CHECKING:
    from simulators.devices.device import Device, Steps

MOST_VALUES = 100  # in one write, as a public client groups them
Sample = tuple[Sent, dict[str, Any]]


@dataclass(frozen=True)
class Batches:
    """
    ``batch_s``: how long samples are collected (0: each is sent at once); ``datetime``: ``iso``
    with milliseconds, or ``digits``, 14 of them, with whole seconds.
    """

    batch_s: float = 0.0
    datetime: str = "iso"

    def __post_init__(self) -> None:
        one_of("datetime", self.datetime, FORMS)


class Outbox:
    """The memory of one device that is offline between its batches."""

    def __init__(self, device: Device, batches: Batches) -> None:
        self._device = device
        self._form = FORMS[batches.datetime]
        self._gap_us = round(batches.batch_s * MICROSECONDS)
        self._next_us = device.clock.now_us() + self._gap_us
        self._samples: list[Sample] = []

    def put(self, items: list[dict[str, Any]], due_us: int) -> Steps:
        """Keep a sample; when the batch is due, go online and send everything."""
        stamp = self._form(self._device.clock.start_unix_us + due_us)
        account = self._device.account
        for item in items:
            entry = account.sending(item["key"], item["value"], due_us, due_us, stamp)
            entry.attempts = 0
            self._samples.append((entry, {**item, "datetime": stamp}))
        now_us = self._device.clock.now_us()
        if now_us >= self._next_us:
            self._next_us = now_us + self._gap_us
            yield from self._send_all()

    def _send_all(self) -> Steps:
        while self._samples:
            batch = self._samples[:MOST_VALUES]
            yield from self._device.send([entry for entry, _ in batch], [item for _, item in batch])
            self._samples = [s for s in self._samples if s[0].state not in FINAL]
            if batch[0][0].state not in FINAL:
                return  # no way to the platform now: again with the next batch


# A batch that was refused would be refused again; one without an answer would not.
FINAL = frozenset({"acknowledged", "refused"})


def iso(unix_us: int) -> str:
    """``2024-01-31T12:00:00.000Z``"""
    moment = EPOCH + timedelta(microseconds=unix_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_us // 1000 % 1000:03d}Z"


def digits(unix_us: int) -> str:
    """``20240131120000``"""
    return f"{EPOCH + timedelta(microseconds=unix_us):%Y%m%d%H%M%S}"


FORMS = {"iso": iso, "digits": digits}
