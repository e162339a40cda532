"""A data rate as gateways spell it, in both directions."""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Fsk, Lora, Modulation, datr, parse_datr

SPELLED: list[tuple[Modulation, str | int]] = [
    (Lora(7, 125_000), "SF7BW125"),
    (Lora(12, 500_000), "SF12BW500"),
    (Lora(7, 250_000), "SF7BW250"),
    (Fsk(50_000), 50_000),
]


@pytest.mark.parametrize(("modulation", "spelled"), SPELLED)
def test_both_directions(modulation: Modulation, spelled: str | int) -> None:
    assert datr(modulation) == spelled
    assert parse_datr(spelled) == modulation


def test_the_coding_rate_travels_beside_it() -> None:
    assert parse_datr("SF9BW125", "4/8") == Lora(9, 125_000, "4/8")


@pytest.mark.parametrize("value", ["SF7", "sf7bw125", "SF7BW125 ", "", 0, -1, True, 1.5, None, []])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected a data rate such as 'SF7BW125' or 50000; got"):
        parse_datr(value)
