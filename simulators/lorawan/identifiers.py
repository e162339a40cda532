"""
EUIs, device addresses, network identifiers and keys: as people write them and as they travel.

Written: hex in lower case, most significant byte first. On air: the bytes reversed. Keys are bytes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simulators.lorawan.errors import LoRaWanError, require

EUI_BYTES, DEV_ADDR_BYTES, NET_ID_BYTES, KEY_BYTES = 8, 4, 3, 16

_SEPARATORS = re.compile(r"[-: ]")
_HEX = re.compile(r"[0-9A-Fa-f]*", re.ASCII)


def parse_eui(text: str) -> str:
    """An EUI written with or without ``-`` or ``:``, as 16 digits; raises LoRaWanError."""
    return _digits(text, EUI_BYTES, "an EUI")


def parse_dev_addr(text: str) -> str:
    """A device address as 8 digits; raises LoRaWanError."""
    return _digits(text, DEV_ADDR_BYTES, "a device address")


def parse_net_id(text: str) -> str:
    """A network identifier as 6 digits; raises LoRaWanError."""
    return _digits(text, NET_ID_BYTES, "a NetID")


def parse_key(text: str) -> bytes:
    """The 16 bytes of a key; raises LoRaWanError, which shows its last four characters at most."""
    digits = _SEPARATORS.sub("", text)
    if not _HEX.fullmatch(digits) or len(digits) != 2 * KEY_BYTES:
        end = f" ending in {digits[-4:]!r}" if len(digits) >= 12 else ""
        raise LoRaWanError(
            f"expected a key of {2 * KEY_BYTES} hex digits; got {len(digits)} characters{end}"
        )
    return bytes.fromhex(digits)


def shown_key(key: bytes) -> str:
    """A key as it may be shown: its last four characters."""
    return f"…{key.hex()[-4:]}"


def _digits(text: str, size: int, name: str) -> str:
    digits = _SEPARATORS.sub("", text)
    if not _HEX.fullmatch(digits) or len(digits) != 2 * size:
        raise LoRaWanError(f"expected {name} of {2 * size} hex digits; got {_shown(text)}")
    return digits.lower()


def _shown(text: str) -> str:
    # What is as long as a key may be one, given in the wrong place.
    if len(text) < 2 * KEY_BYTES - 2:
        return repr(text)
    return f"{len(text)} characters ending in {text[-4:]!r}"


def to_air(identifier: str) -> bytes:
    """An EUI, address or NetID in the order of transmission."""
    return bytes.fromhex(identifier)[::-1]


def from_air(data: bytes) -> str:
    """What ``to_air`` was given."""
    return data[::-1].hex()


class AddressBlock(NamedTuple):
    """The device addresses of one network: the first, and how many of its bits all share."""

    first: str
    prefix_bits: int

    def __contains__(self, dev_addr: object) -> bool:
        shift = 32 - self.prefix_bits
        return isinstance(dev_addr, str) and int(dev_addr, 16) >> shift == self._first >> shift

    def __str__(self) -> str:
        return f"{self.first}/{self.prefix_bits}"

    def dev_addr(self, nwk_addr: int) -> str:
        """Address number ``nwk_addr`` of the block; raises LoRaWanError when it is too great."""
        require(nwk_addr, 0, (1 << 32 - self.prefix_bits) - 1, "a network address")
        return f"{self._first + nwk_addr:08x}"

    @property
    def _first(self) -> int:
        return int(self.first, 16)


# Bits of the NwkID by type of the NetID. Source: LoRaWAN Backend Interfaces, "DevAddr assignment".
_NWK_ID_BITS = (6, 6, 9, 11, 12, 13, 15, 17)


def address_block(net_id: str) -> AddressBlock:
    """
    The device addresses that a network may assign.

    ``000013`` has ``26000000/7``. Type T, the upper three bits of the NetID, becomes T ones and a
    zero; the lower bits of the NetID follow.
    """
    number = int(net_id, 16)
    net_id_type = number >> 21
    bits = _NWK_ID_BITS[net_id_type]
    prefix = ((1 << net_id_type) - 1) << 1
    prefix_bits = net_id_type + 1 + bits
    first = (prefix << bits | number & ((1 << bits) - 1)) << (32 - prefix_bits)
    return AddressBlock(f"{first:08x}", prefix_bits)
