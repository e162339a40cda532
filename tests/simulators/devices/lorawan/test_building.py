"""Nodes from the plain options of a fleet, and what is wrong with some."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from simulators.clock import VirtualClock
from simulators.devices.fleet import FleetSpec
from simulators.devices.lorawan.building import BuiltNode, NodePlace, build_node, build_nodes
from simulators.devices.lorawan.located import Origin, located
from simulators.devices.lorawan.state import Abp, Otaa
from simulators.devices.options import FleetError
from simulators.lorawan.identifiers import parse_key
from simulators.lorawan.versions import MacVersion
from simulators.radio.medium import Medium
from simulators.radio.mobility import Still
from simulators.radio.node_radio import MediumRadio
from simulators.radio.path_loss import PATH_LOSSES
from simulators.randomness import RandomStreams

from .network import DEV_ADDR, DEV_EUI, JOIN_EUI
from .scripted_radio import ScriptedRadio


def built(name: str = "node-1", seed: int = 1, **options: Any) -> BuiltNode:
    clock = VirtualClock()
    return build_node(name, NodePlace(clock, ScriptedRadio(clock), RandomStreams(seed)), options)


def test_a_node_without_options_joins_in_eu868() -> None:
    node, life, _ = built()

    assert (node.region.name, node.settings.version) == ("EU868", MacVersion.V1_0_3)
    assert isinstance(node.identity, Otaa)
    assert node.identity.dev_eui.startswith("02")
    assert inspect.isgenerator(life)


def test_name_and_seed_decide_identity_and_keys() -> None:
    same, again = built("a"), built("a")
    others = [built("b"), built("a", seed=2)]

    assert same.node.identity == again.node.identity
    assert same.node.identity not in [each.node.identity for each in others]


def test_given_identities_and_keys_are_taken() -> None:
    key = "404142434445464748494A4B4C4D4E4F"
    joins = built(dev_eui="FFFFFFAADEADBEEF", join_eui=JOIN_EUI, app_key=key).node.identity
    abp = built(
        activation="abp", dev_addr=DEV_ADDR, nwk_s_key=key, app_s_key=key, dev_eui=DEV_EUI
    ).node.identity

    assert joins == Otaa(DEV_EUI, JOIN_EUI, (parse_key(key), b""))
    assert isinstance(abp, Abp)
    assert (abp.dev_addr, abp.keys.app_s_key) == (DEV_ADDR, parse_key(key))


def test_nodes_of_a_fleet_share_what_they_have_in_common() -> None:
    clock = VirtualClock()
    nodes = build_nodes(
        [FleetSpec("node", 3, "meter", {"version": "1.1", "drift_ppm": 40, "payload": "0102"})],
        clock=clock,
        streams=RandomStreams(1),
        radio=lambda name: ScriptedRadio(clock),
    )

    assert [each.node.name for each in nodes] == ["meter-1", "meter-2", "meter-3"]
    assert len({id(each.node.settings) for each in nodes}) == 1
    drifts = [each.node.drift_ppm for each in nodes]
    assert len(set(drifts)) == 3
    assert all(-40 <= each <= 40 for each in drifts)


def test_values_are_sent_in_cayenne_lpp() -> None:
    clock = VirtualClock()
    radio = ScriptedRadio(clock)
    values = [
        {"channel": 1, "kind": "temperature", "shape": "constant", "value": 24.8},
        {"channel": 2, "kind": "relative_humidity"},
    ]
    options = {"activation": "abp", "values": values, "period_s": 60}
    node, life, _ = build_node("n", NodePlace(clock, radio, RandomStreams(1)), options)
    clock.process(life)

    clock.play(60)

    session = node.session
    assert session is not None
    payload = session.crypto.encrypt_payload(
        radio.sent[0].payload[9:-4], 0, is_uplink=True, f_port=1
    )
    assert payload[:6].hex() == "016700f80268"
    assert 40 <= payload[6] <= 160


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regoin": "EU868"}, "option must be one of .*; got 'regoin'; did you mean 'region'?"),
        ({"region": "EU686"}, "expected a region .*; got 'EU686'; did you mean 'EU868'?"),
        ({"version": "1.0.5"}, "expected one of .*; got '1.0.5'"),
        ({"region_version": "RP003"}, "expected one of .*; got 'RP003'"),
        ({"activation": "otta"}, "activation must be one of abp, otaa; got 'otta'"),
        ({"device_class": "D"}, "device_class must be one of A, B, C; got 'D'"),
        ({"data_rate": 9}, "data_rate must be one of -1, .* in EU868; got 9"),
        ({"join_data_rate": 2.5}, "join_data_rate must be one of .*; got 2.5"),
        ({"channels": [3]}, "channels must be a whole number from 0 to 2; got 3"),
        ({"channels": ["a"]}, "channels must be a whole number from 0 to 2; got 'a'"),
        ({"duty_cycle": "strict"}, "duty_cycle must be one of credit, none, off-time"),
        ({"sticky": "all"}, "sticky must be one of loramac-node, spec; got 'all'"),
        ({"lost": ["keys"]}, "lost must be one of dev_nonce, join_nonce, session; got 'keys'"),
        ({"profile": "sx1278"}, "profile must be one of .*; did you mean 'sx127.'?"),
        ({"certification": "ts009"}, "certification must be one of .*; got 'ts009'"),
        ({"adr_manner": "loud"}, "adr_manner must be one of power-first, text; got 'loud'"),
        ({"ack_pause_s": -1}, "ack_pause_s must not be negative; got -1"),
        ({"ping_periodicity": 8}, "ping_periodicity must be a whole number from 0 to 7; got 8"),
        ({"adr": "yes"}, "adr must be true or false; got 'yes'"),
        ({"battery": 300}, "battery must be a whole number from 0 to 255; got 300"),
        ({"f_port": 224}, "f_port must be a whole number from 1 to 223; got 224"),
        ({"confirmed": 2}, "confirmed must lie between 0 and 1; got 2"),
        ({"period_s": "often"}, "period_s must be a number; got 'often'"),
        ({"dev_eui": "12"}, "expected an EUI of 16 hex digits; got '12'"),
        ({"app_key": "12"}, "expected a key of 32 hex digits; got 2 characters"),
        ({"payload": "xyz"}, "payload must be hex text; got 'xyz'"),
        ({"payload": 5}, "payload must be hex text; got 5"),
        ({"values": "warm"}, "values must be a list of tables; got 'warm'"),
        ({"values": [{"kind": "warmth"}]}, "kind must be one of .*; got 'warmth'"),
        ({"values": [{"channel": 256}]}, "channel must lie between 0 and 255; got 256"),
        ({"values": [{"kind": "gps", "shape": "constant"}]}, "gps.latitude must be a number; got "),
        ({"values": [{"shape": "counters"}]}, "shape must be one of .*; did you mean 'counter'"),
    ],
)
def test_a_mistake_is_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FleetError, match=message) as caught:
        built(**options)

    assert "\n" not in str(caught.value)


def test_a_tracker_tells_where_its_radio_is() -> None:
    clock = VirtualClock()
    radio = MediumRadio(
        clock,
        Medium(clock, path_loss=PATH_LOSSES["oulu"]),
        "n",
        Still((1112.0, -556.0, 3.0)),
    )
    sample = located(Origin(0.0, 10.0), clock, radio)

    assert sample(clock.start_unix_us) == {
        "latitude": -0.005, "longitude": 10.01, "altitude": 3.0,
    }  # fmt: skip


def test_a_switch_is_built_with_what_it_switches() -> None:
    assert built("n", relay={"reaction_s": 0.5}).relay is not None
    assert built("n").relay is None


def test_a_switch_reports_nothing_else() -> None:
    with pytest.raises(FleetError, match="expected no 'payload' or 'values' beside 'relay'"):
        built("n", relay={}, payload="00")
