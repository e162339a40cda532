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

from simulators.platforms.platform import ServingError, Settings
from simulators.platforms.provisioning import ProvisioningError
from simulators.platforms.serving import PLATFORMS, find_platform, serve


def main() -> int:
    """Serve as the arguments say; 2 when that is impossible."""
    arguments = _parser().parse_args()
    platforms = [arguments.platform]
    try:
        serve(platforms, _settings(arguments), lambda line: print(line, flush=True))
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
    name, path = values.pop("platform"), values.pop("provision_json")
    return Settings(provisionings=_provisionings(name, path), **values)


def _provisionings(name: str, path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    return {name: find_platform(name).read_provisioning(json.loads(path.read_bytes()))}


if __name__ == "__main__":
    raise SystemExit(main())
