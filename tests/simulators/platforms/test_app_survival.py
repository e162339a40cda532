"""The app side as a process: real mail, and what a kill must not lose."""

from __future__ import annotations

import mailbox
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from simulators.platforms.embedded import Embedded, embedded_server
from simulators.platforms.provisioning import DEMO_APP, DEMO_UNOFFICIAL_APP

DEADLINE_S = 10.0


class Phone:
    """A user's session with an app of a server."""

    def __init__(self, server: Embedded, name: str, app: str = DEMO_APP, word: str = "register"):
        self.url = f"{server.url}/v2"
        body = {"email": f"{name}@example.org", "password": f"{name}'s password", "app": app}
        answer = requests.post(f"{self.url}/{word}", json=body, timeout=10)
        assert answer.status_code in (200, 201), answer.text
        self.headers = {"Authorization": answer.json()["token"]}
        self.roles = answer.json()["roles"]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = requests.request(
            method, f"{self.url}{path}", json=body, headers=self.headers, timeout=10
        )
        return answer.status_code, answer.json()


def linked_thing(server: Embedded, phone: Phone) -> str:
    """The id of the first thing, linked, with one value."""
    token = server.target["credentials"]["thing_tokens"][0]
    body = {"values": [{"key": "t", "value": 21}]}
    assert requests.post(f"{phone.url}/things/{token}", json=body, timeout=5).status_code == 201
    status, answer = phone.ask("POST", "/me/things", {"thingToken": token})
    assert status == 200
    return str(answer["thingId"])


def ask_for(phone: Phone, thing_id: str, **flags: bool) -> str:
    status, answer = phone.ask("PUT", "/me/grant", {"permissions": {"t": {thing_id: flags}}})
    assert status == 200
    return str(answer["message"])


def mails(folder: str, count: int) -> list[mailbox.MaildirMessage]:
    """So many messages, waited for."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = list(mailbox.Maildir(folder, create=False)) if Path(folder).exists() else []
        if len(found) >= count:
            return sorted(found, key=lambda mail: str(mail["Date"]))
        time.sleep(0.05)
    raise AssertionError(f"expected {count} mails within {DEADLINE_S:g} s; got {len(found)}")


def link_in(mail: mailbox.MaildirMessage) -> str:
    text = mail.get_payload(decode=True).decode()
    return str(re.search(r"https?://\S+", text)[0])


def test_mail_is_real_and_its_link_confirms():
    with embedded_server() as server:
        ada, app = Phone(server, "ada"), Phone(server, "ada", DEMO_UNOFFICIAL_APP)
        thing_id = linked_thing(server, ada)
        assert ask_for(app, thing_id, get=True) == "confirmation sent"
        (mail,) = mails(server.target["mailbox"]["folder"], 1)
        assert mail["To"] == mail["Delivered-To"] == "ada@example.org"
        assert app.ask("GET", f"/me/resources/t/{thing_id}")[0] == 403
        answer = requests.get(link_in(mail), timeout=5)
        assert (answer.status_code, answer.json()["message"]) == (200, "confirmed")
        assert app.ask("GET", f"/me/resources/t/{thing_id}")[1][0]["value"] == 21
        assert requests.get(link_in(mail), timeout=5).status_code == 404
        assert server.errors.read_text() == ""


def test_mailbox_of_the_target_takes_its_addresses():
    with embedded_server() as server:
        assert server.target["mailbox"]["address"] == "{name}@thingrig.example"


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def settings(port: int) -> dict[str, Any]:
    """A provisioning whose mail server is at that port."""
    return {
        "product": [{"id": "p", "activation_codes": ["code-1"]}],
        "thing": [{"thing_token": "T" * 43, "thing_id": "I" * 43, "product": "p"}],
        "app": [{"id": DEMO_APP}, {"id": DEMO_UNOFFICIAL_APP, "official": False}],
        "server": {"smtp": f"127.0.0.1:{port}", "password_cost": 10},
    }


def test_kill_loses_nothing_that_was_acknowledged(tmp_path):
    """Registration, link, grant, object, setting, and a mail that no server has taken yet."""
    with embedded_server(state=tmp_path, provisioning=settings(unused_port())) as server:
        assert "mailbox" not in server.target
        ada, ben = Phone(server, "ada"), Phone(server, "ben")
        app = Phone(server, "ada", DEMO_UNOFFICIAL_APP)
        thing_id = linked_thing(server, ada)
        body = {"permissions": {"t": {thing_id: {"get": True}}}, "email": "ben@example.org"}
        assert ada.ask("PUT", "/me/grant", body)[1]["message"] == "granted"
        assert ada.ask("POST", "/classes/me/Songs/1/Verses/2", {"n": 1})[0] == 201
        assert ada.ask("PUT", "/me/settings", {"a": 1, "password": "changed"})[0] == 200
        assert ask_for(app, thing_id, get=True) == "confirmation sent"
        os.kill(server.process.pid, signal.SIGKILL)
        old_url = server.url
    with embedded_server(state=tmp_path) as server:
        for phone in (ada, ben, app):  # sessions survive as well
            phone.url = f"{server.url}/v2"
        assert ada.ask("GET", "/me/things") == (200, [{"_id": thing_id}])
        assert ben.ask("GET", f"/me/resources/t/{thing_id}")[1][0]["value"] == 21
        assert ada.ask("GET", "/classes/me/Songs/1/Verses") == (200, [{"_id": "2", "n": 1}])
        assert ada.ask("GET", "/me/settings") == (200, {"a": 1})
        again = {"email": "ben@example.org", "password": "x", "app": DEMO_APP}
        assert requests.post(f"{server.url}/v2/register", json=again, timeout=5).status_code == 400
        old = {"email": "ada@example.org", "password": "ada's password", "app": DEMO_APP}
        assert requests.post(f"{server.url}/v2/login", json=old, timeout=5).status_code == 401
        old["password"] = "changed"
        assert requests.post(f"{server.url}/v2/login", json=old, timeout=5).status_code == 200
        (mail,) = mails(server.target["mailbox"]["folder"], 1)
        assert link_in(mail).startswith(f"{server.url}/v2/confirmations/")
        assert server.url != old_url
        assert app.ask("GET", f"/me/resources/t/{thing_id}")[0] == 403
        assert requests.get(link_in(mail), timeout=5).status_code == 200
        assert app.ask("GET", f"/me/resources/t/{thing_id}")[0] == 200
    with embedded_server(state=tmp_path) as server:  # confirmed, and sent once
        app.url = f"{server.url}/v2"
        assert app.ask("GET", f"/me/resources/t/{thing_id}")[0] == 200
        assert len(mails(server.target["mailbox"]["folder"], 1)) == 1


def test_kill_under_load_loses_no_registration(tmp_path):
    """Registrations on four connections, a SIGKILL in the middle: who has a token can log in."""
    registered: list[str] = []
    enough = threading.Event()
    with embedded_server(state=tmp_path) as server:

        def hammer(number: int) -> None:
            for count in range(10_000):
                name = f"user-{number}-{count}"
                try:
                    Phone(server, name)
                except requests.RequestException:
                    return
                registered.append(name)
                if len(registered) >= 40:
                    enough.set()

        writers = [threading.Thread(target=hammer, args=(number,)) for number in range(4)]
        for writer in writers:
            writer.start()
        assert enough.wait(30)
        os.kill(server.process.pid, signal.SIGKILL)
        for writer in writers:
            writer.join(20)
    with embedded_server(state=tmp_path) as server:
        for name in registered:
            Phone(server, name, word="login")


@contextmanager
def mail_server(port: int, replies: dict[bytes, bytes]) -> Iterator[list[bytes]]:
    """A mail server of a few lines; ``replies`` are what it says to which command."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(DEADLINE_S)

    def talk() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file:
                file.write(b"220 here\r\n")
                file.flush()
                while line := file.readline():
                    heard.append(line.strip().lower())  # the case depends on Python
                    word = line.split()[0].upper()
                    file.write(replies.get(word, b"250 fine") + b"\r\n")
                    file.flush()
                    if word == b"QUIT":
                        break

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        listener.close()


def wait_for(heard: list[bytes], line: bytes, count: int = 1) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while heard.count(line) < count:
        assert time.monotonic() < deadline, list(heard)
        time.sleep(0.02)


@pytest.mark.parametrize(("code", "is_tried_again"), [(b"450 later", True), (b"550 never", False)])
def test_what_a_mail_server_refuses(tmp_path, code, is_tried_again):
    port = unused_port()
    with (
        mail_server(port, {b"RCPT": code}) as heard,
        embedded_server(state=tmp_path, provisioning=settings(port)) as server,
    ):
        ada, app = Phone(server, "ada"), Phone(server, "ada", DEMO_UNOFFICIAL_APP)
        ask_for(app, linked_thing(server, ada), get=True)
        wait_for(heard, b"rcpt to:<ada@example.org>", 2 if is_tried_again else 1)
        deadline = time.monotonic() + DEADLINE_S
        while not (told := server.errors.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert len(told.splitlines()) == 1
    assert ("was given up" in told) is not is_tried_again
    assert "ada@" not in told
    with embedded_server(state=tmp_path) as server:  # in the outbox, or not
        if is_tried_again:
            mails(server.target["mailbox"]["folder"], 1)
        else:
            time.sleep(0.3)
            assert list(Path(server.target["mailbox"]["folder"]).glob("new/*")) == []
