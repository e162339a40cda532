"""
A process that takes uplinks and joins until it is killed, and tells of each after its commit.

``python counting_process.py DATABASE FIRST``: begins with the counter and nonce FIRST; prints one
line for each that is committed.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import JoinRequest
from simulators.lorawan.join import protect_request
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.messages import Scheduled, Uplink
from simulators.platforms.things_stack.tables_of_servers import TABLES

ADDRESS, NWK_KEY, APP_KEY = "26001234", bytes(range(16)), bytes(range(16, 32))
JOIN_EUI, DEV_EUI, ROOT_KEY = "0000000000000001", "70b3d57ed0000001", bytes([0xA0] * 16)
STEP_US = 2_000_000


def frames(number: int) -> tuple[bytes, bytes]:
    """An uplink with that counter, and a join request with that nonce."""
    session = Session(ADDRESS, SessionKeys.legacy(NWK_KEY, APP_KEY))
    join = JoinRequest(JOIN_EUI, DEV_EUI, number)
    return session.protect_uplink(number, 1, b"x"), protect_request(join, ROOT_KEY)


def main(path: Path, number: int) -> None:
    connection = open_database(path, TABLES)
    core = Core(connection, random.Random(number))
    stack, now_us = core.stack, 1_706_702_400_000_000 + number * 10 * STEP_US
    stack.gateways.schedule = lambda downlink, now_us: Scheduled(now_us, "gtw1", True, False)
    stack.application.handle_up = lambda up, now_us: None
    while True:
        for phy in frames(number):
            uplink = Uplink(
                phy, 868_100_000, Lora(7, 125_000), {"uplink_token": "AA=="}, {}, "gtw1", now_us, []
            )
            stack.network.handle_uplink(uplink, now_us)
            now_us += STEP_US
            core.timer(0, now_us)
        connection.commit()
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
