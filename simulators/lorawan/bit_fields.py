"""
Small structures made of bits, described once by their types and read and written by that.

A structure is a dataclass whose fields stand in the order of transmission, least significant bit
first: the bytes are one number in little endian, and each field is some of its bits.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, get_type_hints

from simulators.lorawan.errors import LoRaWanError, require


class Bits(NamedTuple):
    """How many bits a field has, what one of its units is worth, and reserved bits above it."""

    width: int
    unit: int = 1
    is_signed: bool = False
    gap: int = 0


Flag = Annotated[bool, Bits(1)]
U3 = Annotated[int, Bits(3)]
U4 = Annotated[int, Bits(4)]
U8 = Annotated[int, Bits(8)]
U16 = Annotated[int, Bits(16)]
U32 = Annotated[int, Bits(32)]
Signed6 = Annotated[int, Bits(6, is_signed=True)]
FrequencyHz = Annotated[int, Bits(24, unit=100)]


class _Field(NamedTuple):
    name: str
    shift: int
    bits: Bits
    is_flag: bool

    def read(self, number: int) -> int:
        value = number >> self.shift & (1 << self.bits.width) - 1
        if self.is_flag:
            return bool(value)
        if self.bits.is_signed and value >> self.bits.width - 1:
            value -= 1 << self.bits.width
        return value * self.bits.unit

    def write(self, value: int) -> int:
        width, unit = self.bits.width, self.bits.unit
        low, high = (-(1 << width - 1), 1 << width - 1) if self.bits.is_signed else (0, 1 << width)
        require(value, low * unit, (high - 1) * unit, self.name)
        if value % unit:
            raise LoRaWanError(f"expected {self.name} in steps of {unit}; got {value}")
        return (value // unit & (1 << width) - 1) << self.shift


class Layout:
    """Which bits of how many bytes the fields of a structure are."""

    def __init__(self, structure: type) -> None:
        self.structure = structure
        self.fields: list[_Field] = []
        shift = 0
        for name, hint in get_type_hints(structure, include_extras=True).items():
            bits: Bits = hint.__metadata__[0]
            self.fields.append(_Field(name, shift, bits, hint.__origin__ is bool))
            shift += bits.width + bits.gap
        self.size = -(-shift // 8)

    def read(self, data: bytes) -> Any:
        """The structure in exactly ``size`` bytes; every content is a value."""
        number = int.from_bytes(data, "little")
        return self.structure(*[field.read(number) for field in self.fields])

    def write(self, value: object) -> bytes:
        """The bytes of a structure; raises LoRaWanError for a value that does not fit."""
        number = 0
        for field in self.fields:
            number |= field.write(getattr(value, field.name))
        return number.to_bytes(self.size, "little")
