"""
``kill -9`` at moments that a seed chooses, while downlinks are on their way.

A device of class A with ADR on and one of class C talk through a gateway. Whatever is killed when:
no device ever hears a counter twice, and of every item whose push was answered the application is
told, once, that it was sent or that it failed.
"""

from __future__ import annotations

import base64
import json
import random
import select
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulators.lorawan.frames import ADR
from simulators.lorawan.mac_commands import LinkADRAns, LinkADRReq, encode, parse
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.tables_of_servers import TABLES
from simulators.wire.semtech_packets import RxPk
from simulators.wire.semtech_udp import PullData, PullResp, PushData, TxAck
from simulators.wire.semtech_udp import decode as decode_datagram
from simulators.wire.semtech_udp import encode as encode_datagram
from tests.simulators.platforms.things_stack import server_process
from tests.simulators.platforms.things_stack.conftest import NOON_US, USER_KEY, Bench
from tests.simulators.platforms.things_stack.gateways import EUI
from tests.simulators.platforms.things_stack.radio import APP_KEY, abp_session, add_abp
from tests.simulators.platforms.things_stack.test_class_a import SETTLED
from tests.simulators.platforms.things_stack.traffic import add_device

KILLS, STEPS = 6, 40
DEVICES = {"talks": "26001234", "listens": "26001235"}
SECOND_US = 1_000_000


def prepare(path: Path) -> None:
    """A database with both devices and their gateway."""
    bench = Bench()
    bench.application()
    gateway = {"ids": {"gateway_id": "gtw1", "eui": EUI}, "frequency_plan_id": "EU_863_870"}
    bench.made("/users/user1/gateways", {"gateway": gateway})
    adaptive = {name: value for name, value in SETTLED.items() if name != "adr"}
    add_abp(bench, "talks", address=DEVICES["talks"], mac_settings=adaptive)
    add_abp(bench, "listens", address=DEVICES["listens"], mac_settings=SETTLED,
            supports_class_c=True)  # fmt: skip
    for name, address in DEVICES.items():
        add_device(bench, name, key=APP_KEY, address=address)
    bench.connection.commit()
    stored = open_database(path, TABLES)
    bench.connection.backup(stored)
    stored.close()
    bench.close()


class Field:
    """The gateway, both devices and the application, which outlive every server."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.rng = random.Random(seed)
        self.now_us = NOON_US
        self.f_cnt_up = dict.fromkeys(DEVICES, 0)
        self.next_us = dict.fromkeys(DEVICES, 0)  # then the windows of the last uplink are over
        self.heard: dict[str, list[tuple[int, int]]] = {name: [] for name in DEVICES}
        self.acknowledged: list[int] = []
        self.is_mute = False  # the gateway does not tell what became of frames
        self.answers = b""  # what the first device has to say to the network
        self.adapted = 0
        self.pushed: list[int] = []
        self.orders = 0
        self.process: subprocess.Popen[str] | None = None

    # --- the server's life

    def start(self) -> None:
        command = [sys.executable, server_process.__file__, str(self.path), str(self.now_us)]
        self.process = subprocess.Popen(
            [*command, USER_KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == []
        self.ask(datagram=PullData(1, EUI))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def ask(self, *, kills: bool = False, datagram: Any = None, push: Any = None) -> bool:
        """Have the server do something, and react to what it sends; whether it has answered."""
        self.now_us += 50_000
        asked: dict[str, Any] = {"now_us": self.now_us}
        if datagram is not None:
            asked["datagram"] = encode_datagram(datagram).hex()
        if push is not None:
            asked["push"] = push
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        if kills:
            assert self.process.stdout is not None
            select.select([self.process.stdout], [], [], self.rng.uniform(0, 0.001))
            self.kill()
            return False
        for datagram in map(decode_datagram, map(bytes.fromhex, self._answer())):
            if isinstance(datagram, PullResp):
                self._radiate(datagram)
        return True

    def _answer(self) -> list[str]:
        assert self.process is not None
        assert self.process.stdout is not None
        found: list[str] = json.loads(self.process.stdout.readline())
        return found

    # --- what happens

    def _radiate(self, response: PullResp) -> None:
        """The gateway sends a frame, a device hears it; the gateway says so, or dies with it."""
        phy = response.txpk.data
        (name,) = [each for each, address in DEVICES.items() if phy[4:0:-1].hex() == address]
        f_cnt = int.from_bytes(phy[6:8], "little")
        frame = abp_session(DEVICES[name]).open_downlink(phy, f_cnt)
        assert response.txpk.tmst is not None
        self.heard[name].append((response.txpk.tmst, f_cnt))
        told = frame.frm_payload if frame.f_port == 0 else frame.f_opts
        commands = parse(told, is_uplink=False).commands
        asked = [each for each in commands if isinstance(each, LinkADRReq)]
        if asked:
            self.answers = encode(LinkADRAns(True, True, True)) * len(asked)
        self.acknowledged.append(response.token)

    def uplink(self, name: str, *, kills: bool = False) -> bool:
        session, f_cnt = abp_session(DEVICES[name]), self.f_cnt_up[name]
        is_adaptive = name == "talks"
        f_opts, self.answers = (self.answers, b"") if is_adaptive else (b"", self.answers)
        self.adapted += bool(f_opts)
        phy = session.protect_uplink(
            f_cnt, 1, b"x", f_ctrl=ADR if is_adaptive else 0, f_opts=f_opts
        )
        self.f_cnt_up[name] += 1
        self.next_us[name] = self.now_us + 3 * SECOND_US
        packet = RxPk(
            tmst=self.now_us & 0xFFFFFFFF, data=phy, frequency_hz=868_100_000,
            modulation=Lora(7, 125_000), rssi_dbm=-60, snr_db=self.rng.uniform(-5, 10),
        )  # fmt: skip
        return self.ask(datagram=PushData(2, EUI, (packet,)), kills=kills)

    def push(self, name: str, *, kills: bool = False) -> bool:
        self.orders += 1
        item = {"f_port": 1, "frm_payload": base64.b64encode(b"on").decode(),
                "correlation_ids": [f"order-{self.orders}"]}  # fmt: skip
        is_answered = self.ask(push=[name, [item]], kills=kills)
        if is_answered:
            self.pushed.append(self.orders)
        return is_answered

    def wait(self, seconds: float, *, kills: bool = False) -> bool:
        end_us = self.now_us + round(seconds * SECOND_US)
        while self.now_us < end_us:
            if not self.ask(kills=kills and self.rng.random() < 0.1):
                return False
            self.acknowledge()
        return True

    def acknowledge(self) -> None:
        while self.acknowledged and not self.is_mute:
            self.ask(datagram=TxAck(self.acknowledged.pop(), EUI))

    def step(self, *, kills: bool = False) -> bool:
        """Something happens; False when it was the server's end."""
        self.acknowledge()
        name = self.rng.choice(list(DEVICES))
        what = self.rng.random()
        if what < 0.35 and self.now_us > self.next_us[name]:
            return self.uplink(name, kills=kills)
        if what < 0.6:
            return self.push(name, kills=kills)
        if what < 0.7 and not kills:
            return self.ask(datagram=PullData(1, EUI))
        return self.wait(self.rng.uniform(0.1, 1.5), kills=kills)

    def live(self, *, dies_in_the_air: bool) -> None:
        """A server from its start to its death, at any moment or while a frame is in the air."""
        self.start()
        for _ in range(self.rng.randrange(STEPS // 2, STEPS)):
            self.step()
        self.is_mute = dies_in_the_air
        while self.step(kills=not dies_in_the_air):
            if dies_in_the_air and self.acknowledged:
                self.kill()
                break
        self.is_mute = False
        self.acknowledged.clear()
        self.now_us += 2 * SECOND_US

    def settle(self) -> None:
        """A last server, which has the time to send all that waits."""
        self.start()
        for _ in range(2 * self.orders):
            self.ask(datagram=PullData(1, EUI))
            self.uplink("talks")
            self.wait(3)
        self.kill()

    def told(self) -> Counter[tuple[int, str]]:
        """How often each order was told of as sent or failed."""
        connection = sqlite3.connect(self.path)
        rows = connection.execute(
            "SELECT kind, message FROM told WHERE kind IN ('downlink_sent', 'downlink_failed')"
        ).fetchall()
        connection.close()
        found = [(kind, orjson.loads(text)) for kind, text in rows]
        return Counter((_order_of(each.get("downlink", each)), kind) for kind, each in found)


def _order_of(item: dict[str, Any]) -> int:
    (order,) = [each for each in item["correlation_ids"] if each.startswith("order-")]
    return int(order.removeprefix("order-"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_kill_repeats_no_counter_and_loses_no_item(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "state.db"
    prepare(path)
    field = Field(path, seed)

    for number in range(KILLS):
        field.live(dies_in_the_air=bool(number % 2))
    field.settle()

    for heard in field.heard.values():
        counters = [f_cnt for _, f_cnt in sorted(heard)]
        assert counters == sorted(set(counters))
    told = field.told()
    orders = Counter(order for order, _ in told.elements())
    assert set(field.pushed) <= set(orders)
    assert set(orders.values()) == {1}
    assert field.adapted
    assert {kind for _, kind in told} == {"downlink_sent", "downlink_failed"}
