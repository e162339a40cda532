"""The published versions of the LoRaWAN link layer, in their order."""

from __future__ import annotations

from enum import IntEnum

from simulators.lorawan.errors import LoRaWanError


class MacVersion(IntEnum):
    """A version of the link layer; later ones are greater."""

    V1_0_0 = 100
    V1_0_1 = 101
    V1_0_2 = 102
    V1_0_3 = 103
    V1_0_4 = 104
    V1_1 = 110

    def __str__(self) -> str:
        return "1.1" if self is MacVersion.V1_1 else ".".join(f"{self.value}")

    @classmethod
    def parse(cls, text: str) -> MacVersion:
        """
        Read ``1.0.3``, ``1.1``, or ``1.1.0``.

        Raises:
            LoRaWanError: no version of that name.
        """
        for version in cls:
            if text in (str(version), ".".join(f"{version.value}")):
                return version
        known = ", ".join(str(version) for version in cls)
        raise LoRaWanError(f"expected one of {known}; got {text!r}")
