"""The server as a process: its target file, state that survives, what is on the wire."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading

import pytest
import requests
from jsonschema import validate

from scenarios.files import load_schema, open_toml
from simulators.platforms.embedded import EmbeddedError, embedded_server
from simulators.platforms.provisioning import ProvisioningError
from simulators.platforms.things_stack.provisioning import from_document

PLATFORM = "things-stack"
PROVISIONING = {
    "user": [
        {"user_id": "boss", "email": "boss@example.com", "password": "boss-password",
         "admin": True},
        {"user_id": "maker", "email": "maker@example.com", "password": "maker-password"},
    ],
    "organization": [{"organization_id": "makers", "members": ["maker"]}],
    "api_key": [
        {"key": f"NNSXS.{'A' * 39}.{'A' * 52}", "user_id": "boss"},
        {"key": f"NNSXS.{'B' * 39}.{'B' * 52}", "user_id": "maker"},
    ],
}  # fmt: skip


class Client:
    """Requests with one key."""

    def __init__(self, server, key="api_key"):
        self.url = f"{server.url}/api/v3"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {server.target['credentials'][key]}"
        self.verify = server.target.get("ca_file", True)

    def ask(self, method, target, body=None, **options):
        options |= {"timeout": 5, "verify": self.verify}
        return self.session.request(method, self.url + target, json=body, **options)

    def create(self, user_id, application_id):
        body = {"application": {"ids": {"application_id": application_id}}}
        return self.ask("POST", f"/users/{user_id}/applications", body)


def test_a_target_is_complete_and_works():
    with embedded_server(PLATFORM) as server:
        validate(server.target, load_schema("target"))
        credentials = server.target["credentials"]
        assert sorted(credentials) == ["admin_api_key", "api_key", "organization_id", "user_id"]
        port = server.url.rpartition(":")[2]
        gateway = server.target["gateway"]
        assert gateway["frequency_plan"] == "EU_863_870_TTN"
        assert gateway["udp"] == f"127.0.0.1:{port}"
        assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", gateway["lns"])
        maker = Client(server)
        assert maker.create(credentials["user_id"], "app1").status_code == 200
        info = Client(server, "admin_api_key").ask("GET", "/auth_info").json()
        assert info["is_admin"] is True
        organization = f"/organizations/{credentials['organization_id']}/rights"
        assert "RIGHT_ORGANIZATION_ALL" in maker.ask("GET", organization).json()["rights"]
        assert server.errors.read_text() == ""


def test_the_same_seed_gives_the_same_keys():
    keys = []
    for seed in (1, 1, 2):
        with embedded_server(PLATFORM, seed=seed) as server:
            keys.append(server.target["credentials"]["api_key"])
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


def test_state_survives_a_restart_and_a_target_can_always_be_used(tmp_path):
    for seed, count in ((1, 1), (1, 2), (2, 3)):
        with embedded_server(PLATFORM, state=tmp_path, seed=seed) as server:
            client = Client(server)
            user_id = server.target["credentials"]["user_id"]
            assert client.create(user_id, f"app-{count}").status_code == 200
            answer = client.ask("GET", "/applications")
            assert answer.headers["X-Total-Count"] == str(count)
            assert Client(server, "admin_api_key").ask("GET", "/users").status_code == 200


def test_provisioning_is_added_and_kept(tmp_path):
    for _ in range(2):
        with embedded_server(PLATFORM, state=tmp_path, provisioning=PROVISIONING) as server:
            assert server.target["credentials"] == {
                "api_key": PROVISIONING["api_key"][1]["key"],
                "user_id": "maker",
                "admin_api_key": PROVISIONING["api_key"][0]["key"],
                "organization_id": "makers",
            }
    changed = json.loads(json.dumps(PROVISIONING))
    changed["api_key"][1]["user_id"] = "boss"
    with (
        pytest.raises(EmbeddedError, match="API key …BBBB exists with other contents"),
        embedded_server(PLATFORM, state=tmp_path, provisioning=changed),
    ):
        pass


def test_policy_of_a_provisioning():
    settings = {"tenants": ["tenant1"], "rate_limit": {"per_minute": 60, "burst": 5},
                "events_kept": 10, "refuses_http_1_0": True}  # fmt: skip
    with embedded_server(PLATFORM, provisioning=PROVISIONING | {"server": settings}) as server:
        assert server.target["credentials"]["tenant"] == "tenant1"
        validate(server.target, load_schema("target"))
        answer = Client(server).ask("GET", "/auth_info")
        assert answer.headers["X-Rate-Limit-Limit"] == "5"
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(b"GET /api/v3/auth_info HTTP/1.0\r\n\r\n")
            received = client.recv(65536)
        assert received.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
        assert b"Upgrade: HTTP/1.1\r\n" in received


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"user": [{"user_id": "A", "email": "a@b", "password": "x"}]},
         ("user", 0, "user_id"), "small letters"),
        ({"user": PROVISIONING["user"] * 2}, ("user",), "got one twice"),
        ({"organization": [{"organization_id": "abc", "members": ["nobody"]}]},
         ("organization", 0, "members"), "nobody"),
        ({"api_key": [{"key": "NNSXS.ABC", "user_id": "boss"}]}, ("api_key", 0, "key"), "….ABC"),
        ({"api_key": [{"key": "NNSXS.ABC.DEF"}]}, ("api_key", 0), "user_id or organization_id"),
        ({"api_key": [{"key": "NNSXS.ABC.DEF", "user_id": "boss", "rights": ["RIGHT_X"]}]},
         ("api_key", 0, "rights"), "RIGHT_X"),
        ({"gateway": {"frequency_plan": "MOON"}}, ("gateway", "frequency_plan"), "MOON"),
        ({"server": {"fallback_plan": "MOON"}}, ("server", "fallback_plan"), "MOON"),
    ],
)  # fmt: skip
def test_mistakes_in_a_provisioning_are_told_with_their_place(change, path, words):
    with pytest.raises(ProvisioningError) as error:
        from_document(PROVISIONING | change)
    assert error.value.path == path
    assert words.lstrip("…") in str(error.value)


def test_a_provisioning_file_has_a_schema(tmp_path):
    file = tmp_path / "p.toml"
    file.write_text('[[user]]\nuser_id = "boss"\nemail = "b@x.y"\npassword = "x"\nadmn = true\n')
    with pytest.raises(Exception, match=r"p\.toml:5: .*did you mean 'admin'"):
        open_toml(file).check("provisioning-things-stack")


def test_kill_loses_nothing_acknowledged(tmp_path):
    """Creators on four connections, a SIGKILL in the middle: each 200 is there afterwards."""
    acknowledged: list[str] = []
    enough = threading.Event()
    with embedded_server(PLATFORM, state=tmp_path) as server:
        user_id = server.target["credentials"]["user_id"]

        def hammer(number: int) -> None:
            client = Client(server)
            for count in range(100_000):
                try:
                    answer = client.create(user_id, f"app-{number}-{count}")
                except requests.RequestException:
                    return
                assert answer.status_code == 200
                acknowledged.append(answer.json()["ids"]["application_id"])
                if len(acknowledged) >= 100:
                    enough.set()

        threads = [threading.Thread(target=hammer, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        os.kill(server.process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join(20)
    with embedded_server(PLATFORM, state=tmp_path) as server:
        client = Client(server)
        found = [client.ask("GET", f"/applications/{name}").status_code for name in acknowledged]
        assert set(found) == {200}


def test_tls(tmp_path):
    with embedded_server(PLATFORM, state=tmp_path, tls=True) as server:
        assert server.url.startswith("https://")
        assert Client(server).ask("GET", "/auth_info").status_code == 200
        assert server.target["gateway"]["lns"].startswith("wss://127.0.0.1:")


@pytest.fixture(scope="module")
def shared():
    with embedded_server(PLATFORM) as server:
        yield server
        assert server.errors.read_text() == ""


def test_headers_of_every_answer(shared):
    for target in ("/auth_info", "/nowhere", "/applications/nope"):
        headers = Client(shared).ask("GET", target).headers
        assert headers["Content-Type"] == "application/json"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Pragma"] == "no-cache"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Total-Count" in headers["Access-Control-Expose-Headers"]
        assert len(headers["X-Request-Id"]) == 26
        assert "Link" not in headers
        assert "Retry-After" not in headers


def test_preflight(shared):
    answer = requests.options(f"{shared.url}/api/v3/applications", timeout=5)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE"
    assert answer.headers["Access-Control-Max-Age"] == "600"


def test_a_password_on_the_wire(shared):
    body = {"user": {"ids": {"user_id": "newcomer"}, "primary_email_address": "n@example.com",
                     "password": "long-enough"}}  # fmt: skip
    assert requests.post(f"{shared.url}/api/v3/users", json=body, timeout=5).status_code == 200
    again = requests.post(f"{shared.url}/api/v3/users", json=body, timeout=5)
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("accept", "kind", "end"),
    [("text/event-stream", "text/event-stream", b"\n\n"), ("*/*", "application/json", b"\n")],
)
def test_a_stream_on_the_wire(shared, accept, kind, end):
    client = Client(shared)
    name = f"app-{kind[:4]}"
    client.create(shared.target["credentials"]["user_id"], name)
    entity = {"application_ids": {"application_id": name}}
    headers = {"Accept": accept}
    with client.ask(
        "POST", "/events", {"identifiers": [entity]}, headers=headers, stream=True
    ) as stream:
        assert stream.headers["Content-Type"] == kind
        assert "X-Request-Id" in stream.headers
        chunks = stream.iter_content(None)
        first = next(chunks)
        assert first.endswith(b"}" + end)
        assert first.count(b"\n") == len(end)
        assert json.loads(first)["result"]["name"] == "events.stream.start"
        device = {"end_device": {"ids": {"device_id": "dev1"}}}
        Client(shared).ask("POST", f"/applications/{name}/devices", device)
        assert json.loads(next(chunks))["result"]["name"] == "end_device.create"


def test_a_body_too_large(shared):
    head = b"POST /api/v3/users/x/applications HTTP/1.1\r\nContent-Length: 16777217\r\n\r\n"
    host, port = shared.url.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(head)
        try:
            for _ in range(17):
                client.sendall(b" " * (1 << 20))
        except OSError:
            pass
        while b"maximum" not in received:
            received += client.recv(65536)
    assert received.startswith(b"HTTP/1.1 400 ")
    document = json.loads(received.partition(b"\r\n\r\n")[2])
    assert document["details"][0]["name"] == "request_body_too_large"
    assert document["details"][0]["attributes"] == {"maximum": 16777216}


def test_what_is_no_request(shared):
    host, port = shared.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        received = client.recv(65536)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == 3
