"""
The channel list of a join accept, in both its types.

Type 0 adds channels by their frequencies; type 1 says which of a region's fixed channels to use.
Source: LoRaWAN Regional Parameters RP002, "JoinAccept CFList".
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from simulators.lorawan.errors import LoRaWanError, require
from simulators.lorawan.frames import CF_LIST_BYTES

_STEP_HZ = 100
_FREQUENCIES = 5
_MASKS = Struct("<6H3xB")
_TYPE_AT = CF_LIST_BYTES - 1


class Frequencies(NamedTuple):
    """Type 0: frequencies in Hz of the channels after the region's own; 0 for an unused place."""

    frequencies_hz: tuple[int, ...]


class ChannelMasks(NamedTuple):
    """Type 1: bit i of mask k switches channel 16k + i on."""

    masks: tuple[int, ...]

    @property
    def channels(self) -> list[int]:
        """Indexes of the channels that are on."""
        return [at for at in range(96) if self.masks[at // 16] >> at % 16 & 1]


CFList = Frequencies | ChannelMasks


def decode_cf_list(data: bytes) -> CFList:
    """
    Read the 16 bytes of a channel list.

    Raises:
        LoRaWanError: another size, or a type other than 0 and 1.
    """
    if len(data) != CF_LIST_BYTES:
        raise LoRaWanError(f"expected a CFList of {CF_LIST_BYTES} bytes; got {len(data)}", 0)
    if data[_TYPE_AT] == 0:
        places = range(0, 3 * _FREQUENCIES, 3)
        return Frequencies(
            tuple(int.from_bytes(data[at : at + 3], "little") * _STEP_HZ for at in places)
        )
    if data[_TYPE_AT] == 1:
        return ChannelMasks(_MASKS.unpack(data)[:-1])
    raise LoRaWanError(f"expected a CFList of type 0 or 1; got {data[_TYPE_AT]}", _TYPE_AT)


def encode_cf_list(cf_list: CFList) -> bytes:
    """
    The 16 bytes of a channel list; places for which there is no frequency or mask are zero.

    Raises:
        LoRaWanError: too many of them, or one that does not fit.
    """
    if isinstance(cf_list, ChannelMasks):
        masks = [require(mask, 0, 0xFFFF, "a channel mask") for mask in cf_list.masks]
        require(len(masks), 0, 6, "a number of channel masks")
        return _MASKS.pack(*masks, *[0] * (6 - len(masks)), 1)
    require(len(cf_list.frequencies_hz), 0, _FREQUENCIES, "a number of frequencies")
    return b"".join(map(_frequency, cf_list.frequencies_hz)).ljust(CF_LIST_BYTES, b"\0")


def _frequency(frequency_hz: int) -> bytes:
    require(frequency_hz, 0, 0xFFFFFF * _STEP_HZ, "a frequency")
    if frequency_hz % _STEP_HZ:
        raise LoRaWanError(f"expected a frequency in steps of {_STEP_HZ} Hz; got {frequency_hz}")
    return (frequency_hz // _STEP_HZ).to_bytes(3, "little")
