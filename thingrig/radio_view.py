"""How well a network is heard, as tables on a terminal: for whoever chooses places for gateways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

FEW = 2  # of fewer nodes the counts say everything


def radio_tables(radio: Mapping[str, Any] | None, *, nodes: int) -> list[Table]:
    """Tables of what run.json has as ``radio``."""
    if radio is None or nodes < FEW or not radio["sent"]:
        return []
    rates = [(row["data_rate"], row) for row in radio["by_data_rate"]]
    bands = [(f"{row['from_m']}-{row['to_m']} m", row) for row in radio["by_distance"]]
    channels = [(f"{row['frequency_hz'] / 1e6:g} MHz", row) for row in radio["by_channel"]]
    return [
        _delivery("data rate", rates),
        _delivery("nearest gateway", bands),
        _delivery("channel", channels),
        _gateways(radio["by_gateway"]),
    ]


def _delivery(what: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    rows = list(rows)
    has_load = any("busy" in row for _, row in rows)
    table = _table(what, "frames", "arrived", *(["busy"] if has_load else []), "lost for")
    for name, row in rows:
        load = [_share(row["busy"])] if has_load else []
        arrived = _share(row["delivered"] / row["sent"])
        table.add_row(name, str(row["sent"]), arrived, *load, _reasons(row["lost"]))
    return table


def _gateways(rows: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("gateway", "heard", "it alone", "downlinks", "sending", "lost for")
    for row in rows:
        counts = [str(row[name]) for name in ("heard", "alone", "downlinks")]
        table.add_row(row["name"], *counts, _share(row["sending"]), _reasons(row["lost"]))
    return table


def _table(*headings: str) -> Table:
    table = Table(title=None, box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        is_number = 0 < number < len(headings) - 1
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    return table


def _share(share: float) -> str:
    return f"{100 * share:.2f} %"


def _reasons(lost: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in lost.items())
