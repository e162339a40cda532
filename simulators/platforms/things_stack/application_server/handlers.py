"""The Application Server's part of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulators.platforms.effects import Effects
from simulators.platforms.things_stack.application_server import (
    devices,
    formatting_calls,
    links,
    mqtt,
    packages,
    queue_calls,
    simulation,
    storage_calls,
    webhook_downlinks,
    webhooks,
)
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.times import duration_text

Document = dict[str, Any]


def get_configuration(call: Call) -> Document:
    """Settings that everybody may know."""
    policy = call.stack.policy
    webhooks = {
        "unhealthy_retry_interval": duration_text(policy.unhealthy_retry_interval_s * 1_000_000)
    }
    if policy.unhealthy_attempts_threshold:
        webhooks["unhealthy_attempts_threshold"] = str(policy.unhealthy_attempts_threshold)
    return {"configuration": {"pubsub": {"providers": {}}, "webhooks": webhooks}}


HANDLERS: dict[str, Callable[[Call], Document]] = {
    "AppAs/DecodeDownlink": formatting_calls.decode_downlink,
    "AppAs/DecodeUplink": formatting_calls.decode_uplink,
    "AppAs/DownlinkQueueList": queue_calls.list_queue,
    "AppAs/DownlinkQueuePush": queue_calls.push,
    "AppAs/DownlinkQueueReplace": queue_calls.replace,
    "AppAs/EncodeDownlink": formatting_calls.encode_downlink,
    "AppAs/GetMQTTConnectionInfo": mqtt.get_connection_info,
    "AppAs/SimulateUplink": simulation.simulate_uplink,
    "ApplicationPackageRegistry/DeleteAssociation": packages.delete_association,
    "ApplicationPackageRegistry/DeleteDefaultAssociation": packages.delete_default_association,
    "ApplicationPackageRegistry/GetAssociation": packages.get_association,
    "ApplicationPackageRegistry/GetDefaultAssociation": packages.get_default_association,
    "ApplicationPackageRegistry/List": packages.list_packages,
    "ApplicationPackageRegistry/ListAssociations": packages.list_associations,
    "ApplicationPackageRegistry/ListDefaultAssociations": packages.list_default_associations,
    "ApplicationPackageRegistry/SetAssociation": packages.set_association,
    "ApplicationPackageRegistry/SetDefaultAssociation": packages.set_default_association,
    "ApplicationUpStorage/GetStoredApplicationUpCount": storage_calls.count_stored,
    "ApplicationWebhookRegistry/Delete": webhooks.delete_webhook,
    "ApplicationWebhookRegistry/Get": webhooks.get_webhook,
    "ApplicationWebhookRegistry/GetFormats": webhooks.get_formats,
    "ApplicationWebhookRegistry/GetTemplate": webhooks.get_template,
    "ApplicationWebhookRegistry/List": webhooks.list_webhooks,
    "ApplicationWebhookRegistry/ListTemplates": webhooks.list_templates,
    "ApplicationWebhookRegistry/Set": webhooks.set_webhook,
    "As/DeleteLink": links.delete_link,
    "As/GetConfiguration": get_configuration,
    "As/GetLink": links.get_link,
    "As/GetLinkStats": links.get_link_stats,
    "As/SetLink": links.set_link,
    "AsEndDeviceBatchRegistry/Delete": devices.delete_batch,
    "AsEndDeviceRegistry/Delete": devices.delete_device,
    "AsEndDeviceRegistry/Get": devices.get_device,
    "AsEndDeviceRegistry/Set": devices.set_device,
}

# Calls that answer by themselves.
ANSWERS: dict[str, Callable[[Call], Effects]] = {
    "ApplicationWebhookDownlinks/Push": webhook_downlinks.push,
    "ApplicationWebhookDownlinks/Replace": webhook_downlinks.replace,
}

STREAMS: dict[str, Callable[[Call], Effects]] = {
    "ApplicationUpStorage/GetStoredApplicationUp": storage_calls.get_stored,
}
# Of hosted deployments alone.
HOSTED = frozenset(
    (
        "ApplicationUpStorage/GetStoredApplicationUp",
        "ApplicationUpStorage/GetStoredApplicationUpCount",
    )
)
