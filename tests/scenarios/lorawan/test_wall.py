"""The same scenarios in real time: datagrams and WebSockets to the scripted network."""

from __future__ import annotations

import asyncio
import io
import itertools
import json

from scenarios.lorawan.playing import GatewayPorts, play_wall
from scenarios.run import Run

from .playing import changed, in_region

KINDS = ("packet-forwarder", "basics-station")
REGIONS = ("EU868", "AS923-1", "KR920")


def test_joins_and_confirmed_traffic_over_sockets() -> None:
    """Each region through each kind of gateway, all at the same time; radio times are exact."""

    async def play(region: str, kind: str) -> tuple[Run, str]:
        scenario = in_region(
            region,
            kind,
            scenario__duration="13s",
            expect__joined__within="12s",
            fleet__node__behaviour__period_s=2,
        )
        trace = io.BytesIO()
        return await play_wall(scenario, None, trace=trace), trace.getvalue().decode()

    async def all_of_them() -> list[tuple[Run, str]]:
        pairs = itertools.product(REGIONS, KINDS)
        return await asyncio.gather(*(play(*pair) for pair in pairs))

    for run, trace in asyncio.run(all_of_them()):
        assert run.verdict == "pass", [judgement.reason for _, judgement in run.judgements]
        lines = [json.loads(line) for line in trace.splitlines()[1:]]
        heard, sent = (
            next(
                line["message"]["tmst"]
                for line in lines
                if (line["device"], line["channel"], line["direction"]) == ("gateway", *where)
            )
            for where in (("radio", "uplink"), ("radio", "downlink"))
        )
        assert sent - heard == 5_000_000


def test_a_server_that_is_not_there_proves_nothing() -> None:
    """No gateway was answered: that is no fault of the nodes."""
    scenario = changed("join", scenario__duration="1s", expect__joined__within="1s")

    run = asyncio.run(play_wall(scenario, GatewayPorts(udp="127.0.0.1:9")))

    assert run.verdict == "inconclusive"
    assert run.judgements[0][1].reason == "no gateway was ever answered by the server"
