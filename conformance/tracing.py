"""
The trace of a run: on disk when a test ends, in the order of time when the run does.

Tests that run beside each other tell their events one after the other; a run that is killed leaves
its trace in that order, and without a duration.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenarios.secrets import SecretRegistry
from scenarios.trace import Event, TraceWriter, read_trace


class RunTrace:
    """Writes one trace."""

    def __init__(self, path: Path, header: dict[str, Any], secrets: SecretRegistry) -> None:
        self._path = path
        self._secrets = secrets
        self._header = header
        self._file = path.open("wb")
        self._writer = TraceWriter(self._file, {**header, "duration_us": None}, secrets)
        self._file.flush()

    def add(self, events: Sequence[dict[str, Any]]) -> None:
        """Write what a test did."""
        for event in events:
            self._writer.event(Event(**event))
        self._file.flush()

    def close(self, *, duration_us: int) -> None:
        """Put the events in order."""
        self._file.close()
        events = sorted(read_trace(self._path).events, key=lambda event: event.at)
        ordered = self._path.with_suffix(".ordered")
        with ordered.open("wb") as file:
            writer = TraceWriter(file, {**self._header, "duration_us": duration_us}, self._secrets)
            for event in events:
                writer.event(event)
        os.replace(ordered, self._path)
