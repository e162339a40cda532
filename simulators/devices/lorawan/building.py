"""
Nodes from plain options, as a fleet of a scenario gives them: ``kind = "node"``.

A node's name decides its identity, its keys and its luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from simulators.clock import Clock
from simulators.devices.behaviours import Behaviour
from simulators.devices.fleet import FleetSpec, check_names
from simulators.devices.kinds import behaviour_of
from simulators.devices.lorawan.located import Origin, located
from simulators.devices.lorawan.node_options import NodeKind, kind_of
from simulators.devices.lorawan.port import NodeRadio
from simulators.devices.lorawan.relay import Relay, RelayHabits, live_switch
from simulators.devices.lorawan.reporting import (
    Measured,
    Source,
    cayenne_source,
    fixed_source,
    live,
)
from simulators.devices.lorawan.state import Abp, Observer, Otaa, Steps
from simulators.devices.node import Node
from simulators.devices.options import FleetError, build, one_of, split
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.identifiers import parse_dev_addr, parse_eui, parse_key
from simulators.lorawan.keys import RootKeys, SessionKeys
from simulators.lorawan.versions import MacVersion
from simulators.randomness import RandomStreams
from simulators.wire.cayenne_lpp import KINDS as LPP_KINDS
from simulators.wire.cayenne_lpp import LppError, encode_lpp

NETWORK_0 = 0x1FF_FFFF  # device addresses of the network for experiments
ZERO_EUI = "0" * 16


class NodePlace(NamedTuple):
    """What is handed to a node: its clock, its transceiver, its luck, whoever writes the trace."""

    clock: Clock
    radio: NodeRadio
    streams: RandomStreams
    observer: Observer | None = None


class BuiltNode(NamedTuple):
    """A node, its life, to be started with ``clock.process``, and what it switches, if anything."""

    node: Node
    life: Steps
    relay: Relay | None = None


def build_nodes(
    specs: Sequence[FleetSpec],
    *,
    clock: Clock,
    streams: RandomStreams,
    radio: Callable[[str], NodeRadio],
    observe: Observer | None = None,
) -> list[BuiltNode]:
    """
    Every node of ``specs``; ``radio`` gives each its transceiver by name.

    Raises:
        FleetError: an unknown option or word, a wrong value, or a name given twice.
    """
    check_names(specs)
    built: list[BuiltNode] = []
    for spec in specs:
        kind = kind_of(spec.behaviour)
        for name in spec.names():
            built.append(_build(name, NodePlace(clock, radio(name), streams, observe), kind))
    return built


def build_node(name: str, place: NodePlace, options: Mapping[str, Any]) -> BuiltNode:
    """
    One node from the options of NodeOptions and Reporting, and what it sends.

    ``payload`` is hex text; ``values`` is a list of tables with ``channel`` and ``kind`` of Cayenne
    LPP, and the options of a behaviour (``shape`` …); for ``gps`` those of Origin. ``relay`` is
    a table with the options of RelayHabits: a switch. Without any it is a temperature.

    Raises:
        FleetError: an unknown option or word, or a wrong value.
    """
    return _build(name, place, kind_of(options))


def _build(name: str, place: NodePlace, kind: NodeKind) -> BuiltNode:
    chance = place.streams.small_stream("device", name, "crystal").random()
    try:
        identity = _identity(name, kind, place.streams)
    except LoRaWanError as error:
        raise FleetError(str(error)) from error
    node = Node(
        name,
        clock=place.clock,
        radio=place.radio,
        region=kind.region,
        identity=identity,
        rng=place.streams.small_stream("device", name, "mac"),
        settings=kind.settings,
        drift_ppm=kind.options.drift_ppm * (2 * chance - 1),
        observer=place.observer,
    )
    node.nonces.dev_nonce = kind.options.first_dev_nonce - 1
    if "relay" in kind.payload:
        relay = Relay(place.clock, kind.reporting.f_port, _habits(kind.payload))
        return BuiltNode(node, live_switch(node, relay, kind.reporting), relay)
    return BuiltNode(node, live(node, _source(name, place, kind.payload), kind.reporting))


def _habits(payload: Mapping[str, Any]) -> RelayHabits:
    if len(payload) > 1:
        raise FleetError("expected no 'payload' or 'values' beside 'relay'", option="relay")
    if not isinstance(payload["relay"], Mapping):
        raise FleetError(f"relay must be a table; got {payload['relay']!r}", option="relay")
    return build(RelayHabits, payload["relay"])


def _identity(name: str, kind: NodeKind, streams: RandomStreams) -> Otaa | Abp:
    options = kind.options

    def key(text: str, purpose: str) -> bytes:
        halves = (streams.integer("device", name, purpose, half) for half in (1, 2))
        return parse_key(text) if text else b"".join(each.to_bytes(8, "big") for each in halves)

    number = streams.integer("device", name, "dev_eui") & 0xFFFF_FFFF_FFFF
    # The second bit says that no company has handed this number out.
    dev_eui = parse_eui(options.dev_eui) if options.dev_eui else f"0200{number:012x}"
    if options.activation == "abp":
        own = f"{number & NETWORK_0:08x}"
        dev_addr = parse_dev_addr(options.dev_addr) if options.dev_addr else own
        keys = SessionKeys.legacy(key(options.nwk_s_key, "nwk"), key(options.app_s_key, "app"))
        return Abp(dev_addr, keys, dev_eui)
    join_eui = parse_eui(options.join_eui) if options.join_eui else ZERO_EUI
    nwk_key = key(options.nwk_key, "nwk") if kind.settings.version >= MacVersion.V1_1 else b""
    return Otaa(dev_eui, join_eui, RootKeys(key(options.app_key, "app"), nwk_key))


def _source(name: str, place: NodePlace, options: Mapping[str, Any]) -> Source:
    if "payload" in options:
        return fixed_source(_hex(options["payload"]))
    values = options.get("values", ({"channel": 1, "kind": "temperature"},))
    if not isinstance(values, tuple) or not all(isinstance(each, Mapping) for each in values):
        raise FleetError(f"values must be a list of tables; got {values!r}", option="values")
    return cayenne_source([_measured(name, place, each) for each in values])


def _hex(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise FleetError(f"payload must be hex text; got {text!r}", option="payload") from error


def _measured(name: str, place: NodePlace, value: Mapping[str, Any]) -> Measured:
    own, rest = split(value, ("channel", "kind"))
    channel = own.get("channel", 1)
    if not isinstance(channel, int) or not 0 <= channel <= 255:
        raise FleetError(f"channel must lie between 0 and 255; got {channel!r}", option="values")
    kind = one_of("kind", own.get("kind", "temperature"), LPP_KINDS)
    # A kind without a usual shape takes a random walk.
    key = "humidity" if kind == "relative_humidity" else kind

    def behaviour() -> Behaviour:
        if kind == "gps" and "shape" not in rest:
            return located(build(Origin, rest, also=["shape"]), place.clock, place.radio)
        chance = place.streams.small_stream("device", name, "behaviour", channel)
        return behaviour_of(chance, key, rest)

    try:
        encode_lpp([(channel, kind, behaviour()(0))])
    except LppError as error:
        raise FleetError(str(error), option="values") from error
    return Measured(channel, kind, behaviour())
