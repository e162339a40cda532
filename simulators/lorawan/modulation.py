"""
How a frame is modulated, and how gateways spell that.

Source: Semtech packet forwarder, PROTOCOL.TXT, fields ``modu``, ``datr`` and ``codr``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simulators.lorawan.errors import LoRaWanError

_DATR = re.compile(r"SF(\d{1,2})BW(\d{1,4})", re.ASCII)


class Lora(NamedTuple):
    """LoRa; ``coding_rate`` is 4/5 to 4/8, LoRaWAN's own is 4/5."""

    spreading_factor: int
    bandwidth_hz: int
    coding_rate: str = "4/5"


class Fsk(NamedTuple):
    """GFSK; ``bit_rate`` in bit/s, LoRaWAN's own is 50 000."""

    bit_rate: int


Modulation = Lora | Fsk


def datr(modulation: Modulation) -> str | int:
    """``"SF7BW125"`` for LoRa, the bit rate for FSK."""
    if isinstance(modulation, Fsk):
        return modulation.bit_rate
    return f"SF{modulation.spreading_factor}BW{modulation.bandwidth_hz // 1000}"


def parse_datr(value: object, coding_rate: str = "4/5") -> Modulation:
    """
    What a gateway's ``datr`` names.

    Args:
        value: from JSON: text such as ``"SF7BW125"``, or a bit rate as a whole number.
        coding_rate: the gateway's ``codr``; means nothing for FSK.
    Raises:
        LoRaWanError: anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Fsk(value)
    found = _DATR.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise LoRaWanError(f"expected a data rate such as 'SF7BW125' or 50000; got {value!r:.40}")
    return Lora(int(found[1]), int(found[2]) * 1000, coding_rate)
