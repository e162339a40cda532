"""Application Server and Network Server together: from a push to a device, and back."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from simulators.lorawan.frames import ACK, DataFrame
from simulators.lorawan.mac_commands import NewChannelAns, encode
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import (
    APP_KEY,
    DEV_EUI,
    JOIN_EUI,
    Air,
    abp_session,
    add_abp,
    add_otaa,
)
from tests.simulators.platforms.things_stack.test_class_a import SETTLED
from tests.simulators.platforms.things_stack.test_joins import joined
from tests.simulators.platforms.things_stack.traffic import add_device


class Way:
    """A device on both servers; gateways that hear it and send everything."""

    def __init__(self, bench: Bench, **mac_settings: Any) -> None:
        bench.application()
        self.bench = bench
        handle_up = bench.core.stack.application.handle_up
        self.air = Air(bench)
        bench.core.stack.application.handle_up = handle_up  # type: ignore[method-assign]
        add_abp(bench, mac_settings=SETTLED | mac_settings)
        add_device(bench, key=APP_KEY)
        self.session = abp_session()
        self.f_cnt = 0
        self.told: list[dict[str, Any]] = []
        outputs = bench.core.stack.application.outputs
        outputs.others.append(lambda tenant, application, kind, up, now_us: self.told.append(up))

    def push(self, payload: bytes, **more: Any) -> None:
        item = {"f_port": 1, "frm_payload": base64.b64encode(payload).decode(), **more}
        target = "/as/applications/app1/devices/dev1/down/push"
        self.bench.made(target, {"downlinks": [item]})

    def uplink(self, f_ctrl: int = 0, **options: Any) -> DataFrame | None:
        """Send, and return what came in the windows."""
        count = len(self.air.downlinks)
        phy = self.session.protect_uplink(self.f_cnt, 1, b"x", f_ctrl=f_ctrl, **options)
        assert self.air.send(phy) is None
        self.air.wait(5)
        self.f_cnt += 1
        if len(self.air.downlinks) == count:
            return None
        phy = self.air.downlinks[-1].phy
        return self.session.open_downlink(phy, int.from_bytes(phy[6:8], "little"))

    def kinds(self) -> list[str]:
        names = [
            set(each) - {"end_device_ids", "correlation_ids", "received_at"} for each in self.told
        ]
        self.told.clear()
        return [name for (name,) in names if name != "uplink_message"]


@pytest.fixture
def way(bench: Bench) -> Way:
    return Way(bench)


def test_a_payload_comes_down(way: Way) -> None:
    way.push(b"on")

    frame = way.uplink()

    assert frame is not None
    assert (frame.f_cnt, frame.frm_payload) == (1, b"on")


def test_a_confirmed_item_is_sent_until_it_is_acknowledged(way: Way) -> None:
    way.push(b"on", confirmed=True)
    first = way.uplink()
    second = way.uplink()
    assert first is not None
    assert second is not None
    assert (first.f_cnt, first.frm_payload) == (1, b"on")
    assert (second.f_cnt, second.frm_payload) == (2, b"on")

    assert way.uplink(f_ctrl=ACK) is None

    assert way.kinds() == ["downlink_queued", "downlink_nack", "downlink_ack"]


def test_one_attempt_is_enough_where_the_application_says_so(way: Way) -> None:
    way.push(b"on", confirmed=True, confirmed_retry={"max_attempts": 1})
    way.uplink()

    assert way.uplink() is None

    assert way.kinds() == ["downlink_queued", "downlink_nack", "downlink_failed"]


def test_counters_that_the_network_used_are_given_anew(bench: Bench) -> None:
    """Five requests fill frames of their own, the second of which takes the counter of the item."""
    way = Way(bench, factory_preset_frequencies=[868_100_000, 868_300_000, 868_500_000])
    way.push(b"on")
    answers = b"".join([encode(NewChannelAns(True, True))] * 5)

    frames = [way.uplink(), way.uplink(), way.uplink(f_opts=answers)]

    found = [(each.f_cnt, each.f_port) for each in frames if each is not None]
    assert found == [(0, 0), (1, 0), (2, 1)]
    assert frames[-1] is not None
    assert frames[-1].frm_payload == b"on"
    assert way.kinds() == ["downlink_queued"]


def test_a_confirmed_item_that_a_join_overtakes_is_sent_in_the_new_session(bench: Bench) -> None:
    """Nobody can say any more whether it was heard: it is told as if not, and goes out again."""
    bench.application()
    handle_up = bench.core.stack.application.handle_up
    air = Air(bench)
    bench.core.stack.application.handle_up = handle_up  # type: ignore[method-assign]
    told: list[dict[str, Any]] = []
    outputs = bench.core.stack.application.outputs
    outputs.others.append(lambda tenant, application, kind, up, now_us: told.append({kind: up}))
    add_otaa(bench, mac_settings=SETTLED)
    ids = {"device_id": "dev1", "dev_eui": DEV_EUI, "join_eui": JOIN_EUI}
    paths = ["ids.device_id", "ids.dev_eui", "ids.join_eui"]
    body = {"end_device": {"ids": ids}, "field_mask": {"paths": paths}}
    bench.made("/as/applications/app1/devices/dev1", body, method="PUT")
    _, first = joined(air, 1)
    air.wait(5)
    air.send(first.protect_uplink(0, 1, b"x"))
    item = {"f_port": 1, "frm_payload": base64.b64encode(b"on").decode(), "confirmed": True}
    bench.made("/as/applications/app1/devices/dev1/down/push", {"downlinks": [item]})
    air.send(first.protect_uplink(1, 1, b"x"))
    air.wait(5)
    told.clear()

    _, second = joined(air, 2)
    air.wait(5)
    air.send(second.protect_uplink(0, 1, b"x"))
    air.wait(5)

    assert [kind for each in told for kind in each] == [
        "join_accept", "downlink_nack", "uplink_message",
    ]  # fmt: skip
    frame = second.open_downlink(air.downlinks[-1].phy, 1)
    assert (frame.f_cnt, frame.frm_payload) == (1, b"on")
