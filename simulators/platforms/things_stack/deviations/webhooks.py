"""Defects of the registry of webhooks."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    renamed,
    with_body,
    with_document,
    with_member,
    with_time_of_creation,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation


def _with_all_masked(document: Any) -> Any:
    webhook = document.get("webhook", {})
    document["field_mask"] = {"paths": [name for name in webhook if name != "ids"]}
    return document


DEVIATIONS: dict[str, Deviation] = {
    "webhook-without-url": Deviation(
        "A webhook is answered without its URL.",
        rpcs=("ApplicationWebhookRegistry/Set",),
        answer=without("base_url"),
    ),
    "webhook-mask-ignored": Deviation(
        "A webhook is read without its fields.",
        rpcs=("ApplicationWebhookRegistry/Get",),
        answer=without("uplink_message"),
    ),
    "webhooks-not-listed": Deviation(
        "The list of webhooks is empty.",
        rpcs=("ApplicationWebhookRegistry/List",),
        answer=with_document(lambda found: {}),
    ),
    "unknown-webhook-other-error": Deviation(
        "An unknown webhook is told with another error.",
        answer=renamed("pkg/applicationserver/io/web:webhook_not_found", "pkg/redis:not_found"),
    ),
    "webhook-delete-message": Deviation(
        "Deleting a webhook is answered with a message.",
        rpcs=("ApplicationWebhookRegistry/Delete",),
        answer=with_member("gone", "message"),
    ),
    "any-webhook-format": Deviation(
        "Any format of webhooks is accepted.",
        answer=forgiven("pkg/applicationserver/io/web:format_not_found"),
    ),
    "webhook-stores-all": Deviation(
        "A webhook stores what the mask leaves out.",
        rpcs=("ApplicationWebhookRegistry/Set",),
        before=with_body(_with_all_masked),
    ),
    "webhook-set-keeps-time": Deviation(
        "A webhook is read with the time of its creation.",
        rpcs=("ApplicationWebhookRegistry/Get",),
        answer=with_document(with_time_of_creation),
    ),
    "webhook-list-tells-more": Deviation(
        "The list of webhooks tells formats, unasked.",
        rpcs=("ApplicationWebhookRegistry/List",),
        answer=with_document(
            lambda found: {
                "webhooks": [{"format": "json", **each} for each in found.get("webhooks", ())]
            }
        ),
    ),
}
