"""Datagrams in memory and over UDP: the same story on both."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulators.clock import Clock, VirtualClock, WallClock
from simulators.transports.udp import (
    Address,
    DatagramPort,
    DatagramTransport,
    MemoryDatagrams,
    UdpPort,
    UdpTransport,
    host_and_port,
)
from tests.simulators.transports.worlds import on_virtual_clock, on_wall_clock, until


@dataclass
class World:
    clock: Clock
    transport: DatagramTransport
    port: DatagramPort
    at_server: list[tuple[bytes, Address]] = field(default_factory=list)
    at_client: list[bytes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def in_memory(clock: VirtualClock) -> World:
    datagrams = MemoryDatagrams(clock, delay_us=2_500)
    world = World(clock, datagrams, datagrams)
    datagrams.listen(lambda data, address: world.at_server.append((data, address)))
    return world


async def over_udp(clock: WallClock, closing: AsyncExitStack) -> World:
    at_server: list[tuple[bytes, Address]] = []
    port = await UdpPort.listen(clock, lambda data, address: at_server.append((data, address)))
    transport = UdpTransport(clock, f"127.0.0.1:{port.port}")
    closing.callback(port.close)
    closing.callback(transport.close)
    return World(clock, transport, port, at_server)


BOTH = [
    pytest.param(lambda story: on_virtual_clock(in_memory, story), id="virtual"),
    pytest.param(lambda story: on_wall_clock(over_udp, story), id="wall"),
]
Play = Callable[[Callable[[World], Generator[Any, Any, None]]], None]


@pytest.mark.parametrize("play", BOTH)
def test_each_channel_has_a_port_of_its_own(play: Play) -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        first, second = (
            world.transport.channel(world.at_client.append, world.failures.append) for _ in range(2)
        )
        first.send(b"one")
        yield from until(world.clock, lambda: len(world.at_server) == 1)
        second.send(b"two")
        yield from until(world.clock, lambda: len(world.at_server) == 2)
        (one, there), (two, elsewhere) = world.at_server
        assert (one, two) == (b"one", b"two")
        assert there != elsewhere
        world.port.send(b"to the second", elsewhere)
        yield from until(world.clock, lambda: world.at_client == [b"to the second"])
        first.close()
        world.port.send(b"to nobody", there)
        first.send(b"from nobody")
        yield world.clock.sleep(0.05)
        assert world.at_client == [b"to the second"]
        assert len(world.at_server) == 2

    play(story)


def test_memory_takes_its_time_and_loses_what_nobody_awaits() -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        channel = world.transport.channel(world.at_client.append, world.failures.append)
        channel.send(b"in time")
        yield world.clock.timeout(2_499)
        assert world.at_server == []
        yield world.clock.timeout(1)
        assert len(world.at_server) == 1
        world.port.close()
        channel.send(b"too late")
        yield world.clock.sleep(1)
        assert len(world.at_server) == 1

    on_virtual_clock(in_memory, story)


def test_a_port_where_nobody_listens_is_told() -> None:
    def story(world: World) -> Generator[Any, Any, None]:
        world.port.close()
        yield world.clock.sleep(0.05)
        channel = world.transport.channel(world.at_client.append, world.failures.append)
        channel.send(b"hello")
        yield from until(world.clock, lambda: bool(world.failures))
        assert world.failures[0] == "connection refused"

    on_wall_clock(over_udp, story)


def test_an_unknown_name_is_told() -> None:
    async def build(clock: WallClock, closing: AsyncExitStack) -> World:
        world = await over_udp(clock, closing)
        world.transport = UdpTransport(clock, "nowhere.invalid:1700")
        return world

    def story(world: World) -> Generator[Any, Any, None]:
        world.transport.channel(world.at_client.append, world.failures.append)
        yield from until(world.clock, lambda: bool(world.failures))
        assert world.failures[0].startswith("could not open a socket to nowhere.invalid: ")

    on_wall_clock(build, story)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("host:1700", ("host", 1700)), ("10.0.0.1:1", ("10.0.0.1", 1)), ("[::1]:80", ("::1", 80))],
)
def test_addresses(text: str, parts: tuple[str, int]) -> None:
    assert host_and_port(text) == parts


@pytest.mark.parametrize("text", ["host", ":1700", "host:", "host:0", "host:65536", "host:x", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected host:port; got "):
        host_and_port(text)
