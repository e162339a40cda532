"""What servers tell of their configuration."""

from __future__ import annotations


def test_plans(bench):
    plans = bench.get("/configuration/frequency-plans", key=None)[1]["frequency_plans"]
    assert {
        "id": "EU_863_870_TTN", "base_id": "EU_863_870", "base_frequency": 868,
        "name": "Europe 863-870 MHz (SF9 for RX2 - recommended)", "band_id": "EU_863_870",
    } in plans  # fmt: skip
    narrow = bench.get("/configuration/frequency-plans?base_frequency=433")[1]["frequency_plans"]
    assert {each["base_frequency"] for each in narrow} == {433}
    assert bench.get("/configuration/frequency-plans?base_frequency=1") == (200, {})
    gateways = bench.get("/configuration/frequency-plans?gateways_only=true&band_id=EU_863_870")
    assert "EU_863_870_TTN" not in [each["id"] for each in gateways[1]["frequency_plans"]]


def test_versions(bench):
    one = bench.get("/configuration/phy-versions?band_id=AS_923_4")[1]
    assert one == {
        "version_info": [{"band_id": "AS_923_4", "phy_versions": ["RP002_V1_0_3", "RP002_V1_0_4"]}]
    }
    assert len(bench.get("/configuration/phy-versions")[1]["version_info"]) == 16
    assert bench.refused("GET", "/configuration/phy-versions?band_id=MOON")[1] == (
        "band:band_not_found"
    )


def test_a_band(bench):
    document = bench.get("/configuration/bands/EU_863_870/1.0.2-b")[1]
    band = document["descriptions"]["EU_863_870"]["band"]["PHY_V1_0_2_REV_B"]
    assert band["default_rx2_parameters"] == {"frequency": "869525000"}
    assert band["uplink_channels"][0] == {"frequency": "868100000", "max_data_rate": 5}
    assert band["data_rates"]["5"]["rate"]["lora"] == {
        "bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5",
    }  # fmt: skip
    assert band["data_rates"]["7"] == {"rate": {"fsk": {"bit_rate": 50000}}}
    assert band["sub_bands"][0] == {
        "min_frequency": "863000000", "max_frequency": "865000000", "duty_cycle": 0.001,
        "max_eirp": 16.15,
    }  # fmt: skip
    assert (band["receive_delay_1"], band["join_accept_delay_2"]) == ("1s", "6s")


def test_all_bands(bench):
    descriptions = bench.get("/configuration/bands?phy_version=RP002_V1_0_4")[1]["descriptions"]
    assert len(descriptions) == 16


def test_is_configuration_is_for_everybody(bench):
    configuration = bench.get("/is/configuration", key=None)[1]["configuration"]
    assert configuration["user_rights"]["create_gateways"] is True
