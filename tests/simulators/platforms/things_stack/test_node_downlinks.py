"""
Our own nodes hear what the network tells them, in every region and version.

Two kinds: one counts from 0 and takes only what begins within 20 µs of the right moment; the other
counts from 1 and repeats its sticky answers until it hears something. Beside them npm's lora-packet
reads every downlink; it is optional on a desk, as in ``tests/simulators/lorawan``.
"""

from __future__ import annotations

import base64

import pytest

from simulators.devices.lorawan.mac_queue import STICKY
from simulators.devices.lorawan.state import Abp
from simulators.devices.lorawan.windows import LORAMAC_NODE, PICKY
from simulators.lorawan.frames import DataFrame, decode
from simulators.lorawan.keys import SessionKeys
from tests.simulators.lorawan.test_lora_packet import judge  # noqa: F401 - a fixture
from tests.simulators.platforms.things_stack.field import Field
from tests.simulators.platforms.things_stack.radio import (
    ADDRESS,
    APP_KEY,
    NWK_KEY,
    add_abp,
    state_of,
)
from tests.simulators.platforms.things_stack.test_nodes import (
    EVERYWHERE,
    MAC,
    joining_node,
    talk,
)

_KINDS = {
    "picky": {"timing": PICKY},
    "sticky": {"timing": LORAMAC_NODE, "first_f_cnt": 1, "sticky": STICKY["loramac-node"]},
}
_FOLLOWED = (
    "rx1_delay", "rx1_data_rate_offset", "rx2_data_rate_index", "rx2_frequency", "channels",
    "adr_nb_trans", "adr_data_rate_index", "adr_tx_power_index", "max_duty_cycle",
    "uplink_dwell_time", "downlink_dwell_time", "adr_ack_limit_exponent", "adr_ack_delay_exponent",
)  # fmt: skip


@pytest.fixture
def field(bench):
    """An application without devices, on the virtual clock."""
    bench.application()
    return Field(bench)


class Conversation:
    """A node that has joined, what it heard, and the application that pushes items to it."""

    def __init__(self, field, node):
        self.field = field
        self.node = node
        self.heard = []
        node.on_downlink = self.heard.append

    def push(self, payload, **more):
        """Queue an item with the counter that is next."""
        bench = self.field.bench
        session = state_of(bench)["session"]
        crypto = self.node.session.crypto
        f_cnt = session.get("last_a_f_cnt_down" if crypto.is_1_1 else "last_n_f_cnt_down", 0) + 1
        secret = crypto.encrypt_payload(payload, f_cnt, is_uplink=False, f_port=7)
        item = {
            "f_cnt": f_cnt,
            "f_port": 7,
            "frm_payload": base64.b64encode(secret).decode(),
            **more,
        }
        key = session["keys"].get("session_key_id")
        items = [item | ({"session_key_id": key} if key else {})]
        network = bench.core.stack.network
        network.push("", "app1", "dev1", items, self.field.now_us())
        network.flush()

    def payloads(self):
        return [frame.frm_payload for frame in self.heard if frame.f_port == 7]

    def whole(self):
        """All that the tests of this module look at."""
        self.field.do(talk(self.node, 8))
        self.push(b"one")
        self.field.do(talk(self.node, 1))
        self.push(b"two", confirmed=True)
        self.field.do(talk(self.node, 2))
        self.field.do(self.node.uplink(b"!", f_port=1, is_confirmed=True))


def differences(bench):
    """What the device has not been brought to."""
    state = state_of(bench)["mac_state"]
    current, desired = state["current_parameters"], state["desired_parameters"]
    found = {}
    for name in _FOLLOWED:
        now, then = current.get(name), desired.get(name)
        if name == "channels":
            now, then = _on(now), _on(then)
        if now != then:
            found[name] = (now, then)
    return found


def _on(channels):
    return [
        (number, each["uplink_frequency"], each["downlink_frequency"])
        for number, each in enumerate(channels)
        if each.get("enable_uplink")
    ]


@pytest.mark.parametrize("kind", _KINDS.values(), ids=_KINDS)
@pytest.mark.parametrize(("band", "version"), EVERYWHERE)
def test_a_node_lives_on_the_network(field, band, version, kind):
    node, _ = joining_node(field, band, version, kind)
    assert field.do(node.join(most=3)).is_joined
    conversation = Conversation(field, node)

    conversation.whole()

    assert field.refusals == []
    assert differences(field.bench) == {}
    assert conversation.payloads() == [b"one", b"two"]
    assert node.tally.ignored == 0
    kinds = [up.kind for up in field.ups if up.kind != "uplink_message"]
    assert kinds == ["join_accept", "downlink_ack"]
    assert "pending_requests" not in state_of(field.bench)["mac_state"]
    assert node.tally.acknowledged == 1


@pytest.mark.parametrize("kind", _KINDS.values(), ids=_KINDS)
@pytest.mark.parametrize("version", MAC)
def test_a_node_that_does_not_join_is_told_everything(field, version, kind):
    mac_name, mac_version, phy = MAC[version]
    add_abp(field.bench, version=mac_name, phy_version=phy)
    keys = SessionKeys.legacy(NWK_KEY, APP_KEY)
    if version == "1.1":
        keys = SessionKeys(NWK_KEY, bytes([1] * 16), bytes([2] * 16), APP_KEY)
    node, _ = field.node(Abp(ADDRESS, keys), "EU868", phy, version=mac_version, **kind)
    conversation = Conversation(field, node)

    conversation.whole()

    assert field.refusals == []
    assert differences(field.bench) == {}
    assert node.parameters.plan.defined == node.parameters.enabled == 0b1111_1111
    assert conversation.payloads() == [b"one", b"two"]


def exchanged(conversation):
    """The data downlinks of a conversation as the judge gets them, and what it has to find."""
    session = conversation.node.session
    keys = session.crypto.keys
    for downlink in conversation.field.downlinks:
        frame = decode(downlink.phy)
        if not isinstance(frame, DataFrame):
            continue
        conf_f_cnt = session.confirmed_f_cnt if frame.ack else 0
        line = {
            "job": "judgeData",
            "is_uplink": False,
            "is_1_1": session.crypto.is_1_1,
            "phy": downlink.phy.hex(),
            "f_cnt": frame.f_cnt,
            "conf_f_cnt": conf_f_cnt,
            **{name: key.hex() for name, key in keys._asdict().items()},
        }
        plain = session.crypto.open_downlink(downlink.phy, frame.f_cnt, conf_f_cnt=conf_f_cnt)
        yield line, (True, plain.f_port, plain.frm_payload.hex(), plain.f_opts.hex(), plain.ack)


def test_lora_packet_reads_every_downlink(bench, judge):  # noqa: F811 - the fixture
    bench.application()
    found = []
    for each in EVERYWHERE:
        field = Field(bench)
        node, _ = joining_node(field, *each.values, _KINDS["picky"])
        assert field.do(node.join(most=3)).is_joined
        conversation = Conversation(field, node)
        conversation.whole()
        assert conversation.payloads() == [b"one", b"two"]
        found += exchanged(conversation)
        for server in ("ns", "js"):
            bench.made(f"/{server}/applications/app1/devices/dev1", None, method="DELETE")

    answers = judge([line for line, _ in found])

    names = ("mic", "f_port", "frm_payload", "f_opts", "ack")
    assert [tuple(each[name] for name in names) for each in answers] == [each for _, each in found]
    assert len(answers) > 3 * len(EVERYWHERE)
