"""Mailboxes: a Maildir, single files, and a mail server; what a message says and where it leads."""

from __future__ import annotations

import mailbox
import re
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from conformance.clients.mailbox import (
    FolderMailbox,
    MailboxError,
    address_of,
    open_mailbox,
    read_mail,
)

PLAIN = b"""\
From: platform@example.com\r
To: Ada <Ada@example.com>, grace@example.com\r
Subject: Please confirm\r
\r
Open http://127.0.0.1:8080/v2/confirm/abc-DEF_1. Or (https://example.com/no?a=1&b=2).\r
"""
HTML = b"""\
To: ada@example.com\r
Subject: =?utf-8?q?K=C3=BCche?=\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=x\r
\r
--x\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
http://a.example/confirm?t=3D1&u=3D2\r
--x\r
Content-Type: text/html; charset=utf-8\r
\r
<a href="http://a.example/confirm?t=1&amp;u=2">here</a> <img src='http://b.example/logo'>\r
--x--\r
"""


def test_a_message_tells_receivers_subject_and_links() -> None:
    mail = read_mail(PLAIN)
    assert mail.to == ("ada@example.com", "grace@example.com")
    assert mail.subject == "Please confirm"
    assert mail.links == (
        "http://127.0.0.1:8080/v2/confirm/abc-DEF_1",
        "https://example.com/no?a=1&b=2",
    )


def test_links_are_read_from_encoded_text_and_html_once() -> None:
    mail = read_mail(HTML)
    assert mail.subject == "Küche"
    assert mail.links == ("http://a.example/confirm?t=1&u=2", "http://b.example/logo")


def test_an_unknown_charset_hides_no_link() -> None:
    head = b"To: a@example.com\nContent-Type: text/plain; charset=nonsense\n\n"
    assert read_mail(head + b"http://a.example/1").links == ("http://a.example/1",)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"To: \r\n\r\n", b"Content-Type: x/y\r\n\r\n1"])
def test_nonsense_is_a_message_without_links(data: bytes) -> None:
    assert read_mail(data).links == ()


def test_a_maildir_is_read_for_one_address(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    for data in (PLAIN, HTML, b"To: other@example.com\r\n\r\nhttp://c.example/"):
        box.add(data)
    found = open_mailbox({"folder": str(tmp_path / "box")}).messages("ADA@example.com")
    assert sorted(mail.subject for mail in found) == ["Küche", "Please confirm"]
    assert open_mailbox({"folder": str(tmp_path / "box")}).messages("grace@example.com") == [
        read_mail(PLAIN)
    ]


def test_files_of_a_folder_are_messages_and_none_is_not_an_error(tmp_path: Path) -> None:
    assert FolderMailbox(tmp_path / "not there").messages("ada@example.com") == []
    (tmp_path / "1.eml").write_bytes(PLAIN)
    assert FolderMailbox(tmp_path).messages("ada@example.com") == [read_mail(PLAIN)]


def test_an_address_holds_its_name() -> None:
    assert address_of({"address": "rig+{name}@mail.example"}, "x-1") == "rig+x-1@mail.example"
    assert address_of({}, "x-1") == "x-1@example.com"


Port = Callable[[Callable[[socket.socket], None]], AbstractContextManager[str]]


class Imap:
    """A mail server that knows one user, one folder and one message for ada@example.com."""

    def __init__(self, password: str = "secret") -> None:
        self.password = password
        self.seen: list[str] = []

    def __call__(self, connection: socket.socket) -> None:
        lines = connection.makefile("rwb")
        lines.write(b"* OK ready\r\n")
        lines.flush()
        for line in lines:
            tag, _, words = line.decode().strip().partition(" ")
            self.seen.append(re.sub(r'"secret"', "…", words))
            lines.write(self._answer(words) + f"{tag} {self._end(words)}\r\n".encode())
            lines.flush()
            if words == "LOGOUT":
                return

    def _answer(self, words: str) -> bytes:
        if words == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if words.startswith("EXAMINE"):
            return b"* 1 EXISTS\r\n"
        if words.startswith("SEARCH"):
            return b"* SEARCH 1\r\n" if "ada@example.com" in words else b"* SEARCH\r\n"
        if words.startswith("FETCH"):
            return b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(PLAIN), PLAIN)
        return b""

    def _end(self, words: str) -> str:
        is_wrong = words.startswith("LOGIN") and f'"{self.password}"' not in words
        return "NO wrong password" if is_wrong else "OK done"


def imap_at(url: str, password: str = "secret") -> dict[str, str]:
    return {"imap": url.replace("http", "imap"), "user": "rig", "password": password}


def test_a_mail_server_is_searched_and_left_as_it_was(port: Port) -> None:
    server = Imap()
    with port(server) as url:
        found = open_mailbox(imap_at(url)).messages("ada@example.com")
        nothing = open_mailbox(imap_at(url)).messages("eve@example.com")
    assert (found, nothing) == ([read_mail(PLAIN)], [])
    assert server.seen[:6] == [
        "CAPABILITY",
        "LOGIN rig …",
        'EXAMINE "INBOX"',
        'SEARCH TO "ada@example.com"',
        "FETCH 1 (BODY.PEEK[])",
        "LOGOUT",
    ]


def test_a_mail_server_that_refuses_is_one_phrase(port: Port) -> None:
    with port(Imap()) as url, pytest.raises(MailboxError, match=r"^127.0.0.1: wrong password$"):
        open_mailbox(imap_at(url, "guessed")).messages("ada@example.com")


def test_a_mail_server_that_is_not_there_is_one_phrase() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"imap://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(MailboxError, match="refused"):
        open_mailbox(imap_at(url)).messages("ada@example.com")
