"""Fresh keys for nodes, and what frames hold as plain values that literals compare with."""

from __future__ import annotations

import secrets as random_source

from simulators.lorawan import mac_commands
from simulators.lorawan.cf_list import ChannelMasks, Frequencies, decode_cf_list
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.keys import RootKeys, SessionKeys


def _key() -> bytes:
    return random_source.token_bytes(16)


def root_keys(version: str) -> RootKeys:
    """The root keys of a node of that LoRaWAN version; one of 1.1 has two."""
    return RootKeys(_key(), _key()) if version == "1.1" else RootKeys(_key())


def abp_keys(version: str) -> SessionKeys:
    """The keys of a session that was agreed upon beforehand."""
    if version == "1.1":
        return SessionKeys(_key(), _key(), _key(), _key())
    return SessionKeys.legacy(_key(), _key())


def channels_of(cf_list: bytes) -> list[int] | None:
    """The frequencies of a CFList in Hz, or None when it lists none."""
    if not cf_list:
        return None
    try:
        found = decode_cf_list(cf_list)
    except LoRaWanError:
        return None
    return list(found.frequencies_hz) if isinstance(found, Frequencies) else None


def masks_of(cf_list: bytes) -> list[int]:
    """The channel masks of a CFList, or none when it lists something else."""
    try:
        found = decode_cf_list(cf_list)
    except LoRaWanError:
        return []
    return list(found.masks) if isinstance(found, ChannelMasks) else []


def is_in_prefix(dev_addr: str, prefix: str) -> bool:
    """Whether an address lies in a prefix such as ``26000000/7``."""
    first, _, bits = prefix.partition("/")
    shift = 32 - int(bits or 0)
    return int(dev_addr, 16) >> shift == int(first, 16) >> shift


def commands_of(frame: DataFrame) -> list[list[int | str]]:
    """
    The commands of a downlink: name, then the values in the order of `_VALUES`.

    Commands that no script looks into have their name alone.
    """
    data = frame.frm_payload if frame.f_port == 0 else frame.f_opts
    found: list[list[int | str]] = []
    for command in mac_commands.parse(data, is_uplink=False).commands:
        names = _VALUES.get(command.name, ())
        found.append([command.name, *(int(getattr(command, name)) for name in names)])
    return found


_VALUES = {
    "LinkCheckAns": ("margin", "gateway_count"),
    "DeviceTimeAns": ("gps_s",),
    "LinkADRReq": ("data_rate_index", "tx_power_index", "nb_trans"),
    "RXTimingSetupReq": ("delay",),
    "DeviceModeConf": ("device_class",),
    "DutyCycleReq": ("max_duty_cycle",),
    "RXParamSetupReq": ("rx1_data_rate_offset", "rx2_data_rate_index", "rx2_frequency_hz"),
    "NewChannelReq": ("channel_index", "frequency_hz"),
    "TxParamSetupReq": ("uplink_dwell_time", "downlink_dwell_time"),
    "ResetConf": ("minor_version",),
}
