"""
Is there anything to judge? Two harmless requests, before a run and whenever a target seems gone.
"""

from __future__ import annotations

from conformance.clients.exchange import NOT_JSON, Response
from conformance.clients.thethings_io import ThethingsClient

TIMEOUT_S = 5.0


def preflight(api: ThethingsClient, thing_token: str | None) -> str | None:
    """
    Why the target cannot be judged, in one phrase; None when any request is answered with JSON.

    A target that answers nonsense to one of them is judged: that is what the suite is for.
    """
    answers = ask(api, thing_token)
    if any(answer.json is not NOT_JSON for answer in answers.values()):
        return None
    return no_json(api.url, answers)


def gone(api: ThethingsClient, thing_token: str | None) -> str | None:
    """Why the target can no longer be reached; None when it answers anything at all."""
    answers = ask(api, thing_token)
    if any(answer.status is not None for answer in answers.values()):
        return None
    return f"the target is gone: {next(iter(answers.values())).error}"


def ask(api: ThethingsClient, thing_token: str | None) -> dict[str, Response]:
    """GET /v2/ and GET /v2/utils/date, the latter with a thing token if there is one."""
    query = f"?thingToken={thing_token}" if thing_token else ""
    return {
        "GET /v2/": api.send("GET", "/v2/", timeout_s=TIMEOUT_S),
        "GET /v2/utils/date": api.send("GET", f"/v2/utils/date{query}", timeout_s=TIMEOUT_S),
    }


def no_json(url: str, answers: dict[str, Response]) -> str:
    """What came instead of JSON; of a target that cannot be reached only why, once."""
    errors = [answer.error for answer in answers.values() if answer.error]
    if len(errors) == len(answers):
        return f"{url}: {errors[0]}"
    parts = ", ".join(f"{name}: {answer.summary()}" for name, answer in answers.items())
    return f"{url}: no request of the preflight was answered with JSON ({parts})"
