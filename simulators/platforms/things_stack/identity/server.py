"""The Identity Server's state, and what the other servers may ask it."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.identity import (
    access,
    api_key_store,
    device_store,
    entities,
    gateways,
)
from simulators.platforms.things_stack.identity.callers import Caller, Callers
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.times import time_text

TABLES = entities.TABLES + api_key_store.TABLES + device_store.TABLES


class IdentityServer:
    """Entities, keys and devices; its tables are for its own handlers."""

    def __init__(self, database: Database, policy: Policy) -> None:
        self.entities = entities.Entities(database)
        self.keys = api_key_store.ApiKeyStore(database)
        self.devices = device_store.DeviceStore(database)
        self.new_salts: set[bytes] = set()  # of passwords that are being changed
        self.callers = Callers(self.entities, self.keys, policy)

    def rights(self, caller: Caller, tenant: str, kind: str, entity_id: str) -> int:
        """A caller's rights on an entity that may not exist."""
        entity = self.entities.find(tenant, kind, entity_id)
        return access.rights_on(self.entities, caller, kind, entity)

    def require(
        self, caller: Caller, tenant: str, kind: str, entity_id: str, needed: tuple[str, ...]
    ) -> None:
        """
        Let pass with all the rights that are needed.

        Raises:
            StackError: the caller has not all of them.
        """
        rights = self.rights(caller, tenant, kind, entity_id)
        access.require(rights, kind, entities.uid(tenant, entity_id), needed)

    def gateway(self, tenant: str, gateway_id: str) -> dict[str, Any] | None:
        """The registration of a gateway."""
        entity = self.entities.find(tenant, "gateway", gateway_id)
        return None if entity is None else entity.document

    def move_gateway(
        self, tenant: str, gateway_id: str, location: dict[str, Any], now_us: int
    ) -> dict[str, Any] | None:
        """Put the first antenna of a gateway elsewhere; its registration then."""
        entity = self.entities.find(tenant, "gateway", gateway_id)
        if entity is None:
            return None
        document = entity.document
        antennas = document.get("antennas") or [{}]
        document["antennas"] = [antennas[0] | {"location": location}, *antennas[1:]]
        document["updated_at"] = time_text(now_us)
        self.entities.write(entity.number, document, gateways.KIND.columns(document))
        return document

    def gateway_by_eui(self, tenant: str, eui: str) -> dict[str, Any] | None:
        """The registration of the gateway with that EUI."""
        entity = self.entities.by_eui(tenant, eui)
        return None if entity is None or entity.deleted_us is not None else entity.document

    def locations(self, tenant: str, application_id: str, device_id: str) -> dict[str, Any]:
        """Where a device is, by the names of who says so."""
        return self.devices.locations(tenant, application_id, device_id)

    def resume(self) -> None:
        """Read what is to be at hand when devices talk."""
        self.devices.resume()

    def forget(self) -> None:
        """The database was rolled back."""
        self.devices.forget()
