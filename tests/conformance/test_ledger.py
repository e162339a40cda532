"""The ledger: noted before created, readable after a kill, useless without the target file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conformance.ledger import Ledger, fingerprint, read_ledger, seal, unseal

THING = {"kind": "thing", "what": "the thing activated with <activation_code:1>", "thing": None}
TAG = {"kind": "tag", "what": "rig-1-red", "thing": "abc"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path, {"prefix": "rig-1-"})) as opened:
        yield opened


def test_a_note_is_on_disk_before_it_returns(ledger: Ledger, path: Path) -> None:
    ledger.note(THING)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [
        {"type": "header", "schema": "thingrig-ledger/1", "prefix": "rig-1-"},
        {"type": "object", "id": 0, **THING},
    ]


def test_what_was_refused_or_removed_is_not_left_behind(ledger: Ledger) -> None:
    for number, state in enumerate(["created", "refused", "removed"]):
        ledger.mark(ledger.note({**TAG, "what": str(number)}), state)
    ledger.note({**TAG, "what": "no answer came"})
    assert [each["what"] for each in ledger.left_behind()] == ["0", "no answer came"]


def test_one_creation_among_refusals_stays_one(ledger: Ledger) -> None:
    for state in ("refused", "created", "refused"):
        ledger.mark(ledger.note(TAG), state)
    assert len(ledger.left_behind()) == 1


def test_a_ledger_is_read_up_to_a_line_cut_off(ledger: Ledger, path: Path) -> None:
    ledger.mark(ledger.note(TAG), "created")
    with path.open("a") as file:
        file.write('{"type":"obj')
    header, entries = read_ledger(path)
    assert header["prefix"] == "rig-1-"
    assert [(each["what"], each["state"]) for each in entries] == [("rig-1-red", "created")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1: expected the header of a ledger; got an empty file"),
        ('{"schema":"other"}\n', "1: expected the header of a ledger (thingrig-ledger/1)"),
        ("nonsense\n", "1: expected a JSON object; got b'nonsense'"),
    ],
)
def test_another_file_is_refused(path: Path, text: str, words: str) -> None:
    path.write_text(text)
    with pytest.raises(ValueError, match="^" + words.replace("(", r"\(").replace(")", r"\)")):
        read_ledger(path)


@pytest.mark.parametrize(
    ("kind", "state", "names"),
    [
        (TAG, "created", ["ledger-1.jsonl", "ledger.jsonl"]),
        (TAG, "removed", ["ledger.jsonl"]),
        (THING, "created", ["ledger.jsonl"]),
    ],
    ids=["can be removed", "was removed", "stays for ever"],
)
def test_another_run_in_the_folder_forgets_nothing_that_can_be_removed(
    path: Path, kind: dict[str, str], state: str, names: list[str]
) -> None:
    with closing(Ledger(path, {})) as killed:
        killed.mark(killed.note(kind), state)
    Ledger(path, {}).close()
    assert sorted(each.name for each in path.parent.iterdir()) == names
    _, entries = read_ledger(path.parent / names[0])
    assert [each["state"] for each in entries] == [state][: len(names) - 1]


def test_every_interrupted_run_keeps_its_ledger(path: Path) -> None:
    for _ in range(3):
        with closing(Ledger(path, {})) as killed:
            killed.note(TAG)
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "ledger-1.jsonl", "ledger-2.jsonl", "ledger.jsonl",
    ]  # fmt: skip


def test_a_sealed_token_opens_with_the_code_that_made_it() -> None:
    sealed = seal("the-thing-token", "the-code")
    assert "the-thing-token" not in sealed
    assert unseal(sealed, ["another", "the-code"]) == "the-thing-token"
    assert unseal(sealed, ["another"]) is None


def test_a_fingerprint_tells_no_token() -> None:
    assert fingerprint("a") == "ca978112ca1bbdca"
