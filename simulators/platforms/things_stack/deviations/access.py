"""Defects of rights: routes that ask for none."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.changes import forgiven
from simulators.platforms.things_stack.deviations.deviation import Deviation


def _open_to_all(sentence: str, *rpcs: str) -> Deviation:
    """Calls that let everybody pass who is known."""
    refusal = "pkg/auth/rights:insufficient_application_rights"
    return Deviation(sentence, rpcs=rpcs, answer=forgiven(refusal))


DEVIATIONS: dict[str, Deviation] = {
    "keys-told-to-readers": _open_to_all(
        "Who may read devices may read their keys.",
        *(f"{server}EndDeviceRegistry/Get" for server in ("Js", "Ns", "As")),
    ),
    "session-keys-set-by-writers": _open_to_all(
        "Who may write devices may set their keys.",
        *(f"{server}EndDeviceRegistry/Set" for server in ("Ns", "As")),
    ),
    "devices-deleted-by-readers": _open_to_all(
        "Who may read devices may change and delete them.",
        *(f"{server}EndDeviceRegistry/Delete" for server in ("", "Js", "Ns", "As")),
        "EndDeviceRegistry/Update",
    ),
    "batches-deleted-by-readers": _open_to_all(
        "Who may read devices may delete several of them.",
        *(f"{server}EndDeviceBatchRegistry/Delete" for server in ("", "Js", "Ns", "As")),
    ),
    "webhooks-deleted-by-everybody": _open_to_all(
        "Everybody may delete webhooks.", "ApplicationWebhookRegistry/Delete"
    ),
    "webhooks-of-everybody": _open_to_all(
        "Everybody may read and set webhooks.",
        "ApplicationWebhookRegistry/Get",
        "ApplicationWebhookRegistry/Set",
    ),
    "traffic-of-everybody": _open_to_all(
        "Everybody may queue downlinks and simulate uplinks.",
        "AppAs/DownlinkQueuePush",
        "AppAs/DownlinkQueueReplace",
        "AppAs/DownlinkQueueList",
        "AppAs/SimulateUplink",
    ),
    "settings-told-to-everybody": _open_to_all(
        "Everybody may read settings.", "ApplicationAccess/ListAPIKeys", "As/GetLink"
    ),
    "keys-of-all-applications": Deviation(
        "A key is found everywhere.",
        rpcs=("ApplicationAccess/GetAPIKey",),
        answer=forgiven("pkg/identityserver/store:api_key_not_found"),
    ),
    "gateways-deleted-by-everybody": Deviation(
        "Who may read a gateway may delete it.",
        rpcs=("GatewayRegistry/Delete",),
        answer=forgiven("pkg/auth/rights:insufficient_gateway_rights"),
    ),
    "restore-by-everybody": Deviation(
        "Everybody may restore an application.",
        rpcs=("ApplicationRegistry/Restore",),
        answer=forgiven("pkg/auth/rights:no_application_rights"),
    ),
}
