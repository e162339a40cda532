"""
Pictures of results, drawn by matplotlib, which is the optional extra ``plots``.

What is drawn comes as a document, the same that a command writes as JSON.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from reports.results import Document

STYLES: dict[str, dict[str, Any]] = {
    "theory": {"color": "#777777", "linestyle": "--", "linewidth": 1},
    "reference": {
        "color": "#c4421a", "marker": "s", "linestyle": "", "fillstyle": "none", "markersize": 9,
    },
}  # fmt: skip
SIZE_INCHES = (6.4, 4.0)
DOTS_PER_INCH = 110


class PlotError(Exception):
    """No picture could be made; the message is one line."""


def check(path: Path) -> None:
    """
    Whether a picture can be made at all; asked before a long study, not after it.

    Raises:
        PlotError: matplotlib is missing, or it does not know this kind of file.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise PlotError("expected matplotlib for a plot; pip install 'thingrig[plots]'")
    if not path.parent.is_dir():
        raise PlotError(f"expected a plot in a folder that exists; got '{path}'")
    known = sorted(_figure().canvas.get_supported_filetypes())
    kind = path.suffix.removeprefix(".").lower()
    if kind not in known:
        raise PlotError(
            f"expected a plot's name to end with one of {', '.join(known)}; got '{path}'"
        )


def delivery_plot(study: Document, path: Path) -> None:
    """
    Draw the share of delivered frames over the number of nodes.

    Args:
        study: ``title``, ``interference``, ``rows`` of ``nodes`` and ``der``; ``reference`` and
            ``theory``, each with ``name`` and ``points`` of the same.
    Raises:
        PlotError: matplotlib is missing, or the file could not be written.
    """
    check(path)
    figure = _figure()
    axes = figure.add_subplot()
    _draw(axes, study)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.02)
    shown = [*study["rows"], *study["reference"]["points"]]
    ticks = sorted({each["nodes"] for each in shown})
    axes.set_xticks(ticks, [str(each) for each in ticks])
    axes.minorticks_off()
    axes.set_xlabel("nodes")
    axes.set_ylabel("data extraction rate")
    axes.set_title(f"{study['title']}\ninterference model {study['interference']}", fontsize=10)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False)
    figure.tight_layout()
    try:
        figure.savefig(path, dpi=DOTS_PER_INCH)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise PlotError(f"{path}: expected a file that can be written; got '{reason}'") from problem


def _draw(axes: Any, study: Document) -> None:
    by_nodes = defaultdict(list)
    for row in study["rows"]:
        by_nodes[row["nodes"]].append(row["der"])
    nodes = sorted(by_nodes)
    means = [fmean(by_nodes[each]) for each in nodes]
    axes.plot(nodes, means, color="#1f5fa8", marker="o", markersize=4, label="ThingRig")
    for name, style in STYLES.items():
        points = sorted((point["nodes"], point["der"]) for point in study[name]["points"])
        if points:
            places, shares = zip(*points, strict=True)
            axes.plot(places, shares, label=study[name]["name"], **style)


def _figure() -> Any:
    """A figure without a window; nothing global is touched, nothing stays open."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES)
    FigureCanvasAgg(figure)
    return figure
