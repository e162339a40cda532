"""The error object of the platform, and the texts its documents give."""

from __future__ import annotations

from typing import Any

WITH_CODE = (401, 403)  # only these carry the status again as "code"

NO_SESSION = "Invalid session token"
NO_THING = "Thing token doesn't exist"
NO_RESOURCE = "resource not found"
NO_PERMISSION = "no permission for this resource"
NO_CODE = "activation code not found"


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """The request is answered with an error object; nothing was changed."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


def error_document(status: int, message: str) -> dict[str, Any]:
    """``{"status":"error","message":…}``, with ``code`` where the platform adds it."""
    if status in WITH_CODE:
        return {"status": "error", "code": status, "message": message}
    return {"status": "error", "message": message}
