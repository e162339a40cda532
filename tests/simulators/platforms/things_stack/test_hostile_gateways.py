"""What anybody can send to the ports for gateways: nothing of it fails, nothing of it stays."""

from __future__ import annotations

import json
import random
import resource
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.platforms.embedded import embedded_server
from simulators.platforms.things_stack.gateway_server import semtech_udp
from simulators.transports.websocket import Refusal
from simulators.wire.semtech_packets import Stat
from simulators.wire.semtech_udp import PullData, PushData, TxAck, encode
from tests.simulators.platforms.things_stack.conftest import USER_KEY, Bench
from tests.simulators.platforms.things_stack.gateways import EUI, packet
from tests.simulators.platforms.things_stack.radio import abp_session, add_abp, add_otaa
from tests.simulators.platforms.things_stack.test_stations import TRAFFIC, UPDF

ADDRESS = ("192.0.2.9", 1)
HEAD = bytes.fromhex(f"02000700{EUI}")
RXPK = {"tmst": 1_000_000, "time": "2024-01-31T12:00:00.5Z", "tmms": 1_390_737_618_000, "chan": 1,
        "rfch": 0, "freq": 868.1, "stat": 1, "modu": "LORA", "datr": "SF7BW125", "codr": "4/5",
        "rssi": -60, "lsnr": 9.5, "size": 14, "data": "QDQSACYAAQABqrvM3Q==",
        "rsig": [{"ant": 0, "chan": 1, "rssic": -60, "lsnr": 9.5, "ftime": 5}]}  # fmt: skip
STAT = {"time": "2024-01-31 12:00:00 GMT", "lati": 52.5, "long": 13.4, "alti": 34, "rxnb": 1,
        "rxok": 1, "rxfw": 1, "ackr": 100.0, "dwnb": 0, "txnb": 0, "temp": 21.5}  # fmt: skip
VERSION = {"msgtype": "version", "station": "2.0.6", "protocol": 2, "features": "gps"}
SEEDS = [
    encode(PushData(1, EUI, (packet(),))),
    encode(PushData(1, EUI, (packet(), packet(2)), Stat(1_706_702_400))),
    encode(PullData(2, EUI)),
    encode(TxAck(3, EUI, "TOO_LATE")),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from([2**31, 2**32, 2**63, 2**64, -1, 1e308, 10**400, "\ud800", "0001-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


class World:
    """A network with devices, behind a gateway that is registered; one for all examples."""

    def __init__(self) -> None:
        self.bench = Bench()
        bench = self.bench
        bench.application()
        add_abp(bench)
        add_otaa(bench, "dev2")
        gateway = {"ids": {"gateway_id": "gtw1", "eui": EUI},
                   "frequency_plan_id": "EU_863_870_TTN"}  # fmt: skip
        bench.made("/users/user1/gateways", {"gateway": gateway})
        bench.listen({"identifiers": [{"gateway_ids": {"gateway_id": "gtw1"}}]})
        headers = {"authorization": f"Bearer {USER_KEY}"}
        answer = bench.core.socket_opened(1, TRAFFIC, headers, bench.now_us)
        assert not isinstance(answer, Refusal)

    def send(self, data: bytes) -> None:
        self._step()
        self.bench.core.datagram(data, ADDRESS, self.bench.now_us)

    def say(self, text: str) -> None:
        self._step()
        core, now_us = self.bench.core, self.bench.now_us
        headers = {"authorization": f"Bearer {USER_KEY}", "host": "x"}
        core.socket_text(1, text, now_us)
        core.socket_opened(2, "/router-info", headers, now_us)
        core.socket_text(2, text, now_us)
        core.socket_closed(2, now_us)

    def _step(self) -> None:
        """Time goes by, so that what is due is done and the firewall lets pass."""
        bench = self.bench
        bench.now_us += 20_000
        due_us = bench.core.stack.agenda.next_us
        if due_us is not None and due_us <= bench.now_us:
            bench.core.timer(0, bench.now_us)


@pytest.fixture(scope="module")
def world():
    return World()


@st.composite
def mutated(draw, seeds):
    """A datagram with bytes changed, left out or put in."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@st.composite
def changed(draw, document):
    """A JSON text whose members have other values, are gone, or have others beside them."""
    made = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 4))):
        inner: Any = made
        while True:
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(inner[key], dict | list) and draw(st.booleans()):
                inner = inner[key]
                continue
            inner[key] = draw(VALUES)
            break
    return json.dumps(made)


RELAXED = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@RELAXED
@given(data=st.binary(max_size=64) | mutated(SEEDS))
def test_datagrams_of_any_bytes(world, data):
    world.send(data)


@RELAXED
@given(text=changed({"rxpk": [RXPK], "stat": STAT}), kind=st.sampled_from([0, 5]))
def test_datagrams_with_any_members(world, text, kind):
    world.send(HEAD[:3] + bytes((kind,)) + HEAD[4:] + text.encode())


@RELAXED
@given(text=st.text(max_size=80) | changed(UPDF) | changed(VERSION) | changed({"router": EUI}))
def test_messages_of_any_text(world, text):
    world.say(text)


@RELAXED
@given(data=st.data())
def test_mutated_frames_of_devices(world, data):
    """What is within a datagram is a frame of a registered device, nearly."""
    phy = data.draw(
        mutated(
            [bytes.fromhex("403412002600010001AABBCCDD"), bytes(23), bytes(19),
             bytes.fromhex("8034120026850100020309AABBCCDDEE00112233")]
        )
    )  # fmt: skip
    if phy:
        world.send(encode(PushData(1, EUI, (packet(world.bench.now_us % 2**32, phy[:255]),))))


def test_deep_nesting(world):
    for text in ("[" * 100_000, '{"rxpk":' + "[" * 100_000, '{"a":' * 50_000):
        world.send(HEAD + text.encode())
        world.say(text)


def test_frames_without_end_fill_no_memory(world):
    """Valid ones, mutated ones and those of strangers, in turn."""
    rng, session, before = random.Random(3), abp_session(), 0
    for number in range(1, 20_001):
        if number == 5_000:
            before = resident()
        phy = bytearray(session.protect_uplink(number, 1, rng.randbytes(rng.randrange(20))))
        if number % 2:
            phy[rng.randrange(len(phy))] = rng.randrange(256)
        eui = EUI if number % 3 else f"{rng.getrandbits(64):016x}"
        packets = (packet(world.bench.now_us % 2**32, bytes(phy)),)
        world.send(encode(PushData(1, eui, packets)))
    assert resident() - before < 8_000_000


def resident():
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_it_still_works(world):
    """After all this."""
    world.bench.now_us += 1_000_000
    before = world.bench.core.stack.gateways.connections["gtw1"].uplinks
    world.send(encode(PushData(1, EUI, (packet(99),))))
    assert world.bench.core.stack.gateways.connections["gtw1"].uplinks > before


def test_strangers_leave_nothing_behind(monkeypatch):
    """As many EUIs as there are: what is remembered of them has an end."""
    monkeypatch.setattr(semtech_udp, "_MOST_EUIS", 50)
    bench = Bench()
    frontend = bench.core.stack.gateways._semtech
    for number in range(500):
        bench.core.datagram(encode(PullData(1, f"{number:016x}")), ADDRESS, bench.now_us)
    assert (len(frontend._refused), len(frontend._bursts)) == (50, 50)
    assert bench.core.stack.agenda.next_us is None
    assert frontend._forwarders == {}


def test_sockets_leave_nothing_behind():
    bench = Bench()
    headers = {"authorization": "Bearer NNSXS.A.B"}
    for number in range(100):
        bench.core.socket_opened(number, "/router-info", headers, bench.now_us)
        bench.core.socket_opened(1000 + number, TRAFFIC, headers, bench.now_us)
        if number % 2:
            bench.core.socket_text(number, '{"router":1}', bench.now_us)
        bench.core.socket_closed(number, bench.now_us)
    assert bench.core.stack.gateways.stations._sockets == {}


@pytest.mark.timeout(60)
def test_ports_outlive_nonsense():
    """Bytes of any kind on both ports of a server: it says nothing, and goes on."""
    rng = random.Random(1)
    with embedded_server("things-stack") as server:
        host, _, udp = server.target["gateway"]["udp"].rpartition(":")
        lns = (host, int(server.target["gateway"]["lns"].rpartition(":")[2]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for _ in range(500):
                datagrams.sendto(rng.randbytes(rng.randrange(200)), (host, int(udp)))
                datagrams.sendto(HEAD + rng.randbytes(rng.randrange(200)), (host, int(udp)))
        for start in (b"", b"GET /router-info HTTP/1.1\r\n", _upgrade(server), b"\x16\x03\x01"):
            for _ in range(10):
                with socket.create_connection(lns, timeout=5) as client:
                    try:
                        client.sendall(start + rng.randbytes(rng.randrange(1, 5000)))
                        client.shutdown(socket.SHUT_WR)
                        while client.recv(65_536):
                            pass
                    except OSError:
                        pass  # it has cut us off
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(10)
            datagrams.sendto(encode(PullData(2, "11" * 8)), (host, int(udp)))
            assert datagrams.recv(100) == bytes.fromhex("02000204")
        assert server.errors.read_text() == ""


def _upgrade(server: Any) -> bytes:
    """A handshake that is accepted, before bytes that are no frames."""
    key = server.target["credentials"]["api_key"]
    return (
        b"GET /router-info HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % key.encode()
    )
