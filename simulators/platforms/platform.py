"""
What serving needs to know of a platform: a description of it, and the server that it opens.

A platform describes itself in ``serving.py`` of its package, as ``PLATFORM``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.platforms.effects import NetworkCore, PlatformCore
from simulators.platforms.framing import Framing, Limits
from simulators.platforms.mailer import Outgoing
from simulators.platforms.state_folder import StateFolder
from simulators.platforms.wire_http import Connection

Document = dict[str, Any]


class ServingError(Exception):
    """The server cannot be started as asked; one line says why."""


@dataclass(frozen=True)
class Settings:
    """
    How to serve.

    ``tls`` None: as the platform usually does. ``provisionings``: what ``read_provisioning`` made,
    by platform. ``write_target``: a file, or a folder for the files of several platforms.
    """

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    tls: bool | None = None
    provisionings: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    write_target: Path | None = None
    deviation: str | None = None
    until_stdin_ends: bool = False
    password_cost: int | None = None
    smtp: str | None = None


@dataclass(frozen=True)
class Site:
    """Where one platform's server is built: its folder, and what it is to be like."""

    folder: StateFolder
    settings: Settings
    provisioning: Any = None

    @property
    def wants_target(self) -> bool:
        """A target file will be asked for."""
        return self.settings.write_target is not None


@dataclass
class Server:
    """
    A server without sockets.

    Attributes:
        located: told the URL as soon as it is known.
        target: makes the platform's part of a target file, all but platform, url, ca_file and the
            gateways' ports.
        network: the core once more, if gateways connect to it.
    """

    core: PlatformCore
    database: sqlite3.Connection
    target: Callable[[str], Document]
    located: Callable[[str], None] = lambda _: None
    framing: Framing | None = None
    limits: Limits = field(default_factory=Limits)
    connection: type[Connection] = Connection
    mailer: Outgoing | None = None
    network: NetworkCore | None = None


@dataclass(frozen=True)
class Platform:
    """
    A platform that can be served.

    Attributes:
        schema: name of the schema of its provisioning file.
        read_provisioning: makes a provisioning of such a document, or raises ProvisioningError.
        open: opens a server at a site, provisioned and committed; may raise ServingError.
    """

    name: str
    schema: str
    read_provisioning: Callable[[Document], Any]
    open: Callable[[Site], AbstractAsyncContextManager[Server]]
    has_tls: bool = False
