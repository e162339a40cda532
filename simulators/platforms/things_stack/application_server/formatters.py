"""
Payload formatters: what turns bytes into values, and values into bytes.

What they make of a message is a document of members to add to it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from simulators.platforms.effects import Request, Work
from simulators.platforms.scripting.worker import Job, Result, is_available
from simulators.platforms.things_stack.application_server import cayenne_lpp, javascript
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.slow import NeedsWork

if TYPE_CHECKING:
    from simulators.platforms.things_stack.application_server.device import Device
    from simulators.platforms.things_stack.stack import Stack

Document = dict[str, Any]
Outcome: TypeAlias = "Document | StackError"  # members to add to a message, or why there are none
Then: TypeAlias = Callable[[Outcome, int], None]

_CAYENNE_LPP, _JAVASCRIPT = "FORMATTER_CAYENNELPP", "FORMATTER_JAVASCRIPT"


class Formatter(NamedTuple):
    """One formatter with its parameter, such as a script, and the device's versions."""

    kind: str  # such as FORMATTER_CAYENNELPP
    parameter: str
    version_ids: Document


class Formatters:
    """
    All formatters.

    Those that are scripts run elsewhere. An uplink waits for its script here; a request is given up
    and comes back with what its scripts have made.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._numbers = count(1)
        self._waiting: dict[int, Callable[[Result, int], None]] = {}

    def decode_uplink(
        self, formatter: Formatter, uplink: Document, then: Then, now_us: int
    ) -> None:
        """Decode an uplink, and call ``then`` with what it adds and the time, maybe later."""
        if not _is_script(formatter):
            then(_outcome(lambda: _decoded(formatter, uplink)), now_us)
            return
        job = javascript.uplink_job(formatter.parameter, uplink)
        self._run(job, javascript.uplink_members, then, now_us)

    def decode_queued(self, formatter: Formatter, item: Document, then: Then, now_us: int) -> None:
        """Decode an item that the network tells about, as ``decode_uplink`` does."""
        job = decode_job(formatter, item)
        if job is None:
            then(_outcome(lambda: _decoded(formatter, item)), now_us)
        else:
            self._run(job, javascript.decoded_members, then, now_us)

    def _run(
        self, job: Job, members: Callable[[Result], Document], then: Then, now_us: int
    ) -> None:
        def worked(result: Result, now_us: int) -> None:
            then(_outcome(lambda: members(result)), now_us)

        number = next(self._numbers)
        self._waiting[number] = worked
        self._stack.outbox.append(Work(number, [job.at(now_us)]))

    def ask(self, request: Request, jobs: Iterable[Job]) -> None:
        """
        Have the scripts that a request needs run together.

        Raises:
            NeedsWork: they did not run yet.
        """
        known = request.worked or {}
        missing = {job.key: job for job in jobs if job.key not in known}
        if missing:
            raise NeedsWork(list(missing.values()))

    def uplink_members(self, request: Request, formatter: Formatter, uplink: Document) -> Document:
        """
        The values of an uplink's bytes.

        Raises:
            StackError: they cannot be decoded.
        """
        if not _is_script(formatter):
            return _decoded(formatter, uplink)
        job = javascript.uplink_job(formatter.parameter, uplink)
        return javascript.uplink_members(self._result(request, job))

    def encode_downlink(self, request: Request, formatter: Formatter, item: Document) -> Document:
        """
        The bytes of a downlink's values.

        Raises:
            StackError: they cannot be encoded.
        """
        job = encode_job(formatter, item)
        if job is not None:
            return javascript.encoded_members(self._result(request, job), item)
        if "decoded_payload" not in item:
            return {}
        if formatter.kind != _CAYENNE_LPP:
            raise _not_there(formatter)
        payload = cayenne_lpp.encode(item["decoded_payload"])
        return {"frm_payload": base64.b64encode(payload).decode()} if payload else {}

    def decode_downlink(self, request: Request, formatter: Formatter, item: Document) -> Document:
        """
        The values of a downlink's bytes.

        Raises:
            StackError: they cannot be decoded.
        """
        job = decode_job(formatter, item)
        if job is None:
            return _decoded(formatter, item)
        return javascript.decoded_members(self._result(request, job))

    def _result(self, request: Request, job: Job) -> Result:
        self.ask(request, [job])
        assert request.worked is not None
        return request.worked[job.key]

    def worked(self, number: int, results: Sequence[Result], now_us: int) -> None:
        """A script has ended."""
        self._waiting.pop(number)(results[0], now_us)


def encode_job(formatter: Formatter, item: Document) -> Job | None:
    """The script that encodes a downlink; None when none does."""
    if not _is_script(formatter) or "decoded_payload" not in item:
        return None
    return javascript.encode_job(formatter.parameter, item)


def decode_job(formatter: Formatter, item: Document) -> Job | None:
    """The script that decodes a downlink; None when none does."""
    return javascript.decode_job(formatter.parameter, item) if _is_script(formatter) else None


def chosen(device: Document, link: Document, name: str) -> Formatter | None:
    """
    A device's formatter, or else its application's; None when nothing is to be done.

    Args:
        name: ``up_formatter`` or ``down_formatter``.
    """
    formatters = device.get("formatters")
    if formatters is None:
        formatters = link.get("default_formatters", {})
    kind = formatters.get(name)
    if kind is None:
        return None
    return Formatter(kind, formatters.get(f"{name}_parameter", ""), device.get("version_ids", {}))


def _is_script(formatter: Formatter) -> bool:
    return formatter.kind == _JAVASCRIPT and is_available()


def formatter_of(stack: Stack, device: Device, message: Document, name: str) -> Formatter | None:
    """What formats a message of a device, see ``chosen``; None also without a payload."""
    if "frm_payload" not in message or "f_port" not in message:
        return None
    link = stack.application.kept_link(device.application)
    return chosen(device.settings, link, name)


def _outcome(work: Callable[[], Document]) -> Outcome:
    try:
        return work()
    except StackError as error:
        return error


def _decoded(formatter: Formatter, message: Document) -> Document:
    if formatter.kind != _CAYENNE_LPP:
        raise _not_there(formatter)
    decoded = cayenne_lpp.decode(base64.b64decode(message.get("frm_payload", "")))
    return {"decoded_payload": decoded}


def _not_there(formatter: Formatter) -> StackError:
    """
    Why a formatter cannot be used.

    This deployment has no Device Repository and calls no service of somebody else.
    """
    if formatter.kind == "FORMATTER_REPOSITORY" and not formatter.version_ids:
        return StackError("pkg/messageprocessors/devicerepository:no_version_identifiers")
    name = "pkg/messageprocessors:formatter_not_configured"
    return StackError(name, {"formatter": formatter.kind})
