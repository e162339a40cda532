"""Addresses requests that stand in a trace as they were sent, and were meant for one platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from scenarios.replay.names import Names
from scenarios.replay.verbatim import Verbatim, octets, text_of
from simulators.transports.endpoint import Endpoint

DEFAULTS = {"Accept": "*/*", "User-Agent": "thingrig"}
WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS")


class Letter(NamedTuple):
    """A request on its way: the bytes, how it stands in a trace, and how many answers it gets."""

    data: bytes
    message: dict[str, Any]
    answers: int


class Postman:
    """
    Addresses requests that were meant for one platform to another.

    Args:
        names: what the other side calls things.
        sent_to: where the recorded requests went, as a URL.
        product_id: replaces the one that a body names.
        redact: takes secrets out of bytes, before they are encoded so that nobody finds them.
    """

    def __init__(
        self,
        names: Names,
        *,
        sent_to: str | None,
        endpoint: Endpoint,
        product_id: str | None,
        redact: Callable[[bytes], bytes],
    ) -> None:
        self._names = names
        self._redact = redact
        self._there = urlsplit(sent_to or "")
        self._endpoint = endpoint
        self._product_id = product_id

    def addressed(self, method: str, target: str, verbatim: Verbatim) -> Letter:
        """
        A request as the target has to get it.

        Raises:
            UnlearnedError: it holds a secret whose counterpart is not known.
        """
        target = self._names.there(target)
        headers = self._names.there(verbatim.headers)
        body = self._with_product(self._renamed(octets(verbatim.body)))
        message: dict[str, Any] = {"method": method, "target": target, "headers": headers}
        message["body"] = text_of(self._redact(body))
        if verbatim.raw is None:
            return Letter(self._composed(method, target, headers, body), message, 1)
        data = self._readdressed(self._renamed(octets(verbatim.raw)))
        message |= {"raw": text_of(self._redact(data)), "answers": verbatim.answers}
        return Letter(data, message, verbatim.answers)

    def _renamed(self, data: bytes) -> bytes:
        text: str = self._names.there(data.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogateescape")

    def _with_product(self, body: bytes) -> bytes:
        if self._product_id is None or b"productId" not in body:
            return body
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return body
        if not isinstance(document, dict) or "productId" not in document:
            return body
        return orjson.dumps({**document, "productId": self._product_id})

    def _composed(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        given = {name.lower() for name in headers}
        fields = {"Host": self._endpoint.netloc, **DEFAULTS}
        fields = {name: value for name, value in fields.items() if name.lower() not in given}
        if body or method not in WITHOUT_BODY:
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {self._endpoint.prefix}{target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in {**fields, **headers}.items()]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body

    def _readdressed(self, data: bytes) -> bytes:
        if self._there.netloc:
            data = data.replace(self._there.netloc.encode(), self._endpoint.netloc.encode())
        before, after = self._there.path.rstrip("/"), self._endpoint.prefix
        return data.replace(f" {before}/".encode(), f" {after}/".encode(), 1)
