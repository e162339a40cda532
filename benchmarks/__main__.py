"""`python -m benchmarks [NAME…]`: prints figures beside their aims; a missed aim is no error."""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
from pathlib import Path

from benchmarks.figures import Report, machine
from benchmarks.processes import BenchmarkError, Neighbours

# Which programs each one needs.
BENCHMARKS: dict[str, tuple[str, ...]] = {
    "server": ("wrk",),
    "driver": ("wrk", "nginx"),
    "load": ("wrk", "nginx", "hey"),
    "streams": (),
    "core": (),
    "udp": (),
    "office": (),
    "radio": (),
    "lorawan_crypto": (),
    "nodes": (),
    "lorawan_day": (),
    "things_stack": (),
}


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    names = arguments.names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"expected some of {', '.join(BENCHMARKS)}; got {min(unknown)!r}")
    texts = [f"# Measured on {machine()}\n"]
    failed = False
    for name in names:
        try:
            texts.append(_run(name, arguments.rounds, arguments.seconds).text())
        except BenchmarkError as error:
            texts.append(f"## {name}\n\nnot measured: {error}\n")
            failed = True
        print(texts[-1], flush=True)
    if arguments.out:
        arguments.out.write_text("\n".join(texts), encoding="utf-8")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=5, help="medians are of this many")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    return parser


def _run(name: str, rounds: int, seconds: int) -> Report:
    missing = [tool for tool in BENCHMARKS[name] if shutil.which(tool) is None]
    if missing:
        raise BenchmarkError(f"needs {' and '.join(missing)}")
    module = importlib.import_module(f"benchmarks.{name}")
    neighbours = Neighbours()
    report: Report = module.run(rounds=rounds, seconds=seconds)
    report.foreign_cores = neighbours.cores()
    return report


if __name__ == "__main__":
    sys.exit(main())
