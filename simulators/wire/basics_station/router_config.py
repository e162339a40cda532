"""
``router_config``: what a server wants a station to listen to and how it may send.

Source: lorabasics/basicstation 2.0.6, src/s2e.c, src/sx130xconf.c; documentation, chapter "The LNS
Protocol", section "router_config".
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.wire import fields
from simulators.wire.errors import WireError

MULTI_SF_CHANNELS = 8
DATA_RATES = 16
STATION_FSK = Fsk(50_000)  # the only FSK that a station knows

_HIGHEST_HZ = 10_000_000_000
_UINT64 = 2**64 - 1
_INT32 = 2**31 - 1
_HWSPEC = re.compile(r"sx130[12]/([1-9]\d?)", re.ASCII)
_RADIO_KEYS = ("sx1301_conf", "SX1301_conf", "sx1302_conf", "SX1302_conf", "radio_conf")


class DataRate(NamedTuple):
    """One line of ``DRs``."""

    modulation: Modulation
    is_downlink_only: bool = False


class Board(NamedTuple):
    """One concentrator: the centres of its two radios, and the channels around them."""

    radios_hz: tuple[int, int]
    multi_sf_hz: tuple[int, ...] = ()
    standard: tuple[int, Lora] | None = None  # LoRa of one bandwidth and spreading factor
    fsk_hz: int | None = None


class Beaconing(NamedTuple):
    """``layout``: offset of time, offset of InfoDesc, length; one frequency after the other."""

    dr: int
    layout: tuple[int, int, int]
    frequencies_hz: tuple[int, ...]


class UpChannel(NamedTuple):
    """A line of ``upchannels``, which newer servers send."""

    frequency_hz: int
    lowest_dr: int
    highest_dr: int


class RouterConfig(NamedTuple):
    """Filters are None where everything passes."""

    region: str
    data_rates: tuple[DataRate | None, ...]
    frequency_range_hz: tuple[int, int]
    boards: tuple[Board, ...]
    hwspec: str = "sx1301/1"
    net_ids: tuple[int, ...] | None = None
    join_euis: tuple[tuple[int, int], ...] | None = None
    up_channels: tuple[UpChannel, ...] = ()
    max_eirp_dbm: float | None = None
    has_no_cca: bool = False
    has_no_duty_cycle: bool = False
    has_no_dwell: bool = False
    beaconing: Beaconing | None = None
    mux_time_s: float | None = None


def encode_router_config(config: RouterConfig) -> dict[str, Any]:
    """The object that is written."""
    made: dict[str, Any] = {
        "msgtype": "router_config",
        "NetID": None if config.net_ids is None else list(config.net_ids),
        "JoinEui": None if config.join_euis is None else [list(r) for r in config.join_euis],
        "region": config.region,
        "hwspec": config.hwspec,
        "freq_range": list(config.frequency_range_hz),
        "DRs": [_data_rate_list(each) for each in config.data_rates],
        "sx1301_conf": [_board_object(each) for each in config.boards],
        "nocca": config.has_no_cca,
        "nodc": config.has_no_duty_cycle,
        "nodwell": config.has_no_dwell,
    }
    if config.up_channels:
        made["upchannels"] = [list(each) for each in config.up_channels]
    if config.max_eirp_dbm is not None:
        made["max_eirp"] = config.max_eirp_dbm
    if config.beaconing is not None:
        dr, layout, frequencies = config.beaconing
        made["bcning"] = {"DR": dr, "layout": list(layout), "freqs": list(frequencies)}
    if config.mux_time_s is not None:
        made["MuxTime"] = config.mux_time_s
    return made


def read_router_config(message: dict[str, Any]) -> RouterConfig:
    """
    Read ``router_config``.

    Raises:
        WireError: what a station needs is absent, or a field is wrong.
    """
    hwspec = fields.text(message, "hwspec")
    found = _HWSPEC.fullmatch(hwspec)
    if found is None:
        raise WireError(f"expected hwspec such as 'sx1301/1'; got {fields.shown(hwspec)}")
    boards = _read_boards(message)
    if len(boards) != int(found[1]):
        raise WireError(f"expected sx1301_conf of {found[1]} boards, as hwspec; got {len(boards)}")
    low_hz, high_hz = _integers(fields.listed(message, "freq_range"), "freq_range", _HIGHEST_HZ, 2)
    return RouterConfig(
        region=fields.text(message, "region", ""),
        data_rates=_read_data_rates(fields.listed(message, "DRs")),
        frequency_range_hz=(low_hz, high_hz),
        boards=boards,
        hwspec=hwspec,
        net_ids=_read_net_ids(message),
        join_euis=_read_join_euis(message),
        up_channels=_read_up_channels(message),
        max_eirp_dbm=fields.number(message, "max_eirp", -100, 100, None),
        has_no_cca=fields.boolean(message, "nocca", False),
        has_no_duty_cycle=fields.boolean(message, "nodc", False),
        has_no_dwell=fields.boolean(message, "nodwell", False),
        beaconing=_read_beaconing(message),
        mux_time_s=fields.number(message, "MuxTime", 0, 1e15, None),
    )


def _data_rate_list(rate: DataRate | None) -> list[int]:
    if rate is None:
        return [-1, 0, 0]
    if isinstance(rate.modulation, Fsk):
        return [0, 0, int(rate.is_downlink_only)]
    factor, bandwidth_hz, _ = rate.modulation
    return [factor, bandwidth_hz // 1000, int(rate.is_downlink_only)]


def _read_data_rates(lines: list[Any]) -> tuple[DataRate | None, ...]:
    if len(lines) > DATA_RATES:
        raise WireError(f"expected DRs of at most {DATA_RATES} lines; got {len(lines)}")
    read = [_read_data_rate(line) for line in lines]
    return (*read, *[None] * (DATA_RATES - len(read)))


def _read_data_rate(line: Any) -> DataRate | None:
    factor, bandwidth_khz, is_down = _integers(line, "DRs", 1000, 3, low=-1)
    if factor < 0:
        return None
    if factor == 0:
        return DataRate(STATION_FSK, bool(is_down))
    if not 7 <= factor <= 12 or bandwidth_khz not in (125, 250, 500):
        raise WireError(f"expected DRs such as [7,125,0]; got [{factor},{bandwidth_khz},{is_down}]")
    return DataRate(Lora(factor, bandwidth_khz * 1000), bool(is_down))


def _board_object(board: Board) -> dict[str, Any]:
    made: dict[str, Any] = {
        f"radio_{index}": {"enable": hertz > 0, "freq": hertz}
        for index, hertz in enumerate(board.radios_hz)
    }
    for index in range(MULTI_SF_CHANNELS):
        is_on = index < len(board.multi_sf_hz)
        place = _place(board, board.multi_sf_hz[index]) if is_on else {"enable": False}
        made[f"chan_multiSF_{index}"] = place
    if board.standard is not None:
        hertz, modulation = board.standard
        made["chan_Lora_std"] = {
            **_place(board, hertz),
            "bandwidth": modulation.bandwidth_hz,
            "spread_factor": modulation.spreading_factor,
        }
    if board.fsk_hz is not None:
        made["chan_FSK"] = _place(board, board.fsk_hz)
    return made


def _place(board: Board, frequency_hz: int) -> dict[str, Any]:
    """A channel as its distance from the nearer radio."""
    offsets = [frequency_hz - hertz for hertz in board.radios_hz]
    radio = min((0, 1), key=lambda index: abs(offsets[index]))
    return {"enable": True, "radio": radio, "if": offsets[radio]}


def _read_boards(message: dict[str, Any]) -> tuple[Board, ...]:
    for key in _RADIO_KEYS:
        if key in message:
            lines = fields.listed(message, key)
            return tuple(_read_board(fields.nested(line, key)) for line in lines)
    raise WireError("expected sx1301_conf; got none")


def _read_board(board: dict[str, Any]) -> Board:
    radios = (_read_radio(board, "radio_0"), _read_radio(board, "radio_1"))
    multi = [
        _read_channel(board, f"chan_multiSF_{index}", radios) for index in range(MULTI_SF_CHANNELS)
    ]
    return Board(
        radios,
        tuple(hertz for hertz in multi if hertz is not None),
        _read_standard(board, radios),
        _read_channel(board, "chan_FSK", radios),
    )


def _read_radio(board: dict[str, Any], name: str) -> int:
    radio = fields.nested(board.get(name, {}), name)
    if not fields.boolean(radio, "enable", True):
        return 0
    hertz: int = fields.integer(radio, "freq", 0, _HIGHEST_HZ, 0)
    return hertz


def _read_channel(board: dict[str, Any], name: str, radios: tuple[int, int]) -> int | None:
    if board.get(name) is None:
        return None
    channel = fields.nested(board[name], name)
    if not channel or not fields.boolean(channel, "enable", True):
        return None
    radio = radios[fields.integer(channel, "radio", 0, 1)]
    if radio == 0:
        raise WireError(f"expected {name} on a radio that is enabled; got one that is not")
    offset_hz: int = fields.integer(channel, "if", -_INT32, _INT32)
    return radio + offset_hz


def _read_standard(board: dict[str, Any], radios: tuple[int, int]) -> tuple[int, Lora] | None:
    name = "chan_Lora_std"
    hertz = _read_channel(board, name, radios)
    if hertz is None:
        return None
    factor = fields.integer(board[name], "spread_factor", 7, 12)
    bandwidth_hz = fields.integer(board[name], "bandwidth", 125_000, 500_000)
    if bandwidth_hz not in (125_000, 250_000, 500_000):
        raise WireError(f"expected {name} of 125, 250 or 500 kHz; got {bandwidth_hz} Hz")
    return hertz, Lora(factor, bandwidth_hz)


def _read_net_ids(message: dict[str, Any]) -> tuple[int, ...] | None:
    lines = fields.listed(message, "NetID", None)
    return None if lines is None else tuple(_integers(lines, "NetID", 0xFFFFFF, len(lines)))


def _read_join_euis(message: dict[str, Any]) -> tuple[tuple[int, int], ...] | None:
    lines = fields.listed(message, "JoinEui", fields.listed(message, "JoinEUI", None))
    if lines is None:
        return None
    ranges = [_integers(line, "JoinEui", _UINT64, 2) for line in lines]
    return tuple((low, high) for low, high in ranges)


def _read_up_channels(message: dict[str, Any]) -> tuple[UpChannel, ...]:
    lines = fields.listed(message, "upchannels", [])
    return tuple(UpChannel(*_integers(line, "upchannels", _HIGHEST_HZ, 3)) for line in lines)


def _read_beaconing(message: dict[str, Any]) -> Beaconing | None:
    if message.get("bcning") is None:
        return None
    told = fields.nested(message["bcning"], "bcning")
    time_at, info_at, length = _integers(fields.listed(told, "layout"), "layout", 255, 3)
    # Time and its CRC stand before InfoDesc, seven bytes and the second CRC behind it.
    if time_at + 6 > info_at or info_at + 9 > length:
        raise WireError(f"expected a layout with room for a beacon; got {told['layout']}")
    lines = fields.listed(told, "freqs")
    frequencies = tuple(_integers(lines, "freqs", _HIGHEST_HZ, len(lines)))
    if not frequencies:
        return None
    dr = fields.integer(told, "DR", 0, DATA_RATES - 1)
    return Beaconing(dr, (time_at, info_at, length), frequencies)


def _integers(values: Any, name: str, high: int, count: int, *, low: int = 0) -> list[int]:
    if not isinstance(values, list) or len(values) != count:
        raise WireError(f"expected {name} of {count} numbers; got {fields.shown(values)}")
    return [fields.integer({name: value}, name, low, high) for value in values]
