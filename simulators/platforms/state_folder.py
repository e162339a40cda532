"""The folder a server keeps across restarts: its lock, and its local certificate authority."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import IO

import trustme

from simulators.platforms.locks import locked

_KEY = "ca-key.pem"


class StateFolder:
    """
    A folder used by one process at a time.

    Entering it raises OSError when it cannot be made or another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.ca_file = self.path / "ca.pem"
        self.mail_folder = self.path / "mail"
        self._lock: IO[str] | None = None

    def __enter__(self) -> StateFolder:
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = locked(self.path / "lock", "a folder of this server alone")
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def tls_context(self, *names: str) -> ssl.SSLContext:
        """A server context with a fresh certificate for these names from the folder's authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority().issue_cert(*names).configure_cert(context)
        return context

    def _authority(self) -> trustme.CA:
        key = self.path / _KEY
        if key.exists() and self.ca_file.exists():
            return trustme.CA.from_pem(self.ca_file.read_bytes(), key.read_bytes())
        authority = trustme.CA(organization_name="ThingRig local CA")
        # The certificate last: with it the pair is complete.
        private = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(private, "wb") as file:
            file.write(authority.private_key_pem.bytes())
        authority.cert_pem.write_to_path(str(self.ca_file))
        return authority
