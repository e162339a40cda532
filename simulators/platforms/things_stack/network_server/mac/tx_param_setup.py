"""TxParamSetupReq: the greatest power, and whether time on air is limited."""

from __future__ import annotations

from bisect import bisect_right

from simulators.lorawan.mac_commands import MAX_EIRP_DBM, TxParamSetupAns, TxParamSetupReq
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import EIRPS
from simulators.platforms.things_stack.network_server.mac.handling import Handling
from simulators.platforms.things_stack.network_server.mac.wanted import Wanted

_DWELLS = ("uplink_dwell_time", "downlink_dwell_time")


def wanted(device: Device, now_us: int) -> list[Wanted]:
    """The request, in regions that know it."""
    if not device.region.has_tx_param_setup or device.version() < MacVersion.V1_0_2:
        return []
    state = device.mac_state
    current, desired = state["current_parameters"], state["desired_parameters"]
    power = _index(desired.get("max_eirp", 0))
    dwells = [bool(desired.get(name, current.get(name))) for name in _DWELLS]
    same = all(desired.get(name) in (None, current.get(name)) for name in _DWELLS)
    if same and power == _index(current.get("max_eirp", 0)):
        return []
    return [Wanted((TxParamSetupReq(power, *dwells),))]


def _index(dbm: float) -> int:
    """The greatest power of the command's table that is not above this one."""
    return max(0, bisect_right(MAX_EIRP_DBM, dbm) - 1)


def handle(handling: Handling, command: TxParamSetupAns) -> None:
    """The device keeps to it; one in a region without this command does not answer."""
    handling.tell("tx_param_setup.answer")
    for request in handling.requests(command):
        values = request["tx_param_setup_req"]
        index = EIRPS.index(values.get("max_eirp_index", EIRPS[0]))
        handling.current["max_eirp"] = MAX_EIRP_DBM[index]
        for name in _DWELLS:
            handling.current[name] = bool(values.get(name))
