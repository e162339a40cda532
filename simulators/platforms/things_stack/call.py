"""One call of the API while it is handled: the request, who calls, and what the answer carries."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Request
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.identity.callers import Caller
from simulators.platforms.things_stack.identity.entities import uid
from simulators.platforms.things_stack.routes import Route
from simulators.platforms.things_stack.times import time_text
from simulators.platforms.things_stack.ulid import ulid

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]

# Servers that on a split deployment have no identities of their own.
_SPLIT_SERVICES = ("Ns", "As", "Js", "Gs", "AppAs", "ApplicationWebhook", "ApplicationActivation")


class Call:
    """
    What a handler gets.

    Attributes:
        stack: the servers.
        message: the decoded request, canonical and valid.
        tenant: "" where there is but one.
        headers: what the answer carries beside what every answer has.
    """

    def __init__(
        self, stack: Stack, request: Request, route: Route, message: Document, *,
        tenant: str, now_us: int,
    ) -> None:  # fmt: skip
        self.stack = stack
        self.request = request
        self.route = route
        self.message = message
        self.tenant = tenant
        self.now_us = now_us
        self.headers: list[tuple[str, str]] = []

    @property
    def paths(self) -> list[str]:
        """The field mask, empty when there is none."""
        paths: list[str] = self.message.get("field_mask", {}).get("paths", [])
        return paths

    @property
    def now(self) -> str:
        """The time as messages carry it."""
        return time_text(self.now_us)

    @cached_property
    def caller(self) -> Caller:
        """
        Who calls.

        Raises:
            StackError: the request's token names nobody.
        """
        authorization = self.request.header(b"authorization")
        caller = self.stack.identity.callers.caller(authorization, self.tenant, self.now_us)
        for warning in caller.warnings:
            self.warn(warning)
        return caller

    @cached_property
    def correlation_ids(self) -> list[str]:
        """What events of this call are known by."""
        name = self.route.rpc
        return [f"rpc:/ttn.lorawan.v3.{name}:{ulid(self.now_us, self.stack.rng)}"]

    def uid(self, entity_id: str) -> str:
        """An id of this tenant, unique over all tenants."""
        return uid(self.tenant, entity_id)

    def rights(self, kind: str, entity_id: str) -> int:
        """The caller's rights on an entity."""
        return self.stack.identity.rights(self.caller, self.tenant, kind, entity_id)

    def require(self, kind: str, entity_id: str, *needed: str) -> None:
        """
        Let pass with these rights on an entity.

        Raises:
            StackError: the caller is unknown, or has not all of them.
        """
        if self.stack.policy.is_split and self.caller.entity is None and self._is_elsewhere():
            raise StackError("pkg/rpcmetadata:unauthenticated")
        self.stack.identity.require(self.caller, self.tenant, kind, entity_id, needed)

    def require_application(self, application_id: str, *needed: str) -> None:
        """See ``require``; needed are the ends of their names: ``DEVICES_READ``."""
        self.require(
            "application", application_id, *(f"RIGHT_APPLICATION_{right}" for right in needed)
        )

    def warn(self, text: str) -> None:
        """Tell the client what may become an error."""
        self.headers.append(("X-Warning", text))

    def publish(self, name: str, ids: Document, data: Any = None) -> None:
        """Tell those who listen that something happened to an entity."""
        self.stack.events.publish(
            name,
            ids,
            data,
            tenant=self.tenant,
            now_us=self.now_us,
            correlation_ids=self.correlation_ids,
            call=self,
        )

    def _is_elsewhere(self) -> bool:
        return self.route.rpc.startswith(_SPLIT_SERVICES)
