"""``thingrig trace pcap``: the frames on air of a trace, as a capture for Wireshark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scenarios.capture import CaptureError, OnAir, captures, devices_of, on_air
from scenarios.files import FileError
from simulators.wire.loratap import file_header, record
from thingrig.cli import near
from thingrig.errors import NoJudgement, UsageProblem
from thingrig.keeping import opened
from thingrig.run_view import printable
from thingrig.trace_file import readable_trace


@click.group("trace", no_args_is_help=True)
def command() -> None:
    """Traces of runs."""


@command.command("pcap")
@click.argument("trace_path", metavar="TRACE")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--loratap",
    "version",
    type=click.Choice(["0", "1"]),
    default="0",
    help="Version of the headers; 1 has gateway and counter, and needs a newer Wireshark.",
)
@click.option(
    "--device",
    "devices",
    metavar="NAME",
    multiple=True,
    help="Whose view: a gateway's or node's; may be repeated. All gateways by default.",
)
def pcap(trace_path: str, file: Path, version: str, devices: Sequence[str]) -> None:
    """Write the LoRa frames in TRACE, the trace.jsonl of a run, to the capture FILE."""
    trace = readable_trace(Path(trace_path))
    frames = on_air(trace)
    if not frames:
        raise NoJudgement(f"{printable(trace_path)} holds no frame on air")
    chosen = _chosen(frames, devices)
    try:
        found = captures(trace, frames, chosen)
    except CaptureError as problem:
        raise FileError(Path(trace_path), problem.line, printable(str(problem))) from problem
    if file.exists() and file.samefile(trace_path):
        raise UsageProblem(f"expected another file than the trace; got {printable(str(file))!r}")
    with opened(file) as written:
        written.write(file_header())
        written.writelines(record(each, version=int(version)) for each in found)
    whose = ", ".join(map(printable, chosen))
    click.echo(f"{len(found)} frames of {whose}: {printable(str(file))}")


def _chosen(frames: Sequence[OnAir], names: Sequence[str]) -> list[str]:
    known = list(dict.fromkeys(frame.event.device for frame in frames))
    for name in names:
        if name not in known:
            told = f"expected a device with frames on air; got {name!r}{near(name, known)}"
            raise UsageProblem(printable(told))
    return list(names) or devices_of(frames)
