"""What a test saw: repeatable by curl, without secrets, never half a secret."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from conformance.clients.exchange import Exchange, Headers, answered, unanswered
from conformance.curl import curl_line
from conformance.evidence import MAX_BODY, MAX_TEXT, evidence, plain
from scenarios.secrets import SecretRegistry

TOKEN = "S3cr3t-T0ken_" + "x" * 26 + "9vQz"
PLACEHOLDER = "<thing_token:1:…9vQz>"


@pytest.fixture
def secrets() -> SecretRegistry:
    registry = SecretRegistry()
    registry.add("thing_token", TOKEN)
    return registry


def exchange(target: str, body: bytes = b"", answer: bytes = b"{}") -> Exchange:
    response = answered(200, Headers([("X-Told", TOKEN)]), answer, 0.0125)
    method = "POST" if body else "GET"
    return Exchange(method, target, {"X-Sent": TOKEN}, body, response, 0.0, "http://host:1")


def test_evidence_holds_no_secret(secrets: SecretRegistry) -> None:
    seen = exchange(f"/v2/things/{TOKEN}", TOKEN.encode(), f'{{"t":"{TOKEN}"}}'.encode())
    document = evidence([seen], secrets, {PLACEHOLDER: "credentials.thing_tokens[0]"})
    assert TOKEN not in str(document)
    assert document["exchanges"] == [
        {
            "request": {
                "method": "POST",
                "target": f"/v2/things/{PLACEHOLDER}",
                "headers": {"X-Sent": PLACEHOLDER},
                "body": PLACEHOLDER,
            },
            "response": {
                "status": 200,
                "headers": {"x-told": PLACEHOLDER},
                "body": f'{{"t":"{PLACEHOLDER}"}}',
            },
            "error": None,
            "elapsed_ms": 12.5,
        }
    ]
    assert "# THING_TOKEN: credentials.thing_tokens[0]" in document["curl"][0]


@pytest.mark.parametrize("before", range(MAX_BODY - 45, MAX_BODY + 2, 3))
def test_a_long_body_is_cut_after_its_secrets_are_gone(
    secrets: SecretRegistry, before: int
) -> None:
    seen = exchange("/", answer=b"a" * before + TOKEN.encode() + b"b" * 99)
    [document] = evidence([seen], secrets, {})["exchanges"]
    assert "S3cr3t" not in document["response"]["body"]
    assert "more" in document["response"]["body"] or before < MAX_BODY - 100


@pytest.mark.parametrize("before", range(MAX_TEXT - 45, MAX_TEXT + 2, 3))
def test_a_long_value_is_cut_after_its_secrets_are_gone(
    secrets: SecretRegistry, before: int
) -> None:
    shown = plain(["a" * before + TOKEN + "b" * 99], secrets)
    assert "S3cr3t" not in str(shown)


def test_no_answer_is_an_error(secrets: SecretRegistry) -> None:
    seen = Exchange("GET", "/", {}, b"", unanswered("the connection was refused", 0.5), 0.0, "")
    [document] = evidence([seen], secrets, {})["exchanges"]
    assert (document["response"], document["error"]) == (None, "the connection was refused")


def test_any_value_becomes_json(secrets: SecretRegistry) -> None:
    values = [b"\xffa", {1: (2, None)}, float("nan"), object, {TOKEN}]
    shown = plain(values, secrets)
    assert shown[:3] == ["\ufffda", {"1": [2, None]}, "nan"]
    assert shown[4] == [PLACEHOLDER]


BODIES = [b'{"a":"it\'s $HOME `id` \\\\ \\"x\\""}', b"a b", b"-@file", b'$geo "!"', b"line\nline"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("with_secret", [True, False])
def test_a_shell_reads_the_curl_line_back(
    secrets: SecretRegistry, body: bytes, with_secret: bool
) -> None:
    """Inside double quotes a shell takes the backslash from $, `, " and itself, and no other."""
    full = body + TOKEN.encode() if with_secret else body
    line = curl_line(exchange("/v2/x?a=$geo&b", full), secrets.redact, {})
    command = line.partition("  # ")[0]
    words = shlex.split(command)
    text = words[words.index("--data-raw") + 1]
    for escaped in ("\\$", "\\`"):  # shlex leaves these two as they are; a shell does not
        text = text.replace(escaped, escaped[1]) if with_secret else text
    assert text == body.decode() + ("${THING_TOKEN}" if with_secret else "")
    assert words[-1] == "http://host:1/v2/x?a=$geo&b"


def test_two_secrets_of_a_kind_are_two_variables(secrets: SecretRegistry) -> None:
    other = "another-secret-token-abcd"
    secrets.add("thing_token", other)
    line = curl_line(exchange(f"/{TOKEN}/{other}/{TOKEN}"), secrets.redact, {})
    assert '"http://host:1/${THING_TOKEN}/${THING_TOKEN_2}/${THING_TOKEN}"' in line
    assert "THING_TOKEN_2: known only to this run" in line


RAW = [
    b"POST /v2/things/%b HTTP/1.1\nHost: a\n\n{}\n\n",
    b"GET /%b HTTP/1.1\r\n\r\n",
    b'%b \\ \\n "quoted" $HOME `id` 100 \x81\xa6\x00',
]


@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_a_shell_sends_raw_bytes_again(secrets: SecretRegistry, data: bytes) -> None:
    """Bytes that curl would tidy up go through printf into a connection."""
    raw = data % TOKEN.encode()
    seen = Exchange("POST", "/", {}, b"", unanswered("reset", 0.1), 0.0, "http://host:81", raw)

    line = curl_line(seen, secrets.redact, {})

    assert TOKEN not in line
    command, _, rest = line.partition(" | ")
    assert rest.startswith("nc -w 5 host 81")
    sent = subprocess.run(["sh", "-c", command], capture_output=True, env={"THING_TOKEN": TOKEN})
    assert sent.stdout == raw
