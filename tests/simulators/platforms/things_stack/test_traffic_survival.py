"""``kill -9`` in the middle of traffic: counters and nonces never go back."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.tables_of_servers import TABLES
from tests.simulators.platforms.things_stack import counting_process
from tests.simulators.platforms.things_stack.conftest import NOON_US, Bench
from tests.simulators.platforms.things_stack.radio import Air, add_abp, add_otaa, state_of

ROUNDS, LINES = 2, 30


def prepared(path: Path) -> None:
    """A database with a device that talks and one that joins."""
    bench = Bench()
    bench.application()
    add_abp(bench, "talks", version="MAC_V1_0_4")
    add_otaa(bench, "joins", version="MAC_V1_0_4")
    bench.connection.commit()
    stored = open_database(path, TABLES)
    bench.connection.backup(stored)
    stored.close()


def killed_after(path: Path, first: int, lines: int) -> tuple[int, int]:
    """Run the process until it has told of so many, kill it; the last counters it told of."""
    command = [sys.executable, counting_process.__file__, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += [line for line in process.stdout.read().splitlines() if line]
    up, down = told[-1].split()
    return int(up), int(down)


def reopened(path: Path) -> Bench:
    """The same deployment in a new process, as it finds its database."""
    bench = Bench(now_us=NOON_US + 10_000_000_000)
    bench.connection.close()
    bench.connection = open_database(path, TABLES)
    bench.core = Core(bench.connection, random.Random(99), policy=bench.policy)
    return bench


def test_counters_and_nonces_never_go_back(tmp_path):
    path = tmp_path / "state.db"
    prepared(path)
    first, answered, heard, rng = 1, 0, -1, random.Random(5)
    for _ in range(ROUNDS):
        told, down = killed_after(path, first, LINES + rng.randrange(LINES))
        bench = reopened(path)
        air = Air(bench)

        assert state_of(bench, "talks")["session"]["last_f_cnt_up"] >= told
        assert state_of(bench, "talks")["session"]["last_n_f_cnt_down"] >= down > heard
        joined = bench.core.stack.join.devices.find("app1", "joins")
        assert joined.document["last_dev_nonce"] >= told
        assert joined.document["last_join_nonce"] >= answered + told - first + 1
        answered = joined.document["last_join_nonce"]
        uplink, request = counting_process.frames(told)
        assert air.send(uplink) == "networkserver:device_not_found"
        assert air.hear(request) == "joinserver:dev_nonce_too_small"
        heard = down
        first = joined.document["last_dev_nonce"] + 2
        bench.connection.close()
