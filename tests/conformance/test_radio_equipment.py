"""Nodes and gateways that scripts hold: right frames, and wrong ones where they are asked for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from conformance.things_stack.equipment.class_b import (
    first_slot,
    is_ping_slot,
    slot_of,
    without_slots_s,
)
from conformance.things_stack.equipment.gateway import Downlink, Gateway, delay_us, gps_us
from conformance.things_stack.equipment.node import Node
from conformance.things_stack.equipment.rates import EU868_RATES, airtime_s, rate_text
from conformance.things_stack.equipment.station import (
    SESSION,
    Station,
    fields_of,
    id6,
    windows_of,
)
from conformance.things_stack.equipment.station import channels_of as channels_told
from conformance.things_stack.equipment.values import channels_of, commands_of, is_in_prefix
from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import DataFrame, FType
from simulators.lorawan.keys import SessionKeys
from simulators.wire import semtech_udp as wire
from simulators.wire.basics_station.coding import document as document_of
from simulators.wire.basics_station.messages import UpInfo, Uplink
from simulators.wire.semtech_packets import TxPk

KEYS = SessionKeys.legacy(bytes(range(16)), bytes(range(16, 32)))
SF7 = EU868_RATES[5]


def node() -> Node:
    """A node with a session."""
    found = Node("dev1", "0004a30b001c0530", "800000000000000c")
    found.activate("26001234", KEYS)
    return found


def test_uplinks_count_and_are_read_by_the_other_end() -> None:
    sender, other = node(), Session("26001234", KEYS)
    frames = [sender.uplink(b"hi", f_port=7, adr=True), sender.uplink(b"")]

    first, second = (other.open_uplink(phy, f_cnt) for f_cnt, phy in enumerate(frames))
    assert (first.f_port, first.frm_payload, first.adr) == (7, b"hi", True)
    assert (second.f_port, second.f_cnt) == (None, 1)


def test_wrong_uplink_differs_in_its_mic_alone() -> None:
    right, wrong = (node().uplink(b"hi", is_wrong=each) for each in (False, True))

    assert (right[:-4], right[-4:] != wrong[-4:]) == (wrong[:-4], True)


def test_downlinks_of_others_and_damaged_ones_are_not_read() -> None:
    here, foreign = Session("26001234", KEYS), Session("26005678", KEYS)
    phy = here.protect_downlink(3, 42, b"ok")

    assert node().read(foreign.protect_downlink(3, 42, b"ok")) is None
    assert node().read(phy[:-1] + b"\0") is None
    frame = node().read(phy)
    assert frame is not None
    assert (frame.f_cnt, frame.frm_payload) == (3, b"ok")


def test_gateway_keeps_downlinks_and_acknowledges_them() -> None:
    async def talk() -> tuple[Gateway, list[wire.Datagram]]:
        heard: list[wire.Datagram] = []

        class Network(asyncio.DatagramProtocol):
            transport: Any

            def connection_made(self, transport: Any) -> None:
                self.transport = transport

            def datagram_received(self, data: bytes, addr: Any) -> None:
                datagram = wire.decode(data)
                heard.append(datagram)
                if isinstance(datagram, wire.PullData):
                    answers = [wire.PullAck(datagram.token)]
                    packet = TxPk(868_100_000, SF7, b"down", tmst=5)
                    for each in (*answers, wire.PullResp(9, packet)):
                        self.transport.sendto(wire.encode(each), addr)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Network, local_addr=("127.0.0.1", 0))
        gateway = Gateway("gtw1", "0102030405060708", tx_error="TOO_LATE")
        await gateway.open(*transport.get_extra_info("sockname"))
        assert await gateway.pull()
        while sum(isinstance(each, wire.TxAck) for each in heard) < 2:
            await asyncio.sleep(0.01)
        gateway.close()
        transport.close()
        return gateway, heard

    gateway, heard = asyncio.run(asyncio.wait_for(talk(), 10.0))

    assert [each.phy for each in gateway.downlinks][:2] == [b"down", b"down"]
    acks = [each for each in heard if isinstance(each, wire.TxAck)]
    assert [each.error for each in acks[:2]] == ["TOO_LATE", None]


def test_delays_wrap_with_the_counter() -> None:
    downlink = Downlink("gtw1", TxPk(868_100_000, SF7, b"", tmst=4_000), 0.0)

    assert delay_us(2**32 - 996_000, downlink) == 1_000_000


def test_values_of_frames() -> None:
    answer = DataFrame(FType.UNCONFIRMED_DOWN, "26001234", 1, f_opts=bytes.fromhex("0211020803"))

    assert commands_of(answer) == [["LinkCheckAns", 17, 2], ["RXTimingSetupReq", 3]]
    assert channels_of(bytes.fromhex("184f84e85684b85e84886684586e8400")) == [
        867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000,
    ]  # fmt: skip
    assert channels_of(b"") is None
    assert (is_in_prefix("27ffffff", "26000000/7"), is_in_prefix("28000000", "26000000/7")) == (
        True, False,
    )  # fmt: skip


def test_airtime_and_names_of_data_rates() -> None:
    assert (rate_text(SF7), rate_text(EU868_RATES[0])) == ("SF7BW125", "SF12BW125")
    assert airtime_s(SF7, 23) == 0.061696


def test_stations_write_frames_as_the_codec_does() -> None:
    frames = [
        bytes.fromhex("00" + "0c000000000000808011223344556677" + "0300" + "d7058971"),
        node().uplink(b"hi", f_port=7, f_cnt=300), node().uplink(b"", f_opts=b"\x02"),
    ]  # fmt: skip

    for phy in frames:
        whole = document_of(Uplink(phy, 5, 868_100_000, UpInfo(1, -42.0, 9.5)))
        assert fields_of(phy) == {name: whole[name] for name in fields_of(phy)}
    assert id6("58a0cbfffe000001") == "58a0:cbff:fe00:1"


def test_windows_of_a_downlink_are_those_after_its_uplink() -> None:
    xtime = SESSION | 1_000_000
    rx1 = {"RX1DR": 5, "RX1Freq": 868_100_000}
    message = {"dC": 0, "xtime": xtime, "RxDelay": 5, **rx1, "RX2DR": 0, "RX2Freq": 869_525_000}

    assert windows_of(message, xtime) == [[5_000_000, 868_100_000, 5], [6_000_000, 869_525_000, 0]]
    later = {"dC": 0, "xtime": xtime + 5_000_000, "RxDelay": 1, **rx1}
    assert windows_of(later, xtime) == [[6_000_000, 868_100_000, 5]]
    assert windows_of({**message, "xtime": 1_000_000}, xtime) == []


def test_channels_of_a_station_are_those_that_are_on() -> None:
    board = {
        "radio_0": {"enable": True, "freq": 868_500_000}, "radio_1": {"enable": False, "freq": 1},
        "chan_multiSF_0": {"enable": True, "radio": 0, "if": -400_000},
        "chan_multiSF_1": {"enable": False, "radio": 0, "if": 0},
        "chan_multiSF_2": {"enable": True, "radio": 1, "if": 0},
    }  # fmt: skip

    assert channels_told({"sx1301_conf": [board]}) == [868_100_000]


def test_station_talks_to_a_server_and_is_refused_by_status() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def answer(socket: ServerConnection) -> None:
        async for text in socket:
            kind = json.loads(text).get("msgtype")
            heard.append(kind)
            if kind == "version":
                await socket.send('{"msgtype":"router_config"}')
                await socket.send('{"msgtype":"dnmsg","diid":7,"RX1DR":5,"RX1Freq":1}')

    def check(socket: ServerConnection, request: Any) -> Any:
        is_known = request.headers.get("Authorization") == "Bearer key"
        return None if is_known else socket.respond(401, "")

    async def talk() -> list[Any]:
        async with serve(answer, "127.0.0.1", 0, process_request=check) as server:
            address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            station = Station("gtw1", "58a0cbfffe000001")
            found = [await station.open(address, None), await station.discover(address, "no")]
            found += [await station.open(address, "key"), await station.configuration()]
            while "dntxed" not in heard:
                await asyncio.sleep(0.01)
            await station.close()
            return found

    heard: list[str | None] = []
    found = asyncio.run(asyncio.wait_for(talk(), 10.0))

    assert found == [401, {"status": 401}, 101, {"msgtype": "router_config"}]


def test_ping_slots_are_those_of_a_published_vector() -> None:
    found = [first_slot(1_234_567_936, "52d4c302", period) for period in (4096, 128, 32)]
    begin_us = 1_234_567_936_000_000 + 2_120_000 + 1024 * 30_000

    assert found == [1024, 0, 0]
    assert slot_of(begin_us + 40) == (1024, 40)
    moments = (begin_us, begin_us + 1, begin_us + 30_000)
    assert [is_ping_slot(at, "52d4c302", 4096) for at in moments] == [True, False, False]


def test_no_slot_is_near_a_beacon() -> None:
    """The last slot ends 3 s before the beacon, the first one begins 2.12 s after it."""
    begin_us = 9_645_062 * 128_000_000
    moments_s = (2.0, 2.2, 120.9, 121.1, 127.0)

    found = [round(without_slots_s(begin_us + int(at_s * 1e6), 4.0), 6) for at_s in moments_s]

    assert found == [5.12, 0.0, 0.0, 5.12, 5.12]


def test_gateway_with_gps_counts_gps_time() -> None:
    gateway = Gateway("gtw1", "0102030405060708", has_gps=True)
    gateway.last_tmst = 5 * 2**32 - 1000
    by_counter = Downlink("gtw1", TxPk(868_100_000, SF7, b"", tmst=1000), 0.0)
    by_gps = Downlink("gtw1", TxPk(868_100_000, SF7, b"", gps_ms=7), 0.0)
    at_once = Downlink("gtw1", TxPk(868_100_000, SF7, b"", is_immediate=True), 0.0)

    found = [gps_us(gateway, each) for each in (by_counter, by_gps, at_once)]
    assert found == [5 * 2**32 + 1000, 7000, None]
