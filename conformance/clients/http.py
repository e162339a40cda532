"""
HTTP for judging: every request exactly as given, every failure a value instead of an exception.

Each request has a connection of its own, so that no exchange inherits the fate of another.
"""

from __future__ import annotations

import json as codec
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from conformance.clients.exchange import (
    Exchange,
    Guard,
    Headers,
    NoGuard,
    Response,
    answered,
    unanswered,
)

CONNECT_TIMEOUT_S = 5.0
GRACE_S = 0.5
MAX_BODY = 32 * 1024 * 1024
NO_DOCUMENT: Any = object()
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "thingrig"}


class _Verbatim(HTTPAdapter):
    """Sends the request target as it was given, doubled slashes and bare ``?`` included."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target

    def request_url(self, request: Any, proxies: Any) -> str:
        return self._target


class Http:
    """
    Requests to one base URL.

    Args:
        url: scheme, host, port, optional prefix; without the API's version path.
        ca_file: certificates to trust instead of the system's.
        timeout_s: for the whole answer, from the first byte sent to the last one read.
        guard: asked before and told after each exchange.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_file: str | Path | None = None,
        timeout_s: float = 10.0,
        guard: Guard | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.prefix = urlsplit(self.url).path
        self.ca_file = str(ca_file) if ca_file else None
        self.timeout_s = timeout_s
        self.guard: Guard = guard or NoGuard()

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """Send one request; ``target`` is path and query below the base URL, sent as it is."""
        self.guard.before(method, target, headers or {}, body)
        started = time.monotonic()
        limit_s = timeout_s or self.timeout_s
        response = _within(limit_s, lambda: self._ask(method, target, body, headers or {}, limit_s))
        exchange = Exchange(method, target, headers or {}, body, response, started, self.url)
        self.guard.after(exchange)
        return response

    def send_document(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        json: Any = NO_DOCUMENT,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """As send; ``json``, when given, becomes the body."""
        fields = dict(headers or {})
        if json is not NO_DOCUMENT:
            body = codec.dumps(json).encode()
            fields.setdefault("Content-Type", "application/json")
        return self.send(method, target, body=body or b"", headers=fields, timeout_s=timeout_s)

    def _ask(
        self, method: str, target: str, body: bytes, headers: dict[str, str], timeout_s: float
    ) -> Response:
        started = time.monotonic()
        try:
            with requests.Session() as session:
                # netrc, proxies and CA settings of the user's shell must not change a verdict
                session.trust_env = False
                session.mount(self.url, _Verbatim(self.prefix + target))
                with session.request(
                    method,
                    self.url,
                    data=body or None,
                    headers={**_HEADERS, **headers},
                    timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s),
                    verify=self.ca_file or True,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    data = _read(answer, started + timeout_s)
                    pairs = list(answer.raw.headers.items())
                    return answered(
                        answer.status_code, Headers(pairs), data, time.monotonic() - started
                    )
        except (requests.RequestException, HTTPError, OSError, ValueError) as problem:
            return unanswered(explain(problem), time.monotonic() - started)


def query_of(query: Mapping[str, Any]) -> str:
    """``?`` and the query, names in their order; nothing when there are none."""
    return f"?{urlencode(query)}" if query else ""


def _within(limit_s: float, ask: Callable[[], Response]) -> Response:
    """
    The answer, or that it did not end in time.

    A peer that sends a byte now and then keeps every read of a socket short; only a thread that
    can be left behind holds it to the whole time.
    """
    answers: list[Response] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True, name="exchange")
    thread.start()
    thread.join(limit_s + GRACE_S)
    return answers[0] if answers else unanswered("the answer did not end in time", limit_s)


def _read(answer: requests.Response, deadline: float) -> bytes:
    data = bytearray()
    for block in answer.iter_content(65536):
        data += block
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("the answer did not end in time")
        if len(data) > MAX_BODY:
            raise requests.RequestException("the answer is larger than 32 MiB")
    return bytes(data)


def explain(problem: BaseException) -> str:
    """A transport failure as one lower-case phrase."""
    words = " ".join(str(cause) for cause in _causes(problem)).lower()
    for needle, phrase in _PHRASES:
        if needle in words:
            return phrase
    first = str(problem).partition("\n")[0]
    return f"{type(problem).__name__}: {first[:160]}"


def _causes(problem: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while problem is not None and problem not in found:
        found.append(problem)
        problem = problem.__cause__ or problem.__context__
    return found


# The first one that fits; what TLS says comes before what the socket says about it.
_PHRASES = (
    ("self-signed certificate", "the TLS certificate is signed by an unknown authority"),
    ("self signed certificate", "the TLS certificate is signed by an unknown authority"),
    ("unable to get local issuer", "the TLS certificate is signed by an unknown authority"),
    ("unable to get issuer", "the TLS certificate is signed by an unknown authority"),
    ("hostname mismatch", "the TLS certificate is for another host"),
    ("ip address mismatch", "the TLS certificate is for another host"),
    ("certificate has expired", "the TLS certificate has expired"),
    ("certificate_verify_failed", "the TLS certificate could not be verified"),
    ("wrong_version_number", "the port does not speak TLS"),
    ("wrong version number", "the port does not speak TLS"),
    ("record layer failure", "the port does not speak TLS"),
    ("ssl", "the TLS connection failed"),
    ("name or service not known", "the host name is not known"),
    ("failed to resolve", "the host name is not known"),
    ("nodename nor servname", "the host name is not known"),
    ("connection refused", "the connection was refused"),
    ("no route to host", "there is no route to the host"),
    ("network is unreachable", "the network is unreachable"),
    ("connect timeout", "the connection was not accepted in time"),
    ("connection to", "the connection was not accepted in time"),
    ("timed out", "no answer came in time"),
    ("did not end in time", "the answer did not end in time"),
    ("larger than", "the answer is larger than 32 MiB"),
    ("incompleteread", "the connection was closed before the answer was complete"),
    ("incomplete read", "the connection was closed before the answer was complete"),
    ("bytes read", "the connection was closed before the answer was complete"),
    ("without response", "the connection was closed without an answer"),
    ("connection reset", "the connection was reset"),
    ("broken pipe", "the connection was closed while we were sending"),
    ("badstatusline", "the answer is not HTTP"),
    ("bad status line", "the answer is not HTTP"),
    ("invalid chunk", "the answer's chunks are broken"),
    ("invalidchunklength", "the answer's chunks are broken"),
    ("connection aborted", "the connection was closed without an answer"),
)
