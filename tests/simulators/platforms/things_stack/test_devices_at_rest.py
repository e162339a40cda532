"""Devices that leave memory and come back: nobody notices, and few of their bytes stay."""

from __future__ import annotations

import sys

import orjson
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import ACK, ADR
from simulators.lorawan.join import open_accept
from simulators.lorawan.keys import Attempt, derive_session_keys
from simulators.lorawan.mac_commands import DevStatusAns, LinkADRAns, LinkCheckReq, encode
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.network_server import resting
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import (
    DEV_EUI,
    EU_HZ,
    JOIN_EUI,
    SF7,
    Air,
    abp_session,
    add_abp,
    add_otaa,
    state_of,
)
from tests.simulators.platforms.things_stack.test_adr import TAKES_IT, Walk
from tests.simulators.platforms.things_stack.test_class_a import SETTLED
from tests.simulators.platforms.things_stack.test_joins import OLD, request

JOIN_ACCEPT = 0x20  # MHDR
DEVICES = 3  # and one more, which joins
VERSIONS = ("MAC_V1_0_3", "MAC_V1_0_4", "MAC_V1_1")
PHY_VERSIONS = ("PHY_V1_0_3_REV_A", "RP002_V1_0_1", "PHY_V1_1_REV_B")
ANSWERS = (b"", encode(LinkADRAns(True, True, True)), encode(DevStatusAns(200, 5)),
           encode(LinkCheckReq()))  # fmt: skip
NUMBERS = st.integers(0, DEVICES)
PRESETS = {name: value for name, value in SETTLED.items() if name != "adr"}

UPLINKS = st.tuples(
    st.just("uplink"),
    NUMBERS,
    st.sampled_from((1, 1, 1, 2, 0, -1)),  # steps of the counter: gaps, repetitions, steps back
    st.sampled_from((0, ADR, ACK, ADR | ACK)),
    st.sampled_from(ANSWERS),
    st.booleans(),
    st.sampled_from((SF7, SF7, Lora(9, 125_000))),
    st.sampled_from((0.0, 0.3, 6.0)),
)
PUSHES = st.tuples(st.just("push"), st.integers(0, DEVICES - 1), st.booleans())
CALLS = st.tuples(
    st.just("call"),
    NUMBERS,
    st.sampled_from(
        (
            {"mac_settings": {**PRESETS, "status_count_periodicity": 1}},
            {"mac_settings": {**PRESETS, "resets_f_cnt": True}},
            {"supports_class_c": True},
            {"version_ids": {"brand_id": "acme", "model_id": "meter"}},
        )
    ),
)
OTHERS = st.tuples(st.sampled_from(("delete", "roll back", "ask")), NUMBERS)
JOINS = st.tuples(st.just("join"))
KINDS = st.one_of(UPLINKS, UPLINKS, UPLINKS, UPLINKS, PUSHES, CALLS, OTHERS, JOINS)
ACTS = st.lists(KINDS, min_size=10, max_size=40)


class World:
    """
    A network with devices of several versions.

    Of them ``limit`` stay in memory, ``whole`` of those with all that is stored of them, and so
    many ``guests`` for a while.
    """

    def __init__(self, limit: int, *, whole: int = 100, guests: int = 0) -> None:
        self.bench = Bench()
        self.bench.application()
        self.air = Air(self.bench)
        self.devices = self.bench.core.stack.network.devices
        self.devices.memory.limit, self.devices.most_whole = limit, whole
        self.devices.memory.most_guests = guests
        self.rested = 0  # so many at the same time
        self.told: list[object] = []
        self.counters = [0] * (DEVICES + 1)
        self.joined: Session | None = None
        self.nonce = self.pushed = 0
        for number in range(DEVICES + 1):
            self.add(number)
        for number in (*range(DEVICES), *range(DEVICES)):
            self.talk(number)

    def add(self, number: int) -> None:
        if number == DEVICES:
            add_otaa(self.bench, f"dev{number}", mac_settings=PRESETS)
            self.bench.connection.commit()
            return
        add_abp(
            self.bench,
            f"dev{number}",
            address=f"2600000{number}",
            version=VERSIONS[number],
            phy_version=PHY_VERSIONS[number],
            mac_settings=PRESETS,
        )
        self.bench.connection.commit()

    def session(self, number: int) -> Session | None:
        if number == DEVICES:
            return self.joined
        return abp_session(f"2600000{number}", is_1_1=VERSIONS[number] == "MAC_V1_1")

    def join(self) -> None:
        self.nonce += 1
        self.told.append(self.air.hear(request(self.nonce)))
        self.air.wait(2)
        attempt = Attempt(JOIN_EUI, DEV_EUI, self.nonce)
        accepts = [each.phy for each in self.air.downlinks if each.phy[0] == JOIN_ACCEPT]
        accept = open_accept(accepts[-1], OLD, attempt)
        self.joined = Session(accept.dev_addr, derive_session_keys(OLD, attempt, accept))
        self.counters[DEVICES] = 0

    def uplink(self, number, step, f_ctrl, f_opts, is_confirmed, modulation, seconds=6.0) -> None:
        f_cnt = self.counters[number] = max(0, self.counters[number] + step)
        session = self.session(number)
        if session is None:
            return
        phy = session.protect_uplink(
            f_cnt, 1, b"hello", f_ctrl=f_ctrl, f_opts=f_opts, is_confirmed=is_confirmed,
            tx_dr=5 if modulation is SF7 else 3, tx_ch=f_cnt % 3,
        )  # fmt: skip
        self.told.append(self.air.hear(phy, EU_HZ[f_cnt % 3], modulation))
        self.air.wait(seconds)

    def push(self, number, is_confirmed) -> None:
        self.pushed += 1
        item = {"f_cnt": self.pushed, "f_port": 2, "frm_payload": "AQI=", "confirmed": is_confirmed}
        network = self.bench.core.stack.network
        try:
            network.push("", "app1", f"dev{number}", [item], self.bench.now_us)
        except StackError as error:
            self.told.append(error.name)
        network.flush()

    def call(self, number, changes) -> None:
        body = {"end_device": {"ids": {"device_id": f"dev{number}"}, **changes},
                "field_mask": {"paths": list(changes)}}  # fmt: skip
        path = f"/ns/applications/app1/devices/dev{number}"
        self.told.append(self.bench.put(path, body)[0])
        self.bench.connection.commit()

    def delete(self, number) -> None:
        """And add it again, as it was."""
        self.told.append(self.bench.delete(f"/ns/applications/app1/devices/dev{number}"))
        self.counters[number] = 0
        self.add(number)

    def roll_back(self, number) -> None:
        self.bench.connection.commit()
        self.bench.core.forget()

    def ask(self, number) -> None:
        paths = "session,mac_state,pending_session,ids"
        path = f"/ns/applications/app1/devices/dev{number}?field_mask={paths}"
        self.told.append(self.bench.get(path))

    def talk(self, number: int) -> None:
        """An uplink as there are most."""
        self.uplink(number, 1, 0, b"", False, SF7)

    def act(self, name, *values) -> None:
        getattr(self, name.replace(" ", "_"))(*values)
        self.rested = max(self.rested, len(self.devices.resting))

    def result(self) -> list[object]:
        """Everything that anybody has got, and what is stored at the end."""
        self.air.wait(5)
        ups = [(up.kind, up.ids, up.message, up.payload) for up in self.air.ups]
        downlinks = [(each.phy, each.request) for each in self.air.downlinks]
        states = [state_of(self.bench, f"dev{number}") for number in range(DEVICES + 1)]
        return [*self.told, ups, downlinks, states]


@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_who_keeps_one_device_in_memory_says_what_who_keeps_all_says(acts):
    small, large = World(1), World(100)
    light, visited = World(100, whole=0), World(1, guests=1)
    for act in acts:
        small.act(*act)
        large.act(*act)
        light.act(*act)
        visited.act(*act)
    event(f"{small.rested} were at rest")
    expected = orjson.dumps(_plain(large.result()))
    assert orjson.dumps(_plain(small.result())) == expected
    assert orjson.dumps(_plain(light.result())) == expected
    assert orjson.dumps(_plain(visited.result())) == expected


def _plain(value):
    """Bytes in hex, members in the order in which they came."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


@pytest.fixture
def world():
    """A network that keeps one device in memory; all of them have talked, the last one last."""
    return World(1)


def _read(world, act):
    found = []
    world.bench.connection.set_trace_callback(found.append)
    act()
    world.bench.connection.set_trace_callback(None)
    return [each for each in found if each.startswith("SELECT") and "ns_device" in each]


def test_a_device_at_rest_is_not_read_when_it_talks(world):
    assert len(world.devices.resting) == DEVICES - 1
    before = len(world.air.ups)
    assert _read(world, lambda: world.talk(1)) == []
    assert len(world.air.ups) == before + 1


def test_a_device_that_owes_an_answer_is_not_at_rest(world):
    world.uplink(1, 1, 0, encode(LinkCheckReq()), False, SF7)
    assert "recent_mac_command_identifiers" in world.devices.by_id("app1", "dev1").mac_state
    world.talk(0)
    assert _read(world, lambda: world.talk(1))


def test_devices_with_the_same_address_are_not_at_rest(world):
    add_abp(world.bench, "dev9", address="26000001", nwk_key=bytes([9] * 16))
    world.talk(1)
    assert [up.ids["device_id"] for up in world.air.ups][-1] == "dev1"
    other = abp_session("26000001")
    assert _read(world, lambda: world.air.send(other.protect_uplink(5, 1, b"x")))


def test_a_device_that_is_deleted_does_not_come_back(world):
    world.bench.delete("/ns/applications/app1/devices/dev1")
    world.talk(1)
    assert world.told[-1] == "networkserver:device_not_found"


def test_nothing_is_kept_of_what_was_rolled_back(world):
    world.bench.core.forget()
    assert len(world.devices.resting) == len(world.devices) == 0
    world.talk(1)
    assert world.air.counters()[-1] == world.counters[1]


def test_adr_counts_from_its_last_change_also_after_a_rest(bench):
    walk = Walk(bench)
    devices = bench.core.stack.network.devices
    devices.memory.limit = devices.memory.most_guests = 0
    walk.send(snr=0.0)
    walk.send(snr=0.0, answers=(TAKES_IT,), spreading_factor=11)
    walk.send(snr=-30.0, spreading_factor=11)
    assert len(devices.resting) == 1
    walk.send(snr=-30.0, spreading_factor=11)
    assert walk.parameters() == (1, 0, 1)


def test_a_device_at_rest_takes_less_than_a_kilobyte(world):
    for _ in range(30):
        for number in (0, 1, 2):
            world.talk(number)
    sizes = [
        sys.getsizeof(address) + sys.getsizeof(rest)
        for address, rest in world.devices.resting._by_address.items()
    ]
    assert len(sizes) == DEVICES - 1
    assert max(sizes) < 800


def test_the_oldest_of_too_many_goes(world):
    world.devices.resting.limit = 1
    for number in (1, 2, 0):
        world.talk(number)
    assert len(world.devices.resting) == 1
    world.talk(1)
    assert world.air.counters()[-1] == world.counters[1]


def test_every_member_that_a_state_may_have_is_known():
    """One that is missing keeps devices from resting; one too many would let it be overlooked."""
    under_way = {"pending_requests", "queued_responses", "pending_application_downlink",
                 "recent_mac_command_identifiers", "queued_join_accept"}  # fmt: skip
    assert not under_way & resting._MAC_STATE
    assert "queued_application_downlinks" not in resting._SESSION
    assert not {"pending_session", "pending_mac_state"} & resting._STATE
