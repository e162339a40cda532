"""End devices in the Identity Server."""

from __future__ import annotations

import pytest

from .conftest import NOON, OTHER_KEY

DEVICES = "/applications/app1/devices"
DEV_EUI, JOIN_EUI = "0004A30B001C0530", "800000000000000C"


def device(device_id="dev1", /, *, dev_eui=None, join_eui=None, **fields):
    ids = {"device_id": device_id}
    ids |= {"dev_eui": dev_eui} if dev_eui else {}
    ids |= {"join_eui": join_eui} if join_eui else {}
    return {"end_device": {"ids": ids, **fields}}


@pytest.fixture(autouse=True)
def _application(bench):
    bench.application()


def test_all_that_this_server_keeps_is_stored_whatever_the_mask_says(bench):
    locations = {"user": {"latitude": 52.37, "source": "SOURCE_REGISTRY"}}
    given = device(dev_eui=DEV_EUI, join_eui=JOIN_EUI, name="Meter 12", locations=locations,
                   supports_join=True, lorawan_version="1.0.2")  # fmt: skip
    given["field_mask"] = {"paths": ["ids.dev_eui"]}
    assert bench.made(DEVICES, given) == {
        "ids": {
            "device_id": "dev1",
            "application_ids": {"application_id": "app1"},
            "dev_eui": DEV_EUI,
            "join_eui": JOIN_EUI,
        },
        "created_at": NOON,
        "updated_at": NOON,
        "name": "Meter 12",
        "locations": {"user": {"latitude": 52.37, "source": "SOURCE_REGISTRY"}},
    }


@pytest.mark.parametrize("path", ["frequency_plan_id", "lorawan_version", "session", "formatters"])
def test_fields_of_other_servers_are_forbidden(bench, path):
    bench.made(DEVICES, device())
    assert bench.refused("GET", f"{DEVICES}/dev1?field_mask=name,{path}") == (
        400, "rpcmiddleware/validator:field_mask_paths", {"forbidden_paths": [path]},
    )  # fmt: skip


def test_ids_do_not_change(bench):
    bench.made(DEVICES, device())
    given = device(dev_eui=DEV_EUI) | {"field_mask": {"paths": ["ids.dev_eui"]}}
    assert bench.refused("PUT", f"{DEVICES}/dev1", given)[1:] == (
        "rpcmiddleware/validator:field_mask_paths", {"forbidden_paths": ["ids.dev_eui"]},
    )  # fmt: skip


def test_update(bench):
    bench.made(DEVICES, device(name="old", description="old"))
    bench.wait(1)
    given = device(name="new") | {"field_mask": {"paths": ["name", "description"]}}
    changed = bench.made(f"{DEVICES}/dev1", given, method="PUT")
    assert (changed["name"], changed.get("description"), changed["updated_at"]) == (
        "new", None, "2024-01-31T12:00:01Z",
    )  # fmt: skip
    assert bench.refused("PUT", f"{DEVICES}/dev2", given) == (
        404,
        "identityserver/store:end_device_not_found",
        {"device_id": "dev2", "application_id": "app1"},
    )


def test_conflicts(bench):
    bench.made(DEVICES, device(dev_eui=DEV_EUI, join_eui=JOIN_EUI))
    assert bench.refused("POST", DEVICES, device()) == (409, "util/store:id_taken", {})
    bench.application("app2")
    again = device("dev2", dev_eui=DEV_EUI.lower(), join_eui=JOIN_EUI)
    assert bench.refused("POST", "/applications/app2/devices", again) == (
        409,
        "identityserver:end_device_euis_taken",
        {"join_eui": JOIN_EUI, "dev_eui": DEV_EUI, "device_id": "dev1", "application_id": "app1"},
    )
    for name in ("dev3", "dev4"):  # without a JoinEUI a DevEUI may come twice
        bench.made(DEVICES, device(name, dev_eui=DEV_EUI))


def test_addresses_match_those_of_the_application(bench):
    given = {"application": {"ids": {"application_id": "app1"},
                             "network_server_address": "ns.example.com"},
             "field_mask": "network_server_address"}  # fmt: skip
    bench.made("/applications/app1", given, method="PUT")
    wrong = device(network_server_address="other.example.com")
    assert bench.refused("POST", DEVICES, wrong) == (
        400,
        "identityserver:network_server_address_mismatch",
        {"address": "other.example.com", "expected": "ns.example.com"},
    )
    assert bench.post(DEVICES, device(network_server_address="ns.example.com"))[0] == 200


def test_deletion_is_at_once(bench):
    bench.made(DEVICES, device())
    assert bench.delete(f"{DEVICES}/dev1") == (200, {})
    assert bench.refused("DELETE", f"{DEVICES}/dev1")[0] == 404
    bench.made(DEVICES, device())


def test_lists(bench):
    for name, label in (("aaa", "3"), ("ccc", "1"), ("bbb", "2")):
        bench.made(DEVICES, device(name, name=label))
        bench.wait(1)

    def listed(query):
        found = bench.get(f"{DEVICES}?{query}")[1].get("end_devices", [])
        assert bench.headers["X-Total-Count"] == "3"
        return [each["ids"]["device_id"] for each in found]

    assert listed("") == ["aaa", "bbb", "ccc"]
    assert listed("order=-name&field_mask=name") == ["aaa", "bbb", "ccc"]
    assert listed("order=created_at&limit=2") == ["aaa", "ccc"]
    assert listed("limit=2&page=2") == ["ccc"]
    assert listed("limit=2&page=9") == []


def test_filter_by_change(bench):
    bench.made(DEVICES, device("aaa"))
    bench.wait(60)
    bench.made(DEVICES, device("bbb"))
    since = {"filters": [{"updated_since": "2024-01-31T12:00:30Z"}], "field_mask": "name"}
    found = bench.made(f"{DEVICES}/filter", since)["end_devices"]
    assert [each["ids"]["device_id"] for each in found] == ["bbb"]


def test_batches(bench):
    for name in ("aaa", "bbb", "ccc"):
        bench.made(DEVICES, device(name))
    found = bench.get(f"{DEVICES}/batch?device_ids=aaa&device_ids=zzz&device_ids=ccc")[1]
    assert [each["ids"]["device_id"] for each in found["end_devices"]] == ["aaa", "ccc"]
    assert bench.delete(f"{DEVICES}/batch?device_ids=aaa&device_ids=zzz") == (200, {})
    assert len(bench.get(DEVICES)[1]["end_devices"]) == 2
    many = "&".join(f"device_ids=dev{n}" for n in range(21))
    assert bench.refused("DELETE", f"{DEVICES}/batch?{many}")[1] == "errors:validation"
    assert bench.refused("GET", f"{DEVICES}/batch")[1] == "errors:validation"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("id_contains=bb", ["bbb"]),
        ("query=METER", ["aaa", "bbb"]),
        ("query=1c05", ["aaa"]),
        ("dev_eui_contains=0004", ["aaa"]),
        ("name_contains=er%201", ["aaa"]),
        ("name_contains=%25", []),
        ("attributes_contain[room]=kit", ["bbb"]),
        ("attributes_contain[room]=bath", []),
        ("order=-device_id&query=meter", ["bbb", "aaa"]),
    ],
)
def test_search(bench, query, expected):
    bench.made(DEVICES, device("aaa", name="Meter 1", dev_eui=DEV_EUI))
    bench.made(DEVICES, device("bbb", name="Meter 2", attributes={"room": "kitchen"}))
    found = bench.get(f"/search{DEVICES}?{query}")[1].get("end_devices", [])
    assert [each["ids"]["device_id"] for each in found] == expected
    assert bench.headers["X-Total-Count"] == str(len(expected))


def test_search_of_entities(bench):
    bench.application("abc-1")
    bench.application("abc-2")
    found = bench.get("/search/applications?id_contains=abc&order=-application_id")[1]
    assert [each["ids"]["application_id"] for each in found["applications"]] == ["abc-2", "abc-1"]
    assert bench.get("/search/applications?id_contains=abc", key=OTHER_KEY)[1] == {}
    key = bench.key("applications/app1", "RIGHT_APPLICATION_ALL")
    assert bench.refused("GET", "/search/applications?query=a", key=key)[1] == (
        "identityserver:search_forbidden"
    )
    assert bench.refused("GET", "/search/users?query=a")[1] == "identityserver:search_forbidden"


def test_search_of_accounts(bench):
    found = bench.get("/search/accounts?query=user&only_users=true")[1]["account_ids"]
    assert found == [{"user_ids": {"user_id": name}} for name in ("user1", "user2")]
    others = "/applications/app1/collaborators/search?query=user&complement_collaborators=true"
    assert bench.get(others)[1]["account_ids"] == [{"user_ids": {"user_id": "user2"}}]
