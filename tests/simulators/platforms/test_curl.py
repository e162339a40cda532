"""
The curl commands of the public device guide, run with real curl, give the documented answers.

Where the guide contradicts what clients of the platform show, the settled answer is expected: a
write answers ``{"status":"created"}``, and an unknown token 403 with the documented text.
"""

from __future__ import annotations

import functools
import json
import operator
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from simulators.platforms.embedded import Embedded, embedded_server

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

JSON = ["-H", "Content-Type: application/json"]
ACCEPT = ["-i", "-H", "Accept: application/json"]


@pytest.fixture(scope="module")
def guide() -> Iterator[Embedded]:
    with embedded_server() as server:
        yield server


@pytest.fixture(scope="module")
def thing(guide: Embedded) -> str:
    return f"{guide.url}/v2/things/{guide.target['credentials']['thing_tokens'][0]}"


def curl(*arguments: str) -> tuple[int | None, Any]:
    """Status, when ``-i`` asked for the head, and the decoded body."""
    command = ["curl", "-s", "--max-time", "10", *arguments]
    output = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    head, _, body = output.rpartition("\r\n\r\n") if "-i" in arguments else ("", "", output)
    status = re.match(r"HTTP/1\.1 (\d+) ", head)
    return int(status[1]) if status else None, json.loads(body)


def write(url: str, values: Any, *options: str) -> tuple[int | None, Any]:
    return curl(*options, *JSON, "-d", json.dumps({"values": values}, indent=2), "-X", "POST", url)


def test_ping(guide):
    assert curl("-i", *JSON, "-X", "GET", f"{guide.url}/v2/") == (
        401,
        {"status": "error", "code": 401, "message": "Invalid session token"},
    )


def test_activate(guide):
    code = guide.target["credentials"]["activation_codes"][0]
    product = guide.target["credentials"]["product_id"]
    body = f'{{"activationCode" : "{code}", "productId":"{product}"}}'
    command = [*ACCEPT, *JSON, "-d", body, "-X", "POST", f"{guide.url}/v2/things/", "-k"]
    status, document = curl(*command)
    assert (status, document["status"], document["message"]) == (201, "created", "thing activated")
    assert [len(document[name]) for name in ("thingToken", "thingId")] == [43, 43]
    not_found = {"status": "error", "message": "activation code not found"}
    assert curl(*command) == (400, not_found)


def test_write_and_read(thing):
    assert write(thing, [{"key": "fun", "value": "9000"}], *ACCEPT, "-k") == (
        201,
        {"status": "created"},
    )
    status, rows = curl(*ACCEPT, "-X", "GET", f"{thing}/resources/fun?limit=10", "-k")
    assert status == 200
    assert [(row["key"], row["value"]) for row in rows] == [("fun", "9000")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rows[0]["datetime"])


def test_write_with_position(thing):
    geo = {"lat": 41.4121132, "long": 2.2199454}
    assert write(thing, [{"key": "my-geolocated-key", "value": 23, "geo": geo}])[1] == {
        "status": "created"
    }


def test_batch_with_timestamps_is_sorted(thing):
    batch = {"20150520130000": 23, "20150520140000": 24, "20150520150000": 25, "20150520120000": 22}
    values = [
        {"key": "my-batch-key", "value": value, "datetime": stamp} for stamp, value in batch.items()
    ]
    write(thing, values)
    _, rows = curl("-X", "GET", f"{thing}/resources/my-batch-key?limit=10")
    assert rows == [
        {"key": "my-batch-key", "value": 25, "datetime": "2015-05-20T15:00:00.000Z"},
        {"key": "my-batch-key", "value": 24, "datetime": "2015-05-20T14:00:00.000Z"},
        {"key": "my-batch-key", "value": 23, "datetime": "2015-05-20T13:00:00.000Z"},
        {"key": "my-batch-key", "value": 22, "datetime": "2015-05-20T12:00:00.000Z"},
    ]


def test_read_errors(guide, thing):
    unknown = f"{guide.url}/v2/things/{'x' * 43}/resources/fun?limit=10"
    assert curl(*ACCEPT, "-X", "GET", unknown, "-k") == (
        403,
        {"status": "error", "code": 403, "message": "Thing token doesn't exist"},
    )
    assert curl(*ACCEPT, "-X", "GET", f"{thing}/resources/never?limit=10", "-k") == (
        404,
        {"status": "error", "message": "resource not found"},
    )


def test_2300_values_in_three_pages(thing):
    for start in range(0, 2300, 1000):
        stamps = range(start, min(start + 1000, 2300))
        write(
            thing,
            [
                {
                    "key": "temperature",
                    "value": n,
                    "datetime": f"2017-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:06.932Z",
                }
                for n in stamps
            ],
        )
    pages: list[list[int]] = []
    end = ""
    while not pages or pages[-1]:
        _, rows = curl(*ACCEPT, f"{thing}/resources/temperature?limit=1000{end}", "-k")
        pages.append([row["value"] for row in rows])
        end = f"&endDate={rows[-1]['datetime']}" if rows else ""
    assert [len(page) for page in pages] == [1000, 1000, 300, 0]
    assert functools.reduce(operator.iadd, pages, []) == list(range(2299, -1, -1))


def test_geo_resource(thing):
    point = {"type": "Point", "coordinates": [2.154007, 41.390205]}
    assert write(thing, [{"key": "$geo", "value": point}])[1] == {"status": "created"}
    assert curl(*ACCEPT, "-X", "GET", f"{thing}/resources/$geo", "-k") == (
        200,
        [{"key": "$geo", "value": point}],
    )


def test_settings_resource(thing):
    settings = {"name": "My Thing", "foo": "bar"}
    for key, value in (("$settings", settings), ("$settings.name", "My Thing")):
        assert write(thing, [{"key": key, "value": value}])[1] == {"status": "created"}
        assert curl(*ACCEPT, "-X", "GET", f"{thing}/resources/{key}", "-k") == (
            200,
            [{"key": key, "value": value}],
        )


def test_subscribe(guide, thing):
    command = ["curl", "-s", "-N", *JSON, "-X", "GET", thing]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as stream:
        assert stream.stdout is not None
        first = b'{"status":"success","message":"subscribed"}'
        assert stream.stdout.read(len(first)) == first
        write(thing, [{"key": "a", "value": 1}])
        second = b'[{"key":"a","value":1}]'
        assert stream.stdout.read(len(second)) == second
        stream.terminate()
    unknown = "x" * 43
    assert curl("-N", *JSON, "-X", "GET", f"{guide.url}/v2/things/{unknown}")[1] == {
        "status": "error",
        "message": f"Thing with thing token '{unknown}' not found.",
    }


def test_server_date(guide):
    token = guide.target["credentials"]["thing_tokens"][0]
    address = f"{guide.url}/v2/utils/date?thingToken={token}&format="
    _, seconds = curl(*ACCEPT, "-X", "GET", f"{address}unix_timestamp", "-k")
    assert seconds == {"date": seconds["date"], "values": [{"value": seconds["date"]}]}
    assert isinstance(seconds["date"], int)
    _, text = curl(*ACCEPT, "-X", "GET", f"{address}UTC", "-k")
    assert text == {"date": text["date"], "values": [{"value": text["date"]}]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text["date"])
