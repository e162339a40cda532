"""A server that hostile clients use: it answers, complains of nothing, and keeps its memory."""

from __future__ import annotations

import http.client
import json
import random
import re
import socket
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from simulators.platforms.embedded import embedded_server

from .hostile_requests import request

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Server:
    """A process of its own, and what it does."""

    def __init__(self, embedded):
        self.embedded = embedded
        host, _, port = embedded.url.removeprefix("http://").partition(":")
        self.address = host, int(port)
        self.credentials = embedded.target["credentials"]
        self.keys = [self.credentials["api_key"], self.credentials["admin_api_key"], "NNSXS.A.B"]

    def connect(self):
        return socket.create_connection(self.address, timeout=20)

    def ask(self, method, path, body=None):
        url = f"{self.embedded.url}/api/v3{path}"
        headers = {"Authorization": f"Bearer {self.keys[0]}"}
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.loads(answer.read())

    def resident_kb(self):
        text = Path(f"/proc/{self.embedded.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def errors(self):
        return self.embedded.errors.read_text()


@pytest.fixture(scope="module")
def server():
    with embedded_server("things-stack") as embedded:
        made = Server(embedded)
        body = {"application": {"ids": {"application_id": "quiet1"}}}
        made.ask("POST", f"/users/{made.credentials['user_id']}/applications", body)
        yield made


def statuses(server, requests):
    """What a client that sends all of these gets, one connection after the other."""
    found = []
    for data in requests:
        with closing(server.connect()) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
            found.append(int(_STATUS.match(answer)[1]) if answer else None)
    return found


def test_hostile_requests_are_answered_and_leave_nothing_behind(server):
    rng = random.Random(3)
    found = statuses(server, [request(rng, server.keys) for _ in range(2000)])
    before_kb = server.resident_kb()
    found += statuses(server, [request(rng, server.keys) for _ in range(2000)])
    grown_kb = server.resident_kb() - before_kb
    assert set(found) <= {200, 204, 400, 401, 403, 404, 406, 409, 429, 501}
    assert 200 in found
    assert grown_kb < 8_000  # about 65 000 from 8 000 requests on, whatever follows
    assert server.errors() == ""


def test_requests_that_never_end_keep_nobody_waiting(server):
    head = b"POST /api/v3/events HTTP/1.1\r\nHost: x\r\n"
    starts = [
        head,
        head + b"Content-Length: 100\r\n\r\n{",
        head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ]
    slow = []
    for number in range(300):
        connection = server.connect()
        slow.append(connection)
        connection.sendall(starts[number % len(starts)])
    for connection in slow[::2]:
        connection.shutdown(socket.SHUT_WR)
    assert server.ask("GET", "/applications/quiet1")["ids"] == {"application_id": "quiet1"}
    for connection in slow[1::2]:
        connection.sendall(b"x")
    assert server.ask("GET", "/applications/quiet1")["ids"] == {"application_id": "quiet1"}
    for connection in slow:
        connection.close()
    assert server.errors() == ""


def test_readers_of_events_that_read_nothing_are_cut_and_cost_little(server):
    """Each would have to be given some 4 MB."""
    names = {"identifiers": [{"application_ids": {"application_id": "quiet1"}}]}
    data = json.dumps(names).encode()
    opening = (
        b"POST /api/v3/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (server.keys[0].encode(), len(data), data)
    )
    device = {"ids": {"device_id": "dev1"}}
    server.ask(
        "PUT",
        "/as/applications/quiet1/devices/dev1",
        {"end_device": device, "field_mask": "ids.device_id"},
    )
    readers = [server.connect() for _ in range(20)]
    for reader in readers:
        reader.sendall(opening)
    before_kb = server.resident_kb()
    settings = {
        "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
        "frequency": "868100000",
    }
    metadata = [
        {"gateway_ids": {"gateway_id": f"gtw{number}"}, "rssi": -42} for number in range(400)
    ]
    uplink = {"f_port": 1, "frm_payload": "AQ==", "settings": settings, "rx_metadata": metadata}
    with closing(http.client.HTTPConnection(*server.address, timeout=20)) as connection:
        headers = {"Authorization": f"Bearer {server.keys[0]}"}
        text = json.dumps({"uplink_message": uplink})
        for _ in range(100):
            connection.request(
                "POST", "/api/v3/as/applications/quiet1/devices/dev1/up/simulate", text, headers
            )
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"{}")
    grown_kb = server.resident_kb() - before_kb
    assert grown_kb < 30_000
    taken = [len(_all_of(reader)) for reader in readers]
    assert max(taken) < 2_000_000
    assert server.errors() == ""


def _all_of(reader):
    """Everything that is in the socket until it is cut."""
    found = bytearray()
    with closing(reader):
        reader.settimeout(15)
        try:
            while data := reader.recv(1 << 20):
                found += data
        except ConnectionError:
            pass
    return found
