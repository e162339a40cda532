"""
What AS923-1 to AS923-4 share: everything but the frequencies, which lie at fixed distances.

Source: RP002, "AS923"; earlier versions: regional parameters, "AS923". Uplinks are limited to
400 ms until the network says otherwise; in 1.0.2 rev B downlinks were too.
"""

from __future__ import annotations

from simulators.lorawan.regions.channel_mask import SIXTEEN
from simulators.lorawan.regions.phy_version import PhyVersion, since
from simulators.lorawan.regions.region import (
    ClassB,
    Hops,
    ListenBeforeTalk,
    Region,
    Rx2,
    SubBand,
)
from simulators.lorawan.regions.tables import (
    EIGHT_RATES,
    OFFSETS_OF_EIGHT,
    PAYLOADS,
    both_ways,
    channels,
    every_2_db,
    join_in,
    rx1_table,
)

PAYLOADS_SINCE_1_0_1 = (51, 51, 115, 115, 242, 242, 242, 242)  # RP002-1.0.1
PAYLOADS_DWELL = (None, None, 11, 53, 125, 242, 242, 242)
LOWEST_WITH_DWELL = 2


def build(
    version: PhyVersion,
    *,
    number: str,
    aliases: tuple[str, ...],
    band_id: str,
    offset_hz: int,
    band_hz: tuple[int, int],
    listen_before_talk: ListenBeforeTalk | None = None,
) -> Region:
    """
    One of the AS923 regions.

    Args:
        number: what follows "AS923-".
        aliases, band_id: as in ``Region``.
        offset_hz: distance of its channels from those of AS923-1.
        band_hz: where channels may lie.
    """
    plan = channels((923_200_000 + offset_hz, 923_400_000 + offset_hz))
    rx2 = Rx2(923_200_000 + offset_hz, 2)
    class_b_hz = (923_400_000 + offset_hz,)
    highest = since(version, {PhyVersion.PHY_V1_0: 5, PhyVersion.RP002_V1_0_0: 7})
    payloads = since(
        version,
        {PhyVersion.PHY_V1_0: PAYLOADS, PhyVersion.RP002_V1_0_1: PAYLOADS_SINCE_1_0_1},
    )
    max_eirp_dbm, last_power = since(
        version,
        {PhyVersion.PHY_V1_0: (14.0, 5), PhyVersion.PHY_V1_0_2_REV_B: (16.0, 7)},
    )
    return Region(
        name=f"AS923-{number}",
        band_id=band_id,
        aliases=aliases,
        version=version,
        data_rates=both_ways(EIGHT_RATES, payloads, PAYLOADS_DWELL),
        uplink_channels=plan,
        max_channels=16,
        join_channels=join_in(plan, rx2, lowest=LOWEST_WITH_DWELL),
        rx2=rx2,
        rx1_table=rx1_table(range(8), OFFSETS_OF_EIGHT, highest=highest),
        rx1_dwell_table=rx1_table(
            range(8), OFFSETS_OF_EIGHT, lowest=LOWEST_WITH_DWELL, highest=highest
        ),
        max_eirp_dbm=max_eirp_dbm,
        tx_power_offsets_db=every_2_db(last_power),
        max_adr_data_rate=5,
        sub_bands=(SubBand(*band_hz, 100, 16.0),),
        ch_mask_rules=SIXTEEN,
        cf_list_type=0,
        class_b=ClassB(Hops(3, class_b_hz), Hops(3, class_b_hz)),
        has_tx_param_setup=True,
        default_uplink_dwell=True,
        default_downlink_dwell=version == PhyVersion.PHY_V1_0_2_REV_B,
        listen_before_talk=listen_before_talk,
    )
