"""``thingrig serve``: reference servers on this machine, until a signal ends them."""

from __future__ import annotations

from pathlib import Path

import click

from scenarios.files import open_toml
from simulators.platforms.provisioning import Provisioning, ProvisioningError, from_document
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
@click.option("--tls/--no-tls", default=False, help="Speak TLS with the local CA of the folder.")
@click.option(
    "--provision",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Products, codes, things, firmware and functions to add to the folder.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of tokens and codes.")
@click.option(
    "--write-target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a complete target file for these servers.",
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
    tls: bool,
    provision: Path | None,
    seed: int,
    write_target: Path | None,
    smtp: str | None,
) -> None:
    """
    Run reference servers, all that exist when no PLATFORM is named.

    Prints "ready PLATFORM URL" for each and serves until interrupted or terminated.
    """
    from simulators.platforms.serving import PLATFORMS, ServingError, Settings, serve

    _check(platforms, PLATFORMS, port)
    settings = Settings(
        host, port, state, tls, _provisioning(provision), seed, write_target, smtp=smtp
    )
    try:
        serve(list(platforms), settings, _say)
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


def _provisioning(path: Path | None) -> Provisioning | None:
    if path is None:
        return None
    file = open_toml(path)
    file.check("provisioning")
    try:
        return from_document(file.document)
    except ProvisioningError as error:
        raise file.error(error.path, str(error)) from error
