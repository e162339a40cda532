"""Sockets against the embedded server give what the memory transport gives for the same core."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from simulators.clock import Clock, VirtualClock, WallClock
from simulators.platforms.embedded import embedded_server
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.provisioning import DEMO_APP, default_provisioning
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.store import open_database
from simulators.transports.http import HttpTransport
from simulators.transports.sockets import SocketTransport

from .peer import run

SEED = 3
Log = tuple[list[Any], list[Any]]  # answers in order; stream documents and ends in order


def life(
    clock: Clock, transport: HttpTransport, code: str, log: Log, done: Callable[[], None]
) -> Any:
    """One device meets every kind of answer, and listens to itself."""
    answers, heard = log
    channel = transport.channel("device")
    answer = yield channel.request("POST", "/v2/things", {"activationCode": code})
    path = f"/v2/things/{answer.document['thingToken']}"
    answers.append(answer)
    stream = channel.subscribe(f"{path}?keepAlive=60000", heard.append, heard.append)
    yield clock.sleep(0.2)
    values = [{"key": "t", "value": 1.5}, {"key": "u", "value": "ä", "datetime": "20240131120000"}]
    for method, target, document in [
        ("GET", "/v2/", None),
        ("POST", path, {"values": values}),
        ("POST", path, {"values": []}),
        ("POST", path, {"values": [{"key": "$geo", "value": [2.1, 41.4]}]}),
        ("GET", f"{path}/resources", None),
        ("GET", f"{path}/resources/u?limit=5", None),
        ("GET", f"{path}/resources/none", None),
        ("GET", f"{path}/resources/%24geo", None),
        ("PUT", f"{path}/resources/description", {"name": "x"}),
        ("GET", f"{path}/resources/description", None),
        ("GET", f"{path}/firmwares/latest", None),
        ("POST", "/v2/things", {"activationCode": code}),
        ("GET", "/nowhere", None),
        ("DELETE", f"{path}/tags/none", None),
    ]:
        answers.append((yield channel.request(method, target, document)))
        yield clock.sleep(0.05)
    user = {"email": "ada@example.org", "password": "secret", "app": DEMO_APP}
    answers.append((yield channel.request("POST", "/v2/register", user)))
    channel.authorize(answers[-1].document["token"])
    token = answer.document["thingToken"]
    answers.append((yield channel.request("POST", "/v2/me/things", {"thingToken": token})))
    own = channel.subscribe("/v2/me/resources/t?subscribe=true", heard.append, heard.append)
    yield clock.sleep(0.2)
    values = {"values": [{"value": 3, "datetime": "20240131120000"}]}
    for method, target, document in [
        ("POST", f"/v2/me/resources/t/{token}", values),
        ("POST", "/v2/classes/me/Songs/1", {"a": 1}),
        ("GET", "/v2/classes/me/Songs", None),
        ("PUT", "/v2/me/settings", {"password": "other"}),
        ("POST", "/v2/login", user),
    ]:
        answers.append((yield channel.request(method, target, document)))
        yield clock.sleep(0.05)
    channel.authorize(None)
    answers.append((yield channel.request("GET", "/v2/me/settings", None)))
    stream.close()
    own.close()
    channel.subscribe("/v2/things/unknown", heard.append, heard.append)
    yield clock.sleep(0.2)
    done()


def over_memory() -> Log:
    clock, log = VirtualClock(), ([], [])
    with closing(open_database(None)) as database:
        provisioning = default_provisioning(random.Random(SEED))
        core = Core(database, provisioning, random.Random(SEED))
        transport = MemoryTransport(core, clock, latency_s=0.002)
        clock.process(life(clock, transport, provisioning.activation_codes[0].code, log, _nothing))
        clock.play(30)
    return log


def _nothing() -> None:
    """Virtual time ends by itself."""


def over_sockets(url: str, code: str) -> Log:
    async def work() -> Log:
        clock, log = WallClock(), ([], [])
        with closing(SocketTransport(clock, url)) as transport:
            clock.process(life(clock, transport, code, log, clock.finish))
            await clock.play(10)
        return log

    return run(work())  # type: ignore[no-any-return]  # what work returns


def without_tokens(log: Log) -> list[str]:
    """The log as text, secrets drawn by each server for itself left out."""
    return [re.sub(r"[A-Za-z0-9_-]{43}", "<token>", repr(entry)) for part in log for entry in part]


def test_sockets_and_memory_are_twins() -> None:
    with embedded_server(seed=SEED) as server:
        real = over_sockets(server.url, server.target["credentials"]["activation_codes"][0])

    assert (len(real[0]), len(real[1])) == (23, 7)
    assert [answer.status for answer in real[0][-8:]] == [201, 200, 201, 201, 200, 200, 401, 401]
    assert without_tokens(real) == without_tokens(over_memory())
