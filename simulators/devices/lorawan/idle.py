"""What a device does between its uplinks: sleep, or listen as its class asks."""

from __future__ import annotations

from simulators.devices.lorawan import class_b, downlinks
from simulators.devices.lorawan.reception import continuous, listen_once
from simulators.devices.lorawan.state import NodeState, Steps


def listen(node: NodeState, until_us: int) -> Steps:
    """Sleep or listen until then, or until a frame came in; whoever calls looks at the time."""
    now_us = node.clock.now_us()
    if until_us <= now_us:
        return
    if node.device_class == "A" or node.session is None:
        yield node.clock.timeout(until_us - now_us)
    elif node.device_class == "C":
        reception = yield from listen_once(node, now_us, until_us, continuous(node))
        if reception is not None:
            downlinks.take_other(node, reception)
    else:
        yield from class_b.listen(node, until_us)


def wait(node: NodeState, until_us: int) -> Steps:
    """Sleep or listen until then, whatever comes in."""
    while node.clock.now_us() < until_us:
        yield from listen(node, until_us)
