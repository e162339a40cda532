"""
The peer of the reference server: a Starlette handler that stores the same row.

Same table, same SQLite settings, same group commit: an answer waits until the transaction that
holds its row is committed, once for all requests of one turn of the event loop. Run by uvicorn on
uvloop and httptools. It decodes with orjson, as the reference server does, and checks less.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from simulators.platforms.thethings_io.store import open_database


class GroupCommit:
    """One commit per turn of the event loop; everybody who wrote in that turn waits for it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._committed: asyncio.Future[None] | None = None

    def committed(self) -> asyncio.Future[None]:
        """Done when everything written so far is committed."""
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_soon(self._commit)
        return self._committed

    def _commit(self) -> None:
        committed, self._committed = self._committed, None
        self._connection.commit()
        if committed is not None:
            committed.set_result(None)


connection = open_database(Path(os.environ["BENCHMARK_DATABASE"]))
group = GroupCommit(connection)
resources: dict[tuple[str, str], int] = {}
sequence = 0


async def write(request: Request) -> JSONResponse:
    """POST /v2/things/{token} with ``{"values": [{"key", "value"}]}``."""
    global sequence
    thing_token = request.path_params["token"]
    unix_ms = time.time_ns() // 1_000_000
    for item in orjson.loads(await request.body())["values"]:
        sequence += 1
        number = resources.setdefault((thing_token, item["key"]), len(resources) + 1)
        value = orjson.dumps(item["value"]).decode()
        connection.execute(
            "INSERT INTO value VALUES (?, ?, ?, ?, ?)", (number, unix_ms, sequence, value, None)
        )
    await group.committed()
    return JSONResponse({"status": "created"}, status_code=201)


app = Starlette(routes=[Route("/v2/things/{token}", write, methods=["POST"])])
