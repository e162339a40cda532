"""``thingrig frame decode``: one LoRaWAN frame, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import click

from simulators.lorawan.dissection import dissect
from simulators.lorawan.dissection.known import Document, Known, NetworkKeys
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.identifiers import parse_eui, parse_key
from thingrig.errors import UsageProblem

_Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def _option(name: str, metavar: str, parse: Callable[[str], Any], words: str = "") -> _Decorator:
    """An option that a function of the codec reads; what that objects to is the message."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else parse(value)
        except LoRaWanError as problem:
            raise click.BadParameter(problem.reason, ctx, param) from problem

    return click.option(name, metavar=metavar, callback=read, help=words)


def _key(name: str, words: str = "") -> _Decorator:
    return _option(name, "KEY", parse_key, words)


def _eui(name: str, words: str) -> _Decorator:
    return _option(name, "EUI", parse_eui, words)


def _number(name: str, highest: int, words: str) -> _Decorator:
    def parse(text: str) -> int:
        # What is no number is not repeated: it may be a key in the wrong place.
        if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > highest:
            raise LoRaWanError(f"expected a whole number from 0 to {highest}")
        return int(text)

    return _option(name, "N", parse, words)


NETWORK = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")


@click.group("frame", no_args_is_help=True)
def command() -> None:
    """LoRaWAN frames as bytes."""


@command.command("decode")
@click.argument("frame", metavar="HEX", nargs=-1, required=True)
@_key("--app-key", "Root key; of 1.0.x the only one.")
@_key("--nwk-key", "Root key of the network, from 1.1 on.")
@_eui("--join-eui", "For join accepts of 1.1.")
@_eui("--dev-eui", "For join accepts of 1.1.")
@_number(
    "--dev-nonce",
    0xFFFF,
    "DevNonce of the join request that a join accept answers, or a rejoin request's counter.",
)
@_key("--nwk-s-key", "Session key of the network, 1.0.x.")
@_key("--f-nwk-s-int-key", "Session keys of the network, 1.1: all three.")
@_key("--s-nwk-s-int-key")
@_key("--nwk-s-enc-key")
@_key("--app-s-key", "Session key of the application.")
@_number("--f-cnt", 0xFFFF_FFFF, "Full counter, where it is past 65535.")
@_number("--conf-f-cnt", 0xFFFF_FFFF, "1.1: counter of the frame that is acknowledged.")
@_number("--tx-dr", 255, "1.1 uplinks: index of the data rate.")
@_number("--tx-ch", 255, "1.1 uplinks: index of the channel.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as a JSON object.")
def decode(frame: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """
    Tell the fields of the PHY payload HEX; with keys also MIC, payload and MAC commands.

    Keys are hex; in the output no more than their last four characters appear.
    """
    known = _known(options)
    try:
        document = dissect(_bytes("".join(frame)), known)
    except LoRaWanError as problem:
        raise UsageProblem(f"frame decode: {problem}") from problem
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(document)))


def _bytes(text: str) -> bytes:
    digits = re.sub(r"[\s:-]|^0x", "", text)
    wrong = re.search(r"[^0-9A-Fa-f]", digits)
    if wrong:
        at = wrong.start()
        raise UsageProblem(f"frame decode: HEX: expected hex digits; got {wrong[0]!r} at {at}")
    if len(digits) % 2:
        raise UsageProblem(
            f"frame decode: HEX: expected two digits for each byte; got {len(digits)} digits"
        )
    return bytes.fromhex(digits)


def _known(options: dict[str, Any]) -> Known:
    nwk_s_key = options.pop("nwk_s_key")
    network = {name: options.pop(name) for name in NETWORK}
    _together(network)
    _together({name: options[name] for name in ("tx_dr", "tx_ch")})
    is_1_1 = None not in network.values()
    if nwk_s_key and is_1_1:
        raise UsageProblem(
            "frame decode: expected --nwk-s-key of 1.0.x or three keys of 1.1; got both"
        )
    keys = None
    if is_1_1:
        keys = NetworkKeys(*network.values())
    elif nwk_s_key:
        keys = NetworkKeys(nwk_s_key, nwk_s_key, nwk_s_key)
    given = {name: value for name, value in options.items() if value is not None}
    return Known(**given, network=keys, is_1_1=is_1_1)


def _together(options: dict[str, Any]) -> None:
    """Raise unless all of the options are there, or none."""
    missing = [name for name, value in options.items() if value is None]
    if missing and len(missing) < len(options):
        given = next(name for name in options if name not in missing)
        lacking = " and ".join(map(_flag, missing))
        raise UsageProblem(f"frame decode: {_flag(given)}: expected {lacking} beside it")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


_LABELS = {
    "f_type": "type",
    "phy_payload": "bytes",
    "dev_addr": "DevAddr",
    "f_ctrl": "FCtrl",
    "f_cnt": "FCnt",
    "f_opts": "FOpts",
    "f_port": "FPort",
    "frm_payload": "FRMPayload",
    "decrypted_payload": "decrypted",
    "join_eui": "JoinEUI",
    "dev_eui": "DevEUI",
    "dev_nonce": "DevNonce",
    "join_nonce": "JoinNonce",
    "net_id": "NetID",
    "opt_neg": "OptNeg",
    "rx1_data_rate_offset": "RX1DROffset",
    "rx2_data_rate_index": "RX2DataRate",
    "rx_delay": "RxDelay",
    "cf_list": "CFList",
    "rj_count": "RJcount",
    "rejoin_type": "RejoinType",
    "mic": "MIC",
}
_WIDTH = 20


def _lines(document: Document) -> Iterator[str]:
    for name, value in document.items():
        if name in _SPECIAL:
            yield from _SPECIAL[name](document, value)
        elif value not in ("", None):
            yield _line(_LABELS.get(name, name), _text(value))


def _line(label: str, text: str) -> str:
    return f"{label:{_WIDTH}}{text}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_text(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flags(document: Document, value: Document) -> Iterator[str]:
    yield _line("FCtrl", ", ".join(name for name, is_set in value.items() if is_set) or "none set")


def _payload(document: Document, value: str | None) -> Iterator[str]:
    if value:
        text = bytes.fromhex(value).decode("ascii", errors="replace")
        yield _line("decrypted", f"{value}  {text!r}" if text.isprintable() else value)


def _commands(document: Document, value: list[Document]) -> Iterator[str]:
    for each in value:
        yield _line("MAC command", f"{each['name']} {_text(each['fields'])}".rstrip())


def _mic(document: Document, value: str) -> Iterator[str]:
    yield _line("MIC", f"{value or 'not to be seen'}  {document['mic_status']}")


def _notes(document: Document, value: list[str]) -> Iterator[str]:
    yield from (_line("note", each) for each in value)


def _nothing(document: Document, value: Any) -> Iterator[str]:
    yield from ()


_SPECIAL: dict[str, Callable[[Document, Any], Iterator[str]]] = {
    "f_ctrl": _flags,
    "decrypted_payload": _payload,
    "mac_commands": _commands,
    "mic": _mic,
    "mic_status": _nothing,
    "notes": _notes,
}
