"""What the Gateway Server knows of a gateway before it connects: its registration and its plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.lorawan.regions.region import Region
from simulators.platforms.things_stack import plans
from simulators.platforms.things_stack.errors import StackError

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

# What a connection is built on: when one of these changes, the gateway has to connect anew.
_BASIS = ("ids", "frequency_plan_ids", "enforce_duty_cycle", "schedule_downlink_late", "antennas",
          "location_public", "downlink_path_constraint", "schedule_anytime_delay",
          "require_authenticated_connection")  # fmt: skip


@dataclass(frozen=True)
class Gateway:
    """
    A gateway that may connect.

    Attributes:
        ids: GatewayIdentifiers.
        document: its registration; of an unregistered one only ``ids``.
        plans: its frequency plans, all of one band.
        region: that band as its newest version describes it.
    """

    tenant: str
    ids: Document
    document: Document
    plans: list[Document]
    region: Region
    is_registered: bool

    @property
    def uid(self) -> str:
        """Its id, unique over all tenants."""
        return _uid(self.tenant, self.ids["gateway_id"])

    def location(self, antenna: int) -> Document | None:
        """Where an antenna is, if everybody may know."""
        antennas = self.document.get("antennas", ())
        if not self.document.get("location_public") or antenna >= len(antennas):
            return None
        location: Document | None = antennas[antenna].get("location")
        return location if location is not None and "source" in location else None

    def gain_dbi(self, antenna: int) -> float:
        """What an antenna adds to the power at its connector."""
        antennas = self.document.get("antennas", ())
        return float(antennas[antenna].get("gain", 0.0)) if antenna < len(antennas) else 0.0


def _uid(tenant: str, gateway_id: str) -> str:
    return f"{gateway_id}@{tenant}" if tenant else gateway_id


class Registry:
    """Finds gateways in the Identity Server."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def by_eui(self, eui: str, *, fallback_plan: str = "") -> Gateway:
        """
        The gateway of an EUI, or one that is not registered with a plan for such.

        Raises:
            StackError: it may not connect.
        """
        identity = self._stack.identity
        tenants = self._stack.policy.tenants or ("",)
        for tenant in tenants:
            document = identity.gateway_by_eui(tenant, eui)
            if document is not None:
                return _registered(tenant, document)
        if self._stack.policy.requires_registered_gateways:
            raise StackError("pkg/gatewayserver:gateway_eui_not_registered", {"eui": eui})
        ids = {"gateway_id": f"eui-{eui.lower()}", "eui": eui}
        if not fallback_plan:
            attributes = {"gateway_uid": _uid(tenants[0], ids["gateway_id"])}
            raise StackError("pkg/gatewayserver:no_fallback_frequency_plan", attributes)
        return _gateway(tenants[0], ids, {"ids": ids}, [fallback_plan], is_registered=False)

    def by_id(self, tenant: str, gateway_id: str) -> Gateway:
        """
        The registered gateway of an id.

        Raises:
            StackError: there is none, or it may not connect.
        """
        document = self._stack.identity.gateway(tenant, gateway_id)
        if document is None:
            attributes = {"gateway_uid": _uid(tenant, gateway_id)}
            raise StackError("pkg/gatewayserver:gateway_not_registered", attributes)
        return _registered(tenant, document)

    def change_of(self, gateway: Gateway) -> StackError | None:
        """Why a connected gateway may not stay as it is."""
        if not gateway.is_registered:
            return None
        now = self._stack.identity.gateway(gateway.tenant, gateway.ids["gateway_id"])
        if now is None:
            attributes = {"gateway_uid": gateway.uid}
            return StackError("pkg/gatewayserver:gateway_not_registered", attributes)
        if any(now.get(name) != gateway.document.get(name) for name in _BASIS):
            return StackError("pkg/gatewayserver:gateway_changed")
        return None


def _registered(tenant: str, document: Document) -> Gateway:
    ids = {name: document["ids"][name] for name in ("gateway_id", "eui") if name in document["ids"]}
    return _gateway(
        tenant, ids, document, document.get("frequency_plan_ids", []), is_registered=True
    )


def _gateway(
    tenant: str, ids: Document, document: Document, plan_ids: list[str], *, is_registered: bool
) -> Gateway:
    found = [plans.plan(plan_id) for plan_id in plan_ids or [""]]
    bands = {plan["band_id"] for plan in found}
    if len(bands) > 1:
        raise StackError("pkg/gatewayserver/io:frequency_plans_not_from_same_band")
    band = bands.pop()
    region = plans.region_of(band, plans.bands()[band][-1])
    return Gateway(tenant, ids, document, found, region, is_registered)
