"""Datagrams and WebSockets of gateways on their way to a core and back, in memory and on ports."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

import pytest

from simulators.clock import VirtualClock, WallClock, wall_unix_us
from simulators.platforms.effects import Datagram, SocketClose, SocketText, Timer
from simulators.platforms.gateway_front import GatewayFront
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.serving import new_loop
from simulators.platforms.shell import Shell
from simulators.platforms.wire_gateways import GatewayPorts
from simulators.transports.udp import MemoryDatagrams, UdpTransport
from simulators.transports.websocket import MemoryWebSockets, Refusal
from simulators.transports.websocket_sockets import SocketWebSockets, SocketWebSocketServer


class Echo:
    """A core that notes every datagram in its database and says everything back."""

    def __init__(self, database=None):
        self.database = database
        self.ended = []
        self.resumed = self.forgotten = 0

    def handle(self, request, now_us):
        raise AssertionError("no requests come")

    def resume(self, now_us):
        self.resumed += 1
        return []

    def forget(self):
        self.forgotten += 1

    def timer(self, key, now_us):
        return [SocketText(key, "late")]

    def datagram(self, data, address, now_us):
        if data == b"raise":
            raise ValueError("a mistake of ours")
        if data == b"full":
            raise sqlite3.OperationalError("disk full")
        if self.database is not None:
            self.database.execute("INSERT INTO heard VALUES (?)", (data,))
        return [Datagram(address, data.upper())]

    def socket_opened(self, socket_id, path, headers, now_us):
        if path != "/traffic":
            return Refusal(404, "no such path")
        return [SocketText(socket_id, f"hello {headers['authorization']} at {headers['host']}")]

    def socket_text(self, socket_id, text, now_us):
        if text == "later":
            return [Timer(socket_id, now_us + 20_000)]
        if text == "bye":
            return [SocketText(socket_id, "bye"), SocketClose(socket_id, "asked")]
        return [SocketText(socket_id, text.upper()), SocketText(99, "to nobody")]

    def socket_closed(self, socket_id, now_us):
        self.ended.append(socket_id)
        return []


class Client:
    """A client's end: what came, and the socket to answer with."""

    def __init__(self, *texts):
        self.told = []
        self._texts = texts

    def opened(self, socket):
        self.socket = socket
        for text in self._texts:
            socket.send(text)

    def received(self, text):
        self.told.append(text)

    def closed(self, reason):
        self.told.append(f"({reason})")


HEADERS = {"Authorization": "Bearer X"}
HELLO = "hello Bearer X at "


def test_in_memory():
    clock, core = VirtualClock(), Echo()
    datagrams, sockets = MemoryDatagrams(clock, delay_us=10), MemoryWebSockets(clock, delay_us=10)
    MemoryTransport(core, clock).serve_gateways(core, datagrams, sockets)
    came = []
    datagrams.channel(came.append, came.append).send(b"one")
    client, refused = Client("up", "later"), Client()
    sockets.connect("ws://net:1/traffic", client, headers=HEADERS)
    sockets.connect("ws://net/elsewhere", refused)
    clock.play(1)
    assert came == [b"ONE"]
    assert client.told == [HELLO + "net:1", "UP", "late"]
    assert refused.told == ["(refused with status 404)"]
    client.socket.close()
    clock.play(2)
    assert core.ended == [1]


def test_a_socket_that_the_core_closed_is_told_no_more_of():
    clock, core = VirtualClock(), Echo()
    sockets = MemoryWebSockets(clock)
    MemoryTransport(core, clock).serve_gateways(core, MemoryDatagrams(clock), sockets)
    client = Client("bye", "lost")
    sockets.connect("ws://net/traffic", client, headers=HEADERS)
    clock.play(1)
    assert client.told == [HELLO + "net", "bye", "(closed by the peer (code 1000))"]
    assert core.ended == []


@pytest.fixture
def play():
    """Runs a test's coroutine with a core behind open ports, and a clock for its clients."""

    def run(test):
        async def main():
            database = sqlite3.connect(":memory:")
            database.execute("CREATE TABLE heard (data)")
            core = Echo(database)
            shell = Shell(core, database, wall_unix_us, network=core)
            ports = await GatewayPorts.listen(
                shell.gateways, host="127.0.0.1", udp_port=0, lns_port=0, ssl_context=None
            )
            clock = WallClock()
            playing = asyncio.ensure_future(clock.play(30))
            try:
                await test(core, shell, ports.addresses("127.0.0.1"), clock)
            finally:
                clock.finish()
                await playing
                await ports.close()
                shell.shut_down()
                await asyncio.sleep(0)
                database.close()

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())

    return run


async def until(happened):
    """Waits for it, up to 5 s."""
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.005)


def test_on_ports(play):
    async def test(core, shell, addresses, clock):
        shell.resume()
        datagrams, sockets = UdpTransport(clock, addresses["udp"]), SocketWebSockets(clock)
        came, client, refused = [], Client("up", "later"), Client()
        datagrams.channel(came.append, came.append).send(b"one")
        sockets.connect(f"{addresses['lns']}/traffic", client, headers=HEADERS)
        sockets.connect(f"{addresses['lns']}/elsewhere", refused)
        await until(lambda: came and len(client.told) == 3 and refused.told)
        assert came == [b"ONE"]
        assert client.told == [HELLO + addresses["lns"][5:], "UP", "late"]
        assert refused.told == ["(refused with status 404)"]
        client.socket.close()
        await until(lambda: core.ended)
        datagrams.close()

    play(test)


def test_what_is_answered_is_kept(play):
    """Many datagrams may share a commit, but no answer leaves before it."""

    async def test(core, shell, addresses, clock):
        shell.resume()
        datagrams, came = UdpTransport(clock, addresses["udp"]), []
        in_transaction = []

        def note(data):
            in_transaction.append(core.database.in_transaction)
            came.append(data)

        channel = datagrams.channel(note, came.append)
        for number in range(100):
            channel.send(b"%d" % number)
        await until(lambda: len(came) == 100)
        assert core.database.execute("SELECT count(*) FROM heard").fetchone() == (100,)
        core.database.rollback()
        assert core.database.execute("SELECT count(*) FROM heard").fetchone() == (100,)
        datagrams.close()

    play(test)


def test_nothing_is_taken_before_the_core_has_resumed(play):
    async def test(core, shell, addresses, clock):
        datagrams, came, client = UdpTransport(clock, addresses["udp"]), [], Client()
        datagrams.channel(came.append, came.append).send(b"early")
        SocketWebSockets(clock).connect(f"{addresses['lns']}/traffic", client, headers=HEADERS)
        await until(lambda: client.told)
        assert client.told == ["(refused with status 503)"]
        shell.resume()
        datagrams.channel(came.append, came.append).send(b"in time")
        await until(lambda: came)
        assert came == [b"IN TIME"]
        datagrams.close()

    play(test)


def test_a_failure_costs_one_datagram(play, capsys):
    async def test(core, shell, addresses, clock):
        shell.resume()
        datagrams, came = UdpTransport(clock, addresses["udp"]), []
        channel = datagrams.channel(came.append, came.append)
        channel.send(b"raise")
        await until(lambda: "a mistake of ours" in capsys.readouterr().err)
        channel.send(b"full")
        await until(lambda: core.forgotten)
        channel.send(b"two")
        await until(lambda: came)
        assert came == [b"TWO"]
        assert capsys.readouterr().err == "storage failed: disk full\n"
        datagrams.close()

    play(test)


@pytest.mark.parametrize("answers", [True, False])
def test_pings(answers, play):
    """A client that answers stays; one that is silent is gone after two of them."""

    async def test(core, shell, addresses, clock):
        front = GatewayFront(core, shell.let_in)
        front.is_open = True
        server = await SocketWebSocketServer.listen(clock, front.accept, ping_s=0.05)
        client = Client()
        if answers:
            url = f"ws://127.0.0.1:{server.port}/traffic"
            SocketWebSockets(clock).connect(url, client, headers=HEADERS)
        else:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(
                b"GET /traffic HTTP/1.1\r\nHost: x\r\nAuthorization: y\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
        await asyncio.sleep(0.4)
        assert core.ended == ([] if answers else [1])
        await server.close()
        if not answers:
            writer.close()

    play(test)


def test_who_comes_when_there_are_enough_is_cut_off(play):
    async def test(core, shell, addresses, clock):
        shell.resume()
        server = await SocketWebSocketServer.listen(clock, shell.gateways.accept, most=1)
        clients = [Client(), Client()]
        try:
            for client in clients:
                url = f"ws://127.0.0.1:{server.port}/traffic"
                SocketWebSockets(clock).connect(url, client, headers=HEADERS)
                await until(lambda client=client: client.told)
        finally:
            await server.close()
        assert clients[0].told[0].startswith(HELLO)
        assert clients[1].told[0].startswith("(connection cut")

    play(test)


def test_who_asks_for_nothing_is_cut_off(play):
    async def test(core, shell, addresses, clock):
        server = await SocketWebSocketServer.listen(clock, lambda _: Refusal(404, ""), ping_s=0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
        await server.close()

    play(test)
