"""
A quantity replayed from rows of CSV: recorded once, played as often as needed.

The file has a header. ``column`` holds the values; with ``time_column``, seconds since the first
sample, a row is valid until the next one begins, otherwise each sample takes the next row.
"""

from __future__ import annotations

import bisect
import csv
import random
from pathlib import Path
from typing import Any

from simulators.devices.behaviours import Behaviour
from simulators.devices.options import FleetError, one_of


def replay(
    rng: random.Random,
    *,
    file: str = "",
    column: str = "value",
    time_column: str = "",
    repeat: bool = True,
) -> Behaviour:
    """
    The rows of ``file``, from the top again when ``repeat``, else the last one for ever.

    Raises:
        FleetError: no such file or column, no rows, or times that are no ascending numbers.
    """
    rows = read_rows(file, [column, time_column] if time_column else [column])
    values = [_value(row[column]) for _, row in rows]
    if not time_column:
        return in_turn(values, repeat=repeat)
    return in_time(_times(file, rows, time_column), values, repeat=repeat)


def in_turn(values: list[Any], *, repeat: bool) -> Behaviour:
    """One value after the other."""
    count = 0

    def sample(unix_us: int) -> Any:
        nonlocal count
        index = count % len(values) if repeat else min(count, len(values) - 1)
        count += 1
        return values[index]

    return sample


def in_time(times_s: list[float], values: list[Any], *, repeat: bool) -> Behaviour:
    """The value that is valid at the time; a repetition lasts one mean gap past the last row."""
    gap_s = times_s[-1] / (len(times_s) - 1) if len(times_s) > 1 else 1.0
    first_us: int | None = None

    def sample(unix_us: int) -> Any:
        nonlocal first_us
        first_us = unix_us if first_us is None else first_us
        elapsed_s = (unix_us - first_us) / 1e6
        if repeat:
            elapsed_s %= times_s[-1] + gap_s
        return values[max(0, bisect.bisect_right(times_s, elapsed_s) - 1)]

    return sample


def read_rows(file: str, columns: list[str]) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells of each row; a FleetError when the file does not have the columns."""
    try:
        with Path(file).open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            for column in columns:
                one_of(f"{file}:1: column", column, reader.fieldnames or [])
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FleetError(
            f"file must be readable CSV; got {file!r}: {reason}", option="file"
        ) from error
    if not rows:
        raise FleetError(f"{file}:2: expected rows; got none", option="file")
    return rows


def _times(file: str, rows: list[tuple[int, dict[str, str]]], column: str) -> list[float]:
    times: list[float] = []
    for line, row in rows:
        time_s = _value(row[column])
        if not isinstance(time_s, (int, float)) or (times and time_s < times[-1]):
            message = f"{file}:{line}: expected ascending seconds in {column}; got {row[column]!r}"
            raise FleetError(message, option="time_column")
        times.append(float(time_s))
    return times


def _value(text: str | None) -> Any:
    """A number when it reads as one, else the text."""
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            continue
    return text or ""
