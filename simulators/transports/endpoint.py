"""Where a platform is: host, port, TLS and path prefix, and how a connection to it is opened."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from simulators.transports.http import UnconnectedError

Q = TypeVar("Q", bound=asyncio.Protocol)

DEFAULT_PORTS = {"http": 80, "https": 443}


class Entrance(Protocol):
    """Where what comes from outside is let in: a wall clock, or whoever needs none."""

    def enter(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback`` at the current time."""


@dataclass(frozen=True)
class Endpoint:
    """A parsed base URL; ``prefix`` is without a trailing slash and stands before every target."""

    host: str
    port: int
    prefix: str
    netloc: str
    ssl_context: ssl.SSLContext | None

    @classmethod
    def of(cls, base_url: str, ssl_context: ssl.SSLContext | None = None) -> Endpoint:
        """
        Parse ``http://host[:port][/prefix]`` or the same with https.

        Raises:
            ValueError: another scheme, no host, or a port that is none.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"expected http://host or https://host; got {base_url!r}")
        if parts.scheme == "https":
            ssl_context = ssl_context or ssl.create_default_context()
        else:
            ssl_context = None
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        netloc = parts.netloc.rpartition("@")[2]
        return cls(parts.hostname, port, parts.path.rstrip("/"), netloc, ssl_context)

    async def connect(self, protocol: Callable[[], Q]) -> Q:
        """
        Open a connection.

        Raises:
            UnconnectedError: nobody listens, the name is unknown, or TLS failed.
        """
        loop = asyncio.get_running_loop()
        try:
            _, connected = await loop.create_connection(
                protocol, self.host, self.port, ssl=self.ssl_context
            )
        except (OSError, asyncio.IncompleteReadError) as error:
            raise UnconnectedError(f"could not connect: {reason_of(error)}") from error
        return connected

    def head(self, method: str, target: str) -> bytes:
        """Request line and the headers that every request of this kind has, without the end."""
        if any(mark in target for mark in " \r\n"):
            raise ValueError(f"expected a target without blanks; got {target!r}")
        text = f"{method} {self.prefix}{target} HTTP/1.1\r\nHost: {self.netloc}\r\n"
        return text.encode("ascii")


def reason_of(error: BaseException) -> str:
    """One lower-case phrase for what went wrong on a socket."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'unknown').lower().replace('_', ' ')}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).lower()
