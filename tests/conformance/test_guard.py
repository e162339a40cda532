"""The guard: what the app side creates is noted by whom, and nothing of others is destroyed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.desk import ControllerDesk
from conformance.fixtures import Thing
from conformance.ledger import Ledger, read_ledger, unseal
from conformance.outcomes import NotRun
from conformance.run import Run
from conformance.targets import from_document

ADA = "rig-1-ada@example.com"
GIVEN = {"email": "given@example.com", "password": "the given password"}
GIVEN_TOKEN = "G" * 43
SESSIONS = {ADA: "session-token-of-ada-001", GIVEN["email"]: "session-token-of-given-1"}


def platform(method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
    """Registers, logs in, links, and accepts everything else."""
    document = json.loads(body) if body[:1] == b"{" else {}
    answer: dict[str, Any] = {"status": "success"}
    if path in ("/v2/register", "/v2/login"):
        answer = {"token": SESSIONS[document.get("email", ADA)], "roles": {}}
    elif path == "/v2/me/things":
        answer |= {"thingId": "I" * 43}
    elif path == "/v2/things":
        answer |= {"thingToken": "T" * 43, "thingId": "A" * 43}
    return 200, "application/json", json.dumps(answer).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def run(fake: Callable[..., Any], path: Path) -> Iterator[Run]:
    """A run whose ledger is read afterwards."""
    target = from_document(
        {
            "platform": "thethings-io",
            "url": fake(platform).url,
            "credentials": {
                "activation_codes": ["the-activation-code"],
                "thing_tokens": [GIVEN_TOKEN],
                "users": [GIVEN],
                "app_id": "app",
            },
        }
    )
    with closing(Ledger(path, {})) as ledger:
        yield Run(target, ControllerDesk(target, ledger), "rig-1-")


def noted(path: Path) -> list[tuple[str, str]]:
    return [(entry["kind"], entry["what"]) for entry in read_ledger(path)[1]]


def test_what_a_user_creates_is_noted_with_what_removing_it_needs(run: Run, path: Path) -> None:
    api = run.api
    ada = api.session(api.register(ADA, "ada's password", "app").ok_json()["token"])
    ada.link(thing_token="T" * 43)
    ada.link(thing_id="J" * 43)
    ada.write("rig-1-led", "J" * 43, [{"value": 1}])
    ada.grant({"rig-1-led": {"J" * 43: {"get": True}}}, email="bob@example.com")
    ada.update_settings({"rig-1-a": 1})
    ada.collection("me", "rig-1-Lists", "2 5", "Songs").add({"a": 1})
    ada.collection("me", "rig-1-Lists", "2 5", "Songs").add({"a": 1}, "100")

    entries = read_ledger(path)[1]
    assert [(entry["kind"], entry["what"]) for entry in entries] == [
        ("user", ADA),
        ("link", f"{'T' * 43} as a thing of {ADA}"),
        ("link", f"{'J' * 43} as a thing of {ADA}"),
        ("values", f"values under keys rig-1-… of the thing {'J' * 43}"),
        ("permission", "for bob@example.com: rig-1-led"),
        ("settings", f"settings of {ADA}"),
        ("objects", "objects of me/rig-1-Lists/2 5/Songs"),
    ]
    assert {entry["user"] for entry in entries} == {ADA}
    assert {entry["state"] for entry in entries} == {"created"}
    assert unseal(entries[0]["sealed"], ["the-activation-code"]) == "ada's password"
    assert [entry["thing_id"] for entry in entries[1:3]] == ["I" * 43] * 2
    assert entries[2]["detail"] == {"thing_id": "J" * 43}
    assert entries[4]["detail"] == {
        "permissions": {"rig-1-led": {"J" * 43: {"get": True}}},
        "email": "bob@example.com",
    }
    assert entries[6]["detail"] == {"collection": "me/rig-1-Lists/2%205/Songs"}


def test_sessions_and_passwords_are_secrets_with_an_origin(run: Run, path: Path) -> None:
    api = run.api
    api.login(GIVEN["email"], GIVEN["password"], "app")
    placeholder = run.secrets.redact(SESSIONS[GIVEN["email"]])
    assert placeholder.startswith("<session_token:")
    assert run.origins[placeholder] == "what POST /v2/login answers given@example.com"
    assert run.origins[run.secrets.redact(GIVEN["password"])] == (
        "credentials.users[0].password of the target file"
    )
    assert path.read_text().count("\n") == 1


def test_a_password_of_the_target_file_is_not_changed(run: Run) -> None:
    api = run.api
    given, ada = [
        api.session(api.login(email, "x", "app").ok_json()["token"])
        for email in (GIVEN["email"], ADA)
    ]
    with pytest.raises(NotRun, match="does not hold 'destroy'"):
        given.update_settings({"password": "another"})
    assert given.update_settings({"rig-1-a": 1}).is_success
    assert ada.update_settings({"password": "another"}).is_success


def test_a_description_is_replaced_on_things_of_the_run_alone(run: Run) -> None:
    api = run.api
    api.activate("the-activation-code")
    ada = api.session(api.register(ADA, "x", "app").ok_json()["token"])
    Thing(run, "T" * 43).is_called("A" * 43)
    Thing(run, GIVEN_TOKEN).is_called("B" * 43)
    assert ada.put_description("A" * 43, {"a": 1}).is_success
    with pytest.raises(NotRun, match="does not hold 'destroy'"):
        ada.put_description("B" * 43, {"a": 1})


def test_a_form_tells_whom_it_registers(run: Run, path: Path) -> None:
    run.api.send("POST", "/v2/register", body=f"email={ADA}&password=p".encode())
    assert noted(path) == [("user", ADA)]
