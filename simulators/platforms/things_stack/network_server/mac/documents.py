"""
MAC commands as messages of the API, and back: what the state of a device and events hold.

Each field of a command has a form; zero values are left out, as everywhere in messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from simulators.lorawan import mac_commands as mac
from simulators.lorawan.gps_time import to_gps_us, to_unix_us
from simulators.lorawan.mac_commands import MAX_EIRP_DBM, MacCommand
from simulators.platforms.things_stack.times import time_text, unix_us

Document = dict[str, Any]

_SECOND_US = 1_000_000

DUTY_CYCLES = tuple(f"DUTY_CYCLE_{1 << exponent}" for exponent in range(16))
ADR_ACK_LIMITS = tuple(f"ADR_ACK_LIMIT_{1 << exponent}" for exponent in range(16))
ADR_ACK_DELAYS = tuple(f"ADR_ACK_DELAY_{1 << exponent}" for exponent in range(16))
REJOIN_TIMES = tuple(f"REJOIN_TIME_{exponent}" for exponent in range(16))
REJOIN_COUNTS = tuple(f"REJOIN_COUNT_{16 << exponent}" for exponent in range(16))
REJOIN_PERIODS = tuple(f"REJOIN_PERIOD_{exponent}" for exponent in range(8))
REJOIN_TYPES = ("CONTEXT", "SESSION", "KEYS")
PING_PERIODS = tuple(f"PING_EVERY_{1 << exponent}S" for exponent in range(8))
CLASSES = ("CLASS_A", "CLASS_B", "CLASS_C")
EIRPS = tuple(f"DEVICE_EIRP_{dbm}" for dbm in MAX_EIRP_DBM)
_MINORS = tuple("MINOR_1" if number == 1 else f"MINOR_RFU_{number}" for number in range(16))


class Form(NamedTuple):
    """How a value is written, and how it is read again."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _names(names: tuple[str, ...]) -> Form:
    """An enum; its first value is left out."""

    def write(number: int) -> Any:
        return (names[number] if number < len(names) else number) if number else 0

    def read(name: Any) -> int:
        return names.index(name) if isinstance(name, str) else int(name)

    return Form(write, read)


def _mask(number: int) -> list[bool]:
    return [bool(number >> bit & 1) for bit in range(16)]


def _unmask(bits: list[bool]) -> int:
    return sum(1 << number for number, bit in enumerate(bits) if bit)


NUMBER = Form(_same, _same)
UINT64 = Form(lambda number: str(number) if number else 0, int)
MASK = Form(_mask, _unmask)


class Field(NamedTuple):
    """A field of a message, the command's attribute that it stands for, and its form."""

    name: str
    attribute: str
    form: Form


class Kind(NamedTuple):
    """A message: its identifier, the member of MACCommand that holds it, its fields."""

    cid: str
    member: str
    fields: tuple[Field, ...]


def _number(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, name, NUMBER) for name in names)


_FREQUENCY = Field("frequency", "frequency_hz", UINT64)
_MINOR = (Field("minor_version", "minor_version", _names(_MINORS)),)
_CLASS = (Field("class", "device_class", _names(CLASSES)),)

KINDS: dict[type[MacCommand], Kind] = {
    mac.ResetInd: Kind("CID_RESET", "reset_ind", _MINOR),
    mac.ResetConf: Kind("CID_RESET", "reset_conf", _MINOR),
    mac.LinkCheckReq: Kind("CID_LINK_CHECK", "", ()),
    mac.LinkCheckAns: Kind(
        "CID_LINK_CHECK", "link_check_ans", _number("margin", "gateway_count")
    ),
    mac.LinkADRReq: Kind(
        "CID_LINK_ADR", "link_adr_req",
        (
            *_number("data_rate_index", "tx_power_index", "nb_trans"),
            Field("channel_mask", "channel_mask", MASK),
            Field("channel_mask_control", "channel_mask_control", NUMBER),
        ),
    ),
    mac.LinkADRAns: Kind(
        "CID_LINK_ADR", "link_adr_ans",
        _number("channel_mask_ack", "data_rate_index_ack", "tx_power_index_ack"),
    ),
    mac.DutyCycleReq: Kind(
        "CID_DUTY_CYCLE", "duty_cycle_req",
        (Field("max_duty_cycle", "max_duty_cycle", _names(DUTY_CYCLES)),),
    ),
    mac.DutyCycleAns: Kind("CID_DUTY_CYCLE", "", ()),
    mac.RXParamSetupReq: Kind(
        "CID_RX_PARAM_SETUP", "rx_param_setup_req",
        (
            *_number("rx2_data_rate_index", "rx1_data_rate_offset"),
            Field("rx2_frequency", "rx2_frequency_hz", UINT64),
        ),
    ),
    mac.RXParamSetupAns: Kind(
        "CID_RX_PARAM_SETUP", "rx_param_setup_ans",
        _number("rx2_data_rate_index_ack", "rx1_data_rate_offset_ack", "rx2_frequency_ack"),
    ),
    mac.DevStatusReq: Kind("CID_DEV_STATUS", "", ()),
    mac.DevStatusAns: Kind("CID_DEV_STATUS", "dev_status_ans", _number("battery", "margin")),
    mac.NewChannelReq: Kind(
        "CID_NEW_CHANNEL", "new_channel_req",
        (
            *_number("channel_index"),
            _FREQUENCY,
            *_number("min_data_rate_index", "max_data_rate_index"),
        ),
    ),
    mac.NewChannelAns: Kind(
        "CID_NEW_CHANNEL", "new_channel_ans", _number("frequency_ack", "data_rate_ack")
    ),
    mac.RXTimingSetupReq: Kind("CID_RX_TIMING_SETUP", "rx_timing_setup_req", _number("delay")),
    mac.RXTimingSetupAns: Kind("CID_RX_TIMING_SETUP", "", ()),
    mac.TxParamSetupReq: Kind(
        "CID_TX_PARAM_SETUP", "tx_param_setup_req",
        (
            Field("max_eirp_index", "max_eirp_index", _names(EIRPS)),
            *_number("uplink_dwell_time", "downlink_dwell_time"),
        ),
    ),
    mac.TxParamSetupAns: Kind("CID_TX_PARAM_SETUP", "", ()),
    mac.DlChannelReq: Kind(
        "CID_DL_CHANNEL", "dl_channel_req", (*_number("channel_index"), _FREQUENCY)
    ),
    # The stack's names for the two bits are the other way round.
    mac.DlChannelAns: Kind(
        "CID_DL_CHANNEL", "dl_channel_ans",
        (
            Field("channel_index_ack", "frequency_ack", NUMBER),
            Field("frequency_ack", "uplink_frequency_ack", NUMBER),
        ),
    ),
    mac.RekeyInd: Kind("CID_REKEY", "rekey_ind", _MINOR),
    mac.RekeyConf: Kind("CID_REKEY", "rekey_conf", _MINOR),
    mac.ADRParamSetupReq: Kind(
        "CID_ADR_PARAM_SETUP", "adr_param_setup_req",
        (
            Field("adr_ack_limit_exponent", "adr_ack_limit_exponent", _names(ADR_ACK_LIMITS)),
            Field("adr_ack_delay_exponent", "adr_ack_delay_exponent", _names(ADR_ACK_DELAYS)),
        ),
    ),
    mac.ADRParamSetupAns: Kind("CID_ADR_PARAM_SETUP", "", ()),
    mac.DeviceTimeReq: Kind("CID_DEVICE_TIME", "", ()),
    mac.ForceRejoinReq: Kind(
        "CID_FORCE_REJOIN", "force_rejoin_req",
        (
            Field("rejoin_type", "rejoin_type", _names(REJOIN_TYPES)),
            *_number("data_rate_index", "max_retries"),
            Field("period_exponent", "period_exponent", _names(REJOIN_PERIODS)),
        ),
    ),
    mac.RejoinParamSetupReq: Kind(
        "CID_REJOIN_PARAM_SETUP", "rejoin_param_setup_req",
        (
            Field("max_count_exponent", "max_count_exponent", _names(REJOIN_COUNTS)),
            Field("max_time_exponent", "max_time_exponent", _names(REJOIN_TIMES)),
        ),
    ),
    mac.RejoinParamSetupAns: Kind(
        "CID_REJOIN_PARAM_SETUP", "rejoin_param_setup_ans", _number("max_time_exponent_ack")
    ),
    mac.PingSlotInfoReq: Kind(
        "CID_PING_SLOT_INFO", "ping_slot_info_req",
        (Field("period", "periodicity", _names(PING_PERIODS)),),
    ),
    mac.PingSlotInfoAns: Kind("CID_PING_SLOT_INFO", "", ()),
    mac.PingSlotChannelReq: Kind(
        "CID_PING_SLOT_CHANNEL", "ping_slot_channel_req",
        (_FREQUENCY, *_number("data_rate_index")),
    ),
    mac.PingSlotChannelAns: Kind(
        "CID_PING_SLOT_CHANNEL", "ping_slot_channel_ans",
        _number("frequency_ack", "data_rate_index_ack"),
    ),
    mac.BeaconTimingReq: Kind("CID_BEACON_TIMING", "", ()),
    mac.BeaconFreqReq: Kind("CID_BEACON_FREQ", "beacon_freq_req", (_FREQUENCY,)),
    mac.BeaconFreqAns: Kind("CID_BEACON_FREQ", "beacon_freq_ans", _number("frequency_ack")),
    mac.DeviceModeInd: Kind("CID_DEVICE_MODE", "device_mode_ind", _CLASS),
    mac.DeviceModeConf: Kind("CID_DEVICE_MODE", "device_mode_conf", _CLASS),
}  # fmt: skip

# Which command a document in the state stands for: requests that wait, answers that are queued.
_TO_DEVICE: dict[str, type[MacCommand]] = {
    KINDS[row.downlink].cid: row.downlink
    for row in mac.COMMANDS
    if row.downlink is not None and row.downlink in KINDS
}
_TIME_CID, _TIME_MEMBER = "CID_DEVICE_TIME", "device_time_ans"


def content(command: MacCommand) -> Document:
    """The message of a command alone, as events carry it."""
    document = {}
    for name, attribute, form in KINDS[type(command)].fields:
        value = form.write(getattr(command, attribute))
        if value:
            document[name] = value
    return document


def cid_name(command: MacCommand) -> str:
    """The name of a command's identifier."""
    if isinstance(command, mac.DeviceTimeAns):
        return _TIME_CID
    return KINDS[type(command)].cid


def document(command: MacCommand) -> Document:
    """A command as a MACCommand."""
    if isinstance(command, mac.DeviceTimeAns):
        return {"cid": _TIME_CID, _TIME_MEMBER: {"time": time_of(command)}}
    kind = KINDS[type(command)]
    return {"cid": kind.cid, **({kind.member: content(command)} if kind.member else {})}


def command(of: Document) -> MacCommand:
    """
    The command to a device that a MACCommand stands for.

    Raises:
        KeyError, ValueError: it stands for none, as only a state set by a call of the API may.
    """
    if of["cid"] == _TIME_CID:
        return time_answer(unix_us(of[_TIME_MEMBER]["time"]))
    structure = _TO_DEVICE[of["cid"]]
    kind = KINDS[structure]
    values = of.get(kind.member, {}) if kind.member else {}
    return structure(
        **{
            attribute: form.read(values[name]) if name in values else 0
            for name, attribute, form in kind.fields
        }
    )


def time_of(answer: mac.DeviceTimeAns) -> str:
    """The moment that a DeviceTimeAns tells, to 1/256 s."""
    gps_us = answer.gps_s * _SECOND_US + answer.fraction * _SECOND_US // 256
    return time_text(to_unix_us(gps_us))


def time_answer(now_us: int) -> mac.DeviceTimeAns:
    """The answer that tells a moment."""
    seconds, rest_us = divmod(to_gps_us(now_us), _SECOND_US)
    return mac.DeviceTimeAns(seconds, rest_us * 256 // _SECOND_US)
