"""One process that loads a server with aiohttp on uvloop; prints its cost."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp
import uvloop

WARM_UP_S = 0.3


async def main(url: str, connections: int, seconds: float) -> None:
    """As many tasks as connections, each with a fresh body and a checked answer."""
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:
        await _round(session, url, connections, WARM_UP_S)
        begun_s = time.process_time()
        requests = await _round(session, url, connections, seconds)
        print(json.dumps({"requests": requests, "cpu_s": time.process_time() - begun_s}))


async def _round(session: aiohttp.ClientSession, url: str, connections: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    counts = [_device(session, f"{url}/v2/things/token-{n}", n, until) for n in range(connections)]
    return sum(await asyncio.gather(*counts))


async def _device(session: aiohttp.ClientSession, url: str, number: int, until: float) -> int:
    sequence = 0
    while time.monotonic() < until:
        sequence += 1
        document = {"values": [{"key": "load", "value": number + sequence / 8}]}
        async with session.post(url, json=document) as answer:
            if answer.status != 201 or (await answer.json())["status"] == "error":
                raise SystemExit(f"a write was answered with {answer.status}")
    return sequence


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
