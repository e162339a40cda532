"""Semtech's UDP protocol at the Gateway Server."""

from __future__ import annotations

import pytest

from simulators.lorawan.modulation import Fsk
from simulators.platforms.things_stack.errors import StackError
from simulators.wire.semtech_packets import Stat
from simulators.wire.semtech_udp import PullAck, PullData, PullResp, PushAck, encode
from tests.simulators.platforms.things_stack.gateways import (
    EUI,
    PULL_ADDRESS,
    SF7,
    UPLINK,
    Forwarder,
    names,
    packet,
)

HEAD = bytes.fromhex("02000700") + bytes.fromhex(EUI)


@pytest.fixture
def forwarder(bench):
    """A registered gateway."""
    forwarder = Forwarder(bench)
    forwarder.register()
    return forwarder


def listen(forwarder):
    forwarder.bench.listen({"identifiers": [{"gateway_ids": {"gateway_id": "gtw1"}}]})


def stats(forwarder):
    return forwarder.bench.get("/gs/gateways/gtw1/connection/stats")[1]


# --- who may connect


def test_acknowledgements_come_before_anybody_is_known(bench):
    forwarder = Forwarder(bench)
    assert forwarder.push(packet()) == [PushAck(7)]
    assert forwarder.pull() == [PullAck(8)]
    assert forwarder.uplinks == []
    assert bench.core.stack.gateways.connections == {}


def test_a_version_is_not_checked_but_echoed(forwarder):
    data = b"\x01" + HEAD[1:] + b'{"rxpk":[]}'
    assert forwarder.raw(data) == [PushAck(7, version=1)]


@pytest.mark.parametrize("kind", [1, 3, 4, 6, 255])
def test_other_kinds_are_dropped(forwarder, kind):
    assert forwarder.raw(HEAD[:3] + bytes((kind,)) + HEAD[4:]) == []


def test_a_refused_gateway_is_remembered_for_five_minutes(bench):
    forwarder = Forwarder(bench)
    forwarder.push(packet())
    forwarder.register()
    forwarder.wait(299)
    forwarder.push(packet())
    assert forwarder.uplinks == []
    forwarder.wait(1)
    forwarder.push(packet())
    assert len(forwarder.uplinks) == 1


def test_an_unregistered_gateway_needs_a_fallback_plan(with_policy):
    forwarder = Forwarder(with_policy(fallback_plan="EU_863_870_TTN"))
    forwarder.push(packet())
    assert forwarder.uplinks[0].gateway == f"eui-{EUI.lower()}"
    strict = Forwarder(
        with_policy(fallback_plan="EU_863_870_TTN", requires_registered_gateways=True)
    )
    strict.push(packet())
    assert strict.uplinks == []


@pytest.mark.parametrize(
    "registration", [{"require_authenticated_connection": True}, {"frequency_plan_id": "MOON"}]
)
def test_some_registered_gateways_may_not_connect(bench, registration):
    forwarder = Forwarder(bench)
    forwarder.register(**registration)
    assert forwarder.push(packet()) == [PushAck(7)]
    assert forwarder.uplinks == []


def test_no_more_than_ten_datagrams_pass_in_ten_milliseconds(forwarder):
    answers = [forwarder.push(packet(number)) for number in range(12)]
    assert answers == [[PushAck(7)]] * 10 + [[]] * 2
    forwarder.wait(0.01)
    assert forwarder.push(packet(99)) == [PushAck(7)]


def test_a_connection_ends_after_three_minutes_of_silence(forwarder):
    listen(forwarder)
    assert names(forwarder.pull()) == ["gs.gateway.connect"]
    events = names(forwarder.wait(241))
    assert events == [*["gs.gateway.connection.stats"] * 3, "gs.gateway.disconnect"]


GONE = (404, "gatewayserver:not_connected", {"gateway_uid": "gtw1"})


def test_statistics_of_a_gateway_that_has_gone_stay_two_days(forwarder):
    forwarder.push(packet())
    forwarder.wait(241)
    assert stats(forwarder) == {
        "disconnected_at": "2024-01-31T12:04:00Z",
        "protocol": "udp",
        "last_uplink_received_at": "2024-01-31T12:00:00Z",
        "uplink_count": "1",
        "sub_bands": [{"max_frequency": "18446744073709551615"}],
        "gateway_remote_address": {"ip": "192.0.2.7"},
    }
    body = {"gateway_ids": [{"gateway_id": "gtw1"}], "field_mask": {"paths": ["disconnected_at"]}}
    assert forwarder.bench.post("/gs/gateways/connection/stats", body)[1] == {
        "entries": {"gtw1": {"disconnected_at": "2024-01-31T12:04:00Z"}}
    }
    forwarder.wait(48 * 3600 - 2)
    assert "disconnected_at" in stats(forwarder)
    forwarder.wait(1)
    assert forwarder.bench.refused("GET", "/gs/gateways/gtw1/connection/stats") == GONE


def test_a_gateway_that_is_back_starts_to_count_anew(forwarder):
    forwarder.push(packet())
    forwarder.wait(241)
    forwarder.pull()
    document = stats(forwarder)
    assert document["connected_at"] == "2024-01-31T12:04:01Z"
    assert document.keys().isdisjoint({"disconnected_at", "uplink_count"})


def test_servers_without_a_cache_forget_who_has_gone(with_policy):
    forwarder = Forwarder(with_policy(stats_kept_s=0))
    forwarder.register()
    forwarder.pull()
    forwarder.wait(241)
    assert forwarder.bench.refused("GET", "/gs/gateways/gtw1/connection/stats") == GONE


def test_no_other_address_speaks_for_a_gateway_for_a_while(with_policy):
    forwarder = Forwarder(with_policy(udp_address_block_s=60))
    forwarder.register()
    other, data = ("192.0.2.8", 40_000), encode(PullData(8, EUI))
    assert forwarder.pull() == [PullAck(8)]
    assert forwarder.raw(data, other) == []
    assert forwarder.push(packet()) == [PushAck(7)]  # another port of the same host
    forwarder.wait(59)
    assert forwarder.raw(data, other) == []
    forwarder.wait(1)
    assert forwarder.raw(data, other) == [PullAck(8)]
    assert forwarder.pull() == []


@pytest.mark.parametrize("change", ["delete", "change"])
def test_a_connection_ends_with_its_registration(forwarder, change):
    forwarder.pull()
    if change == "delete":
        forwarder.bench.delete("/gateways/gtw1")
    else:
        body = {"gateway": {"location_public": True}, "field_mask": {"paths": ["location_public"]}}
        forwarder.bench.made("/gateways/gtw1", body, method="PUT")
    forwarder.wait(61)
    assert forwarder.bench.core.stack.gateways.connections == {}


# --- uplinks


def test_an_uplink_with_all_that_is_known_of_it(forwarder):
    forwarder.bench.made(
        "/gateways/gtw1",
        {"gateway": {"location_public": True, "antennas": [{"location": {
            "latitude": 52.5, "longitude": 13.4, "source": "SOURCE_REGISTRY"}}]},
         "field_mask": {"paths": ["location_public", "antennas"]}},
        method="PUT",
    )  # fmt: skip
    forwarder.push(packet(channel=2, gps_ms=1_400_000_000_000, frequency_offset_hz=-120))
    (uplink,) = forwarder.uplinks
    assert (uplink.phy, uplink.frequency_hz, uplink.modulation) == (UPLINK, 868_100_000, SF7)
    assert (uplink.gateway, uplink.received_us) == ("gtw1", forwarder.bench.now_us)
    assert uplink.settings == {
        "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}},
        "frequency": "868100000",
        "timestamp": 1_000_000,
        "time": "2024-05-17T16:53:02Z",
    }
    token = uplink.metadata.pop("uplink_token")
    assert isinstance(token, str)
    assert uplink.metadata == {
        "gateway_ids": {"gateway_id": "gtw1", "eui": EUI},
        "timestamp": 1_000_000,
        "time": "2024-05-17T16:53:02Z",
        "gps_time": "2024-05-17T16:53:02Z",
        "rssi": -60,
        "channel_rssi": -60,
        "snr": 9.5,
        "channel_index": 2,
        "frequency_offset": "-120",
        "location": {"latitude": 52.5, "longitude": 13.4, "source": "SOURCE_REGISTRY"},
        "received_at": "2024-01-31T12:00:00Z",
    }


def body(members):
    text = b'{"rxpk":[{"tmst":5,"freq":868.1,"modu":"LORA","datr":"SF7BW125","codr":"4/5",%b}]}'
    return HEAD + text % members


def test_an_uplink_of_several_antennas(forwarder):
    forwarder.raw(
        body(b'"data":"QDQSACYAAQABqrvM3Q==","rsig":[{"ant":0,"chan":1,"rssic":-70,"lsnr":5},'
             b'{"ant":1,"chan":2,"rssic":-80,"lsnr":-2.5,"rssis":-83,"ftime":12}]')
    )  # fmt: skip
    first, second = (each.metadata for each in forwarder.uplinks)
    assert (first["rssi"], first["snr"], first["channel_index"]) == (-70, 5, 1)
    assert (second["antenna_index"], second["signal_rssi"], second["fine_timestamp"]) == (
        1, -83, "12",
    )  # fmt: skip
    assert stats(forwarder)["uplink_count"] == "1"


def test_base64_needs_no_padding(forwarder):
    forwarder.raw(body(b'"data":"QDQSACYAAQABqrvM3Q"'))
    assert [each.phy for each in forwarder.uplinks] == [UPLINK]


def test_of_one_frame_heard_twice_the_stronger_counts(forwarder):
    forwarder.push(packet(rssi_dbm=-90), packet(rssi_dbm=-70), packet(rssi_dbm=-80))
    assert [each.metadata["rssi"] for each in forwarder.uplinks] == [-70]


def test_a_frame_that_is_sent_once_more_is_dropped(forwarder):
    listen(forwarder)
    forwarder.push(packet())
    assert names(forwarder.push(packet())) == ["gs.io.up.repeat"]
    assert len(forwarder.uplinks) == 1


def test_a_broken_frame_is_dropped(forwarder):
    listen(forwarder)
    found = forwarder.push(packet(crc=-1))
    assert names(found) == ["gs.gateway.connect", "gs.up.receive", "gs.up.drop"]
    assert found[-1]["data"]["name"] == "message_crc"
    assert forwarder.uplinks == []


def test_addresses_of_other_networks_are_silently_ignored(forwarder):
    listen(forwarder)
    foreign = bytes.fromhex("403412004A00010001AABBCCDD")
    found = forwarder.push(packet(phy=foreign), packet(phy=bytes(23)))
    assert names(found)[1:] == ["gs.up.receive", "gs.up.receive", "gs.up.forward"]
    assert [each.phy for each in forwarder.uplinks] == [bytes(23)]


@pytest.mark.parametrize(
    ("error", "event"),
    [
        ("pkg/networkserver:device_not_found", "gs.up.forward"),
        ("pkg/networkserver:duplicate_uplink", "gs.up.forward"),
        ("pkg/gatewayserver/io:buffer_full", "gs.up.drop"),
    ],
)
def test_most_refusals_of_the_network_show_as_forwarded(forwarder, error, event):
    listen(forwarder)
    forwarder.refusal = StackError(error)
    assert names(forwarder.push(packet()))[-1] == event


def test_events_of_an_uplink(forwarder):
    listen(forwarder)
    found = [each for each in forwarder.push(packet()) if "name" in dir(each) or "name" in each]
    connect, receive, forward = found[-3:]
    assert connect["data"]["@type"] == "type.googleapis.com/ttn.lorawan.v3.GatewayConnectionStats"
    assert receive["data"]["@type"] == "type.googleapis.com/ttn.lorawan.v3.GatewayUplinkMessage"
    assert receive["data"]["band_id"] == "EU_863_870"
    assert receive["data"]["message"]["raw_payload"] == "QDQSACYAAQABqrvM3Q=="
    assert receive["visibility"] == {"rights": ["RIGHT_GATEWAY_TRAFFIC_READ"]}
    assert "data" not in forward
    assert forward["correlation_ids"] == receive["correlation_ids"]
    assert forward["correlation_ids"][0].startswith("gs:uplink:")


# --- status and statistics


def test_a_status(forwarder):
    listen(forwarder)
    status = Stat(1_706_702_390, 46.24, 3.2523, 145, 2, 2, 2, 100.0, 2, 2)
    found = forwarder.push(stat=status)
    assert names(found) == ["gs.gateway.connect", "gs.status.receive"]
    document = stats(forwarder)
    assert document["last_status_received_at"] == "2024-01-31T12:00:00Z"
    told = document["last_status"]
    assert told.pop("versions").keys() == {"ttn-lw-gateway-server"}
    assert told == {
        "time": "2024-01-31T11:59:50Z",
        "antenna_locations": [
            {"latitude": 46.24, "longitude": 3.2523, "altitude": 145, "source": "SOURCE_GPS"}
        ],
        "ip": ["192.0.2.7"],
        "metrics": {"rxin": 2, "rxok": 2, "rxfw": 2, "ackr": 100.0, "txin": 2, "txok": 2},
    }


def test_a_gateway_may_tell_where_it_is(bench):
    forwarder = Forwarder(bench)
    forwarder.register(
        update_location_from_status=True, location_public=True, antennas=[{"gain": 3}]
    )
    forwarder.push(stat=Stat(1_706_702_390, 46.24, 3.2523, 145))
    forwarder.push(stat=Stat(1_706_702_420, 47.0, 3.2523, 145))
    location = {"latitude": 46.24, "longitude": 3.2523, "altitude": 145, "source": "SOURCE_GPS"}
    document = bench.get("/gateways/gtw1?field_mask=antennas")[1]
    assert document["antennas"] == [{"gain": 3, "location": location}]
    forwarder.wait(61)
    forwarder.push(packet())
    assert forwarder.uplinks[0].metadata["location"] == location
    assert stats(forwarder)["connected_at"] == "2024-01-31T12:00:00Z"


def test_statistics(forwarder):
    forwarder.push(packet())
    forwarder.pull()
    token = forwarder.uplinks[0].metadata["uplink_token"]
    forwarder.schedule(token)
    (response,) = forwarder.wait(0.3)
    forwarder.wait(0.05)
    forwarder.ack(response)
    assert stats(forwarder) == {
        "connected_at": "2024-01-31T12:00:00Z",
        "protocol": "udp",
        "last_uplink_received_at": "2024-01-31T12:00:00Z",
        "uplink_count": "1",
        "last_downlink_received_at": "2024-01-31T12:00:00Z",
        "downlink_count": "1",
        "last_tx_acknowledgment_received_at": "2024-01-31T12:00:00.350Z",
        "tx_acknowledgment_count": "1",
        "round_trip_times": {"min": "0.150s", "max": "0.150s", "median": "0.150s", "count": 1},
        "sub_bands": [{"max_frequency": "18446744073709551615"}],
        "gateway_remote_address": {"ip": "192.0.2.7"},
    }


def test_statistics_of_several_gateways(forwarder):
    forwarder.pull()
    body = {"gateway_ids": [{"gateway_id": "gtw1"}], "field_mask": {"paths": ["protocol"]}}
    answer = forwarder.bench.post("/gs/gateways/connection/stats", body)
    assert answer == (200, {"entries": {"gtw1": {"protocol": "udp"}}})


# --- downlinks


@pytest.fixture
def heard(forwarder):
    """The gateway has heard something and takes downlinks: beside it the token to answer by."""
    forwarder.push(packet())
    forwarder.pull()
    return forwarder, forwarder.uplinks[0].metadata["uplink_token"]


def test_a_downlink_reaches_its_gateway_800_ms_before_it_is_sent(heard):
    forwarder, token = heard
    scheduled, effects = forwarder.schedule(token)
    assert scheduled == (forwarder.bench.now_us + 1_000_000, "gtw1", True, False)
    assert effects == []
    assert forwarder.wait(0.199) == []
    (response,) = forwarder.wait(0.001)
    assert isinstance(response, PullResp)
    sent = response.txpk
    assert (sent.tmst, sent.is_immediate, sent.frequency_hz) == (2_000_000, False, 868_100_000)
    assert (sent.power_dbm, sent.rf_chain, sent.inverts_polarity) == (14, 0, True)
    assert (sent.has_crc, sent.modulation, sent.data) == (False, SF7, b"\x60" * 20)


def test_a_gateway_with_a_queue_gets_it_at_once(heard):
    forwarder, token = heard
    forwarder.schedule(token)
    (first,) = forwarder.wait(0.3)
    assert forwarder.ack(first) == []
    forwarder.push(packet(5_000_000))
    _, effects = forwarder.schedule(forwarder.uplinks[-1].metadata["uplink_token"])
    assert effects[0].txpk.tmst == 6_000_000


def test_it_goes_where_the_last_pull_data_came_from(heard):
    forwarder, token = heard
    forwarder.schedule(token)
    bench = forwarder.bench
    due_us = bench.core.stack.agenda.next_us
    (effect, *_) = bench.core.timer(0, due_us)
    assert effect.address == PULL_ADDRESS


def test_the_downlink_path_ends_90_s_after_the_last_pull_data(heard):
    forwarder, token = heard
    forwarder.wait(89.9)
    forwarder.push(packet(90_900_000))
    token = forwarder.uplinks[-1].metadata["uplink_token"]
    forwarder.wait(0.2)
    assert forwarder.refused(token)[-1] == "/io/udp:downlink_path_expired"


def test_an_acknowledged_downlink_keeps_the_downlink_path(heard):
    forwarder, token = heard
    forwarder.schedule(token)
    (response,) = forwarder.wait(60)
    forwarder.ack(response)
    forwarder.wait(60)
    forwarder.push(packet(121_000_000))
    assert forwarder.attempt(forwarder.uplinks[-1].metadata["uplink_token"]) == []


def test_the_second_window_when_the_first_is_over(heard):
    forwarder, token = heard
    forwarder.wait(0.9)
    scheduled, _ = forwarder.schedule(token)
    (response,) = forwarder.wait(0.4)
    assert (scheduled.is_rx1, scheduled.is_rx2) == (False, True)
    assert (response.txpk.tmst, response.txpk.frequency_hz) == (3_000_000, 869_525_000)
    assert response.txpk.power_dbm == 27


def test_counts_wrap(forwarder):
    forwarder.pull()
    forwarder.push(packet(2**32 - 500_000))
    _, _ = forwarder.schedule(forwarder.uplinks[0].metadata["uplink_token"])
    (response,) = forwarder.wait(0.3)
    assert response.txpk.tmst == 500_000


def test_fsk(heard):
    forwarder, token = heard
    forwarder.schedule(token, rx1_data_rate={"fsk": {"bit_rate": 50_000}})
    (response,) = forwarder.wait(0.3)
    assert (response.txpk.modulation, response.txpk.deviation_hz) == (Fsk(50_000), 25_000)


def test_class_c_is_sent_half_a_second_later(heard):
    forwarder, _ = heard
    path = [{"fixed": {"gateway_ids": {"gateway_id": "gtw1"}}}]
    scheduled, (response,) = forwarder.schedule(
        **{"class": "CLASS_C"}, downlink_paths=path, rx1_frequency="0"
    )
    assert scheduled.at_us == forwarder.bench.now_us + 530_000
    assert (response.txpk.tmst, response.txpk.frequency_hz) == (1_530_000, 869_525_000)
    later, _ = forwarder.schedule(**{"class": "CLASS_C"}, downlink_paths=path, rx1_frequency="0")
    assert later.at_us - scheduled.at_us > 30_000


def test_class_b_needs_a_gateway_with_gps(heard):
    forwarder, _ = heard
    path = [{"fixed": {"gateway_ids": {"gateway_id": "gtw1"}}}]
    request = {"class": "CLASS_B", "downlink_paths": path, "rx2_frequency": "0",
               "absolute_time": "2024-01-31T12:00:10Z"}  # fmt: skip
    assert forwarder.refused(**request)[-1] == "/io:no_gps_sync"
    gps_ms = 1_390_737_618_000  # 2024-01-31T12:00:00Z
    forwarder.push(packet(2_000_000, gps_ms=gps_ms))
    scheduled, _ = forwarder.schedule(**request)
    assert scheduled.at_us == forwarder.bench.now_us + 10_000_000
    (response,) = forwarder.wait(9.3)
    assert (response.txpk.tmst, response.txpk.gps_ms) == (None, gps_ms + 10_000)


def test_why_nothing_can_be_sent(heard):
    forwarder, token = heard
    assert forwarder.refused(token[:-4]) == [":schedule", ":schedule_path", ":not_connected"]
    assert forwarder.refused("AAAA") == [":schedule", ":schedule_path", ":uplink_token"]
    assert forwarder.refused(token, rx1_delay=0) == [
        ":schedule", ":schedule_path", "/io:tx_schedule",
        "/io:rx_window_schedule", "/io:no_rx_delay", "/io:rx_window_schedule", "/io:no_rx_delay",
    ]  # fmt: skip
    assert forwarder.refused(token, phy=bytes(256))[-1] == "/io:too_long"
    assert forwarder.refused(token, frequency_plan_id="US_902_928_FSB_2")[-1] == (
        "/io:frequency_plans_not_from_same_band"
    )
    assert forwarder.refused(token, rx1_frequency="0", rx2_frequency="0")[-2:] == [
        "/io:rx_empty", "/io:rx_empty",
    ]  # fmt: skip
    forwarder.wait(3)
    assert forwarder.refused(token)[-1] == "/scheduling:too_late"


def test_two_frames_at_once_conflict(heard):
    forwarder, token = heard
    forwarder.schedule(token)
    scheduled, _ = forwarder.schedule(token)
    assert scheduled.is_rx2
    assert forwarder.refused(token)[-1] == "/scheduling:conflict"


def test_duty_cycle_by_priority(bench):
    forwarder = Forwarder(bench)
    forwarder.register(enforce_duty_cycle=True)
    forwarder.push(packet())
    forwarder.pull()
    request = {"phy": b"\x60" * 200, "rx2_frequency": "0", "rx1_frequency": "863100000",
               "rx1_data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7,
                                          "coding_rate": "4/5"}}}  # fmt: skip
    sent = {"LOWEST": 0, "HIGHEST": 0}
    tmst = 1_000_000
    for priority in sent:
        while True:
            tmst += 2_000_000
            forwarder.wait(2)
            forwarder.push(packet(tmst))
            forwarder.pull()
            token = forwarder.uplinks[-1].metadata["uplink_token"]
            scheduled = forwarder.attempt(token, priority=priority, **request)
            if scheduled != []:
                assert scheduled[-1] == "/scheduling:duty_cycle"
                break
            sent[priority] += 1
    # 0.1 % of an hour are 3.6 s, a frame takes 0.318 s: four are within 40 %, eleven within all.
    assert sent == {"LOWEST": 4, "HIGHEST": 7}
    band = stats(forwarder)["sub_bands"][0]
    assert band["downlink_utilization_limit"] == 0.001
    assert band["downlink_utilization"] == pytest.approx(11 * 0.3177 / 3600, rel=0.01)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (None, "SUCCESS"),
        ("NONE", "SUCCESS"),
        ("TOO_LATE", "TOO_LATE"),
        ("TOO_EARLY", "TOO_EARLY"),
        ("COLLISION_PACKET", "COLLISION_PACKET"),
        ("COLLISION_BEACON", "COLLISION_BEACON"),
        ("TX_FREQ", "TX_FREQ"),
        ("TX_POWER", "TX_POWER"),
        ("GPS_UNLOCKED", "GPS_UNLOCKED"),
        ("X", "UNKNOWN_ERROR"),
    ],
)
def test_what_became_of_a_downlink(heard, error, result):
    forwarder, token = heard
    listen(forwarder)
    _, effects = forwarder.schedule(token)
    assert names(effects) == ["gs.down.schedule.attempt", "gs.down.send"]
    (response,) = forwarder.wait(0.3)
    outcome = "gs.down.tx.success" if result == "SUCCESS" else "gs.down.tx.fail"
    found = names(forwarder.ack(response, error))
    assert found == ["gs.txack.receive", outcome, "gs.txack.forward"]
    assert names(forwarder.ack(response, error)) == found
    assert forwarder.acks == [("dev1", result)]  # the second time it is of no downlink
    assert stats(forwarder)["tx_acknowledgment_count"] == "2"
    assert stats(forwarder)["round_trip_times"]["count"] == 1


# --- what its owner asks for


def test_a_configuration_for_the_packet_forwarder(forwarder):
    forwarder.bench.core.located("http://127.0.0.1:1885")
    status, document = forwarder.bench.get("/gcs/gateways/gtw1/semtechudp/global_conf.json")
    assert status == 200
    server = {"gateway_ID": EUI, "server_address": "127.0.0.1", "serv_port_up": 1885,
              "serv_port_down": 1885}  # fmt: skip
    assert document["gateway_conf"] == {**server, "servers": [{**server, "serv_enabled": True}]}
    board = document["SX1301_conf"]
    hertz = {
        name: board[f"radio_{place['radio']}"]["freq"] + place["if"]
        for name, place in board.items()
        if name.startswith("chan_")
    }
    assert hertz.pop("chan_Lora_std") == 868_300_000
    assert hertz.pop("chan_FSK") == 868_800_000
    assert sorted(hertz.values()) == [
        867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000,
        868_100_000, 868_300_000, 868_500_000,
    ]  # fmt: skip
    assert (board["radio_0"]["tx_enable"], board["radio_1"]["tx_enable"]) == (True, False)


def test_where_mqtt_would_be(forwarder):
    info = {"public_address": "thingrig:1882", "public_tls_address": "thingrig:8882",
            "username": "gtw1"}  # fmt: skip
    assert forwarder.bench.get("/gs/gateways/gtw1/mqtt-connection-info") == (200, info)
    assert forwarder.bench.get("/gs/gateways/gtw1/mqttv2-connection-info")[0] == 200
    assert forwarder.bench.get("/gs/gateways/gtw1/mqtt-connection-info", key=None)[0] in (401, 403)
