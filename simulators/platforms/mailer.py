"""
Sends mail through SMTP, one message after another, in a thread of its own.

What a server cannot take now is tried again; what it will never take is given up and told. Knows
nothing of where the mails come from.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import queue
import smtplib
import sys
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol

from simulators.platforms.effects import Mail

Done = Callable[[int], None]
DEFAULT_SENDER = "no-reply@thingrig.example"
_TIMEOUT_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_PERMANENT = 500  # SMTP codes from here on say never


class Outgoing(Protocol):
    """What a shell gives its mails to."""

    def send(self, mail: Mail, done: Done) -> None:
        """Send, and call ``done`` with its number in the loop's thread when it has left."""


def address_of(text: str) -> tuple[str, int]:
    """
    Host and port of ``host:port``; an IPv6 address in brackets.

    Raises:
        ValueError: no such form.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"expected a mail server as host:port; got {text!r}")
    return host, int(port)


class Mailer:
    """A thread with a queue, and a mail server at ``host`` and ``port``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        *,
        sender: str = DEFAULT_SENDER,
        unix_us: Callable[[], int],
    ) -> None:
        """``unix_us`` tells the time that a message is dated with."""
        self._loop = loop
        self._address = (host, port)
        self._sender = sender
        self._unix_us = unix_us
        self._queue: queue.SimpleQueue[tuple[Mail, Done] | None] = queue.SimpleQueue()
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self, mail: Mail, done: Done) -> None:
        """See Outgoing."""
        self._queue.put((mail, done))
        if self._thread is None:
            # Only now: with a second thread the allocator locks, and every request would pay.
            # A daemon: a mail server that does not answer must not keep the process alive.
            self._thread = threading.Thread(target=self._work, name="mailer", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Send nothing more; what waits stays in the outbox it came from."""
        self._is_closed.set()
        self._queue.put(None)

    def _work(self) -> None:
        while (work := self._queue.get()) is not None and not self._is_closed.is_set():
            mail, done = work
            if self._deliver(mail):
                self._tell(done, mail.number)

    def _tell(self, done: Done, number: int) -> None:
        try:
            self._loop.call_soon_threadsafe(done, number)
        except RuntimeError:  # the loop is closed: the mail will be sent once more
            self._is_closed.set()

    def _deliver(self, mail: Mail) -> bool:
        """Try until a server decides; False when closed meanwhile."""
        pause_s = _FIRST_PAUSE_S
        while not self._is_closed.is_set():
            try:
                self._hand_over(mail)
                return True
            except (OSError, smtplib.SMTPException, ValueError) as problem:
                if _is_final(problem):
                    _complain(f"mail to {_masked(mail.recipient)} was given up", problem)
                    return True
                if pause_s == _FIRST_PAUSE_S:
                    _complain(f"mail server {self._address[0]}:{self._address[1]}", problem)
            self._is_closed.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return False

    def _hand_over(self, mail: Mail) -> None:
        server = smtplib.SMTP(*self._address, local_hostname="localhost", timeout=_TIMEOUT_S)
        try:
            server.send_message(self._message(mail))
        finally:
            # What a server says to a farewell changes nothing about the message.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = formatdate(self._unix_us() / 1_000_000)
        # The same mail sent twice, after a kill at the wrong moment, can be told as one.
        name = hashlib.sha256(f"{mail.number} {mail.text}".encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{name}@{self._sender.rpartition('@')[2]}>"
        message.set_content(mail.text)
        return message


def _is_final(problem: Exception) -> bool:
    """A server's last word on a message, or a message that cannot be sent as it is."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _ in problem.recipients.values())
    if isinstance(problem, smtplib.SMTPResponseException):
        return problem.smtp_code >= _PERMANENT
    return isinstance(problem, smtplib.SMTPNotSupportedError | ValueError)


def _complain(what: str, problem: Exception) -> None:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):  # its text would tell the address
        reason = " ".join(str(code) for code, _ in problem.recipients.values())
    else:
        reason = str(problem)
    print(f"{what}: {reason}", file=sys.stderr)


def _masked(recipient: str) -> str:
    return "…@" + recipient.rpartition("@")[2]
