"""
The plain options of a fleet of nodes, as a scenario writes them, and what they come to.

All nodes of a fleet share one NodeKind; a mistake in it is found before the first is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulators.devices.lorawan.adr import Manner
from simulators.devices.lorawan.certification import MANNERS as CERTIFICATIONS
from simulators.devices.lorawan.energy import PROFILES
from simulators.devices.lorawan.mac_queue import STICKY
from simulators.devices.lorawan.nonces import DEV_NONCES
from simulators.devices.lorawan.reporting import Reporting
from simulators.devices.lorawan.settings import ALL_KEPT, Settings
from simulators.devices.lorawan.start_session import CLASSES
from simulators.devices.lorawan.windows import Timing
from simulators.devices.options import FleetError, build, one_of, option_names, split
from simulators.lorawan.crypto import MAX_F_CNT, FOptsCipher
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.regions import region
from simulators.lorawan.regions.phy_version import PhyVersion
from simulators.lorawan.regions.region import Region
from simulators.lorawan.versions import MacVersion

ANY = -1
NOT_SOON = -1.0
DUTY_CYCLES = ("off-time", "credit", "none")
ACTIVATIONS = ("abp", "otaa")
PAYLOAD_OPTIONS = ("payload", "values", "relay")
MOST_PORT = 223


@dataclass(frozen=True)
class NodeOptions:
    """
    What a fleet can say about its nodes beside their reporting; the usual value of each.

    ``activation``: otaa or abp. ``region_version``: of the regional parameters; empty: the last one
    for ``version``. ``data_rate`` and ``join_data_rate``: -1 leaves them to the device.
    ``ack_pause_s``: so long after it, a confirmed downlink in class B or C is acknowledged by an
    empty uplink; unset: with the next uplink. ``adr_manner``: power-first or text; empty: as
    ``version`` says.
    ``drift_ppm``: each crystal is wrong by at most so much. ``profile``: currents of the radio.
    ``first_dev_nonce``: where the counter of 1.0.4 and 1.1 begins, past what a server saw.
    ``lost``: what a reboot takes away: session, dev_nonce, join_nonce. Identities and keys are hex
    text; those that are empty come from the name and the seed.
    """

    region: str = "EU868"
    region_version: str = ""
    version: str = "1.0.3"
    activation: str = "otaa"
    device_class: str = "A"
    ping_periodicity: int = 4
    adr: bool = True
    data_rate: int = ANY
    channels: tuple[int, ...] = ()
    duty_cycle: str = "off-time"
    first_f_cnt: int = 0
    first_dev_nonce: int = 0
    sticky: str = "spec"
    f_opts_cipher: str = "1.1.1"
    confirmed_tries: int = 8
    join_data_rate: int = ANY
    wide_join_windows: bool = False
    answers_f_pending: bool = False
    ack_pause_s: float = NOT_SOON
    adr_manner: str = ""
    first_link_adr_block_only: bool = False
    lost: tuple[str, ...] = ()
    certification: str = ""
    battery: int = 255
    profile: str = "sx1272"
    drift_ppm: float = 0.0
    rx_error_us: int = 10_000
    tolerance_ppm: float = 40.0
    rx_shift_us: int = 0
    accept_us: int = 0
    dev_eui: str = ""
    join_eui: str = ""
    app_key: str = ""
    nwk_key: str = ""
    dev_addr: str = ""
    nwk_s_key: str = ""
    app_s_key: str = ""


class NodeKind(NamedTuple):
    """What all nodes of a fleet have in common; ``payload`` has the options of what they send."""

    options: NodeOptions
    region: Region
    settings: Settings
    reporting: Reporting
    payload: dict[str, Any]


def kind_of(options: Mapping[str, Any]) -> NodeKind:
    """
    What the options of NodeOptions, of Reporting, and ``payload`` or ``values`` come to.

    Raises:
        FleetError: an unknown option or word, or a wrong value.
    """
    plain = {
        key: tuple(value) if isinstance(value, list) else value for key, value in options.items()
    }
    reporting, rest = split(plain, option_names(Reporting))
    payload, rest = split(rest, PAYLOAD_OPTIONS)
    known = [*option_names(Reporting), *PAYLOAD_OPTIONS]
    wanted = build(NodeOptions, rest, also=known)
    report = build(Reporting, reporting)
    _check_reporting(report)
    try:
        settings = settings_of(wanted)
        version = wanted.region_version
        phy = PhyVersion.parse(version) if version else PhyVersion.of(settings.version)
        table = region(wanted.region, phy)
    except LoRaWanError as error:
        raise FleetError(str(error)) from error
    _check_against(table, wanted)
    return NodeKind(wanted, table, settings, report, payload)


def _check_reporting(report: Reporting) -> None:
    _whole("f_port", report.f_port, 1, MOST_PORT)
    if not 0 <= report.confirmed <= 1:
        message = f"confirmed must lie between 0 and 1; got {report.confirmed}"
        raise FleetError(message, option="confirmed")


def _check_against(table: Region, options: NodeOptions) -> None:
    """A FleetError for what the region does not have."""
    rates = (ANY, *table.uplink_data_rates())
    for name in ("data_rate", "join_data_rate"):
        if getattr(options, name) not in rates:
            known = ", ".join(str(rate) for rate in rates)
            message = f"{name} must be one of {known} in {table.name}"
            raise FleetError(f"{message}; got {getattr(options, name)!r}", option=name)
    for channel in options.channels:
        _whole("channels", channel, 0, len(table.uplink_channels) - 1)


def _whole(name: str, value: object, lowest: int, highest: int) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return
    message = f"{name} must be a whole number from {lowest} to {highest}; got {value!r}"
    raise FleetError(message, option=name)


def _true_or_false(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise FleetError(f"{name} must be true or false; got {value!r}", option=name)


def settings_of(options: NodeOptions) -> Settings:
    """The settings that all nodes with these options share; raises FleetError, LoRaWanError."""
    one_of("activation", options.activation, ACTIVATIONS)
    one_of("duty_cycle", options.duty_cycle, DUTY_CYCLES)
    _whole("battery", options.battery, 0, 255)
    _whole("confirmed_tries", options.confirmed_tries, 1, 100)
    _whole("first_f_cnt", options.first_f_cnt, 0, MAX_F_CNT)
    _whole("first_dev_nonce", options.first_dev_nonce, 0, DEV_NONCES - 1)
    _whole("ping_periodicity", options.ping_periodicity, 0, 7)
    for name in ("adr", "wide_join_windows", "answers_f_pending", "first_link_adr_block_only"):
        _true_or_false(name, getattr(options, name))
    if options.certification:
        one_of("certification", options.certification, CERTIFICATIONS)
    lost = frozenset(one_of("lost", each, ALL_KEPT) for each in options.lost)
    manners = {each.value: each for each in Manner}
    if options.adr_manner:
        one_of("adr_manner", options.adr_manner, manners)
    ciphers = {each.value: each for each in FOptsCipher}
    return Settings(
        version=MacVersion.parse(options.version),
        device_class=one_of("device_class", options.device_class, CLASSES),
        ping_periodicity=options.ping_periodicity,
        adr=options.adr,
        adr_manner=manners.get(options.adr_manner),
        data_rate=_or_none(options.data_rate),
        channels=options.channels or None,
        first_f_cnt=options.first_f_cnt,
        timing=Timing(
            rx_error_us=options.rx_error_us,
            tolerance_ppm=options.tolerance_ppm,
            rx_shift_us=options.rx_shift_us,
            accept_us=options.accept_us,
        ),
        duty_cycle=options.duty_cycle,
        sticky=STICKY[one_of("sticky", options.sticky, STICKY)],
        f_opts_cipher=ciphers[one_of("f_opts_cipher", options.f_opts_cipher, ciphers)],
        confirmed_tries=options.confirmed_tries,
        join_data_rate=_or_none(options.join_data_rate),
        wide_join_windows=options.wide_join_windows,
        kept=ALL_KEPT - lost,
        answers_f_pending=options.answers_f_pending,
        ack_pause_s=None if options.ack_pause_s == NOT_SOON else options.ack_pause_s,
        first_link_adr_block_only=options.first_link_adr_block_only,
        currents=PROFILES[one_of("profile", options.profile, PROFILES)],
        battery=options.battery,
        certification=options.certification,
    )


def _or_none(data_rate: int) -> int | None:
    return None if data_rate == ANY else data_rate
