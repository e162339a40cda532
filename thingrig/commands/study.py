"""``thingrig study``: published studies of networks, done again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from reports.plots import PlotError, check, delivery_plot
from simulators.radio import lorasim
from simulators.radio.lorasim_reference import DURATION_MS, NODES, SEEDS, measured, theory
from simulators.radio.lorasim_setting import EXPERIMENTS, GRIDS
from thingrig import cli
from thingrig.errors import UsageProblem

GATEWAYS = tuple(str(each) for each in (1, *GRIDS))
LISTS = ("--nodes", "--seed")


class _Studies(click.Group):
    """Says which studies there are."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            known = ", ".join(self.commands)
            near = cli.near(args[0], self.commands)
            raise UsageProblem(f"expected a study ({known}); got {args[0]!r}{near}")
        return super().resolve_command(ctx, args)


class _SeveralNumbers(click.Command):
    """Lets options take several numbers, as in ``--nodes 50 100 200``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(_one_by_one(args)))


def _one_by_one(args: list[str]) -> Iterator[str]:
    """The option again before each further number."""
    option = ""
    is_first = False
    for word in args:
        if word in LISTS:
            option, is_first = word, True
        elif option and word.isascii() and word.isdecimal():
            if not is_first:
                yield option
            is_first = False
        else:
            option = ""
        yield word


@click.group("study", cls=_Studies)
def command() -> None:
    """Do a published study of a network again."""


@command.command("lorasim", cls=_SeveralNumbers)
@click.option("--experiment", type=click.IntRange(0, len(EXPERIMENTS) - 1), default=4,
              show_default=True, metavar="0...5", help="LoRaSim's radio setting.")  # fmt: skip
@click.option("--nodes", type=click.IntRange(1), multiple=True, default=NODES, metavar="N...",
              show_default=True, help="Number of nodes; one or several.")  # fmt: skip
@click.option("--model", type=click.Choice(list(lorasim.MODELS)), default="full",
              show_default=True, help="Overlaps lose both (simple), or capture.")  # fmt: skip
@click.option("--gateways", type=click.Choice(GATEWAYS), default="1", show_default=True,
              help="In LoRaSim's layout.")  # fmt: skip
@click.option("--duration-ms", type=click.IntRange(1), default=DURATION_MS, show_default=True,
              metavar="D", help="Simulated time.")  # fmt: skip
@click.option("--seed", "seeds", type=click.IntRange(0), multiple=True, default=SEEDS,
              metavar="S...", show_default=True, help="One run for each.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE",
              help="Draw delivery over nodes (needs the extra plots).")  # fmt: skip
def lorasim_command(
    experiment: int,
    nodes: tuple[int, ...],
    model: str,
    gateways: str,
    duration_ms: int,
    seeds: tuple[int, ...],
    as_json: bool,
    plot: Path | None,
) -> None:
    """
    How much of what N nodes send arrives, by the experiments of LoRaSim.

    Bor et al., "Do LoRa Low-Power Wide-Area Networks Scale?", MSWiM 2016.
    """
    try:
        if plot is not None:
            check(plot)
        document = _head(experiment, model, int(gateways), duration_ms)
        if not as_json:
            click.echo(_title(document))
        document["rows"] = list(_rows(document, nodes, seeds, is_told=not as_json))
        _compare(document)
        if as_json:
            click.echo(json.dumps(document, indent=2))
        if plot is not None:
            delivery_plot(document, plot)
    except PlotError as problem:
        raise UsageProblem(str(problem)) from problem
    if plot is not None and not as_json:
        click.echo(str(plot))


def _head(experiment: int, model: str, gateways: int, duration_ms: int) -> dict[str, Any]:
    many = "1 gateway" if gateways == 1 else f"{gateways} gateways"
    return {
        "study": "lorasim",
        "title": f"LoRaSim experiment {experiment} ({EXPERIMENTS[experiment].title}), {many}",
        "experiment": experiment,
        "model": model,
        "interference": lorasim.MODELS[model],
        "gateways": gateways,
        "duration_ms": duration_ms,
    }


def _title(document: dict[str, Any]) -> str:
    hours = document["duration_ms"] / 3_600_000
    head = f"{document['title']}, {hours:.1f} h\ninterference model {document['interference']}"
    return f"{head}\n{'nodes':>6} {'seed':>5} {'sent':>8} {'der':>7} {'energy_j':>9} {'LoRaSim':>8}"


def _rows(
    document: dict[str, Any], nodes: tuple[int, ...], seeds: tuple[int, ...], *, is_told: bool
) -> Iterator[dict[str, Any]]:
    experiment, model, gateways = (document[key] for key in ("experiment", "model", "gateways"))
    reference = measured(experiment, model, gateways)
    runs = [(each, seed) for each in nodes for seed in seeds]
    is_shown = sys.stderr.isatty() and not (is_told and sys.stdout.isatty())
    console = Console(stderr=True)
    for each, seed in track(runs, "running", console=console, transient=True, disable=not is_shown):
        row = lorasim.run(
            experiment,
            each,
            model=model,
            gateways=gateways,
            duration_ms=document["duration_ms"],
            seed=seed,
        )
        if is_told:
            there = f"{reference[each]:8.4f}" if each in reference else f"{'-':>8}"
            click.echo(f"{each:6} {seed:5} {row.sent:8} {row.der:7.4f} {row.energy_j:9.1f} {there}")
        yield asdict(row)


def _compare(document: dict[str, Any]) -> None:
    """Add what LoRaSim itself comes to, and what theory says."""
    key = (document["experiment"], document["model"], document["gateways"])
    reference = measured(*key)
    points = [{"nodes": each, "der": der} for each, der in reference.items()]
    document["reference"] = {"name": "LoRaSim 0.2.1", "points": points}
    nodes = sorted({row["nodes"] for row in document["rows"]})
    told = [(each, theory(*key, each)) for each in nodes]
    points = [{"nodes": each, "der": der} for each, der in told if der is not None]
    document["theory"] = {"name": "pure ALOHA", "points": points}
