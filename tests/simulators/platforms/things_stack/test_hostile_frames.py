"""Whatever gateways hand over: an error of the API's or an uplink, never a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.lorawan.frames import JoinRequest
from simulators.lorawan.join import protect_request
from simulators.lorawan.modulation import Fsk, Lora
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Uplink
from tests.simulators.platforms.things_stack.conftest import Bench
from tests.simulators.platforms.things_stack.radio import (
    DEV_EUI,
    JOIN_EUI,
    ROOT_KEY,
    Air,
    abp_session,
    add_abp,
    add_otaa,
)

GOOD = (
    abp_session().protect_uplink(1, 10, b"payload", f_opts=b"\x02\x0d"),
    abp_session().protect_uplink(2, 0, b"\x03\x07\x06\x00\x10"),
    abp_session().protect_uplink(3, 1, b"x", is_confirmed=True),
    protect_request(JoinRequest(JOIN_EUI, DEV_EUI, 1), ROOT_KEY),
    bytes.fromhex("c000010000efbeaddeaaffffff00009fd21c24"),
)
MODULATIONS = st.sampled_from([Lora(7, 125_000), Lora(12, 500_000), Lora(5, 1), Fsk(50_000)])
FREQUENCIES = st.sampled_from([868_100_000, 868_300_000, 0, 2**40])


@st.composite
def mutated(draw):
    """A valid frame with some bytes changed, cut off or added."""
    phy = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 3))):
        phy[draw(st.integers(0, len(phy) - 1))] = draw(st.integers(0, 255))
    return bytes(phy[: draw(st.integers(0, len(phy)))]) + draw(st.binary(max_size=4))


@pytest.fixture(scope="module")
def air():
    bench = Bench()
    bench.application()
    add_abp(bench, "talks")
    add_otaa(bench, "joins")
    return Air(bench)


def hand_over(air, phy, frequency_hz, modulation, metadata):
    bench = air.bench
    uplink = Uplink(
        phy, frequency_hz, modulation, metadata, {}, "gtw1", bench.now_us, ["gs:uplink:1"]
    )
    try:
        bench.core.stack.network.handle_uplink(uplink, bench.now_us)
        name = ""
    except StackError as error:
        name = error.name
    air.wait(7)
    assert not name or name.startswith(("pkg/networkserver:", "pkg/joinserver:"))


@settings(max_examples=300, deadline=None)
@given(
    phy=mutated() | st.binary(max_size=260),
    frequency_hz=FREQUENCIES,
    modulation=MODULATIONS,
    metadata=st.sampled_from([{}, {"snr": -20.0}, {"rssi": -1, "uplink_token": "AA=="}]),
)
def test_hostile_frames(air, phy, frequency_hz, modulation, metadata):
    hand_over(air, phy, frequency_hz, modulation, metadata)


@settings(max_examples=200, deadline=None)
@given(
    f_cnt=st.integers(0, 0xFFFF_FFFF),
    f_port=st.none() | st.integers(0, 255),
    payload=st.binary(max_size=40),
    f_opts=st.binary(max_size=15),
    f_ctrl=st.sampled_from([0, 0x80, 0xC0, 0x20, 0x10]),
    is_confirmed=st.booleans(),
)
def test_hostile_devices(air, f_cnt, f_port, payload, f_opts, f_ctrl, is_confirmed):
    """A device that has its keys, and says whatever it likes."""
    if f_port is None:
        payload = b""
    phy = abp_session().protect_uplink(
        f_cnt,
        f_port,
        payload,
        f_ctrl=f_ctrl,
        f_opts=b"" if f_port == 0 else f_opts,
        is_confirmed=is_confirmed,
    )
    hand_over(air, phy, 868_100_000, Lora(7, 125_000), {"snr": 5.0})


def test_junk_is_not_remembered(bench):
    """Frames that match nobody leave nothing behind."""
    bench.application()
    air = Air(bench)
    for number in range(300):
        phy = abp_session(f"2600{number:04x}").protect_uplink(number, 1, b"x")
        assert air.hear(phy) == "networkserver:device_not_found"
    network = bench.core.stack.network
    assert len(network.devices) == 0
    assert bench.core.stack.agenda.next_us is None


@pytest.mark.parametrize("fields", [{"session": {"dev_addr": "26001234"}}, {"mac_state": {}}])
def test_devices_that_calls_have_left_in_pieces(bench, fields):
    """Sessions without keys and states without parameters can be set; they match nobody."""
    bench.application()
    add_otaa(bench)
    air = Air(bench)
    body = {
        "end_device": {
            "ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}},
            **fields,
        },
        "field_mask": {"paths": ["session.dev_addr"] if "session" in fields else ["mac_state"]},
    }
    bench.put("/ns/applications/app1/devices/dev1", body)
    assert air.send(abp_session().protect_uplink(1, 1, b"x")) == "networkserver:device_not_found"
