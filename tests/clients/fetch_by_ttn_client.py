"""
What PyPI ttn_client, the client of Home Assistant, reads from a server's storage.

Called with a host and port, an application's id and a key; one JSON document tells.
"""

from __future__ import annotations

import asyncio
import json
import sys

from ttn_client import TTNClient


async def main() -> None:
    """Fetch twice, as it does from time to time."""
    client = TTNClient(*sys.argv[1:4])
    fetched = [await client.fetch_data(), await client.fetch_data()]
    values = [
        {
            device_id: {name: value.value for name, value in sorted(values.items())}
            for device_id, values in devices.items()
        }
        for devices in fetched
    ]
    print(json.dumps(values))


asyncio.run(main())
