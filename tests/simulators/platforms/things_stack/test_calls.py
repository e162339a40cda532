"""The way of every call: route, decoding, mask, fields, limit, token, rights; and its headers."""

from __future__ import annotations

import re

import pytest

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.policy import RateLimit

from .conftest import ADMIN_KEY, OTHER_KEY, USER_KEY

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/nowhere", (404, 5, "Not Found")),
        ("GET", "/applications/app1/nowhere", (404, 5, "Not Found")),
        ("PATCH", "/applications", (501, 12, "Method Not Allowed")),
        ("DELETE", "/auth_info", (501, 12, "Method Not Allowed")),
        ("HEAD", "/auth_info", (501, 12, "Method Not Allowed")),
    ],
)
def test_unknown_paths_and_methods_have_no_details(bench, method, target, expected):
    assert bench.refused(method, target) == expected


@pytest.mark.parametrize("path", ["//api/v4/applications", "//api/", "//"])
def test_other_paths_are_no_routes(bench, path):
    status, name, attributes = bench.refused("GET", path)
    assert (status, name) == (404, "webhandlers:route_not_found")
    assert attributes == {"route": path[1:]}


def test_a_method_override_is_not_honoured(bench):
    bench.application()
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert bench.get("/applications/app1", headers=headers)[0] == 200
    assert bench.get("/applications/app1")[0] == 200


@pytest.mark.parametrize("key", [None, "nonsense", USER_KEY])
def test_wrong_values_come_before_wrong_tokens(bench, key):
    """Decoding and validation, mask included, learn nothing of the caller."""
    for method, target, body, name in (
        ("POST", "/users/user1/applications", b"{,}", 3),
        ("GET", "/applications/APP", None, "errors:validation"),
        ("GET", "/applications/app1?field_mask=bogus", None,
         "rpcmiddleware/validator:field_mask_paths"),
    ):  # fmt: skip
        assert bench.refused(method, target, body, key=key)[:2] == (400, name)


@pytest.mark.parametrize(
    ("authorization", "status", "name"),
    [
        (None, 401, "identityserver:unauthenticated"),
        ("Basic dXNlcjpwYXNz", 401, "identityserver:unsupported_authorization"),
        ("Bearer nonsense", 400, "auth:token"),
        ("Bearer A.B.C", 400, "auth:token"),
        ("Bearer NNSXS.ABC", 400, "auth:token"),
        ("Bearer NNSXS.ABC.DEF", 401, "identityserver:api_key_not_found"),
        (f"Bearer {USER_KEY[:-1]}A", 401, "identityserver:invalid_authorization"),
        ("Bearer MFRWG.ABC.DEF", 401, "identityserver:token_not_found"),
        ("Bearer ONZW4.ABC.DEF", 401, "identityserver:token_not_found"),
        ("Bearer OJSWM.ABC.DEF", 401, "identityserver:unsupported_authorization"),
    ],
)
def test_authorization(bench, authorization, status, name):
    headers = {} if authorization is None else {"Authorization": authorization}
    assert bench.refused("GET", "/applications/app1", key=None, headers=headers)[:2] == (
        status,
        name,
    )
    assert ("WWW-Authenticate" in bench.headers) == (status == 401)


def test_an_unknown_key_has_its_cause(bench):
    _, document = bench.get("/auth_info", key="NNSXS.ABC.DEF")
    cause = document["details"][0]["cause"]
    assert (cause["namespace"], cause["name"], cause["attributes"]) == (
        "pkg/identityserver/store",
        "api_key_not_found",
        {"api_key_id": "ABC"},
    )


def test_the_scheme_is_read_in_any_case(bench):
    headers = {"Authorization": f"bearer {USER_KEY}"}
    assert bench.get("/auth_info", key=None, headers=headers)[0] == 200


@pytest.mark.parametrize(
    ("target", "status", "name"),
    [
        ("/applications/app1", 401, "identityserver:unauthenticated"),
        ("/applications/app1/devices", 403, "auth/rights:no_application_rights"),
        ("/applications/app1/collaborators", 401, "identityserver:unauthenticated"),
        ("/users/user1/gateways", 403, "auth/rights:no_user_rights"),
        ("/organizations/org/gateways", 403, "auth/rights:no_organization_rights"),
    ],
)
def test_without_a_token_some_calls_ask_who_and_some_ask_for_rights(bench, target, status, name):
    assert bench.refused("GET", target, key=None)[:2] == (status, name)


@pytest.mark.parametrize("target", ["/auth_info", "/applications", "/applications/app1/rights"])
def test_what_anonymous_callers_see_is_empty(bench, target):
    assert bench.get(target, key=None) == (200, {})
    assert "X-Total-Count" not in bench.headers


def test_who_has_no_rights_learns_nothing_about_existence(bench):
    bench.application()
    target = "/applications/{}?field_mask=name"
    for name in ("app1", "app2"):
        assert bench.refused("GET", target.format(name), key=OTHER_KEY) == (
            403,
            "auth/rights:no_application_rights",
            {"uid": name},
        )
    assert bench.refused("GET", target.format("app2"), key=ADMIN_KEY) == (
        404,
        "identityserver/store:application_not_found",
        {"application_id": "app2"},
    )


def test_public_fields_are_for_everybody_with_a_token(bench):
    bench.application()
    target = "/applications/{}?field_mask=ids.application_id,administrative_contact"
    status, document = bench.get(target.format("app1"), key=OTHER_KEY)
    assert (status, sorted(document)) == (
        200, ["administrative_contact", "created_at", "ids", "updated_at"],
    )  # fmt: skip
    assert bench.get(target.format("app2"), key=OTHER_KEY)[0] == 404


def test_missing_rights_are_named(bench):
    bench.application()
    key = bench.key("applications/app1", "RIGHT_APPLICATION_INFO")
    assert bench.refused("GET", "/applications/app1/devices", key=key) == (
        403,
        "auth/rights:insufficient_application_rights",
        {"uid": "app1", "missing": ["RIGHT_APPLICATION_DEVICES_READ"]},
    )


def test_a_request_id_is_kept_or_made(bench):
    bench.get("/auth_info", headers={"X-Request-Id": "my-own-id"})
    assert bench.headers["X-Request-Id"] == "my-own-id"
    bench.get("/auth_info", headers={"X-Request-Id": "two words"})
    assert ULID.fullmatch(bench.headers["X-Request-Id"])
    bench.get("/nowhere")
    assert ULID.fullmatch(bench.headers["X-Request-Id"])


def test_each_error_has_an_id_of_its_own(bench):
    ids = [bench.get("/gateways/nope")[1]["details"][0]["correlation_id"] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert ids[0] != ids[1]


def test_query_values(bench):
    bench.application()
    for query in ("field_mask=name,description", "field_mask.paths=name&field_mask.paths=ids",
                  "fieldMask=name", "unknown=1", "limit=x&surprise.deep=2"):  # fmt: skip
        assert bench.get(f"/applications/app1?{query}")[0] == 200
    assert bench.refused("GET", "/applications/app1?field_mask=name&field_mask=ids") == (
        400,
        3,
        'too many values for field "field_mask": name, ids',
    )
    assert bench.refused("GET", "/applications?limit=many")[:2] == (400, 3)
    assert bench.refused("GET", "/applications?limit=1001")[2] == {
        "field": "limit",
        "name": "ListApplicationsRequestValidationError",
        "reason": "value must be less than or equal to 1000",
    }
    assert bench.refused("GET", "/applications?deleted=perhaps")[:2] == (400, 3)
    assert bench.get("/applications?deleted=true")[0] == 200


def test_a_path_wins_over_the_body(bench):
    body = {"application": {"ids": {"application_id": "app1"}},
            "collaborator": {"user_ids": {"user_id": "user2"}}}  # fmt: skip
    document = bench.made("/users/user1/applications", body)
    assert document["administrative_contact"] == {"user_ids": {"user_id": "user1"}}


def test_a_path_is_decoded_once(bench):
    bench.application()
    assert bench.get("/applications/%61pp1")[0] == 200
    assert bench.refused("GET", "/applications/%2561pp1")[:2] == (400, "errors:validation")


def test_bodies_need_no_type_and_may_be_empty(bench):
    status, name, attributes = bench.refused("POST", "/users/user1/applications")
    assert (status, name, attributes["field"], attributes["reason"]) == (
        400, "errors:validation", "application", "value is required",
    )  # fmt: skip


def test_requests_that_are_identifiers_name_that(bench):
    assert bench.refused("DELETE", "/applications/APP")[:2] == (400, "ttnpb:identifiers")
    _, document = bench.delete("/applications/APP")
    assert document["details"][0]["cause"]["attributes"]["field"] == "application_id"


def test_rate_limits(with_policy):
    bench = with_policy(rate_limit=RateLimit(per_minute=60, burst=3))
    bench.application()
    seen = []
    for _ in range(4):
        status, _ = bench.get("/applications/app1")
        names = ("Limit", "Available", "Reset", "Retry")
        seen.append((status, *(bench.headers[f"X-Rate-Limit-{name}"] for name in names)))
    assert seen == [
        (200, "3", "2", "1", "0"),
        (200, "3", "1", "2", "0"),
        (200, "3", "0", "3", "0"),
        (429, "3", "0", "3", "1"),
    ]
    status, name, attributes = bench.refused("GET", "/applications/app1")
    assert (status, name, attributes["rate"]) == (429, "ratelimit:rate_limit_exceeded", 60)
    method = "/ttn.lorawan.v3.ApplicationRegistry/Get"
    assert attributes["key"] == f"grpc:method:{method}:application:app1:token:{'B' * 39}"
    assert bench.get("/applications/app1", key=OTHER_KEY)[0] == 200
    assert bench.get("/applications/app1?field_mask=bogus")[0] == 400
    assert "X-Rate-Limit-Limit" not in bench.headers
    bench.wait(1)
    assert bench.get("/applications/app1")[0] == 200


def test_without_limits_no_header_speaks_of_them(bench):
    bench.get("/auth_info")
    assert list(bench.headers) == ["X-Request-Id"]


def test_an_old_http_is_refused_where_a_proxy_stands_in_front(with_policy):
    bench = with_policy(refuses_http_1_0=True)
    answer = bench.effects("GET", "/auth_info", http_1_0=True)[0]
    assert isinstance(answer, Answer)
    assert (answer.status, answer.content_type) == (426, "text/plain")
    assert dict(answer.headers) == {"Upgrade": "HTTP/1.1", "Connection": "Upgrade"}
    assert bench.get("/auth_info")[0] == 200


def test_tenants_share_nothing(with_policy):
    bench = with_policy(tenants=("tenant1", "tenant2"))
    hosts = [{"Host": f"{name}.thethings.example.com:8080"} for name in ("tenant1", "tenant2")]
    for host in hosts:
        bench.application(headers=host)
    bench.application("only-here", headers=hosts[0])
    assert bench.get("/applications/only-here", headers=hosts[0])[0] == 200
    assert bench.get("/applications/only-here", headers=hosts[1])[0] == 404
    assert bench.refused("GET", "/applications/nope/devices", headers=hosts[1]) == (
        403,
        "auth/rights:no_application_rights",
        {"uid": "nope@tenant2"},
    )
    assert bench.get("/applications/only-here", headers={"Host": "other.example.com"})[0] == 200


def test_preflight(bench):
    answer = bench.effects("OPTIONS", "/applications", key=None)[0]
    assert isinstance(answer, Answer)
    assert answer.status == 204
