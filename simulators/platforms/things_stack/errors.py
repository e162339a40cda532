"""
Errors of the API: what is raised, and the bodies that clients get.

Names, codes and message formats come from the table of the stack's error definitions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from simulators.platforms.things_stack import tables

Document = dict[str, Any]

INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED, UNAUTHENTICATED = 3, 5, 12, 16
_UNKNOWN = 2
_STATUS = {
    1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400,
    12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip
_TYPE = "type.googleapis.com/ttn.lorawan.v3.ErrorDetails"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class ApiError(Exception):
    """A request that is refused with a gRPC code."""

    code: int
    message: str

    @property
    def status(self) -> int:
        """The code as an HTTP status."""
        return _STATUS[self.code]

    def body(self, correlation_id: str) -> Document:
        """The answer's document; ``correlation_id`` is that of a new error."""
        raise NotImplementedError


class GatewayError(ApiError):
    """Refused before the stack saw it: bad JSON, no such route. Has no details."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def body(self, correlation_id: str) -> Document:
        """See ApiError."""
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True)
class _Definition:
    namespace: str
    name: str
    code: int
    message_format: str


class StackError(ApiError):
    """
    An error as the stack defines it.

    ``StackError("pkg/joinserver:no_dev_eui")``; attributes are public ones. KeyError when there is
    no such definition.
    """

    def __init__(
        self, name: str, attributes: Document | None = None, *, cause: StackError | None = None
    ) -> None:
        definition = _definitions()[name]
        self.name = name
        self.definition = definition
        self.attributes = attributes or {}
        self.cause = cause
        self.code = definition.code
        if definition.code == _UNKNOWN and cause is not None:
            self.code = cause.code
        text = _rendered(definition.message_format, self.attributes)
        self.message = f"error:{name} ({text})"
        super().__init__(self.message)

    def details(self, correlation_id: str = "") -> Document:
        """The error as a message of the API, with its causes."""
        definition = self.definition
        document: Document = {
            "namespace": definition.namespace,
            "name": definition.name,
            "message_format": definition.message_format,
        }
        if self.attributes:
            document["attributes"] = self.attributes
        if correlation_id:
            document["correlation_id"] = correlation_id
        if self.cause is not None:
            document["cause"] = self.cause.details()
        document["code"] = self.code
        return document

    def body(self, correlation_id: str) -> Document:
        """See ApiError."""
        details = {"@type": _TYPE, **self.details(correlation_id)}
        return {"code": self.code, "message": self.message, "details": [details]}


@dataclass
class Invalid:
    """
    Why a message fails validation: a field, a reason, and the same of the message in it.

    ``message`` is the name of the message that has the field.
    """

    message: str
    field: str
    reason: str
    cause: Invalid | None = None

    def error(self) -> StackError:
        """As the API tells it."""
        attributes = {
            "field": self.field,
            "name": f"{self.message}ValidationError",
            "reason": self.reason,
        }
        cause = self.cause.error() if self.cause is not None else None
        return StackError("pkg/errors:validation", attributes, cause=cause)


@cache
def _definitions() -> dict[str, _Definition]:
    definitions = {}
    for line in tables.lines("errors.txt"):
        name, code, message_format = line.split(" ", 2)
        namespace, _, short = name.rpartition(":")
        definitions[name] = _Definition(namespace, short, int(code), message_format)
    return definitions


def _rendered(message_format: str, attributes: Document) -> str:
    def value(match: re.Match[str]) -> str:
        return _text(attributes.get(match[1], match[0]))

    return _PLACEHOLDER.sub(value, message_format)


def _text(value: Any) -> str:
    return f"[{' '.join(map(str, value))}]" if isinstance(value, list) else str(value)
