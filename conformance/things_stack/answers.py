"""Errors of The Things Stack as tests compare them: by namespace and name, never by text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.outcomes import Inconclusive, NotApplicable, NotRun


def error_of(answer: Response) -> dict[str, Any]:
    """The first of the error's details; empty when there are none."""
    details = answer.json.get("details") if isinstance(answer.json, dict) else None
    first = details[0] if isinstance(details, list) and details else None
    return first if isinstance(first, dict) else {}


def name_of(error: Any) -> str | None:
    """``pkg/errors:validation``, or None for what has no namespace and name."""
    if not isinstance(error, dict) or "namespace" not in error or "name" not in error:
        return None
    return f"{error['namespace']}:{error['name']}"


def told(answer: Response) -> list[Any]:
    """Status and name of an error: what most tests compare."""
    return [answer.status, name_of(error_of(answer))]


def chain(answer: Response) -> Iterator[dict[str, Any]]:
    """The error and its causes, the outermost first."""
    error: Any = error_of(answer)
    while isinstance(error, dict) and error:
        yield error
        error = error.get("cause")


def causes(answer: Response) -> list[str | None]:
    """The names of the error and its causes."""
    return [name_of(error) for error in chain(answer)]


def fields(answer: Response) -> list[Any]:
    """The fields that a refusal names, from the request's message inwards."""
    return [error.get("attributes", {}).get("field") for error in chain(answer)]


def attribute(answer: Response, name: str) -> Any:
    """A public attribute of the error."""
    attributes = error_of(answer).get("attributes")
    return attributes.get(name) if isinstance(attributes, dict) else None


def code(answer: Response) -> Any:
    """The gRPC code of an error."""
    return answer.json.get("code") if isinstance(answer.json, dict) else None


def part(document: Any, *names: str) -> Any:
    """A member of a member, or None on the way."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def instant(document: Any, name: str) -> datetime | None:
    """A time that a document tells, to the microsecond; None for what is no time."""
    told_time = part(document, name)
    try:
        return datetime.fromisoformat(told_time) if isinstance(told_time, str) else None
    except ValueError:
        return None


def just_after(document: Any) -> str:
    """
    The first microsecond after a document's last change, for filters by time.

    Raises:
        Inconclusive: it does not tell when that was.
    """
    changed = instant(document, "updated_at")
    if changed is None:
        raise Inconclusive(f"no updated_at was told: {document}")
    return f"{changed + timedelta(microseconds=1):%Y-%m-%dT%H:%M:%S.%fZ}"


def check_times(answers: list[Any], requirement: Judge) -> None:
    """Two answers about one entity tell one creation, and the second a later change."""
    created = [instant(each, "created_at") for each in answers]
    changed = [instant(each, "updated_at") for each in answers]
    requirement.check_that(
        None not in created and created[0] == created[1],
        expected="one created_at",
        actual=[part(each, "created_at") for each in answers],
    )
    first, second = changed
    requirement.check_that(
        first is not None and second is not None and second > first,
        expected="a later updated_at in the second answer",
        actual=[part(each, "updated_at") for each in answers],
    )


def permitted(answer: Response) -> Response:
    """
    The same answer, for a caller who has the rights that the request needs.

    Raises:
        NotRun: it was refused because the key of the target file lacks a right.
        NotApplicable: what was deleted just now is too old: the target is set to restore nothing.
    """
    if missing := lacking(answer):
        raise NotRun(f"the caller lacks {missing}: {answer.summary()}")
    if told(answer) == [400, "pkg/identityserver:restore_window_expired"]:
        raise NotApplicable(f"the target restores nothing: {answer.summary()}")
    return answer


def missing_rights(answer: Response) -> list[str]:
    """The rights that a caller was refused for; empty for any other answer."""
    name = name_of(error_of(answer)) or ""
    is_meant = answer.status == 403 and name.startswith("pkg/auth/rights:insufficient_")
    missing = attribute(answer, "missing") if is_meant else None
    return [str(each) for each in missing] if isinstance(missing, list) else []


def lacking(answer: Response) -> str | None:
    """What a caller lacks who was refused for want of a right; None for any other answer."""
    name = name_of(error_of(answer)) or ""
    if answer.status != 403:
        return None
    if name.startswith("pkg/auth/rights:insufficient_"):
        return ", ".join(missing_rights(answer)) or "a right"
    if name.startswith("pkg/auth/rights:no_"):
        return f"every right ({name})"
    if name.startswith("pkg/identityserver:admins_create_"):
        return f"the status of an administrator ({name})"
    return None
