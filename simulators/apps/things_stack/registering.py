"""
Registers what a run needs, and removes all of it again, in reverse order.

What is to be removed is noted before it is created: an answer may get lost, and so may the run. The
id of a deleted application or gateway stays taken until an administrator purges it, so a prefix is
used once.

Source: The Things Stack documentation, "HTTP API", multi-step registration of devices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from simulators.apps.things_stack.api import (
    NOT_FOUND,
    UNCONNECTED,
    Api,
    ApiError,
    Steps,
    in_parallel,
)
from simulators.apps.things_stack.inventory import DeviceEntry, GatewayEntry, Inventory

Document = dict[str, Any]

WEBHOOK_KINDS = (
    "uplink_message", "join_accept", "downlink_sent", "downlink_ack", "downlink_nack",
    "downlink_failed",
)  # fmt: skip


KEEP_IDS = ("application", "gateway")
SERVER_ERROR = 500  # from here on nobody knows what was done


class Book(Protocol):
    """Where it is noted what is created, so that others can remove it if we cannot."""

    def note(self, entry: Document) -> int:
        """Note ``kind`` and ``what`` (a path that DELETE takes) before it is created."""

    def mark(self, number: int, state: str) -> None:
        """Tell what became of it: ``created``, ``refused``, ``deleted``, ``removed``."""


class NoBook:
    """For what vanishes with us anyhow."""

    def note(self, entry: Document) -> int:
        """See Book."""
        return 0

    def mark(self, number: int, state: str) -> None:
        """See Book."""


class Removal(NamedTuple):
    """
    Something that was, or may have been, created: its kind and its name for people.

    ``paths`` to delete it at, each with its number in the book.
    """

    kind: str
    name: str
    paths: tuple[tuple[str, int], ...]

    @property
    def what(self) -> str:
        """For people."""
        return f"{self.kind} {self.name}"


class Registrar:
    """
    Registers an inventory; several users of the API work side by side.

    Attributes:
        addresses: DevAddr of each device that does not join, by its id.
        gateway_keys: API keys of gateways, by gateway id.
        left: after ``remove``, what is still there, and why.
        reserved: after ``remove``, what is gone but for its id.
    """

    def __init__(self, inventory: Inventory, book: Book | None = None) -> None:
        self._inventory = inventory
        self._book = book or NoBook()
        self._application = f"/applications/{inventory.application_id}"
        self._removals: list[list[Removal]] = []
        self.addresses: dict[str, str] = {}
        self.gateway_keys: dict[str, str] = {}
        self.left: list[str] = []
        self.reserved: list[str] = []

    def register(self, apis: Sequence[Api]) -> Steps:
        """
        Create everything.

        Raises:
            ApiError: something could not be created; ``remove`` undoes what was.
        """
        inventory = self._inventory
        yield from self._create_application(apis[0])
        if inventory.webhook:
            yield from self._create_webhook(apis[0])
        stages = (
            [partial(self._create_gateway, each) for each in inventory.gateways],
            [partial(self._create_device, each) for each in inventory.devices],
        )
        for jobs in stages:
            self._removals.append([])
            yield from in_parallel(apis, jobs)

    def remove(self, apis: Sequence[Api], admin: Api | None = None) -> Steps:
        """
        Delete everything that was created; what could not be is in ``left``.

        Args:
            admin: purges what else would keep its id.
        """
        while self._removals:
            stage = list(self._removals[-1])
            jobs = [partial(self._remove, each, admin) for each in stage]
            yield from in_parallel(apis, jobs)
            self._removals.pop()

    def remaining(self) -> list[str]:
        """What has been created, or may have been, and was not removed yet."""
        return [each.what for stage in self._removals for each in stage]

    # --- one thing each

    def _create_application(self, api: Api) -> Steps:
        inventory = self._inventory
        self._removals.append([])
        ids = {"application_id": inventory.application_id}
        document = {"application": {"ids": ids, "description": "made by ThingRig for one run"}}
        call = api.call("POST", f"/{inventory.owner}/applications", document)
        name = inventory.application_id
        yield from self._noted("application", name, (self._application,), call)

    def _create_webhook(self, api: Api) -> Steps:
        application_id = self._inventory.application_id
        path = f"/as/webhooks/{application_id}/{self._inventory.prefix}"
        self._removals.append([])
        webhook: Document = {
            "ids": {
                "webhook_id": self._inventory.prefix,
                "application_ids": {"application_id": application_id},
            },
            "base_url": self._inventory.webhook,
            "format": "json",
            **{kind: {} for kind in WEBHOOK_KINDS},
        }
        paths = ["base_url", "format", *WEBHOOK_KINDS]
        document = {"webhook": webhook, "field_mask": {"paths": paths}}
        call = api.call("PUT", path, document)
        yield from self._noted("webhook", self._inventory.prefix, (path,), call)

    def _create_gateway(self, entry: GatewayEntry, api: Api) -> Steps:
        path = f"/gateways/{entry.gateway_id}"
        gateway = {
            "ids": {"gateway_id": entry.gateway_id, "eui": entry.eui.upper()},
            "description": "made by ThingRig for one run",
            "frequency_plan_id": self._inventory.frequency_plan_id,
            "status_public": False,
            "location_public": False,
            "enforce_duty_cycle": entry.enforces_duty_cycle,
        }
        owner = self._inventory.owner
        call = api.call("POST", f"/{owner}/gateways", {"gateway": gateway})
        yield from self._noted("gateway", entry.gateway_id, (path,), call)
        if entry.needs_key:
            key = {"name": "link", "rights": ["RIGHT_GATEWAY_LINK"]}
            made = yield from api.call("POST", f"{path}/api-keys", key)
            self.gateway_keys[entry.gateway_id] = made["key"]

    def _create_device(self, entry: DeviceEntry, api: Api) -> Steps:
        at = f"{self._application}/devices/{entry.device_id}"
        servers = ("/as", "/ns", "/js") if entry.joins else ("/as", "/ns")
        paths = (*(server + at for server in servers), at)
        identity: Document = {"end_device": {"ids": entry.ids()}}
        call = api.call("POST", f"{self._application}/devices", identity)
        yield from self._noted("device", entry.device_id, paths, call)
        if entry.joins:
            yield from self._put(api, "/js" + at, entry, {"root_keys": _keys(entry.root_keys)})
            yield from self._put(api, "/ns" + at, entry, self._network(entry))
            yield from self._put(api, "/as" + at, entry, _formatters(entry))
            return
        found = yield from api.call("GET", "/ns/dev_addr")
        address = self.addresses[entry.device_id] = found["dev_addr"].lower()
        network = self._network(entry) | _session(entry, address)
        yield from self._put(api, "/ns" + at, entry, network)
        keys = {"app_s_key": {"key": entry.session_keys["app_s_key"]}}
        session = {"session": {"dev_addr": address.upper(), "keys": keys}}
        yield from self._put(api, "/as" + at, entry, session | _formatters(entry))

    def _noted(self, kind: str, name: str, paths: Sequence[str], call: Steps) -> Steps:
        """
        Create something that is noted before; what was refused is not ours to remove.

        The book has the last path first, for who cleans up by it begins with the newest note.
        """
        numbers = {
            path: self._book.note({"kind": kind, "what": path, "thing": None})
            for path in reversed(paths)
        }
        removal = Removal(kind, name, tuple((path, numbers[path]) for path in paths))
        stage = self._removals[-1]
        stage.append(removal)
        try:
            yield from call
        except ApiError as problem:
            if 0 < problem.status < SERVER_ERROR or problem.name == UNCONNECTED:
                stage.remove(removal)
                self._mark(removal, "refused")
            raise
        self._mark(removal, "created")

    def _mark(self, removal: Removal, state: str) -> None:
        for _, number in removal.paths:
            self._book.mark(number, state)

    def _network(self, entry: DeviceEntry) -> Document:
        device: Document = {
            "supports_join": entry.joins,
            "lorawan_version": entry.lorawan_version,
            "lorawan_phy_version": entry.lorawan_phy_version,
            "frequency_plan_id": self._inventory.frequency_plan_id,
            "supports_class_b": entry.device_class == "B",
            "supports_class_c": entry.device_class == "C",
        }
        settings = dict(entry.mac_settings)
        if entry.frequencies_hz:
            settings["factory_preset_frequencies"] = [str(each) for each in entry.frequencies_hz]
        if entry.ping_slot_periodicity:
            settings["ping_slot_periodicity"] = entry.ping_slot_periodicity
        return device | ({"mac_settings": settings} if settings else {})

    def _put(self, api: Api, path: str, entry: DeviceEntry, fields: Document) -> Steps:
        ids = entry.ids()
        paths = [*(f"ids.{name}" for name in ids), *_paths(fields)]
        document = {"end_device": {"ids": ids, **fields}, "field_mask": {"paths": paths}}
        yield from api.call("PUT", path, document)

    def _remove(self, removal: Removal, admin: Api | None, api: Api) -> Steps:
        for path, number in removal.paths:
            try:
                yield from _delete(api, path)
                self._book.mark(number, (yield from self._purge(removal, path, admin)))
            except ApiError as problem:
                self.left.append(f"{removal.what}: {problem}")
                break
        self._removals[-1].remove(removal)

    def _purge(self, removal: Removal, path: str, admin: Api | None) -> Steps:
        """
        Free the id of what is deleted, if we can.

        Returns:
            The state for the book.
        """
        if removal.kind not in KEEP_IDS:
            return "removed"
        if admin is not None:
            try:
                yield from _delete(admin, f"{path}/purge")
            except ApiError:
                pass  # it stays as it is, which is told
            else:
                return "removed"
        self.reserved.append(removal.what)
        return "deleted"


def _delete(api: Api, path: str) -> Steps:
    """
    Delete something, or see that it is not there.

    Raises:
        ApiError: it may still be there.
    """
    try:
        yield from api.call("DELETE", path)
    except ApiError as problem:
        if problem.status != NOT_FOUND and not _never_was(problem):
            raise


def _never_was(problem: ApiError) -> bool:
    """Of what does not exist nobody has any rights."""
    return problem.name.startswith("no_") and problem.name.endswith("_rights")


def _formatters(entry: DeviceEntry) -> Document:
    return {"formatters": entry.formatters} if entry.formatters else {}


def _keys(keys: dict[str, str]) -> Document:
    return {name: {"key": key} for name, key in keys.items()}


def _session(entry: DeviceEntry, address: str) -> Document:
    keys = {name: key for name, key in entry.session_keys.items() if name != "app_s_key"}
    return {"session": {"dev_addr": address.upper(), "keys": _keys(keys)}}


_WHOLE: Callable[[str], bool] = {
    "mac_settings",
    "session",
    "keys",
    "root_keys",
    "formatters",
}.__contains__


def _paths(fields: Document, before: str = "") -> list[str]:
    """The mask of a document: each leaf, but keys by their last part."""
    found = []
    for name, value in fields.items():
        path = before + name
        is_table = isinstance(value, dict) and (_WHOLE(name) or "key" in value)
        found += _paths(value, f"{path}.") if is_table else [path]
    return found
