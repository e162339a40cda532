"""Network Server and Application Server together: what a device sends and gets, in the clear."""

from __future__ import annotations

import pytest

from simulators.lorawan.frames import ACK
from tests.simulators.platforms.things_stack.radio import (
    ADDRESS,
    APP_KEY,
    Air,
    abp_session,
    add_abp,
)
from tests.simulators.platforms.things_stack.test_class_a import SETTLED
from tests.simulators.platforms.things_stack.traffic import add_device

DOWN = "/as/applications/app1/devices/dev1/down"


class Loop(Air):
    """A device with a session on both servers, and an application that notes its messages."""

    def __init__(self, bench):
        super().__init__(bench)
        stack = bench.core.stack
        del stack.application.handle_up  # the server's own again
        bench.application()
        add_abp(bench, mac_settings=SETTLED)
        add_device(bench, key=APP_KEY)
        self.session = abp_session(ADDRESS)
        self.told = []
        stack.application.outputs.others.append(self._note)
        self.f_cnt = 0

    def _note(self, tenant, application, kind, up, now_us):
        body = up[kind]
        self.told.append((kind, body.get("f_cnt", 0), body.get("frm_payload")))

    def talk(self, payload=b"\x01", **options):
        """Send an uplink, wait, and return the downlinks that came: counter, payload."""
        phy = self.session.protect_uplink(self.f_cnt, 1, payload, **options)
        self.f_cnt += 1
        before = len(self.downlinks)
        assert self.send(phy) is None
        self.wait(10)
        return [self._opened(each) for each in self.downlinks[before:]]

    def _opened(self, downlink):
        self.bench.core.stack.network.handle_tx_ack(downlink, "SUCCESS", self.bench.now_us)
        self.bench.core.stack.network.flush()
        low = int.from_bytes(downlink.phy[6:8], "little")
        frame = self.session.open_downlink(downlink.phy, low)
        return (low, frame.frm_payload if frame.f_port else b"", frame.is_confirmed)

    def push(self, *items):
        assert self.bench.post(f"{DOWN}/push", {"downlinks": list(items)}) == (200, {})

    def heard(self):
        told, self.told = self.told, []
        return told


@pytest.fixture
def loop(bench):
    return Loop(bench)


def test_uplink_arrives_decrypted(loop):
    loop.talk(b"\x01\x67\x00\xf8")
    assert loop.heard() == [("uplink_message", 0, "AWcA+A==")]


def test_downlink_arrives_as_it_was_pushed(loop):
    loop.talk()
    loop.push({"f_port": 42, "frm_payload": "vu8="})
    assert loop.bench.get(DOWN)[1]["downlinks"][0]["f_cnt"] >= 1
    ((f_cnt, payload, _),) = loop.talk()
    assert payload == b"\xbe\xef"
    assert loop.bench.get(DOWN) == (200, {})
    kinds = [kind for kind, *_ in loop.heard()]
    assert kinds == ["uplink_message", "downlink_queued", "uplink_message", "downlink_sent"]
    assert f_cnt >= 1


def test_unheard_confirmed_downlink_comes_again_with_a_new_counter(loop):
    loop.talk()
    loop.push({"f_port": 42, "frm_payload": "vu8=", "confirmed": True})
    ((first, payload, is_confirmed),) = loop.talk()
    assert (payload, is_confirmed) == (b"\xbe\xef", True)
    loop.heard()
    ((second, payload, is_confirmed),) = loop.talk()
    assert (payload, is_confirmed) == (b"\xbe\xef", True)
    assert second > first
    told = loop.heard()
    assert told[0] == ("downlink_nack", first, "vu8=")
    assert [kind for kind, *_ in told] == ["downlink_nack", "uplink_message", "downlink_sent"]
    loop.talk(f_ctrl=ACK)
    assert loop.heard()[0] == ("downlink_ack", second, "vu8=")


def test_downlinks_stay_readable_when_the_network_uses_their_counters(loop):
    loop.talk()
    # An acknowledgement alone takes a counter that the item has already.
    loop.push(*({"f_port": 1, "frm_payload": text} for text in ("AQ==", "Ag==")))
    seen = []
    for _ in range(4):
        seen += loop.talk(is_confirmed=True)
    payloads = [payload for _, payload, _ in seen if payload]
    counters = [f_cnt for f_cnt, *_ in seen]
    assert payloads == [b"\x01", b"\x02"]
    assert counters == sorted(set(counters))
    loop.push({"f_port": 1, "frm_payload": "Aw=="})
    seen = loop.talk()
    assert [payload for _, payload, _ in seen] == [b"\x03"]
    assert seen[0][0] > counters[-1]
