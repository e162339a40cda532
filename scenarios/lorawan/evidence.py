"""What a run of LoRaWAN leaves to be judged: nodes, what was noted of them, the network if ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from scenarios.lorawan.traffic import Traffic, UplinkNote
from scenarios.lorawan.watch import Counts, Watch
from simulators.apps.things_stack.application import Application
from simulators.apps.things_stack.caretaker import Turn
from simulators.devices.lorawan.relay import Relay
from simulators.devices.lorawan.state import Otaa
from simulators.devices.node import Node
from simulators.platforms.scripted_network.core import ScriptedNetwork


@dataclass
class AtNetwork:
    """
    What was seen of a network from the side of its API.

    ``names`` of nodes by device id; ``relays``, and ``periods_us`` in which they report, by node;
    ``left``: what could not be removed; ``reserved``: what is deleted, but for its id.
    """

    application: Application
    traffic: Traffic
    names: Mapping[str, str]
    relays: Mapping[str, Relay]
    periods_us: Mapping[str, int] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    reserved: list[str] = field(default_factory=list)

    @cached_property
    def device_ids(self) -> Mapping[str, str]:
        """By node."""
        return {name: device_id for device_id, name in self.names.items()}


@dataclass
class LorawanEvidence:
    """
    All that expectations see; ``late`` has, by a moment in µs (None: the end), who had not joined.
    """

    nodes: Sequence[Node]
    fleet_of: Mapping[str, str]
    watch: Watch
    end_us: int
    network: ScriptedNetwork | None = None
    at_network: AtNetwork | None = None
    late: dict[int | None, list[str]] = field(default_factory=dict)

    def chosen(self, on: str | None) -> list[Node]:
        """The nodes that ``on`` names: a fleet, a node, or all."""
        return [node for node in self.nodes if on in (None, node.name, self.fleet_of[node.name])]

    def network_side(self) -> AtNetwork:
        """What was seen over the network's API; asked where there is a network alone."""
        assert self.at_network is not None
        return self.at_network

    def uplinks(self, on: str | None) -> list[UplinkNote]:
        """The chosen nodes' data frames whose last transmission is over."""
        chosen = {node.name for node in self.chosen(on)}
        notes = self.network_side().traffic.uplinks.values()
        return [note for note in notes if note.node in chosen and note.end_us <= self.end_us]

    def counts(self, node: Node) -> Counts:
        """Data uplinks that were on air, and those that a gateway heard."""
        return self.watch.counts.get(node.name) or Counts()

    @property
    def is_connected(self) -> bool:
        """Whether the server has answered any gateway at all."""
        return any(notes.is_connected for notes in self.watch.gateways.values())

    def unjoined(self, node: Node) -> bool:
        """Whether a node tried to join and has no session."""
        return isinstance(node.identity, Otaa) and node.session is None

    def network_view(self, node: Node) -> str | None:
        """Why the network did not answer the node's requests, where the network is ours."""
        if self.network is None or not isinstance(node.identity, Otaa):
            return None
        return self.network.refusals.get(node.identity.dev_eui)
