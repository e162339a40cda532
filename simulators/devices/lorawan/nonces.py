"""
Numbers that a device uses once: what it sends to join, and what it accepts in answer.

Source: LoRaWAN 1.0.2 and 1.0.3, section 6.2.4 (random); 1.0.4 and 1.1, section 6.2.5 (counters).
"""

from __future__ import annotations

from simulators.lorawan.versions import MacVersion
from simulators.randomness import Chance

DEV_NONCES = 0x1_0000
NEVER = -1


class DevNoncesUsedUpError(Exception):
    """The counter of a device has come to its end: it can never join again."""


class Nonces:
    """What a device remembers of its joins; ``NEVER`` before the first."""

    __slots__ = ("dev_nonce", "join_nonce", "rj_count_1")

    def __init__(self) -> None:
        self.dev_nonce = NEVER
        self.join_nonce = NEVER
        self.rj_count_1 = 0

    def next_dev_nonce(self, version: MacVersion, rng: Chance) -> int:
        """
        The DevNonce of the next join request.

        Raises:
            DevNoncesUsedUpError: all 65 536 were sent.
        """
        if version < MacVersion.V1_0_4:
            self.dev_nonce = int(rng.random() * DEV_NONCES)
        elif self.dev_nonce + 1 >= DEV_NONCES:
            raise DevNoncesUsedUpError
        else:
            self.dev_nonce += 1
        return self.dev_nonce

    def accepts(self, join_nonce: int, version: MacVersion) -> bool:
        """Whether a join accept is newer than the last, which 1.0.4 and 1.1 ask for."""
        return version < MacVersion.V1_0_4 or join_nonce > self.join_nonce

    def reboot(self, *, keeps_dev_nonce: bool, keeps_join_nonce: bool) -> None:
        """Lose what the device does not keep; RJcount1 is never lost."""
        if not keeps_dev_nonce:
            self.dev_nonce = NEVER
        if not keeps_join_nonce:
            self.join_nonce = NEVER
