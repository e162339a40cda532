"""
A device of 1.1 in a session asks for new keys.

Type 0 tells the network who is there and takes everything anew, type 1 the same by way of the join
server, type 2 changes keys alone. The windows are those of a join.

Source: LoRaWAN 1.1, section 6.2.4.
"""

from __future__ import annotations

from simulators.devices.lorawan import air
from simulators.devices.lorawan.reception import Plan, receive, tell_ignored
from simulators.devices.lorawan.rejoin_schedule import Rejoin
from simulators.devices.lorawan.session import DeviceSession
from simulators.devices.lorawan.start_session import renew_keys, start_session
from simulators.devices.lorawan.state import NodeState, Otaa, Steps
from simulators.devices.lorawan.uplinks import windows
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import RejoinRequest
from simulators.lorawan.join import open_accept, protect_request
from simulators.lorawan.keys import Attempt, derive_join_keys
from simulators.lorawan.regions.region import JOIN_ACCEPT_DELAY1_US
from simulators.lorawan.versions import MacVersion
from simulators.radio.transmission import Reception

BYTES = {0: 19, 1: 24, 2: 19}
KEYS_ONLY = 2


def rejoin(node: NodeState, wanted: Rejoin) -> Steps:
    """Send one rejoin request and wait for its answer; returns whether there was one."""
    session, identity = node.session, node.identity
    if session is None or session.version < MacVersion.V1_1 or not isinstance(identity, Otaa):
        return False
    parameters, kind = node.parameters, wanted.rejoin_type
    rates = parameters.data_rates
    data_rate = wanted.data_rate if wanted.data_rate in rates else parameters.data_rate
    modulation = parameters.region.data_rate(data_rate).modulation
    groups = parameters.plan.groups(parameters.enabled, data_rate)
    airtime_us = time_on_air_us(modulation, BYTES[kind])
    choice = yield from air.find_channel(node, groups, airtime_us)
    if choice is None:
        return False
    request, key = _request(node, session, identity, kind)
    about = {"type": "rejoin-request", "rejoin_type": kind, "rj_count": request.rj_count}
    phy = protect_request(request, key)
    sent = air.send(node, phy, choice, data_rate, about if node.observer is not None else None)
    attempt = Attempt(identity.join_eui, identity.dev_eui, request.rj_count, kind)

    def take(_: NodeState, reception: Reception) -> bool:
        return _take(node, reception, attempt, choice.channel, data_rate)

    plan = Plan(JOIN_ACCEPT_DELAY1_US, *windows(node, sent)[1:])
    return (yield from receive(node, sent.end_us, plan, take))


def _request(
    node: NodeState, session: DeviceSession, identity: Otaa, kind: int
) -> tuple[RejoinRequest, bytes]:
    """The request with its counter, which has moved on, and the key of its MIC."""
    if kind == 1:
        count, node.nonces.rj_count_1 = node.nonces.rj_count_1, node.nonces.rj_count_1 + 1
        key = derive_join_keys(identity.root.nwk_key, identity.dev_eui).js_int_key
        return RejoinRequest(1, identity.dev_eui, count, join_eui=identity.join_eui), key
    count, session.rj_count_0 = session.rj_count_0, session.rj_count_0 + 1
    request = RejoinRequest(kind, identity.dev_eui, count, net_id=session.net_id)
    return request, session.crypto.keys.s_nwk_s_int_key


def _take(
    node: NodeState, reception: Reception, attempt: Attempt, channel: int, data_rate: int
) -> bool:
    identity = node.identity
    assert isinstance(identity, Otaa)
    try:
        accept = open_accept(reception.transmission.payload, identity.root, attempt)
        if not node.nonces.accepts(accept.join_nonce, MacVersion.V1_1):
            raise LoRaWanError(f"join nonce {accept.join_nonce} after {node.nonces.join_nonce}")
    except LoRaWanError as error:
        node.tally.ignored += 1
        tell_ignored(node, reception, str(error))
        return False
    if attempt.join_req_type == KEYS_ONLY:
        renew_keys(node, accept, attempt)
    else:
        start_session(node, accept, attempt, channel, data_rate)
    node.tell("none", {"type": "rejoin", "rejoin_type": attempt.join_req_type})
    return True
