"""
Ping slots of class B, written once more apart from what reference servers use.

Source: LoRaWAN 1.0.3, section 15; LoRaWAN 1.0.4, section 13.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BEACON_US = 128_000_000
RESERVED_US = 2_120_000
SLOT_US = 30_000
SLOTS = 4096
_NO_KEY = bytes(16)


def first_slot(beacon_s: int, dev_addr: str, period: int) -> int:
    """The first slot of a device after a beacon; ``period`` is in slots, a power of two."""
    block = beacon_s.to_bytes(4, "little") + bytes.fromhex(dev_addr)[::-1] + bytes(8)
    # The document's cipher: one block, as its own, with a key of zeros.
    encryptor = Cipher(algorithms.AES(_NO_KEY), modes.ECB()).encryptor()  # noqa: S305
    drawn = encryptor.update(block)
    return (drawn[0] + 256 * drawn[1]) % period


def slot_of(gps_us: int) -> tuple[int, int]:
    """The slot that a moment lies in, and how far after its begin, in µs."""
    return divmod(gps_us % BEACON_US - RESERVED_US, SLOT_US)


def without_slots_s(gps_us: int, within_s: float) -> float:
    """How long there is no slot, around a beacon, if that begins within a time."""
    at_s, end_s = gps_us % BEACON_US / 1e6, (RESERVED_US + SLOTS * SLOT_US) / 1e6
    is_near = at_s < RESERVED_US / 1e6 or at_s + within_s > end_s
    return (RESERVED_US + BEACON_US) / 1e6 - end_s if is_near else 0.0


def is_ping_slot(gps_us: int, dev_addr: str, period: int) -> bool:
    """Whether one of the device's slots begins at this very moment."""
    beacon_s = gps_us // BEACON_US * 128
    slot, late_us = slot_of(gps_us)
    begins = late_us == 0 and 0 <= slot < SLOTS
    return begins and slot % period == first_slot(beacon_s, dev_addr, period)
