"""
What a test saw, as results files keep it: without secrets, and cut to a readable length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.clients.exchange import Exchange, Response
from conformance.curl import curl_line
from scenarios.secrets import SecretRegistry

MAX_BODY = 8 * 1024
MAX_TEXT = 4 * 1024


def evidence(
    exchanges: Sequence[Exchange], secrets: SecretRegistry, origins: Mapping[str, str]
) -> dict[str, Any]:
    """Exchanges in order, and the curl line of each."""
    return {
        "exchanges": [exchange_document(exchange, secrets) for exchange in exchanges],
        "curl": [curl_line(exchange, secrets.redact, origins) for exchange in exchanges],
    }


def exchange_document(exchange: Exchange, secrets: SecretRegistry) -> dict[str, Any]:
    """One exchange; bodies are text, cut after 8 KiB."""
    response = exchange.seen()
    document: dict[str, Any] = {
        "request": {
            "method": exchange.method,
            "target": exchange.target,
            "headers": dict(exchange.headers),
            "body": body_text(secrets.redact(exchange.body)),
        },
        "response": _response(response, secrets),
        "error": response.error,
        "elapsed_ms": round(response.elapsed_s * 1000, 3),
    }
    if exchange.raw is not None:
        document["request"]["raw"] = body_text(secrets.redact(exchange.raw))
    return secrets.redact(document)


def body_text(data: bytes) -> str:
    """Bytes as text; what is not UTF-8 becomes the replacement character."""
    text = data[:MAX_BODY].decode("utf-8", "replace")
    more = len(data) - MAX_BODY
    return f"{text} … {more} bytes more" if more > 0 else text


def plain(value: Any, secrets: SecretRegistry) -> Any:
    """Any value as JSON that a results file can hold; what is long becomes a cut text."""
    redacted = secrets.redact(_jsonable(value))  # before anything is cut: half a secret is one
    text = json.dumps(redacted, ensure_ascii=False)
    return redacted if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … {len(text)} characters"


def _jsonable(value: Any) -> Any:
    if isinstance(value, Response):
        return {"status": value.status, "body": _jsonable(value.body), "error": value.error}
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    return repr(value)


def _response(response: Response, secrets: SecretRegistry) -> dict[str, Any] | None:
    if response.status is None:
        return None
    return {
        "status": response.status,
        "headers": dict(response.headers),
        "body": body_text(secrets.redact(response.body)),
    }
