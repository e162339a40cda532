"""The Identity Server's part of the API."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.identity import (
    api_keys,
    applications,
    clients,
    collaborators,
    end_devices,
    gateways,
    organizations,
    registry,
    search,
    users,
)
from simulators.platforms.things_stack.identity.registry import Handler

Document = dict[str, Any]

_KINDS = (applications.KIND, clients.KIND, gateways.KIND, organizations.KIND, users.KIND)


def auth_info(call: Call) -> Document:
    """What the caller's token is."""
    return call.caller.auth_info()


def get_configuration(call: Call) -> Document:
    """Settings that everybody may know."""
    policy = call.stack.policy
    rights = {
        f"create_{plural}": True
        for plural in ("applications", "clients", "gateways", "organizations")
        if getattr(policy, f"users_create_{plural}")
    }
    lengths = {"min_length": policy.password_min_length, "max_length": policy.password_max_length}
    registration: Document = {"password_requirements": lengths, "invitation": {}}
    registration["admin_approval"] = {"required": True} if policy.admin_approval else {}
    if policy.registration:
        registration["enabled"] = True
    configuration: Document = {"user_registration": registration, "user_rights": rights}
    configuration["admin_rights"] = {"all": True} if policy.admin_rights_all else {}
    return {"configuration": configuration}


HANDLERS: dict[str, Handler] = {
    "EntityAccess/AuthInfo": auth_info,
    "Is/GetConfiguration": get_configuration,
    "EndDeviceRegistry/Create": end_devices.create,
    "EndDeviceRegistry/Get": end_devices.get,
    "EndDeviceRegistry/List": end_devices.list_devices,
    "EndDeviceRegistry/Update": end_devices.update,
    "EndDeviceRegistry/Delete": end_devices.delete,
    "EndDeviceBatchRegistry/Get": end_devices.get_batch,
    "EndDeviceBatchRegistry/Delete": end_devices.delete_batch,
    "EndDeviceRegistrySearch/SearchEndDevices": search.search_devices,
    "EntityRegistrySearch/SearchAccounts": search.search_accounts,
    "GatewayBatchRegistry/Delete": gateways.delete_batch,
}
for _kind in _KINDS:
    HANDLERS |= registry.handlers(_kind) | collaborators.handlers(_kind)
    HANDLERS |= api_keys.handlers(_kind) | search.handlers(_kind)
# Of these the registry of users has its own, and clients have no API keys.
HANDLERS |= {
    "ApplicationRegistry/IssueDevEUI": applications.issue_dev_eui,
    "UserRegistry/Create": users.create,
    "UserRegistry/List": users.list_users,
    "UserRegistry/UpdatePassword": users.update_password,
}
