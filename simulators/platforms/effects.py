"""
What passes between a reference server's core and the shell around it.

A core turns a request or a timer into effects; the shell commits and only then carries them out.
Requests are opaque to the shell's bookkeeping except for ``origin``, which is the shell's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from simulators.platforms.scripting.worker import Job, Result
from simulators.transports.websocket import Refusal

Headers: TypeAlias = "list[tuple[bytes, bytes]]"
AnswerHeaders: TypeAlias = tuple[tuple[str, str], ...]
Document: TypeAlias = Any
Arguments: TypeAlias = tuple[str, ...]  # the variable parts of a path, percent-decoded

NOT_GIVEN: Any = object()


class Hashed(NamedTuple):
    """A password's slow hash, and the salt it was made with."""

    salt: bytes
    digest: bytes


class Request(msgspec.Struct, gc=False):
    """
    One request as it came in.

    ``path`` is still percent-encoded, ``query`` is what stood after the question mark.
    ``document`` is set by transports that hand over values; then ``body`` is not looked at.
    ``origin`` belongs to the shell: where the answer goes. ``hashed`` is set when the request comes
    back from a Hash, ``worked`` holds what came of scripts, by their jobs' keys.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = []
    body: bytes = b""
    document: Document = NOT_GIVEN
    origin: Any = None
    hashed: Hashed | None = None
    worked: dict[tuple[str, str], Result] | None = None
    is_http_1_0: bool = False

    def header(self, name: bytes) -> str | None:
        """The first header of that lower-case name."""
        for key, value in self.headers:
            if key.lower() == name:
                return value.decode("latin-1")
        return None

    def arguments(self) -> dict[str, str]:
        """Decoded query; of a repeated name the first counts."""
        if not self.query:
            return {}
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))


class Answer(msgspec.Struct, gc=False):
    """
    An answer: a JSON document, or raw bytes of ``content_type`` when that is set.

    ``headers`` stand beside those that every answer has.
    """

    request: Request
    status: int
    document: Document = None
    content_type: str | None = None
    headers: AnswerHeaders = ()


class OpenStream(msgspec.Struct, gc=False):
    """Answer with 200 and keep the answer open; ``document`` is the first one sent."""

    request: Request
    stream_id: int
    document: Document
    content_type: str | None = None
    headers: AnswerHeaders = ()


class StreamDocument(msgspec.Struct, gc=False):
    """The same document for each of these streams."""

    stream_ids: tuple[int, ...]
    document: Document


class EndStream(msgspec.Struct, gc=False):
    """Close a stream in an orderly way."""

    stream_id: int


class Timer(msgspec.Struct, gc=False):
    """Call ``core.timer(key, now_us)`` at ``due_us``; a later timer replaces one of that key."""

    key: int
    due_us: int


class Hash(msgspec.Struct, gc=False):
    """
    Slow work for another thread, alone among its effects: scrypt with N = 2 ** ``cost``.

    Its result comes back as a request: the same one, with ``hashed`` set.
    """

    request: Request
    password: str
    salt: bytes
    cost: int


class Mail(msgspec.Struct, gc=False):
    """An e-mail; it has a row of that number in the core's outbox until ``core.mailed(number)``."""

    number: int
    recipient: str
    subject: str
    text: str


class Datagram(msgspec.Struct, gc=False):
    """A datagram from the platform's port for gateways to an address that one came from."""

    address: Any
    data: bytes


class SocketText(msgspec.Struct, gc=False):
    """A message on a WebSocket; dropped when it is gone."""

    socket_id: int
    text: str


class SocketClose(msgspec.Struct, gc=False):
    """Close a WebSocket."""

    socket_id: int
    reason: str


class Post(msgspec.Struct, gc=False):
    """An HTTP POST, tried once; how it ended comes back by ``core.posted(number, ...)``."""

    number: int
    url: str
    headers: AnswerHeaders
    body: bytes
    timeout_s: float


class Work(msgspec.Struct, gc=False):
    """
    Scripts for a process of their own.

    Their results come back by ``core.worked(number, ...)``, unless a request waits for them: then
    the work is alone among its effects, and the request comes back with ``worked`` filled.
    """

    number: int
    jobs: Sequence[Job]
    request: Request | None = None


Effect: TypeAlias = (
    Answer
    | OpenStream
    | StreamDocument
    | EndStream
    | Timer
    | Hash
    | Mail
    | Datagram
    | SocketText
    | SocketClose
    | Post
    | Work
)
Effects: TypeAlias = "list[Effect]"


class PlatformCore(Protocol):
    """What a shell needs of a platform's core; times are microseconds since 1970."""

    def handle(self, request: Request, now_us: int) -> Effects:
        """Effects of a request."""

    def timer(self, key: int, now_us: int) -> Effects:
        """Effects of a timer that fell due."""

    def closed(self, stream_id: int) -> None:
        """The client of a stream is gone."""

    def resume(self, now_us: int) -> Effects:
        """Effects that an earlier process left undone; asked once, at the start."""

    def mailed(self, number: int) -> None:
        """A mail has left, or can never be delivered."""

    def forget(self) -> None:
        """The database was rolled back: drop what is remembered of it."""


class NetworkCore(PlatformCore, Protocol):
    """A core that gateways connect to; addresses are kept and given back, never looked into."""

    def datagram(self, data: bytes, address: Any, now_us: int) -> Effects:
        """Effects of a datagram that came from ``address``."""

    def socket_opened(
        self, socket_id: int, path: str, headers: Mapping[str, str], now_us: int
    ) -> Effects | Refusal:
        """Effects of a WebSocket that opens, or why it may not; names in lower case."""

    def socket_text(self, socket_id: int, text: str, now_us: int) -> Effects:
        """Effects of a message on a WebSocket."""

    def socket_closed(self, socket_id: int, now_us: int) -> Effects:
        """Effects of a WebSocket's end, unless the core closed it."""

    def posted(self, number: int, status: int | None, said: str, now_us: int) -> Effects:
        """
        Effects of a Post's end.

        ``said`` is the beginning of the answer's body, or with the status None why there is none.
        """

    def worked(self, number: int, results: Sequence[Result], now_us: int) -> Effects:
        """Effects of a Work's end."""
