"""The Things Stack, HTTP API v3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.clients.exchange import NOT_JSON, Response
from conformance.clients.things_stack import ThingsStackClient
from conformance.platforms.platform import Platform
from conformance.preflight import no_json
from conformance.stack_kinds import request_kind
from conformance.stack_tidy import clean

if TYPE_CHECKING:
    from conformance.choice import Choice
    from conformance.run import Run

TIMEOUT_S = 10.0
MANY_JOBS = 10


def _ask(api: ThingsStackClient) -> dict[str, Response]:
    paths = ("/auth_info", "/configuration/frequency-plans")
    return {f"GET {path}": api.get(path, timeout_s=TIMEOUT_S) for path in paths}


def _preflight(run: Run) -> str | None:
    """Two harmless requests; a target that answers nonsense to one of them is judged."""
    answers = _ask(run.stack)
    first, *_ = answers.values()
    if all(answer.json is NOT_JSON for answer in answers.values()):
        return no_json(run.target.url, answers)
    if run.stack.key and first.status in (400, 401):
        return f"{run.target.url}: credentials.api_key is not accepted: {first.summary()}"
    return None


def _gone(run: Run) -> str | None:
    answers = _ask(run.stack)
    if any(answer.status is not None for answer in answers.values()):
        return None
    return f"the target is gone: {next(iter(answers.values())).error}"


def _useful_jobs(choice: Choice, jobs: int) -> int:
    """Every process creates entities of its own."""
    return min(jobs, MANY_JOBS)


PLATFORM = Platform(
    plugins=(
        "conformance.stack_fixtures",
        "conformance.things_stack.traffic_fixtures",
        "conformance.things_stack.scripts",
    ),
    preflight=_preflight,
    gone=_gone,
    request_kind=request_kind,
    useful_jobs=_useful_jobs,
    clean=clean,
    not_covered=(
        "gRPC",
        "MQTT (application and gateway)",
        "CUPS and LBS remote commands",
        "OAuth flows and sessions of the Console",
        "claiming, device repository, templates and QR codes",
        "application packages other than the storage integration",
        "Packet Broker and interoperability with other networks",
    ),
    created=(
        "applications created", "gateways created", "clients created", "organizations created",
        "users created", "devices created", "webhooks created", "links created",
        "API keys of accounts created",
    ),
    left={},
)  # fmt: skip
