"""The desk: every code and token once, three activations a run, one word that stops everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conformance.desk import ControllerDesk, connect, open_desk
from conformance.ledger import Ledger
from conformance.targets import from_document


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.jsonl", {})) as opened:
        yield opened


def desk(ledger: Ledger, *, codes: int = 0, tokens: int = 0) -> ControllerDesk:
    credentials = {
        "activation_codes": [f"code-{number}" for number in range(codes)],
        "thing_tokens": [f"token-{number}" for number in range(tokens)],
    }
    document = {"platform": "thethings-io", "url": "http://a", "credentials": credentials}
    return ControllerDesk(from_document(document), ledger)


@pytest.mark.parametrize("codes", [0, 1, 3, 4, 20, 1200])
def test_every_code_is_handed_out_once(ledger: Ledger, codes: int) -> None:
    found = desk(ledger, codes=codes)
    handed = [found.next_code() for _ in range(codes)]
    assert sorted(map(str, handed)) == sorted(f"code-{number}" for number in range(codes))
    assert found.next_code() is None


def test_twenty_tries_reach_all_over_a_long_list(ledger: Ledger) -> None:
    found = desk(ledger, codes=1200)
    tried = [int(str(found.next_code()).removeprefix("code-")) for _ in range(20)]
    assert tried[:3] == [0, 1, 2]
    assert max(tried) > 1100


def test_a_run_has_three_activations(ledger: Ledger) -> None:
    found = desk(ledger, codes=1200)
    assert [found.take_activation(keep=0) for _ in range(4)] == [True, True, True, False]
    found.return_activation()
    assert found.take_activation(keep=0)


def test_a_thing_leaves_activations_for_being_judged(ledger: Ledger) -> None:
    found = desk(ledger, codes=1200)
    assert [found.take_activation(keep=2) for _ in range(2)] == [True, False]
    assert [found.take_activation(keep=0) for _ in range(3)] == [True, True, False]


def test_what_was_judged_need_not_be_kept(ledger: Ledger) -> None:
    found = desk(ledger, codes=1200)
    assert [found.take_activation(keep=0) for _ in range(2)] == [True, True]
    assert found.take_activation(keep=2)


def test_fewer_codes_are_fewer_activations(ledger: Ledger) -> None:
    found = desk(ledger, codes=1)
    assert [found.take_activation(keep=0) for _ in range(2)] == [True, False]


def test_workers_share_one_desk(ledger: Ledger) -> None:
    found = desk(ledger, codes=1, tokens=2)
    first, second = (connect(open_desk(found)) for _ in range(2))
    assert [first.next_token(), second.next_token(), first.next_token()] == [
        "token-0", "token-1", None,
    ]  # fmt: skip
    number = first.note({"kind": "tag", "what": "red", "thing": "abc"})
    second.mark(number, "created", {})
    assert [entry["what"] for _, entry in second.created("tag")] == ["red"]
    assert second.stopped() is None
    first.stop("blocked")
    first.stop("later")
    assert second.stopped() == "blocked"


def test_what_is_shared_is_had_by_one_after_the_other(ledger: Ledger) -> None:
    found, thing = desk(ledger), {"token": "T", "id": "I"}
    assert [found.borrow("thing") for _ in range(2)] == [("make", None), ("wait", None)]
    found.give_back("thing", thing)
    assert [found.borrow("thing") for _ in range(2)] == [("take", thing), ("wait", None)]
    assert found.borrow("another") == ("make", None)


def test_what_cannot_be_made_is_waited_for_by_nobody(ledger: Ledger) -> None:
    found = desk(ledger)
    found.borrow("thing")
    found.give_back("thing", None)
    assert [found.borrow("thing") for _ in range(2)] == [("none", None), ("none", None)]
