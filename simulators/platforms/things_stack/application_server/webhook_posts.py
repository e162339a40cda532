"""
Webhooks: a message becomes a POST to whoever an application has named.

Tried once and never again, as the stack does. Only what was on its way when the process was killed
is sent once more, since nobody knows whether it arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urljoin, urlsplit

from simulators.platforms.effects import Post
from simulators.platforms.things_stack.application_server import formats
from simulators.platforms.things_stack.application_server.uri_templates import expand
from simulators.platforms.things_stack.application_server.webhook_health import WebhookHealth
from simulators.platforms.things_stack.application_server.webhook_outbox import (
    Called,
    WebhookOutbox,
)
from simulators.platforms.things_stack.application_server.webhook_store import WebhookStore
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import select
from simulators.platforms.things_stack.schema import message

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
_Details: TypeAlias = "tuple[StackError, Document]"  # and what was said

TIMEOUT_S = 5.0
USER_AGENT = "TheThingsStack/3.32.1 (linux/amd64)"
_UP = message("ApplicationUp")
_REQUEST = "pkg/applicationserver/io/web/sink:request"
_DISABLED = "pkg/applicationserver/io/web/sink:webhook_disabled"
_STRUCT = "type.googleapis.com/google.protobuf.Struct"


class WebhookPosts:
    """Calls webhooks, and tells when that fails."""

    def __init__(self, stack: Stack, webhooks: WebhookStore, outbox: WebhookOutbox) -> None:
        self._stack = stack
        self._health = WebhookHealth(stack.policy, webhooks)
        self._outbox = outbox

    def publish(self, tenant: str, application: str, kind: str, up: Document, now_us: int) -> None:
        """Call all webhooks of an application that want a message of that kind."""
        for webhook in self._stack.application.webhooks.wanting(application, kind):
            called = Called(
                tenant, application, webhook["ids"]["webhook_id"], webhook["base_url"],
                up["end_device_ids"], up["correlation_ids"],
            )  # fmt: skip
            if self._health.is_muted(webhook, now_us):
                self._tell(called, (StackError(_DISABLED), {}), now_us)
            else:
                self._call(called, webhook, kind, up, now_us)

    def _call(
        self, called: Called, webhook: Document, kind: str, up: Document, now_us: int
    ) -> None:
        try:
            url = target(webhook["base_url"], webhook[kind].get("path", ""), up["end_device_ids"])
            form = formats.of(webhook.get("format", ""))
        except (ValueError, StackError) as error:
            self._tell(called, _request_failed(called, None, str(error)), now_us)
            return
        paths = webhook.get("field_mask", {}).get("paths")
        body = form.from_up(select(_UP, up, paths) if paths else up)
        headers = tuple(self._headers(webhook, up, form.content_type))
        post = Post(self._outbox.next_number(), url, headers, body, TIMEOUT_S)
        self._outbox.put(called._replace(url=url), post)
        self._stack.outbox.append(post)

    def resume(self) -> None:
        """Send once more what was on its way when the process ended."""
        self._stack.outbox += self._outbox.all()

    def _headers(
        self, webhook: Document, up: Document, content_type: str
    ) -> Iterator[tuple[str, str]]:
        """Those of the webhook, but for those that say what the message is."""
        own = {"Content-Type": content_type, "User-Agent": USER_AGENT}
        own["X-Tts-Domain"] = self._stack.policy.host
        key = webhook.get("downlink_api_key")
        if key:
            own["X-Downlink-Apikey"] = key
            own["X-Downlink-Push"] = self._downlink_url(webhook, up, "push")
            own["X-Downlink-Replace"] = self._downlink_url(webhook, up, "replace")
        names = {name.lower() for name in own}
        for name, value in webhook.get("headers", {}).items():
            if name.lower() not in names:
                yield name, value
        yield from own.items()

    def _downlink_url(self, webhook: Document, up: Document, how: str) -> str:
        ids = webhook["ids"]
        application_id = ids["application_ids"]["application_id"]
        return (
            f"{self._stack.application.public_url}/api/v3/as/applications/{application_id}"
            f"/webhooks/{ids['webhook_id']}/devices/{up['end_device_ids']['device_id']}/down/{how}"
        )

    def posted(self, number: int, status: int | None, said: str, now_us: int) -> None:
        """A webhook has answered, or will not."""
        called = self._outbox.take(number)
        if called is None:
            return
        if status is not None and 200 <= status <= 299:
            self._health.succeeded(called.application, called.webhook_id, now_us)
            return
        details = _request_failed(called, status, said)
        self._tell(called, details, now_us)
        if self._health.is_kept:
            self._health.failed(called.application, called.webhook_id, self._shown(details), now_us)

    def _tell(self, called: Called, details: _Details, now_us: int) -> None:
        """Tell who listens that a webhook was not told."""
        about = {
            "end_device_ids": called.end_device_ids,
            "correlation_ids": called.correlation_ids,
        }
        outputs = self._stack.application.outputs
        outputs.tell("as.webhook.fail", called.tenant, about, lambda: self._shown(details), now_us)

    def _shown(self, details: _Details) -> Document:
        """Why a webhook was not told, as ErrorDetails."""
        error, told = details
        shown = self._stack.application.outputs.details(error)
        return shown | ({"details": [{"@type": _STRUCT, "value": told}]} if told else {})


def _request_failed(called: Called, status: int | None, said: str) -> _Details:
    attributes: Document = {"webhook_id": called.webhook_id, "url": called.url}
    if status is None:
        return StackError(_REQUEST, attributes), {"error": said}
    return StackError(_REQUEST, attributes | {"status_code": status}), {"body": said}


def target(base_url: str, path: str, ids: Document) -> str:
    """
    Where a webhook is called: its base and the path of a kind of message, joined by one slash.

    Args:
        ids: the device's; both may hold variables for them.
    Raises:
        ValueError: no template, or no URL.
    """
    join_eui = ids.get("join_eui", "")
    application_id = ids["application_ids"]["application_id"]
    values = {
        "appID": application_id,
        "applicationID": application_id,
        "appEUI": join_eui,
        "joinEUI": join_eui,
        "devID": ids["device_id"],
        "deviceID": ids["device_id"],
        "devEUI": ids.get("dev_eui", ""),
        "devAddr": ids.get("dev_addr", ""),
    }
    base, rest = expand(base_url, values), expand(path, values)
    if rest and not rest.startswith(("?", "#")):
        parts = urlsplit(base)
        if not parts.path.endswith("/"):
            base = parts._replace(path=f"{parts.path}/").geturl()
    return urljoin(base, rest.lstrip("/"))
