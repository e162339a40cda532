"""
A server that a test kills: it does what each line of its input says, commits, and answers.

``python server_process.py DATABASE NOW_US``. A line is a JSON object: ``now_us``, and one of
``datagram`` (hex) and ``push`` (a device and items), or neither: time goes by. Its answer is the
list of datagrams that leave. What applications are told is written to the table ``told`` in the
same transaction, as webhooks are.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

import orjson

from simulators.platforms.effects import Answer, Datagram, Effects, Request
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.tables_of_servers import TABLES

ADDRESS = ("192.0.2.7", 40_000)


def note_what_is_told(core: Core, connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS told (kind TEXT, message TEXT)")

    def note(tenant: str, application: str, kind: str, message: Any, now_us: int) -> None:
        values = kind, orjson.dumps(message[kind]).decode()
        connection.execute("INSERT INTO told VALUES (?, ?)", values)

    core.stack.application.outputs.others.append(note)


def done(core: Core, asked: Any, key: str) -> Effects:
    now_us = asked["now_us"]
    effects = core.timer(0, now_us)
    if "datagram" in asked:
        effects += core.datagram(bytes.fromhex(asked["datagram"]), ADDRESS, now_us)
    if "push" in asked:
        device, items = asked["push"]
        path = f"/api/v3/as/applications/app1/devices/{device}/down/push"
        body = orjson.dumps({"downlinks": items})
        headers = [(b"Authorization", f"Bearer {key}".encode())]
        answer, *others = core.handle(Request("POST", path, "", headers, body), now_us)
        assert isinstance(answer, Answer)
        assert answer.status == 200, answer.document
        effects += others
    return effects


def main(path: Path, now_us: int, key: str) -> None:
    connection = open_database(path, TABLES)
    core = Core(connection, random.Random(now_us), policy=Policy(password_cost=1))
    note_what_is_told(core, connection)
    core.resume(now_us)
    connection.commit()
    print("[]", flush=True)
    for line in sys.stdin:
        effects = done(core, json.loads(line), key)
        connection.commit()
        print(json.dumps([each.data.hex() for each in effects if isinstance(each, Datagram)]),
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
