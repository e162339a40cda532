"""``thingrig airtime``: how long one LoRa frame is on air."""

from __future__ import annotations

import json

import click

from simulators.lorawan.airtime import CODING_RATES, needs_ldro, symbol_us, time_on_air_us
from simulators.lorawan.modulation import Lora
from thingrig.errors import UsageProblem

BANDWIDTHS_HZ = {"125": 125_000, "250": 250_000, "500": 500_000}
LDRO = {"auto": None, "on": True, "off": False}


@click.command("airtime")
@click.option("--sf", type=click.IntRange(6, 12), required=True, help="Spreading factor.")
@click.option("--bw", type=click.Choice(list(BANDWIDTHS_HZ)), required=True, help="kHz.")
@click.option(
    "--cr",
    type=click.Choice(list(CODING_RATES)),
    default="4/5",
    show_default=True,
    help="Coding rate.",
)
@click.option(
    "--payload",
    "phy_bytes",
    type=click.IntRange(0, 255),
    required=True,
    help="Bytes of the PHY payload, MHDR to MIC: a data frame without MAC commands has 13 more"
    " than the application's, a join request 23.",
)
@click.option(
    "--preamble",
    type=click.IntRange(0, 65_535),
    default=8,
    show_default=True,
    help="Programmed symbols; beacons have 10.",
)
@click.option("--implicit-header", is_flag=True, help="No header on air, as beacons.")
@click.option("--no-crc", is_flag=True, help="No payload CRC, as downlinks and beacons.")
@click.option(
    "--ldro",
    type=click.Choice(list(LDRO)),
    default="auto",
    show_default=True,
    help="Low data rate optimisation; auto: on where a symbol lasts 16.384 ms or longer.",
)
@click.option("--json", "as_json", is_flag=True, help='{"airtime_us": …}')
def command(
    sf: int,
    bw: str,
    cr: str,
    phy_bytes: int,
    preamble: int,
    implicit_header: bool,
    no_crc: bool,
    ldro: str,
    as_json: bool,
) -> None:
    """Tell how long one LoRa frame is on air, to the microsecond."""
    modulation = Lora(sf, BANDWIDTHS_HZ[bw], cr)
    is_optimised = needs_ldro(modulation) if LDRO[ldro] is None else ldro == "on"
    try:
        airtime_us = time_on_air_us(
            modulation,
            phy_bytes,
            preamble=preamble,
            implicit_header=implicit_header,
            has_crc=not no_crc,
            ldro=is_optimised,
        )
    except ValueError as problem:
        raise UsageProblem(f"airtime: {problem}") from problem
    if as_json:
        click.echo(json.dumps({"airtime_us": airtime_us}))
        return
    optimised = "on" if is_optimised else "off"
    click.echo(
        f"{airtime_us} µs on air (symbol {symbol_us(modulation)} µs,"
        f" low data rate optimisation {optimised})"
    )
