"""
A process that takes uplinks and joins until it is killed, and tells of each after its commit.

``python counting_process.py DATABASE FIRST``: begins with the counter and nonce FIRST; prints one
line for each that is committed, with the counter of the last downlink.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import FType, JoinRequest
from simulators.lorawan.join import protect_request
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.messages import Downlink, Scheduled, Uplink
from simulators.platforms.things_stack.tables_of_servers import TABLES

ADDRESS, NWK_KEY, APP_KEY = "26001234", bytes(range(16)), bytes(range(16, 32))
JOIN_EUI, DEV_EUI, ROOT_KEY = "0000000000000001", "70b3d57ed0000001", bytes([0xA0] * 16)
STEP_US = 2_000_000
COLLECTED_US = 200_000  # when copies of a frame are no longer waited for


def frames(number: int) -> tuple[bytes, bytes]:
    """An uplink with that counter, and a join request with that nonce."""
    session = Session(ADDRESS, SessionKeys.legacy(NWK_KEY, APP_KEY))
    join = JoinRequest(JOIN_EUI, DEV_EUI, number)
    uplink = session.protect_uplink(number, 1, b"x", is_confirmed=True)
    return uplink, protect_request(join, ROOT_KEY)


def main(path: Path, number: int) -> None:
    connection = open_database(path, TABLES)
    core = Core(connection, random.Random(number))
    stack, now_us = core.stack, 1_706_702_400_000_000 + number * 10 * STEP_US
    sent = [-1]

    def schedule(downlink: Downlink, now_us: int) -> Scheduled:
        if downlink.phy[0] >> 5 == FType.UNCONFIRMED_DOWN:
            sent.append(int.from_bytes(downlink.phy[6:8], "little"))
        return Scheduled(now_us, "gtw1", True, False)

    stack.gateways.schedule = schedule  # type: ignore[method-assign]
    stack.application.handle_up = lambda up, now_us: None
    while True:
        for phy in frames(number):
            uplink = Uplink(
                phy, 868_100_000, Lora(7, 125_000), {"uplink_token": "AA=="}, {}, "gtw1", now_us, []
            )
            stack.network.handle_uplink(uplink, now_us)
            core.timer(0, now_us + COLLECTED_US)
            now_us += STEP_US
            core.timer(0, now_us)
        connection.commit()
        print(number, sent[-1], flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
