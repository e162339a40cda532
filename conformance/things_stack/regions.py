"""
Regions as literals: where a device speaks in each, and where it must be answered.

Source: LoRaWAN Regional Parameters 1.0.3rA and RP002-1.0.1; lorawan-frequency-plans.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.things_stack.equipment.rates import Lora

Window = tuple[int, str]
"""Frequency in Hz, and data rate as ``SF7BW125``."""
SF7, SF9 = Lora(7, 125_000), Lora(9, 125_000)
FSB_2 = [0xFF00, 0, 0, 0]
"""Channel masks of the second sub-band; whether its channel of 500 kHz is on, is left open."""


@dataclass(frozen=True)
class Region:
    """
    A region by one of its frequency plans.

    ``up_hz`` is heard with SF7 at 125 kHz; ``rx2_index`` is what DLSettings says; ``cf_list`` are
    the frequencies or the first four channel masks that a join accept lists, None where that is not
    asked.
    """

    plan: str
    up_hz: int
    rx1: Window
    rx2: Window
    rx2_index: int
    cf_list: list[int] | None
    version: str = "1.0.3"


REGIONS = {
    each.plan: each
    for each in (
        Region(
            "US_902_928_FSB_2", 904_100_000, (923_900_000, "SF7BW500"),
            (923_300_000, "SF12BW500"), 8, FSB_2,
        ),
        Region(
            "AU_915_928_FSB_2", 917_000_000, (923_900_000, "SF7BW500"),
            (923_300_000, "SF12BW500"), 8, FSB_2,
        ),
        Region(
            "AS_920_923", 923_200_000, (923_200_000, "SF7BW125"), (923_200_000, "SF10BW125"), 2,
            [922_200_000, 922_400_000, 922_600_000, 922_800_000, 923_000_000],
        ),
        Region(
            "AS_923_2", 921_400_000, (921_400_000, "SF7BW125"), (921_400_000, "SF10BW125"), 2,
            [], "1.0.4",
        ),
        Region(
            "AS_923_3", 916_600_000, (916_600_000, "SF7BW125"), (916_600_000, "SF10BW125"), 2,
            [], "1.0.4",
        ),
        Region(
            "IN_865_867", 865_062_500, (865_062_500, "SF7BW125"), (866_550_000, "SF10BW125"), 2,
            [865_232_500, 866_185_000, 866_385_000, 866_585_000, 866_785_000],
        ),
        Region(
            "KR_920_923_TTN", 922_100_000, (922_100_000, "SF7BW125"), (921_900_000, "SF12BW125"),
            0, [922_700_000, 922_900_000, 923_100_000, 923_300_000],
        ),
        Region(
            "RU_864_870_TTN", 868_900_000, (868_900_000, "SF7BW125"), (869_100_000, "SF12BW125"),
            0, [864_100_000, 864_300_000, 864_500_000, 864_700_000, 864_900_000],
        ),
        Region(
            "EU_433", 433_175_000, (433_175_000, "SF7BW125"), (434_665_000, "SF12BW125"), 0,
            [433_775_000, 433_975_000, 434_175_000, 434_375_000, 434_575_000],
        ),
        Region(
            "CN_470_510_FSB_11", 486_300_000, (506_700_000, "SF7BW125"),
            (505_300_000, "SF12BW125"), 0, None,
        ),
    )
}  # fmt: skip
