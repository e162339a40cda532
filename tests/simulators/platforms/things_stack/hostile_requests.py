"""Requests that nobody should send, as bytes: any route, any body, any query, from one seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from simulators.platforms.things_stack.routes import Route, _all_routes

ROUTES = _all_routes()
WORDS = [
    "app1", "dev1", "gtw1", "org1", "user1", "hook1", "batch", "100", "uplink_message", "",
    "a" * 300, "%00", "%ff%fe", "..", "%2e%2e%2f", "a%2Fb", "EU_863_870", "-1", "null",
    "%F0%9F%98%80",
]  # fmt: skip
VALUES = [
    "null", "true", "-1", "1e400", "-1e400", "NaN", "Infinity", "1" * 400, "0.1", '""', '"\\ud800"',
    '"\\udc00\\ud800"', '"\\u0000"', '"70B3D57ED0000001"', '"2024-01-31T12:00:00Z"', '"868100000"',
    '"0001-01-01T00:00:00Z"', '"-1.5s"', '"99999999999999999999s"', "[]", "{}", "[[]]", '[{"a":1}]',
    '{"paths":["a.b",1,null]}', '{"device_id":"dev1"}', '{"application_id":"app1"}', '"AQ=="',
    "18446744073709551616", "-9223372036854775809", "1e19", "4294967296", "2147483648",
]  # fmt: skip
NAMES = [
    "end_device", "application", "gateway", "ids", "field_mask", "webhook", "base_url", "paths",
    "user",
    "downlinks", "uplink_message", "frm_payload", "f_port", "identifiers", "names", "tail", "after",
    "rights", "name", "attributes", "locations", "session", "keys", "mac_settings", "link", "limit",
    "formatters", "decoded_payload", "api_key", "collaborator", "root_keys", "settings", "",
]  # fmt: skip


def document(rng: random.Random, depth: int = 0) -> str:
    """Something like JSON: names given twice, numbers of any size, sometimes deep."""
    kind = rng.random()
    if kind < 0.02 and not depth:
        levels = rng.choice((50, 99, 101, 5000))
        return '{"end_device":' * levels + "1" + "}" * levels
    if depth > 4 or kind < 0.4:
        return rng.choice(VALUES)
    count = rng.randrange(4)
    if kind < 0.5:
        return f"[{','.join(document(rng, depth + 1) for _ in range(count))}]"
    members = (f'"{rng.choice(NAMES)}":{document(rng, depth + 1)}' for _ in range(count))
    return f"{{{','.join(members)}}}"


def body(rng: random.Random) -> bytes:
    """Mostly a document, sometimes damaged, or no text at all."""
    data = document(rng).encode()
    kind = rng.random()
    if kind < 0.1:
        return rng.randbytes(rng.randrange(60))
    if kind < 0.3 and data:
        at = rng.randrange(len(data))
        return data[:at] + rng.randbytes(rng.randrange(3)) + data[at + 1 :]
    return data


def target(rng: random.Random, route: Route) -> str:
    """The way to a route with any ids, or to something beside it, and a query."""
    parts = [part if isinstance(part, str) else rng.choice(WORDS) for part in route.parts]
    if rng.random() < 0.1:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(WORDS))
    names = [*NAMES[:6], "limit", "page", "order", "field_mask", "field_mask.paths", "%ff", "a[b]"]
    pairs = [f"{rng.choice(names)}={rng.choice(WORDS)}" for _ in range(rng.randrange(4))]
    return f"/api/v3/{'/'.join(parts)}?{'&'.join(pairs)}"


def request(rng: random.Random, keys: list[str]) -> bytes:
    """A request with a body of a known length."""
    route = rng.choice(ROUTES)
    method = route.method if rng.random() < 0.8 else rng.choice(_METHODS)
    data = body(rng) if method not in ("GET", "HEAD", "OPTIONS") or rng.random() < 0.1 else b""
    lines = [f"{method} {target(rng, route)} HTTP/1.1".encode(), b"Host: x"]
    if rng.random() < 0.9:
        lines.append(b"Authorization: Bearer " + rng.choice(keys).encode())
    if rng.random() < 0.2:
        lines.append(rng.choice(_HEADERS)(rng))
    if rng.random() < 0.3:
        return b"\r\n".join((*lines, b"Transfer-Encoding: chunked", b"", _chunked(rng, data)))
    lines += [b"Content-Length: %d" % len(data), b"", data]
    return b"\r\n".join(lines)


def _chunked(rng: random.Random, data: bytes) -> bytes:
    """In pieces of any size, with extensions and zeros before their lengths."""
    chunks = b""
    while data:
        size = rng.randrange(1, 40)
        piece, data = data[:size], data[size:]
        extension = rng.choice((b"", b";a=b", b";"))
        chunks += b"%s%x%s\r\n%s\r\n" % (
            rng.choice((b"", b"0", b"000")),
            len(piece),
            extension,
            piece,
        )
    return chunks + b"0\r\n\r\n"


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW")
_HEADERS: list[Callable[[random.Random], bytes]] = [
    lambda rng: b"X-Request-Id: " + rng.randbytes(9).replace(b"\n", b"").replace(b"\r", b""),
    lambda rng: b"Accept: text/event-stream" + b"," * rng.randrange(50),
    lambda rng: b"Content-Type: application/x-www-form-urlencoded",
    lambda rng: b"X-Long: " + b"a" * rng.randrange(2000),
    lambda rng: b"Authorization: Bearer " + b"." * rng.randrange(9),
    lambda rng: b"Content-Encoding: gzip",
]
