"""
How answers of thethings.iO are taken apart for judging; what is right stands in the tests.

Nothing here raises for a malformed answer: what cannot be taken apart is returned whole, so that
the comparison that follows fails and shows it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from conformance.clients.exchange import Response

DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
REFUSED_TOKEN = [401, 403, 404]
"""A token that no thing has: its status is not documented, these are accepted."""
ERROR = "an object with status error and a message that is a string and not empty"


def is_error(document: Any) -> bool:
    """Whether a document is the platform's error object."""
    message = document.get("message") if isinstance(document, dict) else None
    return isinstance(message, str) and bool(message.strip()) and document.get("status") == "error"


def is_refused(response: Response) -> bool:
    """Whether an answer is a 4xx with the error object."""
    return response.status is not None and 400 <= response.status < 500 and is_error(response.json)


def is_date(text: Any) -> bool:
    """Whether a value is a datetime in the one form that goes out."""
    return isinstance(text, str) and DATE.fullmatch(text) is not None


def moment(text: Any) -> datetime | None:
    """The time that a datetime in the form that goes out names; None for anything else."""
    return (
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        if is_date(text)
        else None
    )


def seconds_apart(text: Any, time: datetime) -> float:
    """How far a datetime is from a time, in seconds; infinite when it is no datetime."""
    named = moment(text)
    return abs((named - time).total_seconds()) if named else float("inf")


def shown(response: Response) -> Any:
    """An answer as a certificate shows it: its status and document, or why there is none."""
    if response.status is None:
        return response.error
    document = response.body[:300].decode("utf-8", "replace") if not response.json else None
    return {"status": response.status, "body": response.json or document}


def column(response: Response, member: str) -> Any:
    """One member of every row of a read; the answer whole when it is not an array of objects."""
    return column_of(response.json, member, otherwise=shown(response))


def column_of(rows: Any, member: str, *, otherwise: Any) -> Any:
    """One member of every object of an array; ``otherwise`` when it is no such thing."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return otherwise
    return [row.get(member, f"no {member}") for row in rows]


def values(response: Response) -> Any:
    """The values of a read, newest first as they came."""
    return column(response, "value")


def datetimes(response: Response) -> Any:
    """The datetimes of a read, as they came."""
    return column(response, "datetime")


def body_status(response: Response) -> str:
    """The member ``status`` of a body in lower case; empty when there is none."""
    document = response.json
    status = document.get("status") if isinstance(document, dict) else None
    return status.lower() if isinstance(status, str) else ""


def entry(response: Response, key: str) -> Any:
    """The one entry of ``key`` in an answer of all_resources; what there is otherwise."""
    if not isinstance(response.json, list):
        return shown(response)
    found = [row for row in response.json if isinstance(row, dict) and row.get("key") == key]
    return found[0] if len(found) == 1 else {"entries": found}


def entry_column(response: Response, key: str, member: str) -> Any:
    """One member of every value in the entry of ``key``."""
    found = entry(response, key)
    return column_of(
        found.get("values") if isinstance(found, dict) else None, member, otherwise=found
    )


def names(response: Response) -> Any:
    """The names that the resources endpoint lists; the answer whole when there are none."""
    found = response.json.get("resources") if isinstance(response.json, dict) else None
    return found if isinstance(found, list) else shown(response)
