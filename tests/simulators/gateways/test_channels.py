"""What gateways listen to, and how a server tells a station to."""

from __future__ import annotations

import pytest

from simulators.gateways.channels import ChannelPlan, every_channel, usual_plan
from simulators.lorawan.modulation import Fsk, Lora
from simulators.lorawan.regions import REGIONS, region
from simulators.wire.basics_station.coding import decode_from_server, encode
from simulators.wire.basics_station.region_config import router_config_of
from simulators.wire.basics_station.router_config import RouterConfig

PLAN = ChannelPlan((868_100_000, 868_300_000), ((868_300_000, Lora(7, 250_000)),), (868_800_000,))


@pytest.mark.parametrize(
    ("hertz", "modulation", "number"),
    [
        (868_100_000, Lora(7, 125_000), 0),
        (868_300_000, Lora(12, 125_000, "4/8"), 1),
        (868_300_000, Lora(7, 250_000), 2),
        (868_800_000, Fsk(50_000), 3),
        (868_300_000, Lora(8, 250_000), None),
        (868_100_000, Lora(7, 250_000), None),
        (868_100_000, Lora(6, 125_000), None),
        (868_500_000, Lora(7, 125_000), None),
        (868_800_000, Fsk(100_000), None),
        (868_100_000, Fsk(50_000), None),
    ],
)
def test_channels_have_numbers(hertz: int, modulation: Lora | Fsk, number: int | None) -> None:
    assert PLAN.number(hertz, modulation) == number
    assert PLAN.listens(hertz, modulation) == (number is not None)


def test_usual_plans() -> None:
    assert usual_plan(region("EU868")).multi_sf_hz == (
        868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000,
        867_700_000, 867_900_000,
    )  # fmt: skip
    us915 = usual_plan(region("US915"))
    assert us915.multi_sf_hz == tuple(903_900_000 + step * 200_000 for step in range(8))
    assert us915.standard == ((904_600_000, Lora(8, 500_000)),)


@pytest.mark.parametrize("name", REGIONS)
def test_every_plan_fits_into_a_configuration(name: str) -> None:
    """A board for each eight channels, and what is read is what was meant."""
    known = REGIONS[name]
    for plan in (usual_plan(known), every_channel(known)):
        config = router_config_of(
            known, multi_sf_hz=plan.multi_sf_hz, standard=plan.standard, fsk_hz=plan.fsk_hz
        )
        read = decode_from_server(encode(config))
        assert isinstance(read, RouterConfig)
        assert read == config
        assert tuple(hz for board in read.boards for hz in board.multi_sf_hz) == plan.multi_sf_hz
        assert 8 * len(read.boards) >= plan.demodulators
    for join in known.join_channels:
        modulation = known.data_rate(join.min_data_rate).modulation
        assert every_channel(known).listens(join.frequency_hz, modulation)
