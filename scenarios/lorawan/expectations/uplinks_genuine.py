"""The application gets what its devices sent, and nothing else."""

from __future__ import annotations

from scenarios.expectations.judgement import Judgement
from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.traffic import UplinkNote, payload_of
from simulators.apps.things_stack.application import Uplink
from simulators.devices.node import Node


def judge(evidence: LorawanEvidence, on: str | None) -> Judgement:
    """
    Each message is of one of the run's nodes, was on air before, and has the payload of that frame.

    The payload can be compared as long as the node has the keys that it was sent with.
    """
    at = evidence.network_side()
    nodes = {node.name: node for node in evidence.chosen(on)}
    observed, older, broken = 0, 0, []
    for device_id, uplinks in at.application.uplinks.items():
        name = at.names.get(device_id)
        if name is None:
            broken.append(f"there were messages of {device_id}, which nobody registered")
            continue
        for uplink in uplinks if name in nodes else ():
            observed += 1
            note = at.traffic.uplinks.get((uplink.dev_addr, uplink.f_cnt & 0xFFFF))
            if note is None or note.node != name or note.start_us > uplink.at_us:
                broken.append(f"{name} had not sent frame {uplink.f_cnt} of {uplink.dev_addr}")
                continue
            same = _is_same(nodes[name], note, uplink)
            older += same is None
            if same is False:
                broken.append(f"frame {uplink.f_cnt} of {name} came with another payload")
    return Judgement(observed, broken, measured={"messages": observed, "without_keys": older})


def _is_same(node: Node, note: UplinkNote, uplink: Uplink) -> bool | None:
    session = node.session
    if session is None or session.dev_addr != uplink.dev_addr:
        return None
    if not uplink.f_port:
        return not uplink.payload
    encrypted = session.crypto.encrypt_payload(
        uplink.payload, uplink.f_cnt, is_uplink=True, f_port=uplink.f_port
    )
    return encrypted == payload_of(note.phy)
