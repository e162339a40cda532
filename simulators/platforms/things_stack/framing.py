"""How answers of The Things Stack look on the wire, and how it refuses what is no request."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import orjson

from simulators.platforms.framing import Framing, Limits, Refusal
from simulators.platforms.things_stack.errors import StackError

_EXPOSED = (
    "Date", "Content-Length", "X-Rate-Limit-Limit", "X-Rate-Limit-Available",
    "X-Rate-Limit-Reset", "X-Rate-Limit-Retry", "X-Request-Id", "X-Total-Count", "X-Warning",
)  # fmt: skip
HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", ", ".join(_EXPOSED)),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Xss-Protection", "1; mode=block"),
)
_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, X-CSRF-Token"),
    ("Access-Control-Max-Age", "600"),
)
LIMITS = replace(Limits(), body_bytes=1 << 24)
_CODES = {400: 3, 408: 4, 431: 3}  # the others are about servers that are not there
_UNAVAILABLE = 14


def framing(rng: random.Random) -> Framing:
    """Compact JSON, or bytes that are rendered already; ``rng`` is the source of errors' ids."""

    def refusal(status: int, message: str) -> Refusal:
        return _refusal(status, message, f"{rng.getrandbits(128):032x}")

    return Framing(dumps=_dumps, headers=HEADERS, preflight=_PREFLIGHT, refusal=refusal, gap_s=0.0)


def _dumps(document: Any) -> bytes:
    return document if isinstance(document, bytes) else orjson.dumps(document)


def _refusal(status: int, message: str, correlation_id: str) -> Refusal:
    if status == 413:
        attributes = {"maximum": LIMITS.body_bytes}
        error = StackError("pkg/webmiddleware:request_body_too_large", attributes)
        return error.status, error.body(correlation_id)
    if status == 500:
        error = StackError("pkg/rpcserver:rpc_recovered")
        return error.status, error.body(correlation_id)
    return status, {"code": _CODES.get(status, _UNAVAILABLE), "message": message}
