"""``thingrig clean``: what an interrupted run left goes away if the API can, the rest is told."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.desk import ControllerDesk
from conformance.ledger import Ledger, fingerprint, seal
from conformance.people import People
from conformance.run import Run
from conformance.stack_fixtures import Stack
from conformance.targets import from_document
from simulators.platforms.embedded import Embedded, embedded_server
from simulators.platforms.target_file import write_target_file
from thingrig import cli


@pytest.fixture(scope="module")
def server():  # type: ignore[no-untyped-def]
    with embedded_server("thethings-io") as running:
        yield running


def test_what_a_killed_run_left_is_removed(
    server: Embedded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api = ThethingsClient(server.url)
    code = server.target["credentials"]["activation_codes"][0]
    given = server.target["credentials"]["thing_tokens"][0]
    new = api.activate(code).ok_json()["thingToken"]
    ledger = Ledger(tmp_path / "ledger.jsonl", {"prefix": "rig-1-"})
    thing = ledger.note({"kind": "thing", "what": "a thing", "thing": None})
    ledger.mark(thing, "created", thing=fingerprint(new), sealed=seal(new, code))
    for token in (new, given):
        ledger.note({"kind": "tag", "what": "rig-1-red", "thing": fingerprint(token)})
        api.add_tag(token, "rig-1-red").ok_json()
        api.add_tag(token, "mine").ok_json()
    ledger.close()
    write_target_file(tmp_path / "target.toml", server.target)

    with pytest.raises(SystemExit) as end:
        cli.main(
            ["clean", str(tmp_path / "ledger.jsonl"), "--target", str(tmp_path / "target.toml")]
        )

    assert capsys.readouterr().out.splitlines() == [
        "thing  a thing  remains: the API cannot delete things",
        "tag  rig-1-red  removed",
        "tag  rig-1-red  removed",
    ]
    assert end.value.code == 0
    for token in (new, given):
        assert [tag["name"] for tag in api.tags(token).ok_json()] == ["mine"]


def test_a_ledger_of_another_kind_is_wrong_usage(
    server: Embedded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(json.dumps({"type": "header", "schema": "other"}) + "\n")
    write_target_file(tmp_path / "target.toml", server.target)
    assert cli.exit_code(["clean", str(ledger), "--target", str(tmp_path / "target.toml")]) == 2
    assert "ledger.jsonl:1: expected the header of a ledger" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"platform": "things-stack"}, "expected a target of platform things-stack, as "),
        ({"url": "https://elsewhere"}, "expected the target at https://elsewhere, as "),
    ],
)
def test_another_target_than_the_ledgers_is_wrong_usage(
    header: dict[str, str],
    message: str,
    server: Embedded,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It knows nothing of what was created, and all of it would seem to be gone."""
    with closing(Ledger(tmp_path / "ledger.jsonl", {"prefix": "rig-1-", **header})):
        write_target_file(tmp_path / "target.toml", server.target)

    assert cli.exit_code(["clean", str(tmp_path), "--target", str(tmp_path / "target.toml")]) == 2
    assert message in capsys.readouterr().err


def test_what_users_of_a_killed_run_left_is_removed(
    server: Embedded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their passwords are sealed in the ledger; whoever holds the target file logs in for them."""
    target = from_document(server.target)
    ledger = Ledger(tmp_path / "ledger.jsonl", {"platform": "thethings-io", "url": server.url})
    run = Run(target, ControllerDesk(target, ledger), "rig-2-")
    people = People(run)
    ada, bob = people.somebody(), people.somebody()
    token = target.credential("thing_tokens")[1]
    thing_id = ada.link(thing_token=token).ok_json()["thingId"]
    run.api.write(token, [{"key": "rig-2-led", "value": 1}]).ok_json()
    ada.grant({"rig-2-led": {thing_id: {"get": True}}}, email=bob.email).ok_json()
    songs = ada.collection("app", "rig-2-Lists", "1 2", "Songs")
    songs.add({"title": "One"}, "a/b").ok_json()
    assert (bob.read("rig-2-led", thing_id).status, len(songs.all().ok_json())) == (200, 1)
    ledger.close()
    write_target_file(tmp_path / "target.toml", server.target)

    with pytest.raises(SystemExit) as end:
        cli.main(
            ["clean", str(tmp_path / "ledger.jsonl"), "--target", str(tmp_path / "target.toml")]
        )

    told = capsys.readouterr().out.replace(ada.email, "ADA").replace(bob.email, "BOB")
    assert [line.replace(thing_id, "THING") for line in told.splitlines()] == [
        "user  ADA  remains: the API cannot delete users",
        "user  BOB  remains: the API cannot delete users",
        f"values  values under keys rig-2-… of the thing {run.secrets.redact(token)}  "
        "remains: the API cannot delete values",
        "permission  for BOB: rig-2-led  removed",
        "objects  objects of app/rig-2-Lists/1 2/Songs  removed",
        f"link  {run.secrets.redact(token)} as a thing of ADA  removed",
    ]
    assert end.value.code == 0
    assert (ada.things().ok_json(), songs.all().ok_json()) == ([], [])
    assert bob.read("rig-2-led", thing_id).status == 403


def test_what_a_killed_run_left_on_the_things_stack_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Devices go, applications are purged by the administrator's key of the target file."""
    with embedded_server("things-stack") as running:
        target = from_document(running.target)
        with closing(Ledger(tmp_path / "ledger.jsonl", {"prefix": "rig-1-"})) as ledger:
            stack = Stack(Run(target, ControllerDesk(target, ledger), "rig-1-"))
            application = stack.new_application()
            device = stack.new_device(application)
        write_target_file(tmp_path / "target.toml", running.target)

        with pytest.raises(SystemExit) as end:
            cli.main(
                ["clean", str(tmp_path / "ledger.jsonl"), "--target", str(tmp_path / "target.toml")]
            )

        again = stack.api.get(f"/applications/{application}", key=stack.admin_key)
    path = f"/applications/{application}"
    assert capsys.readouterr().out.splitlines() == [
        f"device  {path}/devices/{device}  removed",
        f"application  {path}  removed",
    ]
    assert (end.value.code, again.status) == (0, 404)
