"""Secrets never reach a file: each becomes a stable placeholder, wherever it stands."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from scenarios.secrets import SecretRegistry

TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM9vQz"


def test_placeholder_tells_kind_number_and_last_four_characters() -> None:
    registry = SecretRegistry()
    assert registry.add("activation_code", "code-one-of-the-longer-kind") == (
        "<activation_code:1:…kind>"
    )
    assert registry.add("thing_token", TOKEN) == "<thing_token:2:…9vQz>"
    assert registry.add("thing_token", TOKEN) == "<thing_token:2:…9vQz>"


def test_short_secret_shows_none_of_its_characters() -> None:
    registry = SecretRegistry()
    assert registry.add("password", "swordfish12") == "<password:1>"
    assert registry.redact("login swordfish12!") == "login <password:1>!"


def test_secret_is_found_in_urls_documents_keys_and_bytes() -> None:
    registry = SecretRegistry()
    registry.add("thing_token", TOKEN)
    placeholder = "<thing_token:1:…9vQz>"
    assert registry.redact(f"/v2/things/{TOKEN}/resources") == f"/v2/things/{placeholder}/resources"
    assert registry.redact({TOKEN: ["x" + TOKEN + "y", 1, None]}) == {
        placeholder: ["x" + placeholder + "y", 1, None]
    }
    assert registry.redact(b"\xff" + TOKEN.encode()) == b"\xff" + placeholder.encode()


def test_longer_secret_wins_over_its_own_beginning() -> None:
    registry = SecretRegistry()
    registry.add("code", "0123456789abcdef")
    registry.add("code", "0123456789abcdefXYZ")
    assert registry.redact("0123456789abcdefXYZ") == "<code:2:…fXYZ>"


def test_empty_text_is_no_secret() -> None:
    registry = SecretRegistry()
    assert registry.add("password", "") == ""
    assert registry.redact("nothing") == "nothing"


@given(secret=st.text(min_size=1, max_size=60))
def test_every_encoded_form_is_replaced(secret: str) -> None:
    registry = SecretRegistry()
    placeholder = registry.add("password", secret)
    lower = re.sub("%..", lambda found: found[0].lower(), quote(secret, safe=""))
    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), lower):
        assert registry.redact(form) == placeholder
