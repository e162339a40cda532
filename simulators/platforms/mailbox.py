"""
A mail server of our own for everything that is sent to it: nothing leaves the machine.

Messages become files of a Maildir, where people and programs can read them.
"""

from __future__ import annotations

import asyncio
import mailbox
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

ADDRESS = "{name}@thingrig.example"  # every address is ours; these can be nobody else's
_LONGEST_MAIL = 1_048_576


class Keeper:
    """aiosmtpd's handler: files each message, with its receivers in front."""

    def __init__(self, folder: Path) -> None:
        self._maildir = mailbox.Maildir(folder, create=True)

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Any, envelope: Envelope
    ) -> str:
        """A whole message has come."""
        receivers = "".join(f"Delivered-To: {receiver}\r\n" for receiver in envelope.rcpt_tos)
        content = envelope.content
        assert isinstance(content, bytes)
        # Written to the disk beside the loop: others are being answered.
        await asyncio.to_thread(self._maildir.add, receivers.encode() + content)
        return "250 OK"


async def open_mailbox(folder: Path) -> asyncio.Server:
    """
    Take mail on a free loopback port.

    Raises:
        OSError: the folder cannot be made, or there is no port.
    """
    loop = asyncio.get_running_loop()
    keeper = Keeper(folder)
    return await loop.create_server(
        lambda: SMTP(
            keeper,
            hostname="localhost",
            data_size_limit=_LONGEST_MAIL,
            enable_SMTPUTF8=True,
            loop=loop,
        ),
        "127.0.0.1",
        0,
    )
