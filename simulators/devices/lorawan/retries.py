"""
How often a frame is sent, and how.

Source: LoRaWAN 1.0.2 and 1.0.3, section 18.4 (confirmed frames: up to 8 tries, the data rate
lowered after every second one); 1.0.4 and 1.1, section 4.3.1.1 (NbTrans for both kinds).
"""

from __future__ import annotations

from collections.abc import Sequence

from simulators.lorawan.versions import MacVersion

CONFIRMED_TRIES = 8
RETRANSMIT_TIMEOUT_US = (1_000_000, 3_000_000)


def transmissions(
    version: MacVersion, nb_trans: int, *, is_confirmed: bool, most: int = CONFIRMED_TRIES
) -> int:
    """How often a frame is sent at most: until any downlink, or until a confirmed one is acked."""
    return most if is_confirmed and version < MacVersion.V1_0_4 else nb_trans


def data_rate_of_try(
    version: MacVersion, number: int, data_rate: int, data_rates: Sequence[int], *, confirmed: bool
) -> int:
    """The data rate of try ``number``, counted from 0; ``data_rates`` are the usable, ascending."""
    if not confirmed or version >= MacVersion.V1_0_4:
        return data_rate
    lower = [each for each in data_rates if each < data_rate]
    steps = min(number // 2, len(lower))
    return lower[-steps] if steps else data_rate


def pause_us(chance: float) -> int:
    """From the opening of RX2 to the next try; ``chance`` is between 0 and 1."""
    shortest, longest = RETRANSMIT_TIMEOUT_US
    return shortest + round(chance * (longest - shortest))
