"""Two thousand subscribers: each gets every write once and in order, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import requests

from simulators.platforms.embedded import Embedded, embedded_server
from simulators.platforms.serving import new_loop

from .crowd import Crowd, until


def with_crowd(
    work: Callable[[Crowd], Awaitable[None]], *, count: int, size: int, of_app: bool = False
) -> None:
    """Let a crowd loose on a server of its own."""
    with embedded_server() as server, asyncio.Runner(loop_factory=new_loop) as runner:
        host, port = server.url.removeprefix("http://").split(":")
        token = server.target["credentials"]["thing_tokens"][0]
        app = session_and_thing(server) if of_app else (None, None)
        crowd = Crowd(host, int(port), token, count, size, *app)

        async def play() -> None:
            try:
                await work(crowd)
            finally:
                await crowd.leave()

        runner.run(play())
        assert server.errors.read_text() == ""


def session_and_thing(server: Embedded) -> tuple[str, str]:
    """A user's session with an official app, and the id of the first thing, linked."""
    credentials = server.target["credentials"]
    body = {**credentials["users"][0], "app": credentials["app_id"]}
    session = requests.post(f"{server.url}/v2/login", json=body, timeout=10).json()["token"]
    link = requests.post(
        f"{server.url}/v2/me/things",
        json={"thingToken": credentials["thing_tokens"][0]},
        headers={"Authorization": session},
        timeout=10,
    )
    return session, link.json()["thingId"]


def test_five_hundred_apps_hear_every_value_of_a_resource():
    async def work(crowd: Crowd) -> None:
        steady = await crowd.join(400)
        vanishing = await crowd.join(100)
        writing = asyncio.create_task(crowd.write(0.02))
        for reader in vanishing:
            await asyncio.sleep(0.005)
            reader.transport.abort()
        await writing
        await until(lambda: all(map(crowd.has_all, steady)))
        assert not any(reader.is_wrong for reader in crowd.readers)

    with_crowd(work, count=40, size=40, of_app=True)


def test_two_thousand_subscribers_while_some_stall_and_some_vanish():
    async def work(crowd: Crowd) -> None:
        steady = await crowd.join(1500)
        stalling = await crowd.join(250, receive_bytes=4096)
        vanishing = await crowd.join(250)
        for reader in stalling:
            reader.transport.pause_reading()
        writing = asyncio.create_task(crowd.write(0.05))
        for reader in vanishing:  # one after another, while the writes go on
            await asyncio.sleep(0.005)
            reader.transport.abort()
        await writing
        await until(lambda: all(map(crowd.has_all, steady)))
        for reader in stalling:  # for less than ten seconds and a mebibyte: nothing is lost
            assert reader.is_open
            reader.transport.resume_reading()
        await until(lambda: all(map(crowd.has_all, stalling)))
        assert not any(reader.is_wrong for reader in crowd.readers)
        assert max(crowd.write_s) < 2.0

    with_crowd(work, count=40, size=2000)


def test_who_takes_nothing_is_cut_and_slows_nobody():
    """Stalled readers end when a mebibyte waits for them; the others have everything by then."""

    async def work(crowd: Crowd) -> None:
        steady = await crowd.join(40)
        stalled = await crowd.join(20, receive_bytes=4096)
        for reader in stalled:
            reader.transport.pause_reading()
        await crowd.write(0.03)
        await until(lambda: all(map(crowd.has_all, steady)))
        for reader in stalled:
            reader.transport.resume_reading()
        await until(lambda: not any(reader.is_open for reader in stalled))
        for reader in stalled:
            assert reader.taken < len(crowd.expected)
            assert not reader.is_wrong  # what did come is the beginning, undamaged
        assert all(reader.is_open for reader in steady)

    with_crowd(work, count=60, size=60_000)


def test_who_takes_nothing_for_ten_seconds_is_cut():
    async def work(crowd: Crowd) -> None:
        steady = await crowd.join(5)
        (stalled,) = await crowd.join(1, receive_bytes=4096)
        stalled.transport.pause_reading()
        await crowd.write(0.0)  # less than a mebibyte, more than the kernel keeps
        await until(lambda: all(map(crowd.has_all, steady)))
        await asyncio.sleep(11)
        stalled.transport.resume_reading()
        await until(lambda: not stalled.is_open)
        assert stalled.taken < len(crowd.expected)

    with_crowd(work, count=10, size=80_000)
