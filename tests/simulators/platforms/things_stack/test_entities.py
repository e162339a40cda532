"""Registries of applications, gateways, organizations and clients: what is the same for each."""

from __future__ import annotations

import pytest

from .conftest import ADMIN_KEY, NOON, OTHER_KEY

USER1 = {"user_ids": {"user_id": "user1"}}
KINDS = ("application", "gateway", "organization", "client")
DAY_S = 24 * 3600


def body(kind, entity_id, /, **fields):
    return {kind: {"ids": {f"{kind}_id": entity_id}, **fields}}


def create(bench, kind, entity_id="thing1", /, **fields):
    return bench.made(f"/users/user1/{kind}s", body(kind, entity_id, **fields))


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_create_answers_with_all_of_it(self, bench, kind):
        document = create(bench, kind, "thing1", description="Ours", attributes={"key": "v"})
        for field in ("secret", "grants"):
            document.pop(field, None)
        assert document == {
            "ids": {f"{kind}_id": "thing1"},
            "created_at": NOON,
            "updated_at": NOON,
            "description": "Ours",
            "attributes": {"key": "v"},
            "administrative_contact": USER1,
            "technical_contact": USER1,
        }

    def test_ids_are_taken_for_ever_or_until_purged(self, bench, kind):
        create(bench, kind)
        target = f"/users/user1/{kind}s"
        taken = (409, "util/store:id_taken", {})
        assert bench.refused("POST", target, body(kind, "thing1")) == taken
        assert bench.delete(f"/{kind}s/thing1") == (200, {})
        assert bench.get(f"/{kind}s/thing1")[0] == 404
        assert bench.refused("POST", target, body(kind, "thing1")) == taken
        assert bench.refused("DELETE", f"/{kind}s/thing1/purge") == (
            403, f"identityserver:admins_purge_{kind}s", {},
        )  # fmt: skip
        assert bench.delete(f"/{kind}s/thing1/purge", key=ADMIN_KEY) == (200, {})
        create(bench, kind)

    def test_reserved_words_are_no_ids(self, bench, kind):
        assert bench.refused("POST", f"/users/user1/{kind}s", body(kind, "admin")) == (
            400, "identityserver/blocklist:forbidden_id", {"id": "admin"},
        )  # fmt: skip

    def test_only_masked_fields_change(self, bench, kind):
        create(bench, kind, "thing1", description="old")
        bench.wait(1)
        given = body(kind, "thing1", name="New", description="new")
        given["field_mask"] = {"paths": ["name"]}
        changed = bench.made(f"/{kind}s/thing1", given, method="PUT")
        assert changed == {
            "ids": {f"{kind}_id": "thing1"},
            "created_at": NOON,
            "updated_at": "2024-01-31T12:00:01Z",
            "name": "New",
        }
        document = bench.get(f"/{kind}s/thing1?field_mask=name,description")[1]
        assert (document["name"], document["description"]) == ("New", "old")

    def test_without_a_mask_only_the_time_changes(self, bench, kind):
        create(bench, kind)
        bench.wait(1)
        changed = bench.made(f"/{kind}s/thing1", body(kind, "thing1", name="New"), method="PUT")
        assert sorted(changed) == ["created_at", "ids", "updated_at"]
        document = bench.get(f"/{kind}s/thing1?field_mask=name")[1]
        assert (document.get("name"), document["updated_at"]) == (None, "2024-01-31T12:00:01Z")

    def test_restore_within_a_day(self, bench, kind):
        create(bench, kind)
        assert bench.refused("POST", f"/{kind}s/thing1/restore")[0] == 404
        bench.delete(f"/{kind}s/thing1")
        bench.wait(DAY_S)
        assert bench.post(f"/{kind}s/thing1/restore", {}) == (200, {})
        assert bench.get(f"/{kind}s/thing1")[0] == 200
        bench.delete(f"/{kind}s/thing1")
        bench.wait(DAY_S + 1)
        assert bench.refused("POST", f"/{kind}s/thing1/restore") == (
            400, "identityserver:restore_window_expired", {},
        )  # fmt: skip

    def test_lists_have_pages_and_orders(self, bench, kind):
        for count, name in enumerate(("aaa", "ccc", "bbb")):
            create(bench, kind, name)
            bench.wait(1 + count)
        target = f"/users/user1/{kind}s"

        def listed(query):
            status, document = bench.get(f"{target}?{query}")
            assert (status, bench.headers["X-Total-Count"]) == (200, "3")
            return [each["ids"][f"{kind}_id"] for each in document.get(f"{kind}s", [])]

        assert listed("") == ["aaa", "bbb", "ccc"]
        assert listed(f"order=-{kind}_id") == ["ccc", "bbb", "aaa"]
        assert listed("order=created_at") == ["aaa", "ccc", "bbb"]
        assert listed("order=-created_at&limit=1") == ["bbb"]
        assert listed("limit=2&page=2") == ["ccc"]
        assert listed("limit=2&page=0") == ["aaa", "bbb"]
        assert listed("limit=2&page=3") == []
        assert bench.get(f"{target}?limit=2&page=3")[1] == {}
        assert bench.refused("GET", f"{target}?order=size")[:2] == (400, "errors:validation")

    def test_deleted_ones_have_a_list_of_their_own(self, bench, kind):
        create(bench, kind, "aaa")
        create(bench, kind, "bbb")
        bench.delete(f"/{kind}s/aaa")
        _, document = bench.get(f"/{kind}s?deleted=true&field_mask=deleted_at")
        assert [
            (each["ids"][f"{kind}_id"], each["deleted_at"]) for each in document[f"{kind}s"]
        ] == [("aaa", NOON)]
        _, document = bench.get(f"/{kind}s")
        assert [each["ids"][f"{kind}_id"] for each in document[f"{kind}s"]] == ["bbb"]

    def test_contacts_must_collaborate(self, bench, kind):
        other = {"user_ids": {"user_id": "user2"}}
        given = body(kind, "thing1", technical_contact=other)
        no_collaborator = (400, "identityserver:contact_no_collaborator", {"contact": "user2"})
        assert bench.refused("POST", f"/users/user1/{kind}s", given) == no_collaborator
        create(bench, kind)
        given["field_mask"] = {"paths": ["technical_contact"]}
        assert bench.refused("PUT", f"/{kind}s/thing1", given) == no_collaborator

    def test_nobody_creates_for_others(self, bench, kind):
        assert bench.refused("POST", f"/users/user1/{kind}s", body(kind, "xyz"), key=OTHER_KEY) == (
            403, "auth/rights:no_user_rights", {"uid": "user1"},
        )  # fmt: skip
        assert bench.refused(
            "POST", f"/users/nobody/{kind}s", body(kind, "xyz"), key=ADMIN_KEY
        ) == (
            404,
            "identityserver/store:account_not_found",
            {"account_type": "user", "account_id": "nobody"},
        )


@pytest.mark.parametrize("kind", KINDS)
def test_only_admins_create_where_the_deployment_says_so(with_policy, kind):
    bench = with_policy(**{f"users_create_{kind}s": False})
    assert bench.refused("POST", f"/users/user1/{kind}s", body(kind, "xyz")) == (
        403, f"identityserver:admins_create_{kind}s", {},
    )  # fmt: skip
    assert bench.post(f"/users/boss/{kind}s", body(kind, "xyz"), key=ADMIN_KEY)[0] == 200


def test_the_id_spaces(bench):
    for kind in ("application", "gateway", "client", "organization"):
        create(bench, kind, "same")
    assert bench.refused("POST", "/users/user1/organizations", body("organization", "user2")) == (
        409, "util/store:id_taken", {},
    )  # fmt: skip


def test_a_list_without_owner_has_what_organizations_own(bench):
    create(bench, "organization", "org1")
    bench.made("/organizations/org1/applications", body("application", "app-of-org"))
    create(bench, "application", "app-of-mine")

    def ids(target, **options):
        return [
            each["ids"]["application_id"]
            for each in bench.get(target, **options)[1]["applications"]
        ]

    assert ids("/applications") == ["app-of-mine", "app-of-org"]
    assert ids("/users/user1/applications") == ["app-of-mine"]
    assert ids("/organizations/org1/applications") == ["app-of-org"]
    key = bench.key("organizations/org1", "RIGHT_ORGANIZATION_APPLICATIONS_LIST")
    assert ids("/applications", key=key) == ["app-of-org"]
    key = bench.key("applications/app-of-org", "RIGHT_APPLICATION_ALL")
    assert bench.get("/applications", key=key) == (200, {})
    assert "X-Total-Count" not in bench.headers


def test_organizations_are_not_nested(bench):
    create(bench, "organization", "org1")
    create(bench, "organization", "org2")
    collaborator = {"ids": {"organization_ids": {"organization_id": "org2"}},
                    "rights": ["RIGHT_ORGANIZATION_INFO"]}  # fmt: skip
    assert bench.refused(
        "PUT", "/organizations/org1/collaborators", {"collaborator": collaborator}
    ) == (400, "identityserver:nested_organizations", {})


def test_an_application_with_devices_stays(bench):
    bench.application()
    device = {"end_device": {"ids": {"device_id": "dev1"}}}
    bench.made("/applications/app1/devices", device)
    has_devices = (400, "identityserver:application_has_devices", {"count": 1})
    assert bench.refused("DELETE", "/applications/app1") == has_devices
    assert bench.refused("DELETE", "/applications/app1/purge", key=ADMIN_KEY) == has_devices
    bench.delete("/applications/app1/devices/dev1")
    assert bench.delete("/applications/app1/purge", key=ADMIN_KEY) == (200, {})


def test_dev_euis_are_issued_one_after_another(with_policy):
    bench = with_policy(dev_eui_limit=2)
    bench.application()
    issued = [bench.made("/applications/app1/dev-eui", {})["dev_eui"] for _ in range(2)]
    assert issued == ["70B3D57ED0000001", "70B3D57ED0000002"]
    assert bench.refused("POST", "/applications/app1/dev-eui") == (
        400,
        "identityserver/store:application_dev_eui_limit_reached",
        {"dev_eui_limit": 2},
    )
    document = bench.get("/applications/app1?field_mask=dev_eui_counter")[1]
    assert document["dev_eui_counter"] == 2


def test_dev_euis_are_not_issued_without_a_block(with_policy):
    bench = with_policy(dev_eui_block="")
    bench.application()
    assert bench.refused("POST", "/applications/app1/dev-eui") == (
        400, "identityserver:dev_eui_issuing_not_enabled", {},
    )  # fmt: skip


def test_contact_info_is_deprecated(bench):
    bench.application()
    given = body("application", "app1", contact_info=[])
    given["field_mask"] = {"paths": ["contact_info"]}
    bench.made("/applications/app1", given, method="PUT")
    assert bench.headers["X-Warning"] == (
        "Contact info is deprecated and will be removed in the next major release"
    )


class TestGateways:
    EUI = "B827EBFFFE000001"

    def made(self, bench, gateway_id="gtw1", /, **fields):
        ids = {"gateway_id": gateway_id, "eui": fields.pop("eui", self.EUI)}
        return bench.made("/users/user1/gateways", {"gateway": {"ids": ids, **fields}})

    def test_the_plan_is_told_twice(self, bench):
        document = self.made(bench, frequency_plan_id="EU_863_870_TTN")
        assert document["frequency_plan_ids"] == ["EU_863_870_TTN"]
        given = body("gateway", "gtw1", frequency_plan_ids=["US_902_928_FSB_2", "EU_863_870"])
        given["field_mask"] = "frequency_plan_ids"
        changed = bench.made("/gateways/gtw1", given, method="PUT")
        assert changed["frequency_plan_id"] == "US_902_928_FSB_2"

    def test_an_eui_is_free_again_after_deletion(self, bench):
        self.made(bench)
        given = {"gateway": {"ids": {"gateway_id": "gtw2", "eui": self.EUI}}}
        assert bench.refused("POST", "/users/user1/gateways", given) == (
            409,
            "identityserver:gateway_eui_taken",
            {"gateway_eui": self.EUI, "gateway_id": "gtw1", "administrative_contact": "user1"},
        )
        bench.delete("/gateways/gtw1")
        bench.made("/users/user1/gateways", given)
        bench.made("/gateways/gtw1/restore", {})
        assert bench.get("/gateways/gtw1")[1]["ids"] == {"gateway_id": "gtw1"}

    def test_what_is_public_depends_on_the_owner(self, bench):
        antennas = [{"gain": 3, "location": {"latitude": 52.37}}]
        self.made(bench, gateway_server_address="thethings.example.com", antennas=antennas,
                  name="My gateway")  # fmt: skip
        target = "/gateways/gtw1?field_mask=name,gateway_server_address,antennas"
        hidden = bench.get(target, key=OTHER_KEY)[1]
        assert (hidden["name"], hidden["antennas"]) == ("My gateway", [{"gain": 3}])
        assert "gateway_server_address" not in hidden
        given = body("gateway", "gtw1", status_public=True, location_public=True)
        given["field_mask"] = "status_public,location_public"
        bench.made("/gateways/gtw1", given, method="PUT")
        shown = bench.get(target, key=OTHER_KEY)[1]
        assert (shown["gateway_server_address"], shown["antennas"]) == (
            "thethings.example.com", antennas,
        )  # fmt: skip
        assert bench.refused("GET", "/gateways/gtw1?field_mask=attributes", key=OTHER_KEY)[0] == 403

    def test_secrets_need_rights_of_their_own(self, bench):
        self.made(bench)
        key = bench.key("gateways/gtw1", "RIGHT_GATEWAY_INFO", "RIGHT_GATEWAY_SETTINGS_BASIC")
        given = body("gateway", "gtw1", lbs_lns_secret={"value": "c2VjcmV0"})
        given["field_mask"] = "lbs_lns_secret"
        refused = bench.refused("PUT", "/gateways/gtw1", given, key=key)
        assert refused[2]["missing"] == ["RIGHT_GATEWAY_WRITE_SECRETS"]
        bench.made("/gateways/gtw1", given, method="PUT")
        target = "/gateways/gtw1?field_mask=lbs_lns_secret"
        assert bench.refused("GET", target, key=key)[2]["missing"] == ["RIGHT_GATEWAY_READ_SECRETS"]
        assert bench.get(target)[1]["lbs_lns_secret"] == {"value": "c2VjcmV0"}

    def test_a_gateway_may_describe_itself(self, bench):
        self.made(bench)
        key = bench.key("gateways/gtw1", "RIGHT_GATEWAY_LINK")
        given = body("gateway", "gtw1", attributes={"board": "x"}, name="no")
        given["field_mask"] = "attributes"
        bench.made("/gateways/gtw1", given, method="PUT", key=key)
        given["field_mask"] = "attributes,name"
        assert bench.refused("PUT", "/gateways/gtw1", given, key=key)[0] == 403

    def test_filter_by_change(self, bench):
        self.made(bench)
        bench.wait(60)
        self.made(bench, "gtw2", eui="B827EBFFFE000002")
        given = {"filters": [{"updated_since": "2024-01-31T12:00:30Z"}]}
        found = bench.made("/gateways/filter", given)["gateways"]
        assert [each["ids"]["gateway_id"] for each in found] == ["gtw2"]


class TestClients:
    def test_admins_review_them(self, bench):
        document = create(bench, "client", "cli1", state="STATE_APPROVED", endorsed=True)
        assert "state" not in document
        assert "endorsed" not in document
        given = body("client", "cli1", state="STATE_APPROVED")
        given["field_mask"] = "state"
        assert bench.refused("PUT", "/clients/cli1", given) == (
            403, "identityserver:update_admin_field", {"field": "state"},
        )  # fmt: skip
        changed = bench.made("/clients/cli1", given, method="PUT", key=ADMIN_KEY)
        assert changed["state"] == "STATE_APPROVED"
