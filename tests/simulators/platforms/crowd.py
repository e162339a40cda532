"""Very many subscribers of one thing in one process, each of whom checks every byte it gets."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import dataclass, field
from typing import cast

HEAD_END = b"\r\n\r\n"
DATETIME = "2024-01-31T12:00:00.000Z"  # of every value, so that documents are known beforehand
FIRST = b'{"status":"success","message":"subscribed"}'


def chunk(document: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(document), document)


def value(number: int, size: int) -> str:
    return f"{number} ".ljust(size, "x")


class Reader(asyncio.Protocol):
    """Holds what comes against the only bytes that may come."""

    def __init__(self, request: bytes, expected: bytes) -> None:
        self._request = request
        self._expected = expected
        self._head: bytes | None = b""
        self.is_open = False
        self.taken = 0
        self.is_wrong = False
        self.times: list[tuple[float, int]] | None = None  # when so much was there; None: not noted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.is_open = True
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, end, data = self._head.partition(HEAD_END)
            if not end:
                return
            self.is_wrong = not head.startswith(b"HTTP/1.1 200 ")
            self._head = None
        if self._expected[self.taken : self.taken + len(data)] != data:
            self.is_wrong = True
        self.taken += len(data)
        if self.times is not None:
            self.times.append((time.monotonic(), self.taken))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False


@dataclass
class Crowd:
    """
    Readers of ``count`` documents of ``size`` bytes each, and a writer.

    They subscribe to the thing itself, or with a ``session`` to its resource as an app does.
    """

    host: str
    port: int
    thing_token: str
    count: int
    size: int
    session: str | None = None
    thing_id: str | None = None
    readers: list[Reader] = field(default_factory=list)
    write_s: list[float] = field(default_factory=list)
    begun_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write_path = f"/v2/things/{self.thing_token}"
        documents = [FIRST, *map(self.document, range(self.count))]
        self.expected = b"".join(map(chunk, documents))

    def document(self, number: int) -> bytes:
        """What subscribers are told of the write of that number."""
        item = {"key": "n", "value": value(number, self.size), "datetime": DATETIME}
        if self.thing_id is not None:
            item["thingId"] = self.thing_id
        return json.dumps([item], separators=(",", ":")).encode()

    def _request(self) -> bytes:
        if self.session is None:
            return f"GET {self.write_path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        path = f"/v2/me/resources/n/{self.thing_id}?subscribe=true"
        headers = f"Host: x\r\nAuthorization: {self.session}\r\n\r\n"
        return f"GET {path} HTTP/1.1\r\n{headers}".encode()

    async def join(self, how_many: int, *, receive_bytes: int | None = None) -> list[Reader]:
        """So many more subscribers, connected and told that they are."""
        request = self._request()
        loop = asyncio.get_running_loop()
        fresh: list[Reader] = []
        for _ in range(how_many):
            one = socket.socket()
            if receive_bytes is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            one.setblocking(False)
            await loop.sock_connect(one, (self.host, self.port))
            _, reader = await loop.create_connection(
                lambda: Reader(request, self.expected), sock=one
            )
            fresh.append(reader)
        self.readers += fresh
        await until(lambda: all(reader.taken >= len(chunk(FIRST)) for reader in fresh))
        return fresh

    async def write(self, gap_s: float) -> None:
        """All documents, one after another, ``gap_s`` apart or as fast as they are answered."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        for number in range(self.count):
            began_s = time.monotonic()
            item = {"key": "n", "value": value(number, self.size), "datetime": DATETIME}
            body = json.dumps({"values": [item]}).encode()
            head = (
                f"POST {self.write_path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self.begun_s.append(time.monotonic())
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b'{"status":"created"}')
            assert answer.startswith(b"HTTP/1.1 201 ")
            self.write_s.append(time.monotonic() - began_s)
            await asyncio.sleep(max(0.0, began_s + gap_s - time.monotonic()))
        writer.close()
        await writer.wait_closed()

    def delays(self, reader: Reader) -> list[float]:
        """Seconds from the beginning of each write to the end of its document with a reader."""
        assert reader.times is not None
        end, found = len(chunk(FIRST)), list[float]()
        for number, begun_s in enumerate(self.begun_s):
            end += len(chunk(self.document(number)))
            found.append(next(at_s for at_s, taken in reader.times if taken >= end) - begun_s)
        return found

    async def leave(self) -> None:
        """Close every connection, and see them closed."""
        for reader in self.readers:
            reader.transport.abort()
        await until(lambda: not any(reader.is_open for reader in self.readers))

    def has_all(self, reader: Reader) -> bool:
        return reader.taken == len(self.expected) and not reader.is_wrong


async def until(condition: object, timeout_s: float = 60.0) -> None:
    assert callable(condition)
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"not within {timeout_s:g} s")
        await asyncio.sleep(0.01)
