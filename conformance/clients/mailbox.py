"""
Reading the mail that a platform sends: from a folder of messages, or through IMAP.

A folder is a Maildir or holds one message per file. Messages are only looked at, never changed.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

TIMEOUT_S = 10.0
DEFAULT_ADDRESS = "{name}@example.com"
_LINK = re.compile(r"https?://[^\s<>\"'\\]+")
_PORTS = {"imap": 143, "imaps": 993}


class MailboxError(Exception):
    """The mailbox cannot be read; the message tells why in one phrase."""


class Mail(NamedTuple):
    """One message; ``to`` in lower case, ``links`` every http and https address in its text."""

    to: tuple[str, ...]
    subject: str
    text: str
    links: tuple[str, ...]


class Mailbox(Protocol):
    """Where the platform's mail can be read."""

    def messages(self, address: str) -> list[Mail]:
        """
        Everything that has come for an address so far.

        Raises:
            MailboxError: it cannot be read.
        """


def open_mailbox(document: Mapping[str, Any]) -> Mailbox:
    """The mailbox of a target file's table ``[mailbox]``."""
    if "folder" in document:
        return FolderMailbox(Path(document["folder"]))
    return ImapMailbox(
        document["imap"],
        document["user"],
        document["password"],
        inbox=document.get("inbox", "INBOX"),
        ca_file=document.get("ca_file"),
    )


def address_of(document: Mapping[str, Any], name: str) -> str:
    """An address whose mail lands in the mailbox; ``name`` is what tells it from others."""
    return str(document.get("address", DEFAULT_ADDRESS)).replace("{name}", name)


class FolderMailbox:
    """Messages as files of a folder: a Maildir, or one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def messages(self, address: str) -> list[Mail]:
        """See Mailbox."""
        return for_address(map(read_mail, self._files()), address)

    def _files(self) -> Iterator[bytes]:
        try:
            paths = [
                path
                for path in sorted(self._folder.rglob("*"))
                if path.is_file() and "tmp" not in path.relative_to(self._folder).parts
            ]
        except OSError as problem:
            raise MailboxError(f"{self._folder}: {problem.strerror or problem}") from problem
        for path in paths:
            # A reader beside us may have moved it from new/ to cur/.
            with contextlib.suppress(FileNotFoundError):
                yield path.read_bytes()


class ImapMailbox:
    """
    A folder of a mail server, looked at through a connection of its own each time.

    Args:
        url: ``imaps://host[:port]``, or ``imap://host[:port]`` without TLS.
    """

    def __init__(
        self, url: str, user: str, password: str, *, inbox: str = "INBOX", ca_file: str | None
    ) -> None:
        self._url, self._user, self._password = url, user, password
        self._inbox, self._ca_file = inbox, ca_file

    def messages(self, address: str) -> list[Mail]:
        """See Mailbox."""
        try:
            with self._connect() as server:
                server.login(self._user, self._password)
                server.select(_quoted(self._inbox), readonly=True)
                found = list(_fetched(server, address))
        except (OSError, imaplib.IMAP4.error) as problem:
            host = urlsplit(self._url).hostname
            raise MailboxError(f"{host}: {_phrase(problem)}") from problem
        return for_address(map(read_mail, found), address)

    def _connect(self) -> imaplib.IMAP4:
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "imap":
            return imaplib.IMAP4(host, port, timeout=TIMEOUT_S)
        context = ssl.create_default_context(cafile=self._ca_file)
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_S)


def read_mail(data: bytes) -> Mail:
    """A message in the form of RFC 5322."""
    message = message_from_bytes(data, policy=policy.default)
    fields = [
        str(value)
        for name in ("To", "Delivered-To", "X-Original-To", "X-RcptTo")
        for value in message.get_all(name, [])
    ]
    text = "\n".join(_texts(message))
    return Mail(
        tuple(dict.fromkeys(address.lower() for _, address in getaddresses(fields) if address)),
        str(message.get("Subject", "")),
        text,
        tuple(dict.fromkeys(_link(found[0]) for found in _LINK.finditer(text))),
    )


def for_address(mails: Iterator[Mail], address: str) -> list[Mail]:
    """Those that name the address as their receiver."""
    return [mail for mail in mails if address.lower() in mail.to]


def _texts(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_maintype() == "text":
            content = _text(part)
            yield unescape(content) if part.get_content_subtype() == "html" else content


def _text(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset that nobody knows
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def _link(text: str) -> str:
    """A link without what a sentence puts behind it."""
    return text.rstrip(".,;:!?)]}")


def _fetched(server: imaplib.IMAP4, address: str) -> Iterator[bytes]:
    _, [numbers] = server.search(None, "TO", _quoted(address))
    for number in (numbers or b"").split():
        _, parts = server.fetch(number.decode(), "(BODY.PEEK[])")
        for part in parts:
            if isinstance(part, tuple):
                yield part[1]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _phrase(problem: Exception) -> str:
    words = problem.args[0] if problem.args else ""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(problem)
    return text.strip() or type(problem).__name__
