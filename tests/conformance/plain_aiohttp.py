"""
A plain server on aiohttp with right answers: ``python plain_aiohttp.py TOKEN CODE``.

Prints its URL when it is ready. Nothing about it is wrong on purpose; its parser is strict.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

COMPACT = json.JSONEncoder(separators=(",", ":")).encode
FORM_NAME = re.compile(r"values\[(\d+)\]\[(key|value)\]")
SHARED = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Content-Type"}


def answer(document: Any, status: int = 200) -> web.Response:
    return web.json_response(document, status=status, headers=SHARED, dumps=COMPACT)


def refusal(status: int, message: str) -> web.Response:
    return answer({"status": "error", "message": message}, status)


def dated(time_s: float) -> str:
    text = datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Plain:
    """Things and their values, in memory."""

    def __init__(self, token: str, code: str) -> None:
        self.codes = {code}
        self.rows: dict[str, dict[str, list[dict[str, Any]]]] = {token: {}}
        self.listeners: dict[str, list[asyncio.Queue[Any]]] = {token: []}

    async def root(self, _: web.Request) -> web.Response:
        error = {"status": "error", "code": 401, "message": "Invalid session token"}
        return answer(error, 401)

    async def activate(self, request: web.Request) -> web.Response:
        code = (await request.json()).get("activationCode")
        if code not in self.codes:
            return refusal(400, "activation code not found")
        self.codes.remove(code)
        token, thing_id = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.rows[token], self.listeners[token] = {}, []
        told = {"status": "created", "message": "thing activated"}
        return answer({**told, "thingToken": token, "thingId": thing_id}, 201)

    async def write(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        if token not in self.rows:
            return refusal(403, "Thing token doesn't exist")
        items = await items_of(request)
        if items is None:
            return refusal(400, "values must be an array")
        for item in items:
            row = {**item, "datetime": as_date(item.get("datetime"))}
            rows = self.rows[token].setdefault(item["key"], [])
            rows.append(row)
            rows.sort(key=lambda each: str(each["datetime"]), reverse=True)
        for queue in self.listeners[token]:
            queue.put_nowait(items)
        return answer({"status": "created"}, 201)

    async def read(self, request: web.Request) -> web.Response:
        token, key = request.match_info["token"], request.match_info["key"]
        if token not in self.rows:
            return refusal(403, "Thing token doesn't exist")
        if key not in self.rows[token]:
            return refusal(404, "resource not found")
        return answer(self.rows[token][key][: int(request.query.get("limit", 1))])

    async def date(self, _: web.Request) -> web.Response:
        seconds = int(time.time())
        return answer({"date": seconds, "values": [{"value": seconds}]})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        keep_alive_s = int(request.query.get("keepAlive", 60_000)) / 1000
        stream = web.StreamResponse(headers={**SHARED, "Content-Type": "application/json"})
        stream.enable_chunked_encoding()
        await stream.prepare(request)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self.listeners[token].append(queue)
        document: Any = {"status": "success", "message": "subscribed"}
        try:
            while True:
                await stream.write(COMPACT(document).encode())
                try:
                    document = await asyncio.wait_for(queue.get(), keep_alive_s)
                except TimeoutError:
                    document = {}
        finally:
            self.listeners[token].remove(queue)


async def items_of(request: web.Request) -> list[dict[str, Any]] | None:
    if request.content_type == "application/x-www-form-urlencoded":
        found: dict[str, dict[str, Any]] = {}
        for name, value in (await request.post()).items():
            if match := FORM_NAME.fullmatch(name):
                found.setdefault(match[1], {})[match[2]] = value
        return list(found.values())
    try:
        items = json.loads(await request.text())["values"]
    except (ValueError, KeyError, TypeError):
        return None
    return items if isinstance(items, list) else None


def as_date(given: Any) -> str:
    if given is None:
        return dated(time.time())
    return dated(datetime.strptime(str(given), "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())


@web.middleware
async def in_json(request: web.Request, handler: Any) -> web.StreamResponse:
    """Preflights, and refusals of the router, in the platform's words."""
    if request.method == "OPTIONS":
        return web.Response(status=204, headers=SHARED)
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as refused:
        return refusal(refused.status, refused.reason)
    return response


def application(token: str, code: str) -> web.Application:
    plain = Plain(token, code)
    app = web.Application(middlewares=[in_json])
    for start in ("/v2", "/v2/"):  # one client doubles the slash
        app.router.add_get(f"{start}/", plain.root)
        app.router.add_get(f"{start}/utils/date", plain.date)
        app.router.add_post(f"{start}/things", plain.activate)
        app.router.add_post(f"{start}/things/{{token}}", plain.write)
        app.router.add_get(f"{start}/things/{{token}}", plain.subscribe)
        for end in ("", "/"):
            app.router.add_get(f"{start}/things/{{token}}/resources/{{key}}{end}", plain.read)
    return app


async def main() -> None:
    runner = web.AppRunner(application(sys.argv[1], sys.argv[2]))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
