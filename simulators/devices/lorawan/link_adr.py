"""
LinkADRReq: channels, data rate, power and repetitions, judged as a block.

Nothing is changed unless all of a block is accepted.

Source: LoRaWAN 1.0.1, section 5.2 (each by itself); 1.0.2 to 1.0.4, section 5.3 (answers that are
identical); 1.1, section 5.3 (one answer).
"""

from __future__ import annotations

from collections.abc import Sequence

from simulators.devices.lorawan.parameters import Parameters
from simulators.lorawan.mac_commands import LinkADRAns, LinkADRReq
from simulators.lorawan.versions import MacVersion

KEEP = 15


def answers(
    parameters: Parameters, requests: Sequence[LinkADRReq], version: MacVersion, *, adr: bool
) -> list[LinkADRAns]:
    """
    Carry out requests that stood side by side in one downlink.

    Args:
        adr: whether the device leaves data rate and power to the network. One that does not takes
            the channels alone and says yes, as LoRaMac-node does.
    """
    if version < MacVersion.V1_0_2:
        return [_carry_out(parameters, [each], version, adr=adr) for each in requests]
    answer = _carry_out(parameters, requests, version, adr=adr)
    return [answer] if version >= MacVersion.V1_1 else [answer] * len(requests)


def _carry_out(
    parameters: Parameters, requests: Sequence[LinkADRReq], version: MacVersion, *, adr: bool
) -> LinkADRAns:
    last = requests[-1]
    data_rate, tx_power = last.data_rate_index, last.tx_power_index
    keeps = version >= MacVersion.V1_0_4
    if not adr or (keeps and data_rate == KEEP):
        data_rate = parameters.data_rate
    if not adr or (keeps and tx_power == KEEP):
        tx_power = parameters.tx_power
    enabled = _channels(parameters, requests)
    offered = parameters.plan.data_rates(
        parameters.enabled if enabled is None else enabled, dwell=parameters.uplink_dwell
    )
    answer = LinkADRAns(
        enabled is not None,
        data_rate in offered,
        tx_power < len(parameters.region.tx_power_offsets_db),
    )
    if enabled is not None and answer == ALL_GOOD:
        parameters.enabled = enabled
        parameters.data_rate = data_rate
        parameters.tx_power = tx_power
        if adr:
            parameters.nb_trans = last.nb_trans or 1
    return answer


ALL_GOOD = LinkADRAns(True, True, True)


def _channels(parameters: Parameters, requests: Sequence[LinkADRReq]) -> int | None:
    """The enabled channels after all masks; None when one is refused, or none is left."""
    enabled = parameters.enabled
    for request in requests:
        after = parameters.region.ch_mask(
            enabled, request.channel_mask_control, request.channel_mask, parameters.plan.defined
        )
        if after is None:
            return None
        enabled = after
    return enabled or None
