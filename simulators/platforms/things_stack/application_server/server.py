"""The Application Server's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from simulators.platforms.scripting.worker import Result
from simulators.platforms.things_stack.application_server import (
    package_store,
    storage,
    waiting_store,
    webhook_outbox,
    webhook_store,
)
from simulators.platforms.things_stack.application_server.device import Devices
from simulators.platforms.things_stack.application_server.downlinks import Downlinks
from simulators.platforms.things_stack.application_server.end_device_metadata import (
    EndDeviceMetadata,
)
from simulators.platforms.things_stack.application_server.formatters import Formatters
from simulators.platforms.things_stack.application_server.outputs import Outputs
from simulators.platforms.things_stack.application_server.package_store import PackageStore
from simulators.platforms.things_stack.application_server.storage import Storage
from simulators.platforms.things_stack.application_server.upstream import Upstream
from simulators.platforms.things_stack.application_server.waiting_store import WaitingStore
from simulators.platforms.things_stack.application_server.webhook_outbox import WebhookOutbox
from simulators.platforms.things_stack.application_server.webhook_posts import WebhookPosts
from simulators.platforms.things_stack.application_server.webhook_store import WebhookStore
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.device_table import table
from simulators.platforms.things_stack.messages import Up

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

_MOST_LINKS = 10_000
TABLES = (
    table("as_device")
    + """
CREATE TABLE IF NOT EXISTS as_link (
    application TEXT PRIMARY KEY, document TEXT NOT NULL
) WITHOUT ROWID;
"""
    + package_store.TABLES
    + storage.TABLES
    + waiting_store.TABLES
    + webhook_outbox.TABLES
    + webhook_store.TABLES
)


class ApplicationServer:
    """
    Devices with their application keys, links and webhooks; applications by unique id.

    ``public_url`` is where callers find this deployment.
    """

    def __init__(self, stack: Stack, database: Database) -> None:
        self._database = database
        self.devices = Devices(database)
        self.formatters = Formatters(stack)
        self.public_url = f"https://{stack.policy.host}"
        self.webhooks = WebhookStore(database)
        self.webhook_posts = WebhookPosts(stack, self.webhooks, WebhookOutbox(database))
        self.outputs = Outputs(stack)
        self.packages = PackageStore(database)
        self.storage = Storage(stack, database)
        self.outputs.others.append(self.webhook_posts.publish)
        if stack.policy.storage_integration:
            self.outputs.others.append(self.storage.publish)
        self.metadata = EndDeviceMetadata(stack)
        self.upstream = Upstream(stack, WaitingStore(database))
        self.downlinks = Downlinks(stack)
        self._links: dict[str, Document] = {}  # those that traffic asked for

    def link(self, application: str) -> Document | None:
        """What holds for all devices of an application unless they say otherwise."""
        row = self._database.one("SELECT document FROM as_link WHERE application = ?", application)
        return None if row is None else orjson.loads(row[0])

    def kept_link(self, application: str) -> Document:
        """An application's link, empty when there is none; not to be changed."""
        link = self._links.get(application)
        if link is None:
            if len(self._links) >= _MOST_LINKS:
                self._links.clear()
            link = self._links[application] = self.link(application) or {}
        return link

    def set_link(self, application: str, link: Document) -> None:
        """Replace an application's link."""
        self._links.pop(application, None)
        text = orjson.dumps(link).decode()
        self._database.change("REPLACE INTO as_link VALUES (?, ?)", application, text)

    def delete_link(self, application: str) -> None:
        """Forget an application's link, if there is one."""
        self._links.pop(application, None)
        self._database.change("DELETE FROM as_link WHERE application = ?", application)

    def handle_up(self, up: Up, now_us: int) -> None:
        """Take what a device, or the network about it, has to say."""
        self.upstream.handle(up, now_us)

    def posted(self, number: int, status: int | None, said: str, now_us: int) -> None:
        """A webhook was called."""
        self.webhook_posts.posted(number, status, said, now_us)

    def worked(self, number: int, results: Sequence[Result], now_us: int) -> None:
        """A script has ended."""
        self.formatters.worked(number, results, now_us)

    def resume(self, now_us: int) -> None:
        """Go on with what was under way when the process ended."""
        self.webhook_posts.resume()
        self.upstream.resume(now_us)

    def forget(self) -> None:
        """The database was rolled back."""
        self.devices.forget()
        self.metadata.forget()
        self.webhooks.forget()
        self.packages.forget()
        self._links.clear()
