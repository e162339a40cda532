"""Devices on the Join, Network and Application Server: registration as the documents show it."""

from __future__ import annotations

import pytest

from .conftest import NOON, OTHER_KEY

DEV_EUI, JOIN_EUI = "70B3D57ED0000001", "0000000000000001"
KEY, OTHER_AES_KEY = "000102030405060708090A0B0C0D0E0F", "F" * 32
IDS = {"device_id": "newdev1", "dev_eui": DEV_EUI, "join_eui": JOIN_EUI}
ABP_IDS = {"device_id": "newdev1", "dev_eui": DEV_EUI}
HOST = "thethings.example.com"
SHOWN_IDS = {"device_id": "newdev1", "application_ids": {"application_id": "app1"},
             "dev_eui": DEV_EUI, "join_eui": JOIN_EUI}  # fmt: skip
ID_PATHS = ["ids.device_id", "ids.dev_eui", "ids.join_eui"]
OTAA = {
    "supports_join": True,
    "lorawan_version": "1.0.2",
    "lorawan_phy_version": "1.0.2-b",
    "frequency_plan_id": "EU_863_870_TTN",
}
ABP = {
    **OTAA,
    "supports_join": False,
    "session": {"dev_addr": "2600ABCD", "keys": {"f_nwk_s_int_key": {"key": KEY}}},
    "mac_settings": {"resets_f_cnt": True, "factory_preset_frequencies": ["868100000"]},
}
ABP_PATHS = ["supports_join", "lorawan_version", "lorawan_phy_version", "frequency_plan_id",
             "session.dev_addr", "session.keys.f_nwk_s_int_key.key", "mac_settings.resets_f_cnt",
             "mac_settings.factory_preset_frequencies"]  # fmt: skip


ROOT_KEYS = {"root_keys": {"app_key": {"key": KEY.lower()}}}
JS_PATHS = ["network_server_address", "root_keys.app_key.key", *ID_PATHS]
AS_SESSION = {"session": {"dev_addr": "2600ABCD", "keys": {"app_s_key": {"key": KEY}}}}
AS_PATHS = ["session.dev_addr", "session.keys.app_s_key.key", "skip_payload_crypto"]
HOOK = {"base_url": "https://example.com/{devID}", "format": "json", "uplink_message": {}}


def target(server, device_id="newdev1"):
    return f"/{server}/applications/app1/devices/{device_id}"


def device(fields, paths, ids=IDS):
    return {"end_device": {"ids": ids, **fields}, "field_mask": {"paths": list(paths)}}


def put(bench, server, fields, paths, ids=IDS, **options):
    address = target(server, ids["device_id"])
    return bench.made(address, device(fields, paths, ids), method="PUT", **options)


def refused(bench, server, fields, paths, ids=IDS, **options):
    address = target(server, ids["device_id"])
    return bench.refused("PUT", address, device(fields, paths, ids), **options)


def put_otaa(bench, ids=IDS, **fields):
    fields = OTAA | fields
    return put(bench, "ns", fields, [*OTAA, *ID_PATHS], ids)


def put_abp(bench, ids=ABP_IDS, **fields):
    return put(bench, "ns", ABP | fields, [*ABP_PATHS, *(set(fields) - set(ABP))], ids)


def cause(bench, server, fields, paths, ids=IDS):
    """Field of a ``field_value``, and name of its cause."""
    status, document = bench.put(target(server, ids["device_id"]), device(fields, paths, ids))
    assert status == 400, document
    (details,) = document["details"]
    assert details["name"] == "field_value"
    return details["attributes"]["field"], details.get("cause", {}).get("name")


@pytest.fixture(autouse=True)
def _application(bench):
    bench.application()


class TestJoinServer:
    def test_registration(self, bench):
        assert put(bench, "js", {"network_server_address": HOST, **ROOT_KEYS}, JS_PATHS) == {
            "ids": SHOWN_IDS,
            "created_at": NOON,
            "updated_at": NOON,
            "network_server_address": HOST,
            "root_keys": {"app_key": {"key": KEY}},
        }
        assert bench.get(target("js")) == (
            200, {"ids": SHOWN_IDS, "created_at": NOON, "updated_at": NOON},
        )  # fmt: skip

    def test_post_takes_the_id_from_the_body(self, bench):
        bench.made("/js/applications/app1/devices", device(ROOT_KEYS, JS_PATHS))
        assert bench.get(target("js"))[0] == 200

    @pytest.mark.parametrize(
        ("ids", "name"),
        [
            ({"device_id": "newdev1", "dev_eui": DEV_EUI}, "joinserver:no_join_eui"),
            ({"device_id": "newdev1", "join_eui": JOIN_EUI}, "joinserver:no_dev_eui"),
            ({**IDS, "dev_eui": "0" * 16}, "joinserver:no_dev_eui"),
        ],
    )
    def test_both_euis_are_needed_before_any_right(self, bench, ids, name):
        assert refused(bench, "js", ROOT_KEYS, JS_PATHS, ids, key=OTHER_KEY) == (400, name, {})

    def test_a_join_eui_of_zeros_is_one(self, bench):
        put(bench, "js", ROOT_KEYS, JS_PATHS, {**IDS, "join_eui": "0" * 16})

    @pytest.mark.parametrize("key", [None, "0" * 32])
    def test_a_masked_key_is_given(self, bench, key):
        fields = {"root_keys": {"app_key": {"key": key}}} if key else {}
        assert cause(bench, "js", fields, ["root_keys.app_key.key"]) == (
            "root_keys.app_key.key", None,
        )  # fmt: skip

    def test_keys_need_rights_of_their_own(self, bench):
        rights = ("RIGHT_APPLICATION_DEVICES_READ", "RIGHT_APPLICATION_DEVICES_WRITE")
        key = bench.key("applications/app1", *rights)
        assert refused(bench, "js", ROOT_KEYS, JS_PATHS, key=key)[2]["missing"] == [
            "RIGHT_APPLICATION_DEVICES_WRITE_KEYS"
        ]
        put(bench, "js", {}, ID_PATHS, key=key)
        put(bench, "js", ROOT_KEYS, JS_PATHS)
        for path in ("root_keys.app_key.key", "root_keys.app_key", "root_keys"):
            status, _, attributes = bench.refused(
                "GET", f"{target('js')}?field_mask={path}", key=key
            )
            assert (status, attributes["missing"]) == (
                403, ["RIGHT_APPLICATION_DEVICES_READ_KEYS"],
            )  # fmt: skip
            assert bench.get(f"{target('js')}?field_mask={path}")[1]["root_keys"] == {
                "app_key": {"key": KEY}
            }

    def test_euis_are_unique_and_stay(self, bench):
        put(bench, "js", ROOT_KEYS, JS_PATHS)
        put(bench, "js", ROOT_KEYS, JS_PATHS)  # again: a change
        assert refused(bench, "js", ROOT_KEYS, JS_PATHS, {**IDS, "device_id": "newdev2"}) == (
            409,
            "internal/registry:end_device_euis_taken",
            {"join_eui": JOIN_EUI, "dev_eui": DEV_EUI, "device_id": "newdev1",
             "application_id": "app1"},
        )  # fmt: skip
        for name in ("dev_eui", "join_eui"):
            ids = {**IDS, name: "70B3D57ED0000009"}
            assert refused(bench, "js", ROOT_KEYS, JS_PATHS, ids) == (
                400, "joinserver/redis:read_only_field", {"field": f"ids.{name}"},
            )  # fmt: skip

    def test_claim_codes_are_kept_elsewhere(self, bench):
        fields = {"claim_authentication_code": {"value": "ABC"}}
        put(bench, "js", fields, ["claim_authentication_code"])
        assert "deprecated" in bench.headers["X-Warning"]

    def test_unknown_devices(self, bench):
        for method in ("GET", "DELETE"):
            assert bench.refused(method, target("js")) == (
                404, "joinserver:device_not_found", {},
            )  # fmt: skip

    def test_what_is_told_without_asking_who(self, bench):
        assert bench.get("/js/default_join_eui", key=None)[1] == {"join_eui": "0" * 16}
        assert bench.get("/js/join_eui_prefixes", key=None)[1] == {
            "prefixes": [{"join_eui": "0" * 16}]
        }

    def test_settings_of_an_application(self, bench):
        address = "/js/applications/app1/settings"
        missing = (404, "joinserver:application_activation_settings_not_found", {})
        assert bench.refused("GET", address) == missing
        given = {"settings": {"home_net_id": "000013"}, "field_mask": {"paths": ["home_net_id"]}}
        assert bench.post(address, given) == (200, {"home_net_id": "000013"})
        assert bench.get(f"{address}?field_mask=home_net_id")[1] == {"home_net_id": "000013"}
        assert bench.delete(address) == (200, {})
        assert bench.refused("DELETE", address) == missing


class TestNetworkServer:
    def test_registration_of_a_device_that_joins(self, bench):
        assert put_otaa(bench) == {
            "ids": SHOWN_IDS,
            "created_at": NOON,
            "updated_at": NOON,
            "supports_join": True,
            "lorawan_version": "MAC_V1_0_2",
            "lorawan_phy_version": "PHY_V1_0_2_REV_B",
            "frequency_plan_id": "EU_863_870_TTN",
        }
        _, document = bench.get(f"{target('ns')}?field_mask=session,mac_state")
        assert sorted(document) == ["created_at", "ids", "updated_at"]

    def test_registration_of_a_device_with_a_session(self, bench):
        # At the top level this field is a stranger: neither stored nor refused.
        document = put(bench, "ns", ABP | {"resets_f_cnt": False}, ABP_PATHS, ABP_IDS)
        assert document["ids"] == {
            "device_id": "newdev1",
            "application_ids": {"application_id": "app1"},
            "dev_eui": DEV_EUI,
            "dev_addr": "2600ABCD",
        }
        assert document["session"] == ABP["session"]
        assert document["mac_settings"] == ABP["mac_settings"]
        assert "supports_join" not in document
        _, document = bench.get(f"{target('ns')}?field_mask=session,mac_state")
        assert document["session"] == {
            "dev_addr": "2600ABCD",
            "keys": {
                name: {"key": KEY}
                for name in ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key")
            },
            "started_at": NOON,
        }
        current = document["mac_state"]["current_parameters"]
        desired = document["mac_state"]["desired_parameters"]
        assert (current["rx1_delay"], current.get("rx2_data_rate_index", 0)) == (1, 0)
        assert (desired["rx1_delay"], desired["rx2_data_rate_index"]) == (5, 3)
        assert current["channels"] == [
            {"uplink_frequency": f"{hz}", "downlink_frequency": f"{hz}", "max_data_rate_index": 5,
             **({"enable_uplink": True} if hz == 868100000 else {})}
            for hz in (868100000, 868300000, 868500000)
        ]  # fmt: skip
        assert [each["uplink_frequency"] for each in desired["channels"]] == [
            "868100000", "868300000", "868500000", "867100000", "867300000", "867500000",
            "867700000", "867900000",
        ]  # fmt: skip

    def test_channels_of_a_fixed_plan(self, bench):
        put_abp(bench, frequency_plan_id="US_902_928_FSB_2", mac_settings={})
        _, document = bench.get(f"{target('ns')}?field_mask=mac_state")
        parameters = document["mac_state"]
        current, desired = (
            [n for n, each in enumerate(parameters[f"{kind}_parameters"]["channels"])
             if each.get("enable_uplink")]
            for kind in ("current", "desired")
        )  # fmt: skip
        assert current == list(range(72))
        assert desired == [*range(8, 16), 65]

    @pytest.mark.parametrize("missing", ["frequency_plan_id", "lorawan_version",
                                         "lorawan_phy_version"])  # fmt: skip
    def test_what_every_device_has(self, bench, missing):
        fields = {name: value for name, value in OTAA.items() if name != missing}
        assert cause(bench, "ns", fields, fields) == (missing, "field_is_zero")
        assert cause(bench, "ns", fields, OTAA) == (missing, "field_is_zero")

    def test_an_unknown_plan(self, bench):
        assert refused(bench, "ns", OTAA | {"frequency_plan_id": "MOON"}, OTAA) == (
            404, "frequencyplans:not_found", {"id": "MOON"},
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"lorawan_phy_version": "1.0", "frequency_plan_id": "AS_923"},
             ("lorawan_phy_version", "no_band_version")),
            ({"multicast": True}, ("multicast", "field_not_zero")),
            ({"mac_settings": {"factory_preset_frequencies": ["915000000"]}},
             ("mac_settings.factory_preset_frequencies", None)),
            ({"mac_settings": {"rx2_data_rate_index": 9}},
             ("mac_settings.rx2_data_rate_index", None)),
            ({"mac_settings": {"rx1_data_rate_offset": 6}},
             ("mac_settings.rx1_data_rate_offset", None)),
            ({"mac_settings": {"adr": {"disabled": {}}, "use_adr": True}},
             ("mac_settings.adr", "field_not_zero")),
        ],
    )  # fmt: skip
    def test_rules_of_every_device(self, bench, fields, expected):
        assert cause(bench, "ns", OTAA | fields, [*OTAA, *fields, *ID_PATHS]) == expected

    def test_presets_are_channels_where_masks_enable_them(self, bench):
        plan = {"frequency_plan_id": "US_902_928_FSB_2"}
        good, bad = (
            OTAA | plan | {"mac_settings": {"factory_preset_frequencies": [each]}}
            for each in ("904100000", "904000000")
        )
        paths = [*OTAA, "mac_settings", *ID_PATHS]
        assert cause(bench, "ns", bad, paths) == ("mac_settings.factory_preset_frequencies", None)
        assert put(bench, "ns", good, paths)["mac_settings"] == good["mac_settings"]

    def test_frequencies_of_windows_may_lie_anywhere(self, bench):
        names = ("rx2_frequency", "ping_slot_frequency", "beacon_frequency")
        settings = dict.fromkeys(names, "433000000")
        given = OTAA | {"mac_settings": settings}
        answer = put(bench, "ns", given, [*OTAA, "mac_settings", *ID_PATHS])
        assert answer["mac_settings"] == settings

    @pytest.mark.parametrize(
        ("fields", "ids", "expected"),
        [
            ({}, ABP_IDS, ("ids.join_eui", "field_is_zero")),
            ({}, {"device_id": "newdev1", "join_eui": JOIN_EUI},
             ("ids.dev_eui", "field_is_zero")),
        ],
    )  # fmt: skip
    def test_who_joins_has_both_euis(self, bench, fields, ids, expected):
        assert cause(bench, "ns", OTAA | fields, OTAA, ids) == expected

    @pytest.mark.parametrize(
        ("fields", "ids", "expected"),
        [
            ({"session": {"keys": {"f_nwk_s_int_key": {"key": KEY}}}}, ABP_IDS,
             ("session.dev_addr", "field_is_zero")),
            ({"session": {"dev_addr": "2600ABCD", "keys": {}}}, ABP_IDS,
             ("session.keys.f_nwk_s_int_key.key", "field_is_zero")),
            ({"lorawan_version": "1.0.4"}, {"device_id": "newdev1"},
             ("ids.dev_eui", "field_is_zero")),
            ({"lorawan_version": "1.1"}, ABP_IDS,
             ("session.keys.s_nwk_s_int_key.key", "field_is_zero")),
            ({"multicast": True}, ABP_IDS, ("multicast", "field_is_zero")),
            ({"supports_class_b": True}, ABP_IDS,
             ("mac_settings.ping_slot_periodicity.value", "field_is_zero")),
        ],
    )  # fmt: skip
    def test_who_does_not_join_has_a_session(self, bench, fields, ids, expected):
        merged = ABP | fields
        assert cause(bench, "ns", merged, [*ABP_PATHS, *fields], ids) == expected

    def test_who_joins_tells_its_ping_slots_by_itself(self, bench):
        fields = OTAA | {"supports_class_b": True}
        assert put(bench, "ns", fields, [*fields, *ID_PATHS])["supports_class_b"] is True

    def test_one_key_stands_for_three_before_1_1(self, bench):
        keys = {"f_nwk_s_int_key": {"key": KEY}, "nwk_s_enc_key": {"key": OTHER_AES_KEY}}
        fields = ABP | {"session": {"dev_addr": "2600ABCD", "keys": keys}}
        assert cause(bench, "ns", fields, [*ABP_PATHS, "session.keys"], ABP_IDS) == (
            "session.keys.nwk_s_enc_key.key", None,
        )  # fmt: skip

    def test_without_an_eui_before_1_0_4(self, bench):
        assert put_abp(bench, {"device_id": "newdev1"})["ids"]["dev_addr"] == "2600ABCD"

    def test_multicast_of_class_c(self, bench):
        put_abp(bench, {"device_id": "newdev1"}, multicast=True, supports_class_c=True)
        _, document = bench.get(f"{target('ns')}?field_mask=mac_state.device_class")
        assert document["mac_state"] == {"device_class": "CLASS_C"}

    @pytest.mark.parametrize("field", ["supports_join", "multicast"])
    def test_some_things_never_change(self, bench, field):
        put_otaa(bench)
        value = field == "multicast"
        assert cause(bench, "ns", {field: value}, [field])[0] == field

    def test_some_things_change(self, bench):
        put_otaa(bench)
        bench.wait(1)
        changed = put(bench, "ns", {"mac_settings": {"rx1_delay": 3}}, ["mac_settings.rx1_delay"])
        assert (changed["mac_settings"], changed["updated_at"]) == (
            {"rx1_delay": 3}, "2024-01-31T12:00:01Z",
        )  # fmt: skip
        assert bench.get(f"{target('ns')}?field_mask=lorawan_version")[1]["lorawan_version"] == (
            "MAC_V1_0_2"
        )
        assert refused(bench, "ns", {}, ["ids.dev_eui"], {**IDS, "dev_eui": "F" * 16}) == (
            400, "networkserver/redis:read_only_field", {"field": "ids.dev_eui"},
        )  # fmt: skip

    def test_a_change_of_settings_begins_a_new_state(self, bench):
        put_abp(bench)
        put(bench, "ns", {"mac_settings": {"rx1_delay": 3}}, ["mac_settings.rx1_delay"], ABP_IDS)
        path = "mac_state.current_parameters.rx1_delay"
        _, document = bench.get(f"{target('ns')}?field_mask={path}")
        assert document["mac_state"] == {"current_parameters": {"rx1_delay": 3}}

    def test_an_address_is_not_set_among_the_ids(self, bench):
        assert refused(bench, "ns", OTAA, [*OTAA, "ids.dev_addr"])[2] == {
            "forbidden_paths": ["ids.dev_addr"]
        }

    def test_euis_are_unique(self, bench):
        put_otaa(bench)
        assert refused(bench, "ns", OTAA, OTAA, {**IDS, "device_id": "newdev2"})[:2] == (
            409, "internal/registry:end_device_euis_taken",
        )  # fmt: skip

    def test_session_keys_need_rights_of_their_own(self, bench):
        rights = ("RIGHT_APPLICATION_DEVICES_READ", "RIGHT_APPLICATION_DEVICES_WRITE")
        key = bench.key("applications/app1", *rights)
        assert refused(bench, "ns", ABP, ABP_PATHS, ABP_IDS, key=key)[2]["missing"] == [
            "RIGHT_APPLICATION_DEVICES_WRITE_KEYS"
        ]
        put_abp(bench)
        for path in ("session", "session.keys.f_nwk_s_int_key.key"):
            answer = bench.refused("GET", f"{target('ns')}?field_mask={path}", key=key)
            assert answer[2]["missing"] == ["RIGHT_APPLICATION_DEVICES_READ_KEYS"]
        shown = bench.get(f"{target('ns')}?field_mask=session.dev_addr", key=key)[1]
        assert shown["session"] == {"dev_addr": "2600ABCD"}

    def test_unknown_devices(self, bench):
        assert bench.refused("GET", target("ns")) == (404, "redis:not_found", {})
        for method in ("DELETE", "PATCH"):
            assert bench.refused(method, target("ns"), {}) == (
                404, "networkserver:device_not_found", {},
            )  # fmt: skip

    def test_reset_of_a_device_with_a_session(self, bench):
        put_abp(bench)
        put(bench, "ns", {"session": {"last_f_cnt_up": 7}, "battery_percentage": 0.5},
            ["session.last_f_cnt_up", "battery_percentage"], ABP_IDS)  # fmt: skip
        bench.wait(60)
        paths = ["session.last_f_cnt_up", "session.dev_addr", "session.started_at",
                 "battery_percentage", "mac_state.lorawan_version"]  # fmt: skip
        document = bench.made(target("ns"), {"field_mask": {"paths": paths}}, method="PATCH")
        assert document["session"] == {
            "dev_addr": "2600ABCD", "started_at": "2024-01-31T12:01:00Z",
        }  # fmt: skip
        assert document["mac_state"] == {"lorawan_version": "MAC_V1_0_2"}
        assert "battery_percentage" not in document

    def test_reset_of_a_device_that_joins(self, bench):
        session = {"dev_addr": "2600ABCD", "keys": {"f_nwk_s_int_key": {"key": KEY}}}
        put(bench, "ns", OTAA | {"session": session}, [*OTAA, "session.dev_addr", "session.keys"])
        body = {"field_mask": {"paths": ["session", "lorawan_version"]}}
        document = bench.made(target("ns"), body, method="PATCH")
        assert "session" not in document
        assert document["lorawan_version"] == "MAC_V1_0_2"
        assert "dev_addr" not in document["ids"]

    def test_addresses(self, bench):
        addresses = {bench.get("/ns/dev_addr", key=None)[1]["dev_addr"] for _ in range(20)}
        assert len(addresses) == 20
        assert {int(each, 16) >> 25 for each in addresses} == {0x26 >> 1}
        assert bench.get("/ns/dev_addr_prefixes")[1] == {"dev_addr_prefixes": ["26000000/7"]}
        assert bench.get("/ns/net_id")[1] == {"net_id": "000013"}

    def test_default_settings(self, bench):
        _, settings = bench.get("/ns/default_mac_settings/EU_863_870_TTN/PHY_V1_0_2_REV_B")
        assert (settings["rx1_delay"], settings["desired_rx1_delay"]) == (1, 5)
        assert (settings["rx2_data_rate_index"], settings["desired_rx2_data_rate_index"]) == (0, 3)
        assert settings["rx2_frequency"] == "869525000"
        assert settings["supports_32_bit_f_cnt"] is True
        assert "uplink_dwell_time" not in settings
        _, settings = bench.get("/ns/default_mac_settings/AS_923/PHY_V1_0_3_REV_A")
        assert (settings["uplink_dwell_time"], settings["downlink_dwell_time"]) == (True, False)
        assert bench.refused("GET", "/ns/default_mac_settings/MOON/1.0")[0] == 404
        assert bench.refused("GET", "/ns/default_mac_settings/EU_433/9.9")[:2] == (400, 3)

    @pytest.mark.parametrize("plan", ["EU_433", "AU_915_928_FSB_2", "AS_923_DT", "KR_920_923_TTN",
                                      "IN_865_867", "RU_864_870_TTN", "CN_470_510_FSB_11",
                                      "UZ_923_1", "IL_917_920_TTN"])  # fmt: skip
    def test_a_state_for_every_band(self, bench, plan):
        put_abp(bench, frequency_plan_id=plan, lorawan_phy_version="1.1-b" if "CN" in plan
                else "RP002_V1_0_4", mac_settings={})  # fmt: skip
        _, document = bench.get(f"{target('ns')}?field_mask=mac_state")
        channels = document["mac_state"]["desired_parameters"]["channels"]
        assert any(each.get("enable_uplink") for each in channels)


class TestApplicationServer:
    def test_registration_of_a_device_that_joins(self, bench):
        assert put(bench, "as", {}, ID_PATHS) == {
            "ids": SHOWN_IDS, "created_at": NOON, "updated_at": NOON,
        }  # fmt: skip

    def test_registration_of_a_device_with_a_session(self, bench):
        fields = AS_SESSION | {"skip_payload_crypto": False}
        document = put(bench, "as", fields, AS_PATHS, ABP_IDS)
        assert document["session"] == AS_SESSION["session"]
        assert document["ids"]["dev_addr"] == "2600ABCD"
        shown = bench.get(f"{target('as')}?field_mask=session.keys.app_s_key.key")[1]
        assert shown["session"] == {"keys": {"app_s_key": {"key": KEY}}}

    @pytest.mark.parametrize("path", ["session", "session.keys", "ids.dev_addr", "mac_state"])
    def test_forbidden_paths(self, bench, path):
        assert refused(bench, "as", {}, [path])[2] == {"forbidden_paths": [path]}

    @pytest.mark.parametrize("path", ["session.dev_addr", "session.keys.app_s_key.key"])
    def test_a_masked_session_is_given(self, bench, path):
        assert cause(bench, "as", {}, [path]) == (path, None)
        assert refused(bench, "as", {}, [path], key=OTHER_KEY)[0] == 400

    def test_an_address_is_said_once(self, bench):
        ids = {**ABP_IDS, "dev_addr": "26000001"}
        assert cause(bench, "as", AS_SESSION, AS_PATHS, ids) == ("ids.dev_addr", None)

    def test_scripts_are_not_too_long(self, bench):
        formatters = {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": "é" * 20481}
        assert cause(bench, "as", {"formatters": formatters}, ["formatters"]) == (
            "formatters.up_formatter_parameter", "formatter_script_too_large",
        )  # fmt: skip
        formatters["up_formatter_parameter"] = "x" * 40961
        assert refused(bench, "as", {"formatters": formatters}, ["formatters"])[1] == (
            "errors:validation"
        )
        formatters["up_formatter_parameter"] = "x" * 40960
        put(bench, "as", {"formatters": formatters}, ["formatters"])

    def test_euis_stay(self, bench):
        put(bench, "as", {}, ID_PATHS)
        assert refused(bench, "as", {}, ID_PATHS, {**IDS, "join_eui": "F" * 16})[1:] == (
            "applicationserver/redis:read_only_field", {"field": "ids.join_eui"},
        )  # fmt: skip

    def test_unknown_devices(self, bench):
        assert bench.refused("GET", target("as")) == (404, "redis:not_found", {})
        assert bench.refused("DELETE", target("as")) == (
            404, "applicationserver:device_not_found", {"device_uid": "app1.newdev1"},
        )  # fmt: skip

    def test_links(self, bench):
        address = "/as/applications/app1/link"
        assert bench.refused("GET", address) == (404, "redis:not_found", {})
        link = {"default_formatters": {"up_formatter": "FORMATTER_CAYENNELPP"},
                "skip_payload_crypto": False}  # fmt: skip
        body = {"link": link, "field_mask": {"paths": list(link)}}
        assert bench.put(address, body) == (200, link)
        assert bench.get(f"{address}?field_mask=skip_payload_crypto")[1] == {
            "skip_payload_crypto": False
        }
        assert bench.refused("GET", f"{address}/stats") == (
            501, "applicationserver:linking_not_implemented", {},
        )  # fmt: skip
        for _ in range(2):
            assert bench.delete(address) == (200, {})


class TestWebhooks:
    ADDRESS = "/as/webhooks/app1/hook1"

    def given(self, **fields):
        hook = HOOK | fields
        return {"webhook": hook, "field_mask": {"paths": list(hook)}}

    def test_added_changed_forgotten(self, bench):
        made = bench.made(self.ADDRESS, self.given(), method="PUT")
        ids = {"webhook_id": "hook1", "application_ids": {"application_id": "app1"}}
        assert made == {"ids": ids, "created_at": NOON, "updated_at": NOON, **HOOK}
        bench.wait(1)
        given = {"webhook": {"paused": True}, "field_mask": "paused"}
        bench.made(self.ADDRESS, given, method="PUT")
        shown = bench.get(f"{self.ADDRESS}?field_mask=base_url,paused,uplink_message")[1]
        assert shown == {
            "ids": ids, "created_at": NOON, "updated_at": "2024-01-31T12:00:01Z",
            "base_url": HOOK["base_url"], "paused": True, "uplink_message": {},
        }  # fmt: skip
        assert [each["ids"] for each in bench.get("/as/webhooks/app1")[1]["webhooks"]] == [ids]
        for _ in range(2):
            assert bench.delete(self.ADDRESS) == (200, {})
        assert bench.refused("GET", self.ADDRESS)[:2] == (
            404, "applicationserver/io/web:webhook_not_found",
        )  # fmt: skip
        assert bench.get("/as/webhooks/app1") == (200, {})

    def test_a_form_is_known(self, bench):
        assert bench.refused("PUT", self.ADDRESS, self.given(format="xml")) == (
            404, "applicationserver/io/web:format_not_found", {"format": "xml"},
        )  # fmt: skip
        assert bench.get("/as/webhook-formats", key=None)[1] == {
            "formats": {"json": "JSON", "protobuf": "Protocol Buffers"}
        }

    def test_rights(self, bench):
        key = bench.key("applications/app1", "RIGHT_APPLICATION_SETTINGS_BASIC")
        assert bench.refused("PUT", self.ADDRESS, self.given(), key=key)[2]["missing"] == [
            "RIGHT_APPLICATION_TRAFFIC_READ", "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE",
        ]  # fmt: skip

    def test_there_are_no_templates(self, bench):
        assert bench.get("/as/webhook-templates") == (200, {})
        assert bench.refused("GET", "/as/webhook-templates/abc")[1:] == (
            "applicationserver/io/web:template_not_found", {"template_id": "abc"},
        )  # fmt: skip


def test_batches_on_every_server(bench):
    put(bench, "js", {}, ID_PATHS)
    put_otaa(bench)
    put(bench, "as", {}, ID_PATHS)
    for server in ("js", "ns", "as"):
        address = f"/{server}/applications/app1/devices/batch?device_ids=newdev1&device_ids=abc"
        assert bench.delete(address) == (200, {})
        assert bench.get(target(server))[0] == 404


def test_registries_do_not_ask_each_other(bench):
    """A device may be on any of the servers, even of an application that is gone."""
    put(bench, "as", {}, ID_PATHS)
    assert bench.get("/applications/app1/devices") == (200, {})


def test_gateways_that_are_not_connected(bench):
    bench.made("/users/user1/gateways", {"gateway": {"ids": {"gateway_id": "gtw1"}}})
    assert bench.refused("GET", "/gs/gateways/gtw1/connection/stats") == (
        404, "gatewayserver:not_connected", {"gateway_uid": "gtw1"},
    )  # fmt: skip
    body = {"gateway_ids": [{"gateway_id": "gtw1"}]}
    assert bench.post("/gs/gateways/connection/stats", body) == (200, {})
    assert bench.refused("POST", "/gs/gateways/connection/stats", {})[1] == "errors:validation"
    assert bench.refused("POST", "/gs/gateways/connection/stats", body, key=OTHER_KEY)[0] == 403


@pytest.mark.parametrize("server", ["ns", "as", "js"])
def test_split_servers_authenticate_themselves(with_policy, server):
    bench = with_policy(is_split=True)
    assert bench.refused("GET", target(server), key=None) == (
        401, "rpcmetadata:unauthenticated", {},
    )  # fmt: skip
    assert bench.refused("GET", "/applications/app1/devices", key=None)[0] == 403
