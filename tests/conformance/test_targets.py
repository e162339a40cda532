"""Target files: resolved, checked, told with line and nearest word; secrets never in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.targets import Target, check_lacks, check_url, from_document, read_target
from scenarios.files import FileError
from scenarios.secrets import SecretRegistry

TOKEN = "A" * 39 + "9vQz"
GOOD = f"""\
platform = "thethings-io"
url = "https://api.example:8443/base"
lacks = ["firmware"]

[credentials]
activation_codes = ["code-one-of-the-list", "env:CODE"]
thing_tokens = ["{TOKEN}"]

[limits]
max_requests_per_s = 5
allow = ["read"]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "target.toml"
    path.write_text(text)
    return path


def test_a_target_is_read_with_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "from-the-shell")
    target = read_target(write(tmp_path, GOOD))
    assert target.url == "https://api.example:8443/base"
    assert target.credential("activation_codes") == ["code-one-of-the-list", "from-the-shell"]
    assert (target.allow, target.max_requests_per_s) == (frozenset({"read"}), 5)
    assert target.lacks == frozenset({"firmware"})
    assert target.kind == "remote"


def test_a_list_and_a_number_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODES", "one,two three")
    monkeypatch.setenv("RATE", "2.5")
    text = (
        'platform = "thethings-io"\nurl = "http://a"\n'
        '[credentials]\nactivation_codes = "env:CODES"\n'
        '[limits]\nmax_requests_per_s = "env:RATE"\n'
    )
    target = read_target(write(tmp_path, text))
    assert target.credential("activation_codes") == ["one", "two", "three"]
    assert target.max_requests_per_s == 2.5


def test_url_replaces_only_the_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODE", "x")
    target = read_target(write(tmp_path, GOOD), url="http://127.0.0.1:9")
    assert target.url == "http://127.0.0.1:9"
    assert target.credential("thing_tokens") == [TOKEN]


BARE = 'platform = "thethings-io"\nurl = "http://127.0.0.1:1"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(GOOD, ":6: expected the environment variable CODE to be set", id="unset"),
        pytest.param('url = "http://a"', "expected the key 'platform'", id="no-platform"),
        pytest.param(
            BARE.replace("things-io", "thing-io"), "did you mean 'thethings-io'?", id="platform"
        ),
        pytest.param(BARE.replace(":1", ":1/v2"), ":2: expected url to be scheme", id="version"),
        pytest.param(
            BARE.replace(":1", ":1/stack/api/v3/"), "without /v2 or /api/v3", id="version-of-stack"
        ),
        pytest.param(BARE.replace("http", "ftp"), ":2: expected url to be scheme", id="scheme"),
        pytest.param(BARE + 'lack = ["a"]', ":3: expected a key of the file", id="unknown-key"),
        pytest.param(
            BARE + '[limits]\nallow = ["wrte"]', ":4: expected allow to be one of", id="allow"
        ),
        pytest.param(BARE + 'ca_file = "nowhere.pem"', ":3: expected ca_file", id="ca-file"),
        pytest.param(BARE + "[limits]\nmax_requests_per_s = 0", ":4: ", id="no-rate"),
        pytest.param(
            BARE + '[mailbox]\nimap = "imap://a"',
            ":3: expected mailbox to be a folder, or imap with user and password",
            id="mailbox",
        ),
        pytest.param(
            BARE + '[mailbox]\nfolder = "a"\naddress = "rig@example.com"',
            ":5: expected address to be an address with {name} before the @",
            id="address",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FileError) as problem:
        read_target(write(tmp_path, text))
    assert words in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_bad_credential_is_not_shown(tmp_path: Path) -> None:
    text = BARE + '[credentials]\nthing_tokens = ["my secret/token"]'
    with pytest.raises(FileError) as problem:
        read_target(write(tmp_path, text))
    assert "my secret" not in str(problem.value)


def test_a_word_that_no_requirement_needs_is_refused() -> None:
    target = from_document({"platform": "thethings-io", "url": "http://a", "lacks": ["firmwares"]})
    with pytest.raises(FileError, match="did you mean 'firmware'"):
        check_lacks(target, [], "target.toml")


def test_a_bad_url_on_the_command_line_is_refused() -> None:
    check_url("http://127.0.0.1:8080")
    with pytest.raises(FileError, match=r"^--url: expected scheme, host"):
        check_url("127.0.0.1:8080")


def test_every_credential_is_a_secret() -> None:
    document = {
        "platform": "thethings-io",
        "url": "http://a",
        "credentials": {
            "activation_codes": ["activation-code-1"],
            "thing_tokens": [TOKEN],
            "users": [{"email": "a@b", "password": "short"}],
        },
        "mailbox": {"imap": "imaps://a", "user": "rig", "password": "open sesame!"},
    }
    secrets = SecretRegistry()
    from_document(document).register_secrets(secrets)
    text = f"activation-code-1 {TOKEN} short open sesame!"
    assert secrets.redact(text).split() == [
        "<activation_code:1:…de-1>",
        "<thing_token:2:…9vQz>",
        "<password:3>",
        "<mailbox_password:4:…ame!>",
    ]


def test_a_mailbox_is_where_the_target_file_is(tmp_path: Path) -> None:
    target = read_target(write(tmp_path, BARE + '[mailbox]\nfolder = "mail"'))
    assert target.document["mailbox"] == {"folder": str(tmp_path / "mail")}


def test_the_public_part_holds_no_credential() -> None:
    target = Target("thethings-io", "http://a", document={"credentials": {"thing_tokens": [TOKEN]}})
    assert target.public() == {
        "platform": "thethings-io", "url": "http://a", "kind": "remote", "lacks": [],
    }  # fmt: skip
