"""The server as a process: state that survives, one lock, a CA that stays, an orderly end."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import requests

from simulators.platforms.embedded import EmbeddedError, embedded_server

ROOT = Path(__file__).parents[3]


def write_value(url: str, thing_token: str, value: Any, **options: Any) -> requests.Response:
    body = {"values": [{"key": "t", "value": value}]}
    return requests.post(f"{url}/v2/things/{thing_token}", json=body, timeout=5, **options)


def read_values(url: str, thing_token: str, **options: Any) -> list[Any]:
    address = f"{url}/v2/things/{thing_token}/resources/t?limit=1000"
    return [row["value"] for row in requests.get(address, timeout=5, **options).json()]


def test_state_survives_a_restart(tmp_path):
    with embedded_server(state=tmp_path) as first:
        code, *_ = first.target["credentials"]["activation_codes"]
        body = {"activationCode": code}
        thing = requests.post(f"{first.url}/v2/things", json=body, timeout=5).json()
        write_value(first.url, thing["thingToken"], 1)
        write_value(first.url, thing["thingToken"], 2)
    with embedded_server(state=tmp_path) as second:
        assert read_values(second.url, thing["thingToken"]) == [2, 1]
        write_value(second.url, thing["thingToken"], 3)
        assert read_values(second.url, thing["thingToken"]) == [3, 2, 1]
        again = requests.post(f"{second.url}/v2/things", json=body, timeout=5)
        assert again.status_code == 400
        # the used code is offered to nobody, and the next activation makes another thing
        codes = second.target["credentials"]["activation_codes"]
        assert code not in codes
        body = {"activationCode": codes[0]}
        other = requests.post(f"{second.url}/v2/things", json=body, timeout=5).json()
        assert other["thingToken"] != thing["thingToken"]


def test_restarted_server_gives_its_target_users_who_can_log_in(tmp_path):
    addresses: list[str] = []
    for _ in range(2):
        with embedded_server(state=tmp_path) as server:
            credentials = server.target["credentials"]
            for user in credentials["users"]:
                body = {**user, "app": credentials["app_id"]}
                answer = requests.post(f"{server.url}/v2/login", json=body, timeout=5)
                assert answer.status_code == 200
                addresses.append(user["email"])
    assert len(set(addresses)) == 6


def test_same_seed_same_tokens_other_seed_others():
    targets = []
    for seed in (1, 1, 2):
        with embedded_server(seed=seed) as server:
            targets.append(server.target["credentials"])
    assert targets[0] == targets[1]
    assert not set(targets[0]["activation_codes"]) & set(targets[2]["activation_codes"])


def test_folder_belongs_to_one_process(tmp_path):
    with (
        embedded_server(state=tmp_path),
        pytest.raises(EmbeddedError, match="it is in use"),
        embedded_server(state=tmp_path),
    ):
        pass


def test_certificate_authority_stays_with_the_folder(tmp_path):
    authorities = []
    for _ in range(2):
        with embedded_server(state=tmp_path, tls=True) as server:
            ca_file = Path(server.target["ca_file"])
            authorities.append(ca_file.read_bytes())
            thing_token = server.target["credentials"]["thing_tokens"][0]
            assert server.url.startswith("https://127.0.0.1:")
            assert write_value(server.url, thing_token, 1, verify=str(ca_file)).status_code == 201
            with pytest.raises(requests.exceptions.SSLError):
                write_value(server.url, thing_token, 1)
    assert authorities[0] == authorities[1]
    assert (tmp_path / "ca-key.pem").stat().st_mode & 0o077 == 0


def test_stream_over_tls(tmp_path):
    with embedded_server(state=tmp_path, tls=True) as server:
        context = ssl.create_default_context(cafile=server.target["ca_file"])
        host, port = server.url.removeprefix("https://").split(":")
        token = server.target["credentials"]["thing_tokens"][0]
        with (
            socket.create_connection((host, int(port)), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=host) as client,
        ):
            client.sendall(f"GET /v2/things/{token} HTTP/1.1\r\n\r\n".encode())
            received = b""
            while b"subscribed" not in received:
                received += client.recv(65536)
            for value in range(5):
                write_value(server.url, token, value, verify=server.target["ca_file"])
                assert b'[{"key":"t","value":%d}]' % value in client.recv(65536)


def test_plain_http_to_a_tls_port_leaves_no_traceback():
    with embedded_server(tls=True) as server:
        host, port = server.url.removeprefix("https://").split(":")
        for data in (b"GET /v2/ HTTP/1.1\r\n\r\n", b"\x16\x03", b""):
            with socket.create_connection((host, int(port)), timeout=5) as client:
                client.sendall(data)
        ping = requests.get(f"{server.url}/v2/", timeout=5, verify=server.target["ca_file"])
        assert ping.status_code == 401
        assert server.errors.read_text() == ""


def test_kill_under_load_loses_nothing_acknowledged(tmp_path):
    """Writers on eight connections, a SIGKILL in the middle: each 201 is a row afterwards."""
    import threading

    with embedded_server(state=tmp_path) as server:
        tokens = server.target["credentials"]["thing_tokens"][:8]
        acknowledged: list[list[int]] = [[] for _ in tokens]
        enough = threading.Event()

        def hammer(number: int) -> None:
            with requests.Session() as session:
                for value in range(100_000):
                    body = {"values": [{"key": "t", "value": value}]}
                    try:
                        answer = session.post(
                            f"{server.url}/v2/things/{tokens[number]}", json=body, timeout=5
                        )
                    except requests.RequestException:
                        return
                    assert answer.status_code == 201
                    acknowledged[number].append(value)
                    if sum(map(len, acknowledged)) >= 300:
                        enough.set()

        writers = [threading.Thread(target=hammer, args=(n,)) for n in range(len(tokens))]
        for writer in writers:
            writer.start()
        assert enough.wait(20)
        os.kill(server.process.pid, signal.SIGKILL)
        for writer in writers:
            writer.join(20)
    with embedded_server(state=tmp_path) as server:
        for token, values in zip(tokens, acknowledged, strict=True):
            kept = read_values(server.url, token)
            assert set(values) <= set(kept)
            assert len(kept) <= len(values) + 1  # the one that was on its way
            assert kept == sorted(kept, reverse=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_streams_and_the_process_with_success(number):
    with embedded_server() as server:
        token = server.target["credentials"]["thing_tokens"][0]
        address = f"{server.url}/v2/things/{token}"
        with requests.get(address, stream=True, timeout=5) as stream:
            documents = stream.iter_content(None)
            assert b"subscribed" in next(documents)
            os.kill(server.process.pid, number)
            assert list(documents) == []  # the last chunk came; without it this raises
        assert server.process.wait(5) == 0


def test_server_ends_with_the_process_that_started_it(tmp_path):
    script = (
        "import os\n"
        "from simulators.platforms.embedded import embedded_server\n"
        "with embedded_server() as server:\n"
        "    print(server.process.pid, flush=True)\n"
        "    os._exit(1)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=20,
    )
    pid = int(done.stdout)
    import time

    deadline = time.monotonic() + 5
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


# --- the command


def thingrig(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "thingrig", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_command_is_ready_writes_its_target_and_ends_with_zero(tmp_path):
    options = ["--write-target", "target.toml", "--state", "state"]
    with thingrig("thethings-io", *options, cwd=tmp_path) as process:
        assert process.stdout is not None
        ready, platform, url = process.stdout.readline().split()
        assert (ready, platform) == ("ready", "thethings-io")
        assert requests.get(f"{url}/v2/", timeout=5).status_code == 401
        target = tomllib.loads((tmp_path / "target.toml").read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
    assert (target["platform"], target["url"]) == ("thethings-io", url)
    assert len(set(target["credentials"]["activation_codes"])) >= 1000
    assert len(target["credentials"]["thing_tokens"]) >= 20
    assert [firmware["mcu"] for firmware in target["firmware"]] == ["main", "radio"]
    assert [function["name"] for function in target["function"]] == ["echo"]
    assert len(target["credentials"]["users"]) == 3


PROVISIONING = """\
[[product]]
id = "lamp"
activation_codes = ["lamp-code-1"]

[[thing]]
thing_token = "{token}"
thing_id = "{thing_id}"
product = "lamp"

[[firmware]]
id = "f1"
product = "lamp"
mcu = "main"
version = "3"
base64 = "{image}"

[[function]]
name = "hello"
returns = "result"
result = {{ text = "hi" }}
"""


def provisioning(image: str = "AAEC") -> str:
    return PROVISIONING.format(token="T" * 43, thing_id="I" * 43, image=image)


def start_with(text: str, folder: Path) -> tuple[int | None, str, dict[str, Any]]:
    """Exit status, error line and target of a server started with this provisioning."""
    (folder / "p.toml").write_text(text)
    options = [
        "thethings-io",
        "--provision",
        "p.toml",
        "--state",
        "state",
        "--write-target",
        "target.toml",
    ]
    with thingrig(*options, cwd=folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline():
            target = tomllib.loads((folder / "target.toml").read_text())
            token = target["credentials"]["thing_tokens"][0]
            address = f"{target['url']}/v2/things/{token}/code/functions/hello"
            door = {"activationCode": "door-code-1", "productId": "door"}
            activation = requests.post(f"{target['url']}/v2/things", json=door, timeout=5)
            target["door"] = activation.status_code
            target["hello"] = requests.post(address, json={"params": {}}, timeout=5).json()
            process.terminate()
            return process.wait(5), "", target
        return process.wait(5), process.stderr.read(), {}


def test_provisioning_is_added_and_kept(tmp_path):
    status, _, target = start_with(provisioning(), tmp_path)
    assert status == 0
    assert target["credentials"]["product_id"] == "lamp"
    assert target["credentials"]["thing_tokens"] == ["T" * 43]
    assert "lamp-code-1" in target["credentials"]["activation_codes"]
    assert target["hello"] == {"text": "hi"}
    more = provisioning() + '\n[[product]]\nid = "door"\nactivation_codes = ["door-code-1"]\n'
    status, _, target = start_with(more, tmp_path)
    assert status == 0
    # a target is about one product: the one with most codes
    assert target["credentials"]["product_id"] == "lamp"
    assert "lamp-code-1" in target["credentials"]["activation_codes"]
    assert "door-code-1" not in target["credentials"]["activation_codes"]
    assert target["door"] == 201


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("product = ", "produkt = "), 8, "did you mean 'product'"),
        (('product = "lamp"\n\n[[firm', 'product = "lamb"\n\n[[firm'), 8, "lamp"),
        (("AAEC", "not base64!"), 15, "base64"),
        (("[[product]]", "[[product"), 1, "TOML"),
        (('"T', '"too short'), 6, "43"),
    ],
)
def test_mistakes_in_provisioning_are_told_with_their_line(tmp_path, change, line, words):
    status, errors, _ = start_with(provisioning().replace(*change), tmp_path)
    assert status == 2
    (only,) = errors.splitlines()
    assert f"p.toml:{line}: " in only
    assert words in only


def test_conflict_with_the_folder_is_wrong_usage(tmp_path):
    assert start_with(provisioning(), tmp_path)[0] == 0
    status, errors, _ = start_with(provisioning(image="BBBB"), tmp_path)
    assert status == 2
    assert len(errors.splitlines()) == 1
    assert "f1 exists with other contents" in errors
    assert start_with(provisioning(), tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["thethings-oi"], "did you mean 'thethings-io'"),
        (["--port", "70000"], "65535"),
        (["--port", "x"], "x"),
        (["--host", "256.1.1.1"], "256.1.1.1"),
        (["--state", "/proc/nothing"], "/proc/nothing"),
        (["thethings-io", "--write-target", "no/folder/t.toml"], "no/folder/t.toml"),
        (["thethings-io", "--provision", "missing.toml"], "missing.toml"),
    ],
)
def test_wrong_usage_is_one_line_and_two(tmp_path, arguments, words):
    with thingrig(*arguments, cwd=tmp_path) as process:
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, output) == (2, "")
    assert len(errors.splitlines()) == 1, errors
    assert words in errors


def test_taken_port_is_wrong_usage(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with thingrig("thethings-io", "--port", str(port), cwd=tmp_path) as process:
            _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert str(port) in errors
    assert len(errors.splitlines()) == 1


def test_target_keeps_what_the_server_says(tmp_path):
    with embedded_server(provisioning={"product": [{"id": 'q"uo\\te'}]}) as server:
        assert server.target["credentials"]["product_id"] == 'q"uo\\te'
        assert json.dumps(server.target["limits"]) == '{"allow": ["read", "write", "destroy"]}'
