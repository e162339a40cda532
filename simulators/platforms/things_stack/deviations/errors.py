"""Defects of errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import document_of
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer


def _refused(change: Callable[[Any], Any]) -> OnAnswer:
    """Change the documents of all refusals."""

    def changed(answer: Answer) -> Answer:
        if answer.status < 400 or answer.content_type is not None:
            return answer
        document = document_of(answer)
        change(document)
        return replace(answer, document=document)

    return changed


def _detail(change: Callable[[Any], Any]) -> OnAnswer:
    """Change the first detail of errors that have one."""
    return _refused(lambda found: change(found["details"][0]) if "details" in found else None)


DEVIATIONS: dict[str, Deviation] = {
    "error-without-format": Deviation(
        "Errors lack their message format.",
        answer=_detail(lambda detail: detail.pop("message_format", None)),
    ),
    "error-bare-message": Deviation(
        "The message of an error is its text alone.",
        answer=_refused(
            lambda found: (
                found.update(message=found["message"].partition("(")[2])
                if "details" in found
                else None
            )
        ),
    ),
    "error-same-correlation": Deviation(
        "Every error has the same correlation id.",
        answer=_detail(lambda detail: detail.update(correlation_id="0" * 32)),
    ),
    "error-without-cause": Deviation(
        "A refused field is told without causes.",
        answer=_detail(lambda detail: detail.pop("cause", None)),
    ),
}
