"""
One reference server as a process of its own: how other parts of ThingRig start one.

    python -m simulators.platforms thethings-io --port 0 --write-target target.toml
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from simulators.platforms.provisioning import Provisioning, ProvisioningError, from_document
from simulators.platforms.serving import PLATFORMS, ServingError, Settings, serve


def main() -> int:
    """Serve as the arguments say; 2 when that is impossible."""
    arguments = _parser().parse_args()
    try:
        serve([arguments.platform], _settings(arguments), lambda line: print(line, flush=True))
    except (ServingError, ProvisioningError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.platforms")
    parser.add_argument("platform", choices=PLATFORMS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write-target", type=Path)
    parser.add_argument("--deviation")
    parser.add_argument("--password-cost", type=int)
    parser.add_argument("--smtp")
    parser.add_argument("--provision-json", type=Path)
    parser.add_argument("--until-stdin-ends", action="store_true")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    values: dict[str, Any] = vars(arguments)
    return Settings(
        provisioning=_provisioning(values.pop("provision_json")),
        **{name: value for name, value in values.items() if name != "platform"},
    )


def _provisioning(path: Path | None) -> Provisioning | None:
    return None if path is None else from_document(json.loads(path.read_bytes()))


if __name__ == "__main__":
    raise SystemExit(main())
