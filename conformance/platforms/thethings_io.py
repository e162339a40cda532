"""thethings.iO, HTTP API v2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from conformance import preflight
from conformance.clients.thethings_io import ThethingsClient
from conformance.desk import MAX_CODES
from conformance.kinds import request_kind
from conformance.platforms.platform import Platform
from conformance.targets import Target
from conformance.tidy import Cleaned, clean

if TYPE_CHECKING:
    from conformance.choice import Choice
    from conformance.run import Run

EMBEDDED_JOBS = 10
"""The embedded server has things enough for so many processes."""


def _preflight(run: Run) -> str | None:
    return preflight.preflight(run.api, run.first_token)


def _gone(run: Run) -> str | None:
    return preflight.gone(run.api, run.first_token)


def _useful_jobs(choice: Choice, jobs: int) -> int:
    """
    So that verdicts do not depend on the number.

    Each process needs two: its thing and a second one; two activations are kept for being judged.
    """
    if choice.target.kind == "embedded" or not choice.has_file:
        return min(jobs, EMBEDDED_JOBS)
    codes = min(MAX_CODES, len(choice.target.credential("activation_codes", ())))
    things = max(0, codes - 2) + len(choice.target.credential("thing_tokens", ()))
    return max(1, min(jobs, things // 2))


def _clean(target: Target, entries: Sequence[dict[str, Any]]) -> Iterator[Cleaned]:
    return clean(ThethingsClient(target.url, ca_file=target.ca_file), target, entries)


PLATFORM = Platform(
    plugins=("conformance.people", "conformance.post"),
    preflight=_preflight,
    gone=_gone,
    request_kind=request_kind,
    useful_jobs=_useful_jobs,
    clean=_clean,
    not_covered=(
        "CoAP (UDP port 5683)",
        "MQTT (ports 1883 and 8883)",
        "socket.io",
        "UDP gateway (port 28399)",
        "protobuf over HTTP",
        "callbacks from LPWAN networks",
    ),
    created=(
        "activations", "writes", "tags added", "descriptions replaced", "users registered",
        "things linked", "permissions granted", "settings changed", "objects stored",
    ),
    left={
        "activations": "things",
        "writes": "values",
        "descriptions replaced": "descriptions",
        "users registered": "users",
        "settings changed": "settings of users",
    },
    uses_codes=True,
)  # fmt: skip
