"""The client of The Things Stack, and what its guard keeps, hides and removes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.exchange import Headers
from conformance.clients.things_stack import ThingsStackClient, rate_limit
from conformance.desk import ControllerDesk
from conformance.evidence import evidence
from conformance.ledger import Ledger, read_ledger
from conformance.outcomes import NotApplicable, NotRun
from conformance.run import Run
from conformance.stack_fixtures import OwnRights, Stack, sweep
from conformance.stack_kinds import Left, find_left
from conformance.stack_tidy import clean
from conformance.targets import from_document

KEY = "NNSXS.OWNKEYOWNKEY.OWNSECRETOWNSECRETOWN"
ADMIN = "NNSXS.ADMINADMIN.ADMINSECRETADMINSECRET"
NEW = "NNSXS.NEWKEYNEWKEY.NEWSECRETNEWSECRETNEW"


def platform(method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
    """Accepts everything; a new API key is told."""
    answer = {"key": NEW} if path.endswith("/api-keys") else {}
    return 200, "application/json", json.dumps(answer).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def new_run(fake: Callable[..., Any], path: Path) -> Iterator[Callable[..., Run]]:
    """Makes a run with these further credentials."""
    ledger = Ledger(path, {})

    def new(**credentials: str) -> Run:
        document = {
            "platform": "things-stack",
            "url": fake(platform).url,
            "credentials": {"api_key": KEY, "user_id": "ada", **credentials},
        }
        target = from_document(document)
        return Run(target, ControllerDesk(target, ledger), "rig-1-")

    with closing(ledger):
        yield new


@pytest.mark.parametrize(
    "spelling", ["X-Rate-Limit-Retry", "X-Ratelimit-Retry", "x-ratelimit-retry"]
)
def test_both_spellings_of_the_rate_limit_are_read(spelling: str) -> None:
    assert rate_limit(Headers({spelling: "3"}), "Retry") == 3.0
    assert rate_limit(Headers({spelling: "soon"}), "Retry") is None


def test_each_server_is_asked_at_its_address() -> None:
    urls = {"network": "http://ns.example.com", "join": "http://js.example.com"}
    api = ThingsStackClient("http://is.example.com", urls=urls)

    paths = ("/ns/net_id", "/js/default_join_eui", "/as/webhook-formats", "/applications")
    assert [api.server(each).url for each in paths] == [
        "http://ns.example.com", "http://js.example.com", "http://is.example.com",
        "http://is.example.com",
    ]  # fmt: skip


def test_keys_are_shown_by_their_last_four_characters(new_run: Callable[..., Run]) -> None:
    run = new_run()
    stack = Stack(run)

    stack.api.get("/auth_info", key=stack.new_key("/applications/app1", "RIGHT_APPLICATION_INFO"))

    seen = json.dumps(evidence(run.exchanges, run.secrets, run.origins))
    assert KEY not in seen
    assert NEW not in seen
    assert "TNEW>" in seen


def test_what_a_run_creates_is_purged_by_an_administrator(
    new_run: Callable[..., Run], path: Path
) -> None:
    run = new_run(admin_api_key=ADMIN)
    stack = Stack(run)
    stack.new_device(stack.new_application())

    sweep(run)

    entries = read_ledger(path)[1]
    assert [(each["kind"], each["state"]) for each in entries] == [
        ("application", "removed"), ("device", "removed"),
    ]  # fmt: skip
    asked = [f"{each.method} {each.target}" for each in run.exchanges[-3:]]
    application, device = (each["what"] for each in entries)
    assert asked == [
        f"DELETE /api/v3{device}", f"DELETE /api/v3{application}",
        f"DELETE /api/v3{application}/purge",
    ]  # fmt: skip


def test_without_an_administrator_the_id_stays(new_run: Callable[..., Run], path: Path) -> None:
    run = new_run()
    Stack(run).new_gateway()

    sweep(run)

    assert [each["state"] for each in read_ledger(path)[1]] == ["deleted"]


@pytest.mark.parametrize(
    ("method", "target", "document", "left"),
    [
        ("PUT", "/api/v3/ns/applications/a1/devices/d1", {}, "/ns/applications/a1/devices/d1"),
        (
            "POST",
            "/api/v3/as/applications/a1/devices",
            {"end_device": {"ids": {"device_id": "d2"}}},
            "/as/applications/a1/devices/d2",
        ),
        ("PUT", "/api/v3/as/webhooks/a1/w1", {}, "/as/webhooks/a1/w1"),
        ("PUT", "/api/v3/as/applications/a1/link", {}, "/as/applications/a1/link"),
        ("POST", "/api/v3/users/u1/api-keys", {"name": "k1"}, "/users/u1/api-keys?name=k1"),
        ("POST", "/api/v3/applications/a1/api-keys", {"name": "k1"}, None),
        ("PUT", "/api/v3/applications/a1", {"application": {}}, None),
        ("POST", "/api/v3/users/u1/applications", {"application": {"ids": 5}}, None),
    ],
)
def test_what_a_request_leaves_behind(
    method: str, target: str, document: dict[str, Any], left: str | None
) -> None:
    found: Left | None = find_left(method, target, json.dumps(document).encode())
    assert (found.path if found else None) == left


def test_key_of_an_account_is_found_by_its_name_and_removed(
    fake: Callable[..., Any], tmp_path: Path
) -> None:
    """Its id was told once, in an answer that may not have come."""
    asked: list[str] = []

    def accounts(method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        asked.append(f"{method} {path.partition('?')[0]}")
        keys = [{"id": "OTHER", "name": "mine"}, {"id": "FOUND", "name": "rig-1-w1"}]
        return 200, "application/json", json.dumps({"api_keys": keys}).encode()

    target = from_document(
        {"platform": "things-stack", "url": fake(accounts).url, "credentials": {"api_key": KEY}}
    )
    entry = {
        "kind": "api_key",
        "what": "/users/ada/api-keys?name=rig-1-w1",
        "state": "noted",
        "id": 0,
    }

    assert [each.why_left for each in clean(target, [entry])] == [None]
    assert asked == ["GET /api/v3/users/ada/api-keys", "DELETE /api/v3/users/ada/api-keys/FOUND"]


def refusal(name: str, missing: list[str] | None = None) -> bytes:
    """An error of status 403 as the stack tells it."""
    namespace, _, short = name.partition(":")
    detail: dict[str, Any] = {"namespace": namespace, "name": short}
    if missing is not None:
        detail["attributes"] = {"missing": missing}
    return json.dumps({"code": 7, "message": "refused", "details": [detail]}).encode()


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (
            refusal("pkg/auth/rights:insufficient_user_rights", ["RIGHT_USER_CLIENTS_CREATE"]),
            "RIGHT_USER_CLIENTS_CREATE",
        ),
        (refusal("pkg/auth/rights:no_organization_rights"), "no_organization_rights"),
        (refusal("pkg/identityserver:admins_create_clients"), "administrator"),
    ],
)
def test_what_the_caller_has_no_right_to_is_not_run(
    fake: Callable[..., Any], new_run: Callable[..., Run], body: bytes, missing: str
) -> None:
    stack = Stack(new_run())
    refusing = fake(lambda *_: (403, "application/json", body))
    answer = ThingsStackClient(refusing.url, key=KEY).get("/users/ada")

    with pytest.raises(NotRun, match=missing):
        stack.permitted(answer)


def test_other_refusals_are_for_the_test_to_judge(
    fake: Callable[..., Any], new_run: Callable[..., Run]
) -> None:
    stack = Stack(new_run())
    body = refusal("pkg/identityserver:update_admin_field")
    answer = ThingsStackClient(fake(lambda *_: (403, "application/json", body)).url, key=KEY).get(
        "/users/ada"
    )

    assert stack.permitted(answer) is answer


def test_target_that_restores_nothing_has_no_restores_to_judge(
    fake: Callable[..., Any], new_run: Callable[..., Run]
) -> None:
    body = refusal("pkg/identityserver:restore_window_expired")
    api = ThingsStackClient(fake(lambda *_: (400, "application/json", body)).url, key=KEY)

    with pytest.raises(NotApplicable, match="restores nothing"):
        Stack(new_run()).permitted(api.post("/users/ada/restore", {}))


@pytest.mark.parametrize(
    ("held", "is_told"),
    [
        (["RIGHT_USER_INFO"], True),
        (["RIGHT_USER_CLIENTS_CREATE"], False),
        (["RIGHT_USER_ALL"], False),
        (["RIGHT_ALL"], False),
    ],
)
def test_refusal_is_the_targets_fault_when_the_key_has_the_right(
    fake: Callable[..., Any], held: list[str], is_told: bool
) -> None:
    info = {"api_key": {"api_key": {"rights": held}}}
    body = refusal("pkg/auth/rights:insufficient_user_rights", ["RIGHT_USER_CLIENTS_CREATE"])

    def platform(method: str, path: str, _: bytes) -> tuple[int, str, bytes]:
        is_info = path.endswith("/auth_info")
        return (
            200 if is_info else 403,
            "application/json",
            json.dumps(info).encode() if is_info else body,
        )

    api = ThingsStackClient(fake(platform).url, key=KEY)
    api.look = OwnRights(api).look

    with pytest.raises(NotRun, match="RIGHT_USER_CLIENTS_CREATE") if is_told else nullcontext():
        assert api.post("/users/ada/clients", {}).status == 403
    assert api.post("/users/ada/clients", {}, key="NNSXS.ANOTHER.KEY").status == 403
