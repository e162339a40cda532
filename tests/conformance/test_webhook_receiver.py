"""The receiver of webhooks: what it keeps, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.clients.http import Http
from conformance.clients.webhook_receiver import WebhookReceiver
from conformance.targets import from_document, webhook_place


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """One on a free port."""
    found = WebhookReceiver("127.0.0.1:0")
    yield found
    found.close()


def test_requests_are_kept_in_order(receiver: WebhookReceiver) -> None:
    http = Http(receiver.url)
    statuses = [
        http.send("POST", path, body=b'{"a":1}', headers={"X-Key": "7"}).status
        for path in ("/one/up", "/fail/up", "/two", "/status/304/up")
    ]

    assert statuses == [200, 500, 200, 304]
    paths = ["/one/up", "/fail/up", "/two", "/status/304/up"]
    assert [each.path for each in receiver.deliveries] == paths
    (first, *_) = receiver.to("/one")
    assert (first.method, first.headers["x-key"], first.json) == ("POST", "7", {"a": 1})


def test_waiting_ends_with_the_last_request(receiver: WebhookReceiver) -> None:
    Http(receiver.url).send("POST", "/up")

    assert len(receiver.wait_for("/up", count=1, within_s=5.0)) == 1
    assert receiver.wait_for("/down", count=1, within_s=0.0) == []


def test_silence_is_looked_into_while_nothing_has_ever_come(receiver: WebhookReceiver) -> None:
    looks: list[str] = []
    receiver.look = lambda: looks.append("look")

    receiver.wait_for("/up", count=1, within_s=0.0)
    Http(receiver.url).send("POST", "/up")
    receiver.wait_for("/down", count=1, within_s=0.0)

    assert looks == ["look"]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"url": "http://127.0.0.1:1885"}, ("127.0.0.1:0", None)),
        ({"url": "https://eu1.cloud.thethings.network"}, None),
        (
            {
                "url": "https://eu1.cloud.thethings.network",
                "webhook": {"listen": "0.0.0.0:8090", "url": "https://rig.example.com"},
            },
            ("0.0.0.0:8090", "https://rig.example.com"),
        ),
    ],
)
def test_place_of_the_receiver(
    document: dict[str, str], place: tuple[str, str | None] | None
) -> None:
    """A target on this machine reaches it without being told; another one needs an address."""
    assert webhook_place(from_document({"platform": "things-stack", **document})) == place
