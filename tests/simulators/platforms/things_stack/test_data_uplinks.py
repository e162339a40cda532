"""Data uplinks on the Network Server: counters, integrity, copies, repetitions, channels."""

from __future__ import annotations

import pytest

from simulators.lorawan.frames import ACK, ADR
from simulators.lorawan.mac_commands import LinkCheckReq, RXTimingSetupAns, encode
from simulators.lorawan.modulation import Lora
from tests.simulators.platforms.things_stack.radio import (
    ADDRESS,
    EU_HZ,
    Air,
    abp_session,
    add_abp,
    state_of,
)

SENT = [{"payload": {"mac_payload": {"f_port": 1, "full_f_cnt": 4}}}]


@pytest.fixture
def air(bench):
    """An application without devices, and what stands around the Network Server."""
    bench.application()
    return Air(bench)


def test_an_uplink_reaches_the_application_with_all_that_is_known(bench, air):
    add_abp(bench)
    phy = abp_session().protect_uplink(0, 10, b"hello", f_ctrl=ADR)

    assert air.send(phy) is None

    (up,) = air.ups
    assert up.kind == "uplink_message"
    assert up.ids["dev_addr"] == ADDRESS
    assert up.ids["device_id"] == "dev1"
    assert up.payload == phy[9:14]
    assert up.correlation_ids == ["gs:uplink:gtw1"]
    assert up.message == {
        "f_port": 10,
        "rx_metadata": [
            {
                "gateway_ids": {"gateway_id": "gtw1"},
                "rssi": -60,
                "snr": 9.5,
                "uplink_token": "Z3R3MQ==",
            }
        ],
        "settings": {
            "data_rate": {
                "lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}
            },
            "frequency": "868100000",
        },
        "received_at": "2024-01-31T12:00:00Z",
        "consumed_airtime": "0.051456s",
        "network_ids": {"net_id": "000013", "cluster_address": "thingrig"},
    }


def test_it_is_processed_when_the_time_for_copies_is_over(bench, air):
    add_abp(bench)
    air.hear(abp_session().protect_uplink(1, 1, b"x"))

    air.wait(0.199)
    assert air.ups == []
    air.wait(0.002)
    assert air.counters() == [1]


@pytest.mark.parametrize("f_cnt", [0, 1, 16384])
def test_first_counters(bench, air, f_cnt):
    add_abp(bench)
    assert air.send(abp_session().protect_uplink(f_cnt, 1, b"x")) is None
    assert air.counters() == [f_cnt]


@pytest.mark.parametrize(
    ("version", "gap", "is_taken"),
    [
        ("MAC_V1_0_2", 16384, True),
        ("MAC_V1_0_2", 16385, False),
        ("MAC_V1_0_3", 16384, True),
        ("MAC_V1_0_3", 16385, False),
        ("MAC_V1_0_4", 16385, True),
        ("MAC_V1_0_4", 65000, True),
        ("MAC_V1_1", 16385, True),
    ],
)
def test_a_gap_of_counters(bench, air, version, gap, is_taken):
    """Before 1.0.4 more than 16384 are too many."""
    add_abp(bench, version=version)
    session = abp_session(is_1_1=version == "MAC_V1_1")
    air.send(session.protect_uplink(3, 1, b"x", tx_dr=5))

    error = air.send(session.protect_uplink(3 + gap, 1, b"x", tx_dr=5))

    assert error == (None if is_taken else "networkserver:device_not_found")
    assert air.counters() == ([3, 3 + gap] if is_taken else [3])


@pytest.mark.parametrize("f_cnt", [5, 4, 0])
def test_an_old_counter_matches_nobody(bench, air, f_cnt):
    add_abp(bench)
    session = abp_session()
    air.send(session.protect_uplink(5, 1, b"first"))
    air.wait(20)

    assert air.send(session.protect_uplink(f_cnt, 1, b"other")) == "networkserver:device_not_found"

    assert air.counters() == [5]


def test_counters_go_on_behind_16_bits(bench, air):
    add_abp(bench)
    session = abp_session()
    for f_cnt in (16000, 32000, 48000, 64000, 65535, 65536, 70000):
        assert air.send(session.protect_uplink(f_cnt, 1, b"x")) is None
    assert air.counters()[-3:] == [65535, 65536, 70000]
    assert state_of(bench)["session"]["last_f_cnt_up"] == 70000


def test_counters_of_16_bits_do_not(bench, air):
    add_abp(bench, mac_settings={"supports_32_bit_f_cnt": False})
    session = abp_session()
    for f_cnt in (16000, 32000, 48000, 64000, 65535):
        air.send(session.protect_uplink(f_cnt, 1, b"x"))
    assert air.send(session.protect_uplink(65536, 1, b"x")) == "networkserver:device_not_found"


def test_a_device_that_resets_its_counter_begins_anew(bench, air):
    add_abp(bench, mac_settings={"resets_f_cnt": True})
    session = abp_session()
    for f_cnt in (7, 8, 0, 1):
        assert air.send(session.protect_uplink(f_cnt, 1, b"x")) is None
        air.wait(20)
    assert air.counters() == [7, 8, 0, 1]
    assert state_of(bench)["session"]["last_f_cnt_up"] == 1


def test_resetting_is_not_for_1_1(bench, air):
    add_abp(bench, version="MAC_V1_1", mac_settings={"resets_f_cnt": True})
    session = abp_session(is_1_1=True)
    air.send(session.protect_uplink(7, 1, b"x", tx_dr=5))
    error = air.send(session.protect_uplink(0, 1, b"x", tx_dr=5))
    assert error == "networkserver:device_not_found"


def test_copies_of_other_gateways_are_merged(bench, air):
    add_abp(bench)
    phy = abp_session().protect_uplink(1, 1, b"x")

    for number in range(3):
        assert air.hear(phy, gateway=f"gtw{number}") is None
        air.wait(0.05)
    air.wait(0.2)

    (up,) = air.ups
    gateways = [each["gateway_ids"]["gateway_id"] for each in up.message["rx_metadata"]]
    assert gateways == ["gtw0", "gtw1", "gtw2"]


def test_a_copy_after_the_window_is_refused(bench, air):
    add_abp(bench)
    phy = abp_session().protect_uplink(1, 1, b"x")
    air.send(phy)
    for seconds in (0, 0.5, 0.44):
        air.wait(seconds)
        assert air.hear(phy, gateway="gtw2") == "networkserver:duplicate_uplink"
    assert air.counters() == [1]


def test_no_more_than_50_copies_are_kept(bench, air):
    add_abp(bench)
    phy = abp_session().protect_uplink(1, 1, b"x")
    for number in range(60):
        air.hear(phy, gateway=f"gtw{number}")
    air.wait(0.3)
    assert len(air.ups[0].message["rx_metadata"]) == 50


def test_a_confirmed_uplink_that_is_repeated_is_forwarded_once(bench, air):
    add_abp(bench)
    phy = abp_session().protect_uplink(1, 1, b"x", is_confirmed=True)
    errors = []
    for _ in range(7):
        errors.append(air.send(phy))
        air.wait(3)
    assert errors == [None] * 5 + ["networkserver:device_not_found"] * 2
    assert air.counters() == [1]
    assert air.ups[0].message["confirmed"] is True


def test_an_unconfirmed_uplink_is_repeated_as_often_as_the_network_says(bench, air):
    add_abp(bench)
    phy = abp_session().protect_uplink(1, 1, b"x")
    assert [air.send(phy, EU_HZ[number]) for number in range(2)] == [
        None,
        "networkserver:device_not_found",
    ]
    device = bench.core.stack.network.devices.by_address(ADDRESS)[0]
    device.mac_state["current_parameters"]["adr_nb_trans"] = 2
    device.save()
    phy = abp_session().protect_uplink(2, 1, b"x")
    assert [air.send(phy, EU_HZ[number]) for number in range(2)] == [None, None]
    assert air.counters() == [1, 2]


def test_a_repetition_that_comes_late_is_none(bench, air):
    """RX1 after one second, RX2 one later, and ten seconds."""
    add_abp(bench)
    phy = abp_session().protect_uplink(1, 1, b"x", is_confirmed=True)
    air.hear(phy)
    air.wait(12.1)
    assert air.send(phy) == "networkserver:device_not_found"


def test_devices_with_one_address_are_told_apart_by_their_keys(bench, air):
    add_abp(bench, "dev1", nwk_key=bytes([9] * 16))
    add_abp(bench, "dev2", address="2600ABCD")
    add_abp(bench, "dev3")
    assert air.send(abp_session().protect_uplink(1, 1, b"x")) is None
    assert [up.ids["device_id"] for up in air.ups] == ["dev3"]


@pytest.mark.parametrize("at", [1, 6, 9, -1])
def test_a_damaged_frame_is_nobodys(bench, air, at):
    """Address, counter, payload, MIC."""
    add_abp(bench)
    phy = bytearray(abp_session().protect_uplink(1, 1, b"x"))
    phy[at] ^= 1
    assert air.send(bytes(phy)) == "networkserver:device_not_found"
    assert air.ups == []


def test_a_frequency_that_is_no_channel_of_the_device(bench, air):
    """Presets name all channels of a device that does not join."""
    add_abp(bench, mac_settings={"factory_preset_frequencies": ["868100000", "867100000"]})
    session = abp_session()
    results = [
        air.send(session.protect_uplink(number, 1, b"x"), frequency)
        for number, frequency in enumerate((868_300_000, 868_100_000, 867_100_000))
    ]
    assert results == ["networkserver:uplink_channel_not_found", None, None]
    assert air.counters() == [1, 2]


def test_the_mic_of_1_1_holds_channel_data_rate_and_acknowledged_counter(bench, air):
    add_abp(bench, version="MAC_V1_1")
    session = abp_session(is_1_1=True)
    device = bench.core.stack.network.devices.by_address(ADDRESS)[0]
    device.state["session"]["last_conf_f_cnt_down"] = 9
    device.mac_state["recent_downlinks"] = SENT
    device.save()
    good = session.protect_uplink(1, 1, b"x", f_ctrl=ACK, conf_f_cnt=9, tx_dr=5, tx_ch=1)
    bad = session.protect_uplink(2, 1, b"x", f_ctrl=ACK, conf_f_cnt=9, tx_dr=5, tx_ch=2)
    assert air.send(good, EU_HZ[1]) is None
    assert air.send(bad, EU_HZ[1]) == "networkserver:device_not_found"


def test_a_frame_without_port_still_reaches_the_application(bench, air):
    add_abp(bench)
    air.send(abp_session().protect_uplink(4))
    assert air.uplinks() == [(4, None, b"")]


def test_commands_on_port_0_are_not_for_the_application(bench, air):
    add_abp(bench)
    air.send(abp_session().protect_uplink(4, 0, b"\x02"))
    assert air.uplinks() == [(4, None, b"")]


def test_a_confirmed_downlink_is_acknowledged_before_the_uplink(bench, air):
    add_abp(bench)
    session = abp_session()
    item = {"f_port": 1, "f_cnt": 4, "confirmed": True}
    for number, f_ctrl in enumerate((ACK, 0)):
        device = bench.core.stack.network.devices.by_address(ADDRESS)[0]
        device.state["mac_state"] |= {
            "pending_application_downlink": item,
            "recent_downlinks": SENT,
        }
        device.save()
        air.send(session.protect_uplink(number, 1, b"x", f_ctrl=f_ctrl))
    assert [up.kind for up in air.ups] == [
        "downlink_ack",
        "uplink_message",
        "downlink_nack",
        "uplink_message",
    ]
    assert air.ups[0].message == item


def test_1_0_4_has_frames_ignored_that_are_too_long(bench, air):
    """At SF12 a frame holds 51 bytes in EU868."""
    results = []
    for number, version in enumerate(("MAC_V1_0_3", "MAC_V1_0_4")):
        address = f"2600123{number}"
        add_abp(bench, f"dev{number}", address=address, version=version)
        session = abp_session(address)
        for f_cnt, size in ((0, 51), (1, 52)):
            phy = session.protect_uplink(f_cnt, 1, bytes(size))
            results.append(air.send(phy, EU_HZ[0], Lora(12, 125_000)))
    assert results == [None, None, None, "networkserver:device_not_found"]


def test_a_device_that_says_it_again_has_not_heard_a_confirmed_downlink(bench, air):
    add_abp(bench, mac_settings={"adr": {"static": {"nb_trans": 2}}})
    session = abp_session()
    phy = session.protect_uplink(0, 1, b"x", is_confirmed=True)
    air.send(phy)
    device = bench.core.stack.network.devices.by_address(ADDRESS)[0]
    device.mac_state["pending_application_downlink"] = {"f_port": 1, "f_cnt": 4}
    device.save()
    air.wait(2)
    assert air.send(phy) is None
    assert [up.kind for up in air.ups] == ["uplink_message", "downlink_nack"]


def test_a_device_that_counts_anew_has_not_heard_a_confirmed_downlink(bench, air):
    add_abp(bench, mac_settings={"resets_f_cnt": True})
    session = abp_session()
    air.send(session.protect_uplink(5, 1, b"x"))
    device = bench.core.stack.network.devices.by_address(ADDRESS)[0]
    device.state["mac_state"] |= {
        "pending_application_downlink": {"f_cnt": 4},
        "recent_downlinks": SENT,
    }
    device.save()
    assert air.send(session.protect_uplink(0, 1, b"x", f_ctrl=ACK)) is not None
    air.send(session.protect_uplink(0, 1, b"x"))
    assert [up.kind for up in air.ups] == ["uplink_message", "downlink_nack", "uplink_message"]


def test_a_device_that_counts_anew_answers_nothing(bench, air):
    add_abp(bench, mac_settings={"resets_f_cnt": True})
    session = abp_session()
    air.send(session.protect_uplink(5, 1, b"x"))
    air.send(session.protect_uplink(0, 1, b"x", f_opts=encode(RXTimingSetupAns())))
    air.send(session.protect_uplink(1, 1, b"x", f_opts=encode(LinkCheckReq())))
    assert air.counters() == [5, 1]


def test_a_change_by_the_api_does_not_lose_the_counter(bench, air):
    add_abp(bench)
    session = abp_session()
    air.send(session.protect_uplink(5, 1, b"x"))
    add_abp(bench)
    assert air.send(session.protect_uplink(4, 1, b"x")) == "networkserver:device_not_found"
    assert air.send(session.protect_uplink(6, 1, b"x")) is None


def test_a_device_that_is_deleted_while_copies_are_awaited_gets_nothing(bench, air):
    add_abp(bench)
    air.hear(abp_session().protect_uplink(5, 1, b"x"))
    bench.delete("/ns/applications/app1/devices/dev1")
    air.wait(1)
    assert air.ups == []


def test_what_was_rolled_back_is_not_remembered(bench, air):
    add_abp(bench)
    session = abp_session()
    bench.connection.commit()
    bench.core.stack.network.forget()
    assert air.send(session.protect_uplink(0, 1, b"x")) is None
    assert state_of(bench)["session"].get("last_f_cnt_up") is None


def test_losses_are_told(bench, air):
    add_abp(bench)
    session = abp_session()
    for f_cnt in (1, 2, 4):
        air.send(session.protect_uplink(f_cnt, 1, b"x"))
    assert [up.message.get("packet_error_rate") for up in air.ups] == [None, None, 0.25]


def test_the_last_uplinks_can_be_read(bench, air):
    """What ADR looks at; of the last one also who can answer it."""
    add_abp(bench)
    session = abp_session()
    for f_cnt, snr in ((0, 3.5), (7, -2.5)):
        air.send(session.protect_uplink(f_cnt, 10, b"x"), snr=snr)

    target = "/ns/applications/app1/devices/dev1?field_mask=mac_state.recent_uplinks"

    rate = {"lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}}
    assert bench.get(target)[1]["mac_state"]["recent_uplinks"] == [
        {
            "payload": {"mac_payload": {"f_hdr": {"dev_addr": ADDRESS}}},
            "settings": {"data_rate": rate},
            "rx_metadata": [{"snr": 3.5}],
        },
        {
            "payload": {"mac_payload": {"f_hdr": {"dev_addr": ADDRESS, "f_cnt": 7},
                                        "full_f_cnt": 7}},
            "settings": {"data_rate": rate},
            "rx_metadata": [
                {"gateway_ids": {"gateway_id": "gtw1"}, "snr": -2.5, "uplink_token": "Z3R3MQ=="}
            ],
            "received_at": "2024-01-31T12:00:00.250Z",
        },
    ]  # fmt: skip
