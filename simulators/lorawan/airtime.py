"""
How long a frame is on air, to the microsecond.

In whole numbers, so that no rounding creeps in: at 125, 250 and 500 kHz the result is exact.

Source: Semtech SX1276 datasheet, section 4.1.1.7 (LoRa), section 4.2.13 (FSK packets).
"""

from __future__ import annotations

from functools import lru_cache

from simulators.lorawan.modulation import Fsk, Lora, Modulation

CODING_RATES = {"4/5": 1, "4/6": 2, "4/7": 3, "4/8": 4}
LDRO_SYMBOL_US = 16_384  # from this length of a symbol on, receivers expect the optimisation
FSK_OVERHEAD_BYTES = 5 + 3 + 1 + 2  # preamble, sync word, length, CRC
LARGEST_PHY_PAYLOAD = 255


def time_on_air_us(
    modulation: Modulation,
    phy_bytes: int,
    *,
    preamble: int = 8,
    implicit_header: bool = False,
    has_crc: bool = True,
    ldro: bool | None = None,
) -> int:
    """
    From the first symbol of the preamble to the end of the last one, in µs.

    Args:
        modulation: LoRa with SF6 to SF12 (SF6 as on SX127x: implicit header only), or FSK.
        phy_bytes: PHY payload, MHDR to MIC, 0 to 255: application bytes + 13 without FOpts.
        preamble: programmed symbols, without the 4.25 that the radio adds.
        implicit_header: no header on air (beacons).
        has_crc: CRC of the payload (uplinks have one, downlinks and beacons have none).
        ldro: low data rate optimisation; None: on where a symbol lasts 16.384 ms or longer.

    An FSK frame has one form only, with LoRaWAN's 5 bytes of preamble and a CRC in both
    directions: the options are LoRa's.

    Raises:
        ValueError: what no radio can send.
    """
    if not 0 <= phy_bytes <= LARGEST_PHY_PAYLOAD:
        raise ValueError(f"expected a PHY payload of 0 to 255 bytes; got {phy_bytes}")
    if isinstance(modulation, Fsk):
        return _rounded((FSK_OVERHEAD_BYTES + phy_bytes) * 8 * 1_000_000, modulation.bit_rate)
    return _lora_us(modulation, phy_bytes, preamble, implicit_header, has_crc, ldro)


def symbol_us(modulation: Lora) -> int:
    """One symbol, in µs."""
    return _rounded(1_000_000 << modulation.spreading_factor, modulation.bandwidth_hz)


def needs_ldro(modulation: Lora) -> bool:
    """Whether a symbol lasts so long: SF11 and SF12 at 125 kHz, SF12 at 250 kHz."""
    return 1_000_000 << modulation.spreading_factor >= LDRO_SYMBOL_US * modulation.bandwidth_hz


@lru_cache(maxsize=4096)
def _lora_us(
    modulation: Lora,
    phy_bytes: int,
    preamble: int,
    implicit_header: bool,
    has_crc: bool,
    ldro: bool | None,
) -> int:
    _check(modulation, preamble, implicit_header)
    factor = modulation.spreading_factor
    optimised = needs_ldro(modulation) if ldro is None else ldro
    bits = 8 * phy_bytes - 4 * factor + 28 + 16 * has_crc - 20 * implicit_header
    blocks = max(0, -(-bits // (4 * (factor - 2 * optimised))))
    symbols = 8 + blocks * (CODING_RATES[modulation.coding_rate] + 4)
    quarters = 4 * preamble + 17 + 4 * symbols  # of a symbol: the preamble has 4.25 of its own
    return _rounded(quarters * (1_000_000 << factor), 4 * modulation.bandwidth_hz)


def _check(modulation: Lora, preamble: int, implicit_header: bool) -> None:
    factor, bandwidth_hz, coding_rate = modulation
    if not 6 <= factor <= 12:
        raise ValueError(f"expected a spreading factor of 6 to 12; got {factor}")
    if factor == 6 and not implicit_header:
        raise ValueError("expected an implicit header with spreading factor 6; got an explicit one")
    if bandwidth_hz <= 0:
        raise ValueError(f"expected a bandwidth above 0 Hz; got {bandwidth_hz}")
    if coding_rate not in CODING_RATES:
        known = ", ".join(CODING_RATES)
        raise ValueError(f"expected a coding rate of {known}; got {coding_rate!r}")
    if preamble < 0:
        raise ValueError(f"expected a preamble of 0 symbols or more; got {preamble}")


def _rounded(numerator: int, denominator: int) -> int:
    return (numerator + denominator // 2) // denominator
