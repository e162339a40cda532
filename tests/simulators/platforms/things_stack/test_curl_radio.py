"""Devices and a gateway that the page's curl commands registered: they join and talk."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from simulators.clock import WallClock
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.state import Abp, Otaa
from simulators.devices.node import Node
from simulators.gateways.concentrator import Concentrator
from simulators.gateways.counter import Counter
from simulators.gateways.forwarder_settings import ForwarderSettings, transmit_range_hz
from simulators.gateways.packet_forwarder import PacketForwarder
from simulators.lorawan.keys import RootKeys, SessionKeys
from simulators.platforms.embedded import embedded_server
from simulators.platforms.serving import new_loop
from simulators.platforms.things_stack import plans
from simulators.radio.medium import Medium
from simulators.radio.mobility import Still
from simulators.radio.node_radio import MediumRadio
from simulators.radio.path_loss import PATH_LOSSES
from simulators.randomness import RandomStreams
from simulators.transports.udp import UdpTransport
from tests.simulators.gateways.stage import Notebook
from tests.simulators.platforms.things_stack import test_curl as page
from tests.simulators.platforms.things_stack.test_gateway_loop import _channels

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

PLAN, REGION = "EU_863_870_TTN", plans.region_of("EU_863_870", "PHY_V1_0_2_REV_B")
KEY = bytes.fromhex(page.KEY)
DOWNLINK = '{"downlinks": [{"frm_payload": "vu8=", "f_port": 42, "priority": "NORMAL"}]}'


class Field:
    """Two nodes near a gateway."""

    def __init__(self, clock: WallClock, udp: UdpTransport, dev_addr: str) -> None:
        self.clock = clock
        self.notebook = Notebook(clock)
        self.medium = Medium(clock, path_loss=PATH_LOSSES["log-distance"])
        self.streams = RandomStreams(3)
        concentrator = Concentrator(
            "gateway-1", clock, self.medium, eui="b827ebfffe000001",
            plan=_channels(plans.plan(PLAN), REGION), counter=Counter(drift_ppm=10.0),
            observer=self.notebook,
        )  # fmt: skip
        PacketForwarder(
            concentrator, clock=clock, datagrams=udp, rng=self.streams.stream("gateway"),
            settings=ForwarderSettings(transmits_hz=transmit_range_hz(REGION)),
            observer=self.notebook,
        ).start()  # fmt: skip
        joins = Otaa(page.DEV_EUI.lower(), page.JOIN_EUI, RootKeys(KEY))
        self.joining = self._node("joining", joins)
        self.talking = self._node("talking", Abp(dev_addr, SessionKeys.legacy(KEY, KEY)))

    def _node(self, name: str, identity: Otaa | Abp) -> Node:
        radio = MediumRadio(self.clock, self.medium, name, Still((500.0, 0.0, 0.0)))
        return Node(
            name, clock=self.clock, radio=radio, region=REGION, identity=identity,
            rng=self.streams.small_stream("device", name, "mac"),
            settings=Settings(duty_cycle="none", join_pause_s=(0.1, 0.2)),
            observer=self.notebook,
        )  # fmt: skip

    def live(self) -> Any:
        """Both send an uplink; the one that has to joins before."""
        yield self.clock.sleep(0.5)
        talks = self.clock.process(self.talking.uplink(b"\x01\x02", f_port=5))
        yield from self.joining.join(20)
        yield talks
        self.clock.process(self.joining.uplink(b"\x03", f_port=6))
        yield self.clock.sleep(1.0)
        self.clock.finish()


async def played(udp: str, dev_addr: str) -> Notebook:
    clock = WallClock()
    with closing(UdpTransport(clock, udp)) as transport:
        field = Field(clock, transport, dev_addr)
        clock.process(field.live())
        await clock.play(30)
        return field.notebook


@pytest.mark.timeout(60)
def test_registered_devices_join_and_talk(tmp_path: Path) -> None:
    with embedded_server("things-stack") as server:
        shell = page.Shell(server)
        target = f"/users/{shell.user_id}/applications"
        shell.json(target=target, body='{"application":{"ids":{"application_id":"app1"}}}')
        page.test_register_a_device_that_joins(shell)
        page.test_register_a_device_with_a_session(shell)
        page.test_register_a_gateway(shell)
        device = "/applications/app2/devices/newdev1"
        _, document = shell.json(target=f"/ns{device}?field_mask=session.dev_addr")
        pushed = shell.json(*page.JSON, target=f"/as{device}/down/push", body=DOWNLINK)
        assert pushed == (200, {})

        with open(tmp_path / "events", "wb") as file:
            applications = [{"application_ids": {"application_id": f"app{n}"}} for n in (1, 2)]
            body = json.dumps({"identifiers": applications})
            key = shell.keys["api_key"]
            command = ["curl", "-s", "-N", "-H", f"Authorization: Bearer {key}", "-d", body]
            curl = subprocess.Popen([*command, f"{shell.base}/events"], stdout=file)
            try:
                with asyncio.Runner(loop_factory=new_loop) as runner:
                    udp = server.target["gateway"]["udp"]
                    notebook = runner.run(played(udp, document["session"]["dev_addr"]))
            finally:
                curl.terminate()
                curl.wait()

    results = [
        json.loads(line)["result"]
        for line in (tmp_path / "events").read_bytes().splitlines()
        if line
    ]
    uplinks = {
        event["identifiers"][0]["device_ids"]["application_ids"]["application_id"]:
        event["data"]["uplink_message"]
        for event in results
        if event["name"] == "as.up.data.forward"
    }  # fmt: skip
    assert (uplinks["app1"]["f_port"], uplinks["app1"]["frm_payload"]) == (6, "Aw==")
    assert (uplinks["app2"]["f_port"], uplinks["app2"]["frm_payload"]) == (5, "AQI=")
    assert "as.up.join.forward" in [event["name"] for event in results]
    told = [
        (message["f_port"], message["frm_payload"])
        for _, name, _, _, message in notebook.events
        if name == "talking" and message.get("f_port") == 42
    ]
    assert told == [(42, "beef")]
