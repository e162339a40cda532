"""Requests as they were sent, addressed to somebody else."""

from __future__ import annotations

import base64

import pytest

from scenarios.replay.names import Names, UnlearnedError
from scenarios.replay.postman import Letter, Postman
from scenarios.replay.verbatim import Verbatim, octets, text_of, verbatim_of
from simulators.transports.endpoint import Endpoint

from .recording import CODE, OTHER, TOKEN, activated, post, script, write

THERE = "N" * 43


def addressed(
    method: str, target: str, verbatim: Verbatim, *, product_id: str | None = None
) -> Letter:
    played = script(
        (0, "a", post("/v2/things", {"activationCode": CODE})),
        (1, "a", activated(TOKEN)),
        (2, "a", write("k", 1, OTHER)),
    )
    names = Names(played, activation_codes=["new-code"], thing_tokens=[THERE])
    postman = Postman(
        names,
        sent_to="http://127.0.0.1:1",
        endpoint=Endpoint.of("http://there:99/prefix"),
        product_id=product_id,
        redact=lambda data: data.replace(THERE.encode(), b"<hidden>"),
    )
    return postman.addressed(method, target, verbatim)


def test_a_tidy_request_is_put_together_again() -> None:
    verbatim = Verbatim({"Content-Type": "application/json", "X-Thing": OTHER}, '{"a": 1}', None, 1)
    letter = addressed("POST", f"/v2/things/{OTHER}", verbatim)
    assert (
        letter.data
        == (
            f"POST /prefix/v2/things/{THERE} HTTP/1.1\r\nHost: there:99\r\nAccept: */*\r\n"
            "User-Agent: thingrig\r\nContent-Length: 8\r\nContent-Type: application/json\r\n"
            f'X-Thing: {THERE}\r\n\r\n{{"a": 1}}'
        ).encode()
    )
    assert letter.message == {
        "method": "POST", "target": f"/v2/things/{THERE}", "body": '{"a": 1}',
        "headers": {"Content-Type": "application/json", "X-Thing": THERE},
    }  # fmt: skip


def test_fields_of_the_recording_come_before_our_own() -> None:
    letter = addressed("GET", "/v2/", Verbatim({"accept": "text/html", "HOST": "h"}, "", None, 1))
    assert letter.data == (
        b"GET /prefix/v2/ HTTP/1.1\r\nUser-Agent: thingrig\r\naccept: text/html\r\nHOST: h\r\n\r\n"
    )


def test_raw_bytes_stay_as_they_are_but_for_names() -> None:
    tail = "Content-Length: 2\n\n{}\n\n"
    raw = f"POST /v2//things/{OTHER} HTTP/1.1\nHost: 127.0.0.1:1\n{tail}"
    letter = addressed("POST", f"/v2//things/{OTHER}", Verbatim({}, "{}", raw, 2))
    there = f"POST /prefix/v2//things/{THERE} HTTP/1.1\nHost: there:99\n{tail}"
    assert letter.data == there.encode()
    assert (letter.answers, letter.message["answers"]) == (2, 2)
    assert letter.message["raw"] == there.replace(THERE, "<hidden>")


def test_bytes_that_are_no_text_are_kept() -> None:
    raw = f"POST /v2/things/{OTHER} HTTP/1.1\r\n\r\n".encode() + b"\x81\xa6\xff"
    letter = addressed("POST", "", Verbatim({}, "", text_of(raw), 1))
    assert letter.data.endswith(b"\r\n\r\n\x81\xa6\xff")
    assert letter.data.startswith(f"POST /prefix/v2/things/{THERE} ".encode())
    hidden = base64.b64decode(letter.message["raw"]["base64"])
    assert hidden == letter.data.replace(THERE.encode(), b"<hidden>")


def test_a_product_is_the_targets() -> None:
    body = f'{{"activationCode": "{CODE}", "productId": "old"}}'
    letter = addressed("POST", "/v2/things", Verbatim({}, body, None, 1), product_id="new")
    assert letter.data.endswith(b'{"activationCode":"new-code","productId":"new"}')


def test_a_secret_that_is_not_known_is_told() -> None:
    with pytest.raises(UnlearnedError):
        addressed("GET", f"/v2/things/{TOKEN}", Verbatim({}, "", None, 1))


@pytest.mark.parametrize("data", [b"", b"text \xc3\xa9", b"\xff\x00", b"<thing_token:2>"])
def test_bytes_come_back_from_a_trace(data: bytes) -> None:
    assert octets(text_of(data)) == data


def test_a_body_is_understood_as_far_as_it_is_json() -> None:
    message = {"headers": {}, "body": '{"values": []}'}
    assert verbatim_of(message).document == {"values": []}
    assert verbatim_of({"headers": {}, "body": "values[0]=1"}).document is None
    assert verbatim_of({"headers": {}}).document is None
