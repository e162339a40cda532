"""``thingrig serve``: reference servers on this machine, until a signal ends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scenarios.files import open_toml
from thingrig.errors import UsageProblem


@click.command("serve", short_help="Run reference servers until interrupted.")
@click.argument("platforms", nargs=-1, metavar="[PLATFORM]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, help="First port; 0 takes a free one.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that keeps everything across restarts; a temporary one by default.",
)
@click.option(
    "--tls/--no-tls", default=None, help="Speak TLS with the local CA of the folder, or do not."
)
@click.option(
    "--provision",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What to add to the state; of several platforms a folder with a file for each.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of tokens and codes.")
@click.option(
    "--write-target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a complete target file; of several platforms a folder with a file for each.",
)
@click.option(
    "--smtp",
    metavar="HOST:PORT",
    help="Mail server to send through; by default mails are kept in the folder.",
)
def command(
    platforms: tuple[str, ...],
    host: str,
    port: int,
    state: Path | None,
    tls: bool | None,
    provision: Path | None,
    seed: int,
    write_target: Path | None,
    smtp: str | None,
) -> None:
    """
    Run reference servers, all that exist when no PLATFORM is named.

    Prints "ready PLATFORM URL" for each and serves until interrupted or terminated.
    """
    from simulators.platforms.platform import ServingError, Settings
    from simulators.platforms.serving import PLATFORMS, serve

    _check(platforms, PLATFORMS, port)
    names = list(dict.fromkeys(platforms or PLATFORMS))
    settings = Settings(
        host, port, state, tls, _provisionings(names, provision), seed, write_target, smtp=smtp
    )
    try:
        serve(names, settings, _say)
    except ServingError as error:
        raise UsageProblem(str(error)) from error


def _say(line: str) -> None:
    print(line, flush=True)


def _check(platforms: tuple[str, ...], known: tuple[str, ...], port: int) -> None:
    from scenarios.mistakes import nearest

    for name in platforms:
        if name not in known:
            words = ", ".join(known)
            raise UsageProblem(f"expected a platform ({words}); got '{name}'{nearest(name, known)}")
    if not 0 <= port <= 65535:
        raise UsageProblem(f"--port: expected a number from 0 to 65535; got '{port}'")


def _provisionings(platforms: list[str], path: Path | None) -> dict[str, Any]:
    """What a file says of the only platform, or files in a folder of those that have one."""
    if path is None:
        return {}
    if not path.is_dir():
        if len(platforms) > 1:
            raise UsageProblem(f"--provision: expected a folder with a file for each; got '{path}'")
        return {platforms[0]: _provisioning(platforms[0], path)}
    files = {name: path / f"{name}.toml" for name in platforms}
    return {name: _provisioning(name, file) for name, file in files.items() if file.exists()}


def _provisioning(platform: str, path: Path) -> Any:
    from simulators.platforms.provisioning import ProvisioningError
    from simulators.platforms.serving import find_platform

    described = find_platform(platform)
    file = open_toml(path)
    file.check(described.schema)
    try:
        return described.read_provisioning(file.document)
    except ProvisioningError as error:
        raise file.error(error.path, str(error)) from error
