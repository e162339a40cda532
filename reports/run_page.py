"""
A run of LoRaWAN as one page, made from run.json: what held, and how well the network is heard.

For whoever chooses places and numbers of gateways. No script, nothing loaded from elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.results import Document
from reports.text import shown

SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
WORST = 10
TABLES = (
    ("by_data_rate", "By data rate", "the slower, the farther it reaches, and the longer it takes"),
    ("by_distance", "By distance", "to the nearest gateway, when the frame was sent"),
    ("by_channel", "By channel", "busy: airtime of nodes as a share of the time"),
)


def run_page(run: Document) -> str:
    """The whole HTML page of one ``run.json`` that has ``radio``."""
    text = (
        _environment()
        .get_template("run.html")
        .render(
            run=run,
            signs=SIGNS,
            tables=[(title, note, _rows(run["radio"][key])) for key, title, note in TABLES],
            worst=_worst(run["nodes"]),
        )
    )
    return text.encode("utf-8", "backslashreplace").decode()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "percent": _percent, "reasons": _reasons}
    return environment


def _rows(rows: list[Document]) -> list[Document]:
    """Each row with a name of its own, and the shares that are drawn."""
    return [{**row, "name": _name(row), "share": _share(row)} for row in rows]


def _name(row: Document) -> str:
    if "data_rate" in row:
        return str(row["data_rate"])
    if "frequency_hz" in row:
        return f"{row['frequency_hz'] / 1e6:g} MHz"
    return f"{row['from_m']:g} to {row['to_m']:g} m"


def _share(row: Document) -> float:
    return float(row["delivered"] / row["sent"]) if row["sent"] else 0.0


def _worst(nodes: list[Document]) -> list[Document]:
    """Nodes of whose uplinks most were heard by nobody."""
    deaf = [node for node in nodes if node["heard"] < node["uplinks"]]
    ordered = sorted(deaf, key=lambda node: (node["heard"] / node["uplinks"], node["name"]))
    return [{**node, "share": node["heard"] / node["uplinks"]} for node in ordered[:WORST]]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _reasons(lost: dict[str, Any]) -> str:
    return ", ".join(f"{shown(reason)} {count}" for reason, count in lost.items())
