"""What the other side calls things, learned from what it says."""

from __future__ import annotations

import pytest

from scenarios.replay.names import Names, UnlearnedError, is_opaque

from .recording import CODE, OTHER, TOKEN, activated, post, script, write

ID = "Kq7_issued-by-the-platform"
THERE, ELSEWHERE = "N" * 39 + "new1", "N" * 39 + "new2"


def names(*, activation_codes: list[str] | None = None, thing_tokens: list[str] | None = None):  # type: ignore[no-untyped-def]
    played = script(
        (0, "a", post("/v2/things", {"activationCode": CODE})),
        (1, "a", activated(TOKEN, ID)),
        (2, "a", write("k", 1, OTHER)),
    )
    return Names(played, activation_codes=activation_codes or [], thing_tokens=thing_tokens or [])


def test_a_target_files_secrets_are_taken_in_turn() -> None:
    known = names(activation_codes=["first-code", "second-code"], thing_tokens=[ELSEWHERE])
    assert known.there({"activationCode": CODE}) == {"activationCode": "first-code"}
    assert known.there(f"/v2/things/{OTHER}") == f"/v2/things/{ELSEWHERE}"
    assert known.there([CODE, OTHER]) == ["first-code", ELSEWHERE]
    assert known.next_code(CODE) == "second-code"
    assert known.there(CODE) == "second-code"
    assert known.next_code(CODE) is None


def test_a_secret_of_an_answer_is_never_taken_from_the_file() -> None:
    known = names(thing_tokens=[ELSEWHERE])
    with pytest.raises(UnlearnedError, match="thing_token:2"):
        known.there(f"/v2/things/{TOKEN}")
    assert known.is_counterpart(TOKEN, THERE)
    assert known.there(f"/v2/things/{TOKEN}") == f"/v2/things/{THERE}"


def test_passwords_are_those_of_users_in_the_same_place() -> None:
    first, second = "<password:7>", "<password:12>"
    played = script(
        (0, "a", post("/v2/login", {"email": "b", "password": second})),
        (1, "a", post("/v2/login", {"email": "a", "password": first})),
    )
    known = Names(played, activation_codes=[], thing_tokens=[], passwords=["of-a", "of-b"])
    assert known.there([first, second]) == ["of-a", "of-b"]


def test_one_name_stands_for_one_name() -> None:
    known = names()
    assert known.is_counterpart(TOKEN, THERE)
    assert known.is_counterpart(TOKEN, THERE)
    assert not known.is_counterpart(TOKEN, ELSEWHERE)
    assert not known.is_counterpart(OTHER, THERE)


def test_a_secret_inside_a_sentence_is_found() -> None:
    known = names()
    assert known.is_counterpart(f"thing '{TOKEN}' not found", f"thing '{THERE}' not found")
    assert known.there(TOKEN) == THERE
    assert not known.is_counterpart(f"thing '{TOKEN}' not found", f"no thing '{THERE}'")


def test_an_issued_id_has_a_counterpart_of_its_length() -> None:
    known = names()
    assert known.is_counterpart(ID, "Zb3_issued-by-another-one-")
    assert known.there(f"/v2/me/things/{ID}") == "/v2/me/things/Zb3_issued-by-another-one-"
    assert known.expected({ID: [ID]}) == {
        "Zb3_issued-by-another-one-": ["Zb3_issued-by-another-one-"]
    }


@pytest.mark.parametrize("there", ["17", "Zb3_but-shorter-than-that", "created"])
def test_an_id_of_another_kind_differs_and_is_used_all_the_same(there: str) -> None:
    known = names()
    assert not known.is_counterpart(ID, there)
    assert known.there(f"/v2/me/things/{ID}") == f"/v2/me/things/{there}"


def test_what_a_device_said_itself_has_no_counterpart() -> None:
    assert not names().is_counterpart("a-word-0f-the-device", "another-w0rd-of-it--")


def test_what_is_not_known_is_expected_as_it_was() -> None:
    assert names().expected({"a": [TOKEN, 1, None]}) == {"a": [TOKEN, 1, None]}


@pytest.mark.parametrize(
    ("text", "is_drawn"),
    [
        ("fcxEYfxBdlZyVPiAuFH3nZo", True),
        ("0d5b1c9e7f3a2b4c6d8e0f1a", True),
        ("temperature-of-the-room", False),
        ("12345678901234567890", False),
        ("short1", False),
        ("two words of Letters 1", False),
    ],
)
def test_drawn_by_lot_looks_so(text: str, is_drawn: bool) -> None:
    assert is_opaque(text) is is_drawn
