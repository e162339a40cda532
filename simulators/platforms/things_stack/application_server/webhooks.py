"""The registry of webhooks: where messages of an application are posted to."""

from __future__ import annotations

from typing import Any

from simulators.platforms.things_stack.application_server.formats import FORMATS
from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import assign, select
from simulators.platforms.things_stack.schema import message

Document = dict[str, Any]

_WEBHOOK = message("ApplicationWebhook")
_ALWAYS = ["ids", "created_at", "updated_at"]
_SET_RIGHTS = ("SETTINGS_BASIC", "TRAFFIC_READ", "TRAFFIC_DOWN_WRITE")


def get_formats(_: Call) -> Document:
    """Forms that a webhook's body can have."""
    return {"formats": {name: form.name for name, form in FORMATS.items()}}


def list_templates(_: Call) -> Document:
    """There are no templates."""
    return {}


def get_template(call: Call) -> Document:
    """There are no templates."""
    name = "pkg/applicationserver/io/web:template_not_found"
    raise StackError(name, {"template_id": call.message["ids"]["template_id"]})


def list_webhooks(call: Call) -> Document:
    """All webhooks of an application, without pages."""
    application_id = call.message["application_ids"]["application_id"]
    call.require_application(application_id, "TRAFFIC_READ")
    webhooks = call.stack.application.webhooks.all(call.uid(application_id))
    shown = [_shown(webhook, call.paths) for webhook in webhooks]
    return {"webhooks": shown} if shown else {}


def _shown(webhook: Document, paths: list[str]) -> Document:
    return select(_WEBHOOK, webhook, [*_ALWAYS, *paths])


def get_webhook(call: Call) -> Document:
    """One webhook."""
    ids = call.message["ids"]
    application_id = ids["application_ids"]["application_id"]
    call.require_application(application_id, "TRAFFIC_READ")
    webhook = call.stack.application.webhooks.find(call.uid(application_id), ids["webhook_id"])
    if webhook is None:
        raise StackError("pkg/applicationserver/io/web:webhook_not_found")
    return _shown(webhook, call.paths)


def set_webhook(call: Call) -> Document:
    """Add or change a webhook."""
    given: Document = call.message["webhook"]
    ids = given["ids"]
    application_id, webhook_id = ids["application_ids"]["application_id"], ids["webhook_id"]
    call.require_application(application_id, *_SET_RIGHTS)
    if "format" in call.paths and given.get("format") not in FORMATS:
        attributes = {"format": given.get("format", "")}
        raise StackError("pkg/applicationserver/io/web:format_not_found", attributes)
    application = call.uid(application_id)
    webhook = call.stack.application.webhooks.find(application, webhook_id)
    if webhook is None:
        webhook = {"ids": ids, "created_at": call.now}
    paths = [path for path in call.paths if path.partition(".")[0] not in _ALWAYS]
    assign(_WEBHOOK, webhook, given, paths)
    webhook["updated_at"] = call.now
    call.stack.application.webhooks.write(application, webhook_id, webhook)
    return _shown(webhook, call.paths)


def delete_webhook(call: Call) -> Document:
    """Forget a webhook; a missing one does not matter."""
    application_id = call.message["application_ids"]["application_id"]
    call.require_application(application_id, *_SET_RIGHTS)
    uid = call.uid(application_id)
    call.stack.application.webhooks.delete(uid, call.message["webhook_id"])
    return {}
