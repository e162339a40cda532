"""
Fixtures of the tests of The Things Stack: applications, devices and gateways with fresh ids.

Everything that a process has created is removed at its end, the newest first.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

import pytest

from conformance.clients.exchange import Response
from conformance.clients.things_stack import PREFIX, ThingsStackClient
from conformance.ledger import ID_STAYS
from conformance.outcomes import Inconclusive, NotRun
from conformance.run import Run
from conformance.stack_tidy import remove
from conformance.things_stack.answers import missing_rights, part, permitted

LIFE_OF_KEYS = timedelta(hours=6)
_numbers = count(1)


class Stack:
    """The target as tests use it: the client, the caller's user, and names for new entities."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.api: ThingsStackClient = run.stack
        self.user_id = str(run.target.credential("user_id") or "")
        self.organization_id = str(run.target.credential("organization_id") or "")
        self.tenant = str(run.target.credential("tenant") or "")
        self.admin_key: str | None = run.target.credential("admin_api_key")
        self.frequency_plan = str(
            run.target.document.get("gateway", {}).get("frequency_plan") or "EU_863_870_TTN"
        )

    def new_id(self) -> str:
        """An id that nobody has used before; those of deleted entities stay taken."""
        return f"{self._run.prefix}{self._run.worker or 'w'}{next(_numbers)}"

    def new_eui(self) -> str:
        """A random EUI of the range that is free for private use (local, individual)."""
        return f"{(random_source.randbits(64) & ~(1 << 56)) | (1 << 57):016X}"

    def given(self, answer: Response) -> Any:
        """
        The document of an answer that a test builds upon.

        Raises:
            NotRun: it was refused because the caller lacks a right.
            Inconclusive: it was refused for another reason.
        """
        self.permitted(answer)
        if not answer.is_success or not isinstance(answer.json, dict):
            raise Inconclusive(f"what the test builds upon was not accepted: {answer.summary()}")
        return answer.json

    def permitted(self, answer: Response) -> Response:
        """See ``answers.permitted``."""
        return permitted(answer)

    def new_application(self, **fields: Any) -> str:
        """The id of a new application of the caller."""
        application_id = self.new_id()
        document = {"application": {"ids": {"application_id": application_id}, **fields}}
        self.given(self.api.post(f"/users/{self.user_id}/applications", document))
        return application_id

    def new_gateway(self, **fields: Any) -> str:
        """The id of a new gateway of the caller, which is not public."""
        gateway_id = self.new_id()
        document = {"gateway": {"ids": {"gateway_id": gateway_id}, **fields}}
        self.given(self.api.post(f"/users/{self.user_id}/gateways", document))
        return gateway_id

    def new_device(self, application_id: str, **fields: Any) -> str:
        """The id of a new device on the Identity Server."""
        device_id = self.new_id()
        document = {
            "end_device": {**fields, "ids": {"device_id": device_id, **fields.get("ids", {})}}
        }
        self.given(self.api.post(f"/applications/{application_id}/devices", document))
        return device_id

    def new_key(self, path: str, *rights: str) -> str:
        """A new API key of the entity at ``path`` with these rights; it ends by itself, too."""
        end = f"{datetime.now(UTC) + LIFE_OF_KEYS:%Y-%m-%dT%H:%M:%SZ}"
        document = {"name": self.new_id(), "rights": list(rights), "expires_at": end}
        return str(self.given(self.api.post(f"{path}/api-keys", document)).get("key", ""))


class OwnRights:
    """
    Which rights the key of the target file has, by ``auth_info``.

    A request that is refused for the sake of one that it has not says nothing about the target;
    refused for the sake of one that it has, the target is wrong.
    """

    def __init__(self, api: ThingsStackClient) -> None:
        self._api = api

    def look(self, answer: Response) -> None:
        """
        Let every answer pass but a refusal for want of a right that the key has not.

        Raises:
            NotRun: the key lacks the right.
        """
        missing = missing_rights(answer)
        if lacking := [each for each in missing if not self._has(each)]:
            raise NotRun(f"credentials.api_key lacks {', '.join(lacking)}")

    def _has(self, right: str) -> bool:
        family = "_".join(right.split("_")[:2])
        return bool({right, f"{family}_ALL", "RIGHT_ALL"} & self._known) or not self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        headers = {"Authorization": f"Bearer {self._api.key}"}
        told = self._api.send_whole("GET", f"{PREFIX}/auth_info", headers=headers).json
        rights = part(told, "api_key", "api_key", "rights")
        return frozenset(rights if isinstance(rights, list) else ())


@pytest.fixture(scope="session")
def stack(run: Run) -> Iterator[Stack]:
    """The target; everything that tests have created is removed at the end."""
    if not run.target.credential("api_key") or not run.target.credential("user_id"):
        raise NotRun("the target file has no credentials.api_key and credentials.user_id")
    run.stack.look = OwnRights(run.stack).look
    yield Stack(run)
    run.stack.look = None
    sweep(run)


def sweep(run: Run) -> None:
    """Remove what this process has created; what remains is told as left behind."""
    admin_key = run.target.credential("admin_api_key")
    for left in reversed(list(run.stack_guard.left)):
        why = remove(run.stack, left, admin_key=admin_key)
        if why is None or why == ID_STAYS:
            run.stack_guard.removed(left, "removed" if why is None else "deleted")


@pytest.fixture(scope="session")
def application(stack: Stack) -> str:
    """The id of an application of this process, for tests that leave it as it is."""
    return stack.new_application(name="An application", description="made by a test")
