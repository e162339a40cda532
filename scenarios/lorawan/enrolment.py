"""
What a scenario needs of a network: everything to be registered, and what comes of it.

Identities are those of the scenario's nodes. On a network that others use too they are fresh for
each run, but for those that the scenario names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scenarios.files import FileError
from scenarios.lorawan.building import gateway_eui, regional
from scenarios.lorawan.checks import NoRadio
from scenarios.lorawan.formatters import formatter_of
from scenarios.lorawan.model import GatewaySpec, NetworkSpec, Parts
from scenarios.model import Scenario
from simulators.apps.things_stack.inventory import DeviceEntry, GatewayEntry, Inventory
from simulators.apps.things_stack.registering import Book, Registrar
from simulators.clock import VirtualClock
from simulators.devices.lorawan.building import build_nodes
from simulators.devices.lorawan.state import Abp, Otaa
from simulators.devices.node import Node
from simulators.lorawan.regions import region
from simulators.lorawan.versions import MacVersion
from simulators.randomness import RandomStreams

ID = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,35}")
LONGEST_ID = 36

# A plan for each region; US915 and AU915 have one for each of their sub-bands.
PLANS = {
    "EU868": "EU_863_870_TTN",
    "US915": "US_902_928_FSB_{number}",
    "AU915": "AU_915_928_FSB_{number}",
    "AS923-1": "AS_920_923_TTN_AU",
    "AS923-2": "AS_923_2",
    "AS923-3": "AS_923_3",
    "AS923-4": "AS_923_4",
    "IN865": "IN_865_867",
    "KR920": "KR_920_923_TTN",
    "CN470": "CN_470_510_FSB_11",
    "EU433": "EU_433",
    "RU864": "RU_864_870_TTN",
}


@dataclass(frozen=True)
class Membership:
    """
    What a run may do at a network.

    Attributes:
        device_ids: by node.
        identities: by node; of those that do not join with the network's address.
        gateways: with their EUIs, and the keys that they show.
    """

    application_id: str
    has_webhook: bool
    device_ids: Mapping[str, str]
    identities: Mapping[str, Otaa | Abp]
    gateways: tuple[GatewaySpec, ...]


class Enrolment:
    """A scenario's nodes and gateways at a network; ``registrar`` does the work."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        prefix: str,
        owner: str,
        plan: str = "",
        webhook: str = "",
        is_fresh: bool,
        book: Book | None = None,
    ) -> None:
        """
        Args:
            prefix: of everything that is created.
            owner: ``users/…`` or ``organizations/…``.
            plan: the frequency plan that a target proposes; it counts where it is of the region.
            webhook: where the application's messages shall be posted to, if anywhere.
            is_fresh: whether identities belong to this run alone.
            book: where it is noted what is created.
        Raises:
            FileError: no frequency plan is known.
        """
        assert scenario.lorawan is not None
        self._parts: Parts = scenario.lorawan
        self._prefix = prefix
        self._fresh = RandomStreams(scenario.seed) if is_fresh else None
        self._named = {
            name for spec in scenario.fleets if "dev_eui" in spec.behaviour for name in spec.names()
        }
        nodes = _nodes_of(scenario, self._parts)
        self._identities = {node.name: self._identity(node) for node in nodes}
        self.device_ids = {
            node.name: api_id(node.name, f"device-{number}")
            for number, node in enumerate(nodes, start=1)
        }
        self._gateways = tuple(self._gateway(spec, scenario.seed) for spec in self._parts.gateways)
        network = self._parts.network or NetworkSpec()
        fleet_of = {name: spec.name for spec in scenario.fleets for name in spec.names()}
        self.inventory = Inventory(
            prefix=prefix,
            owner=owner,
            application_id=prefix,
            webhook=webhook,
            frequency_plan_id=network.frequency_plan or plan_for(self._parts, plan),
            devices=tuple(
                self._device(node, network, fleet_of.get(node.name, "")) for node in nodes
            ),
            gateways=tuple(
                GatewayEntry(
                    self.gateway_ids[each.name],
                    each.eui,
                    needs_key=each.kind == "basics-station" and not each.authorization,
                    enforces_duty_cycle=each.duty_cycle,
                )
                for each in self._gateways
            ),
        )
        self.registrar = Registrar(self.inventory, book)

    @property
    def gateway_ids(self) -> dict[str, str]:
        """By their names in the scenario."""
        return {
            spec.name: api_id(f"{self._prefix}-{spec.name}", f"{self._prefix}-{number}")
            for number, spec in enumerate(self._parts.gateways, start=1)
        }

    def membership(self) -> Membership:
        """What was registered."""
        addresses, keys = self.registrar.addresses, self.registrar.gateway_keys
        identities = {
            name: identity._replace(dev_addr=addresses[self.device_ids[name]])
            if isinstance(identity, Abp)
            else identity
            for name, identity in self._identities.items()
        }
        ids = self.gateway_ids
        gateways = tuple(
            replace(each, authorization=f"Bearer {keys[ids[each.name]]}")
            if ids[each.name] in keys
            else each
            for each in self._gateways
        )
        inventory = self.inventory
        return Membership(
            inventory.application_id,
            bool(inventory.webhook),
            self.device_ids,
            identities,
            gateways,
        )

    def _identity(self, node: Node) -> Otaa | Abp:
        if self._fresh is None or node.name in self._named:
            return node.identity
        return node.identity._replace(dev_eui=self._eui(self._fresh, "device", node.name))

    def _gateway(self, spec: GatewaySpec, seed: int) -> GatewaySpec:
        if spec.eui:
            return spec
        if self._fresh is None:
            return replace(spec, eui=gateway_eui(spec, RandomStreams(seed)))
        return replace(spec, eui=self._eui(self._fresh, "gateway", spec.name))

    def _eui(self, streams: RandomStreams, kind: str, name: str) -> str:
        number = streams.integer(kind, name, "eui", self._prefix) & 0xFFFF_FFFF_FFFF
        return f"0200{number:012x}"

    def _device(self, node: Node, network: NetworkSpec, fleet: str) -> DeviceEntry:
        identity, settings = self._identities[node.name], node.settings
        is_b = settings.device_class == "B"
        return DeviceEntry(
            self.device_ids[node.name],
            identity.dev_eui,
            identity.join_eui if isinstance(identity, Otaa) else "",
            mac_version(settings.version),
            node.region.version.name,
            root_keys=_root_keys(identity, settings.version),
            session_keys=_session_keys(identity, settings.version),
            device_class=settings.device_class,
            ping_slot_periodicity=f"PING_EVERY_{1 << settings.ping_periodicity}S" if is_b else "",
            frequencies_hz=_frequencies_hz(node) if isinstance(identity, Abp) else (),
            mac_settings=dict(network.mac_settings),
            formatters=_formatters(network.formatters.get(fleet, network.formatter)),
        )


def api_id(name: str, other: str) -> str:
    """A name as an id of the API, or another one where it cannot be one."""
    return name if ID.fullmatch(name) and len(name) <= LONGEST_ID else other


def plan_for(parts: Parts, proposed: str = "") -> str:
    """
    The frequency plan of a scenario's region.

    Raises:
        FileError: none is known.
    """
    name = region(parts.radio.region).name
    usual = PLANS.get(name)
    if usual is None:
        what = f"expected a frequency_plan in [network] for region {name}; none is known"
        raise FileError("network", None, what)
    usual = usual.format(number=parts.gateways[0].sub_band + 1)
    band = "_".join(usual.split("_")[:3])
    return proposed if proposed.startswith(band) and "{" not in PLANS[name] else usual


def mac_version(version: MacVersion) -> str:
    """As the API writes it."""
    names = {MacVersion.V1_0_0: "MAC_V1_0", MacVersion.V1_1: "MAC_V1_1"}
    return names.get(version, f"MAC_{version.name}")


def _nodes_of(scenario: Scenario, parts: Parts) -> list[Node]:
    """The scenario's nodes as they will be, to look at."""
    built = build_nodes(
        regional(scenario.fleets, parts),
        clock=VirtualClock(),
        streams=RandomStreams(scenario.seed),
        radio=lambda name: NoRadio(),
    )
    return [each.node for each in built]


def _root_keys(identity: Otaa | Abp, version: MacVersion) -> dict[str, str]:
    if isinstance(identity, Abp):
        return {}
    keys = {"app_key": identity.root.app_key.hex().upper()}
    if version >= MacVersion.V1_1:
        keys["nwk_key"] = identity.root.nwk_key.hex().upper()
    return keys


def _session_keys(identity: Otaa | Abp, version: MacVersion) -> dict[str, str]:
    if isinstance(identity, Otaa):
        return {}
    names = ["f_nwk_s_int_key", "app_s_key"]
    if version >= MacVersion.V1_1:
        names += ["s_nwk_s_int_key", "nwk_s_enc_key"]
    return {name: getattr(identity.keys, name).hex().upper() for name in names}


def _formatters(text: str) -> dict[str, str]:
    formatter = formatter_of(text)
    if formatter is None:
        return {}
    told = {"up_formatter": formatter.kind}
    return told | ({"up_formatter_parameter": formatter.parameter} if formatter.parameter else {})


def _frequencies_hz(node: Node) -> tuple[int, ...]:
    plan, enabled = node.parameters.plan, node.parameters.enabled
    return tuple(
        channel.frequency_hz
        for index, channel in enumerate(plan.channels)
        if channel is not None and enabled >> index & 1
    )
