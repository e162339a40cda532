"""API keys, collaborators and rights: nobody gives what they do not have."""

from __future__ import annotations

import pytest

from .conftest import ADMIN_KEY, NOON, OTHER_KEY, USER_KEY

KEYS = "/applications/app1/api-keys"
PEOPLE = "/applications/app1/collaborators"
USER2 = {"user_ids": {"user_id": "user2"}}


def given(*rights, ids=None):
    return {"collaborator": {"ids": ids or USER2, "rights": list(rights)}}


def rights(bench, key, target="/applications/app1"):
    return bench.get(f"{target}/rights", key=key)[1].get("rights", [])


@pytest.fixture(autouse=True)
def _application(bench):
    bench.application()


class TestApiKeys:
    def test_the_secret_is_shown_once(self, bench):
        body = {"name": "ci", "rights": ["RIGHT_APPLICATION_INFO"],
                "expires_at": "2027-01-01T00:00:00Z"}  # fmt: skip
        made = bench.made(KEYS, body)
        key = made.pop("key")
        assert made == {"id": key.split(".")[1], **body, "created_at": NOON, "updated_at": NOON}
        assert [len(part) for part in key.split(".")] == [5, 39, 52]
        assert bench.get(f"{KEYS}/{made['id']}") == (200, made)
        assert bench.get(KEYS) == (200, {"api_keys": [made]})
        assert bench.headers["X-Total-Count"] == "1"
        assert bench.get("/auth_info", key=key) == (
            200,
            {"api_key": {"api_key": made,
                         "entity_ids": {"application_ids": {"application_id": "app1"}}}},
        )  # fmt: skip

    def test_it_ends(self, bench):
        body = {"rights": ["RIGHT_APPLICATION_INFO"], "expires_at": "2024-01-31T12:00:01Z"}
        key = bench.made(KEYS, body)["key"]
        assert bench.get("/auth_info", key=key)[0] == 200
        bench.wait(1)
        assert bench.refused("GET", "/auth_info", key=key) == (
            401, "identityserver:api_key_expired", {},
        )  # fmt: skip

    def test_rights_that_the_caller_lacks(self, bench):
        key = bench.key("applications/app1", "RIGHT_APPLICATION_SETTINGS_API_KEYS")
        body = {"rights": ["RIGHT_APPLICATION_INFO", "RIGHT_GATEWAY_INFO"]}
        assert bench.refused("POST", KEYS, body, key=key) == (
            403,
            "auth/rights:insufficient_application_rights",
            {"uid": "app1", "missing": ["RIGHT_APPLICATION_INFO", "RIGHT_GATEWAY_INFO"]},
        )
        # Even who may do everything has no right of a gateway on an application.
        assert bench.refused("POST", KEYS, body)[2]["missing"] == ["RIGHT_GATEWAY_INFO"]

    def test_change_of_name_and_rights(self, bench):
        key_id = bench.made(KEYS, {"rights": ["RIGHT_APPLICATION_INFO"]})["id"]
        bench.wait(1)
        changed = bench.made(
            f"{KEYS}/{key_id}",
            {"api_key": {"name": "x", "rights": ["RIGHT_APPLICATION_DEVICES_READ"]}},
            method="PUT",
        )
        assert (changed["name"], changed["rights"], changed["updated_at"]) == (
            "x", ["RIGHT_APPLICATION_DEVICES_READ"], "2024-01-31T12:00:01Z",
        )  # fmt: skip
        body = {"api_key": {"name": "y"}, "field_mask": {"paths": ["name"]}}
        changed = bench.made(f"{KEYS}/{key_id}", body, method="PUT")
        assert (changed["name"], changed["rights"]) == ("y", ["RIGHT_APPLICATION_DEVICES_READ"])

    @pytest.mark.parametrize("method", ["DELETE", "PUT"])
    def test_no_rights_are_no_key(self, bench, method):
        made = bench.made(KEYS, {"rights": ["RIGHT_APPLICATION_INFO"]})
        target = f"{KEYS}/{made['id']}"
        assert bench.ask(method, target, {"api_key": {}} if method == "PUT" else None) == (200, {})
        assert bench.refused("GET", target) == (
            404, "identityserver/store:api_key_not_found", {"api_key_id": made["id"]},
        )  # fmt: skip
        assert bench.refused("GET", "/auth_info", key=made["key"])[0] == 401

    def test_keys_of_users_work_where_the_user_does(self, bench):
        key = bench.key("users/user1", "RIGHT_APPLICATION_INFO")
        assert rights(bench, key) == ["RIGHT_APPLICATION_INFO"]
        bench.made("/users/user2/applications",
                   {"application": {"ids": {"application_id": "app2"}}}, key=OTHER_KEY)  # fmt: skip
        assert rights(bench, key, "/applications/app2") == []

    def test_keys_of_deleted_entities_are_unknown(self, bench):
        key = bench.key("applications/app1", "RIGHT_APPLICATION_INFO")
        bench.delete("/applications/app1")
        assert bench.refused("GET", "/auth_info", key=key)[0] == 401
        bench.made("/applications/app1/restore", {})
        assert bench.get("/auth_info", key=key)[0] == 200

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"rights": []}, "rights"),
            ({"rights": ["RIGHT_ALL", "RIGHT_ALL"]}, "rights"),
            ({"rights": ["RIGHT_ALL"], "name": "x" * 51}, "name"),
            ({"rights": ["RIGHT_ALL"], "expires_at": NOON}, "expires_at"),
            ({"rights": [99]}, "rights[0]"),
        ],
    )
    def test_what_is_no_key(self, bench, body, field):
        status, name, attributes = bench.refused("POST", KEYS, body)
        assert (status, name, attributes["field"]) == (400, "errors:validation", field)


class TestCollaborators:
    def test_a_creator_may_do_everything(self, bench):
        everybody = bench.get(PEOPLE)[1]["collaborators"]
        assert everybody == [{"ids": {"user_ids": {"user_id": "user1"}}, "rights": ["RIGHT_ALL"]}]

    def test_given_and_taken(self, bench):
        assert rights(bench, OTHER_KEY) == []
        assert bench.put(PEOPLE, given("RIGHT_APPLICATION_INFO")) == (200, {})
        assert rights(bench, OTHER_KEY) == ["RIGHT_APPLICATION_INFO"]
        assert bench.get("/applications/app1/collaborator/user/user2") == (
            200, {"ids": USER2, "rights": ["RIGHT_APPLICATION_INFO"]},
        )  # fmt: skip
        assert bench.put(PEOPLE, given()) == (200, {})
        assert rights(bench, OTHER_KEY) == []
        gone = (404, "identityserver/store:membership_not_found",
                {"account_type": "user", "account_id": "user2", "entity_type": "application",
                 "entity_id": "app1"})  # fmt: skip
        assert bench.refused("GET", "/applications/app1/collaborator/user/user2") == gone
        assert bench.refused("DELETE", "/applications/app1/collaborator/user/user2") == gone

    def test_the_address_of_a_deletion_differs(self, bench):
        bench.made("/users/user1/gateways", {"gateway": {"ids": {"gateway_id": "gtw1"}}})
        bench.made("/gateways/gtw1/collaborators", given("RIGHT_GATEWAY_INFO"), method="PUT")
        bench.made(PEOPLE, given("RIGHT_APPLICATION_INFO"), method="PUT")
        assert bench.delete("/gateways/gtw1/collaborators/user/user2") == (200, {})
        assert bench.refused("DELETE", f"{PEOPLE}/user/user2")[:2] == (404, 5)
        assert bench.delete("/applications/app1/collaborator/user/user2") == (200, {})

    def test_nobody_gives_what_they_lack(self, bench):
        bench.made(
            PEOPLE,
            given("RIGHT_APPLICATION_INFO", "RIGHT_APPLICATION_SETTINGS_COLLABORATORS"),
            method="PUT",
        )
        boss = {"user_ids": {"user_id": "boss"}}
        assert bench.refused(
            "PUT", PEOPLE, given("RIGHT_APPLICATION_DELETE", ids=boss), key=OTHER_KEY
        ) == (
            403,
            "auth/rights:insufficient_application_rights",
            {"uid": "app1", "missing": ["RIGHT_APPLICATION_DELETE"]},
        )
        assert bench.put(PEOPLE, given("RIGHT_APPLICATION_INFO", ids=boss), key=OTHER_KEY)[0] == 200
        user1 = {"user_ids": {"user_id": "user1"}}
        assert bench.refused("PUT", PEOPLE, given(ids=user1), key=OTHER_KEY)[0] == 403

    def test_one_with_all_rights_is_left(self, bench):
        user1 = {"user_ids": {"user_id": "user1"}}
        needed = (400, "identityserver:application_needs_collaborator", {})
        assert bench.refused("PUT", PEOPLE, given("RIGHT_APPLICATION_INFO", ids=user1)) == needed
        bench.made(PEOPLE, given("RIGHT_APPLICATION_ALL"), method="PUT")
        contact = (400, "identityserver:collaborator_is_contact", {"collaborator_id": "user1"})
        assert bench.refused("PUT", PEOPLE, given(ids=user1)) == contact
        assert bench.put(PEOPLE, given("RIGHT_APPLICATION_INFO", ids=user1))[0] == 200

    def test_unknown_accounts(self, bench):
        nobody = {"organization_ids": {"organization_id": "nobody"}}
        assert bench.refused("PUT", PEOPLE, given("RIGHT_APPLICATION_INFO", ids=nobody)) == (
            404,
            "identityserver/store:account_not_found",
            {"account_type": "organization", "account_id": "nobody"},
        )

    def test_rights_through_an_organization_are_what_both_have(self, bench):
        bench.made("/users/user1/organizations",
                   {"organization": {"ids": {"organization_id": "org1"}}})  # fmt: skip
        org = {"organization_ids": {"organization_id": "org1"}}
        bench.made(PEOPLE, given("RIGHT_APPLICATION_INFO", "RIGHT_APPLICATION_DEVICES_READ",
                                 ids=org), method="PUT")  # fmt: skip
        member = given("RIGHT_ORGANIZATION_INFO", "RIGHT_APPLICATION_INFO",
                       "RIGHT_APPLICATION_DELETE")  # fmt: skip
        bench.made("/organizations/org1/collaborators", member, method="PUT")
        assert rights(bench, OTHER_KEY) == ["RIGHT_APPLICATION_INFO"]
        assert rights(bench, OTHER_KEY, "/organizations/org1") == [
            "RIGHT_APPLICATION_INFO", "RIGHT_APPLICATION_DELETE", "RIGHT_ORGANIZATION_INFO",
        ]  # fmt: skip

    def test_pages_and_orders(self, bench):
        bench.made(PEOPLE, given("RIGHT_APPLICATION_INFO"), method="PUT")

        def listed(query):
            people = bench.get(f"{PEOPLE}?{query}")[1].get("collaborators", [])
            assert bench.headers["X-Total-Count"] == "2"
            return [each["ids"]["user_ids"]["user_id"] for each in people]

        assert listed("order=-id") == ["user2", "user1"]
        assert listed("order=rights") == ["user1", "user2"]
        assert listed("limit=1&page=2") == ["user2"]
        assert listed("limit=1&page=3") == []


class TestAdmins:
    def test_see_everything_but_keys(self, bench):
        info = bench.get("/auth_info", key=ADMIN_KEY)[1]
        assert info["is_admin"] is True
        universal = info["universal_rights"]["rights"]
        assert "RIGHT_APPLICATION_DEVICES_READ" in universal
        assert not [each for each in universal if each.endswith(("_KEYS", "_ALL"))]
        held = rights(bench, ADMIN_KEY)
        assert "RIGHT_APPLICATION_DEVICES_READ" in held
        assert "RIGHT_APPLICATION_DEVICES_READ_KEYS" not in held

    def test_see_keys_where_the_deployment_says_so(self, with_policy):
        bench = with_policy(admin_rights_all=True)
        bench.application()
        assert "RIGHT_APPLICATION_DEVICES_READ_KEYS" in rights(bench, ADMIN_KEY)

    def test_a_narrow_key_of_an_admin_purges_all_the_same(self, bench):
        key = bench.key("users/boss", "RIGHT_USER_INFO", key=ADMIN_KEY)
        assert bench.refused("DELETE", "/applications/app1", key=key)[0] == 403
        assert bench.delete("/applications/app1/purge", key=key) == (200, {})


def test_an_account_in_bad_standing_is_restricted_and_warned(bench):
    body = {"user": {"ids": {"user_id": "user2"}, "state": "STATE_SUSPENDED",
                     "state_description": "too\nloud"},
            "field_mask": "state,state_description"}  # fmt: skip
    bench.made("/users/user2", body, method="PUT", key=ADMIN_KEY)
    assert bench.get("/auth_info", key=OTHER_KEY)[0] == 200
    warning = "Restricted rights after account suspension: too?loud"
    assert bench.headers["X-Warning"] == warning
    assert bench.refused("GET", "/applications/app1", key=OTHER_KEY) == (
        403, "identityserver:user_suspended", {"description": "too\nloud"},
    )  # fmt: skip
    assert bench.refused("GET", "/users/user2/applications", key=OTHER_KEY)[1:] == (
        "auth/rights:insufficient_user_rights",
        {"uid": "user2", "missing": ["RIGHT_USER_APPLICATIONS_LIST"]},
    )
    assert bench.get("/users/user2/rights", key=OTHER_KEY)[1] == {"rights": ["RIGHT_USER_INFO"]}
    assert bench.get("/auth_info", key=USER_KEY)[0] == 200
    assert "X-Warning" not in bench.headers
